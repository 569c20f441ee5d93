import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT } from '../../harness/core/errors.ts';
import {
  ageMs,
  candidates,
  chooseToPrune,
  deleteRuns,
  type Pruned,
  type Retention,
  sizeBytes,
} from '../../harness/store/retention.ts';
import { bytesText, timeText } from '../../reports/stored/figures.ts';
import { counted } from '../../reports/words.ts';
import type { Shell } from '../program.ts';
import { countOption, DEFAULT_ROOT } from '../stored.ts';

interface Flags {
  readonly output: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly maxRuns: string;
  readonly maxSize: string;
  readonly maxAge: string;
  readonly failedMaxAge: string;
}

/** `schism runs prune`: deletes what there is too much of, and says what that frees. */
export function pruneCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('prune')
    .description('delete old runs; never one that is pinned or still being written')
    .option('--dry-run', 'only say what would go')
    .option('--max-runs <n>', 'how many may stay', '100')
    .option('--max-size <size>', 'what all may weigh', '5GB')
    .option('--max-age <time>', 'of runs that passed, such as 12h or 30d', '30d')
    .option('--failed-max-age <time>', 'of all others', '90d')
    .option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .option('--json', 'one JSON document')
    .action(async (flags: Flags) => {
      const nowMs = realClock().wallMs();
      const limits: Retention = {
        maxRuns: countOption(flags.maxRuns, '--max-runs', 1e9),
        maxBytes: sizeBytes(flags.maxSize, '--max-size'),
        maxAgeMs: ageMs(flags.maxAge, '--max-age'),
        failedMaxAgeMs: ageMs(flags.failedMaxAge, '--failed-max-age'),
      };
      const runs = await candidates(flags.output, nowMs);
      const chosen = chooseToPrune(runs, limits, nowMs);
      const dry = flags.dryRun === true;
      const gone = dry ? chosen : await deleteRuns(flags.output, chosen, nowMs);
      shell.out(
        flags.json === true
          ? `${JSON.stringify({ schism: 1, dryRun: dry, runs: gone.map(documentOf) })}\n`
          : saidOf(gone, runs.length, dry),
      );
      finish(EXIT.pass);
    });
}

function documentOf({ run, why }: Pruned): object {
  const { id, dir, bytes, verdict = null } = run;
  return { run: id, dir, verdict, bytes, why };
}

function saidOf(gone: readonly Pruned[], all: number, dry: boolean): string {
  const bytes = gone.reduce((sum, { run }) => sum + run.bytes, 0);
  const lines = gone.map(
    ({ run, why }) =>
      ` ${run.id.padEnd(6)} ${(run.verdict ?? 'crashed').padEnd(8)} ${timeText(run.startedAtMs)}  ` +
      `${bytesText(run.bytes).padStart(8)}  ${why}`,
  );
  const left = `${counted(all - gone.length, 'run')} ${dry ? 'would stay' : 'left'}`;
  const total =
    gone.length === 0
      ? `nothing to delete, ${left}`
      : `${dry ? 'would delete' : 'deleted'} ${counted(gone.length, 'run')}, ` +
        `${bytesText(bytes)}; ${left}`;
  return `${[...lines, ` ${total}`].join('\n')}\n`;
}
