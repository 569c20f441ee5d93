import { existsSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { packRun } from '../../harness/store/archive.ts';
import { filesOf } from '../../harness/store/files.ts';
import { idOfFolder } from '../../harness/store/layout.ts';
import { setPinned } from '../../harness/store/marks.ts';
import { candidateOf } from '../../harness/store/retention.ts';
import { type OpenedRun, openRun } from '../../harness/store/run-ref.ts';
import { listRuns, readManifest, rebuildIndex } from '../../harness/store/store.ts';
import { isSuiteId, openSuite } from '../../harness/store/suites.ts';
import { readRun } from '../../reports/reading.ts';
import { type Compared, diffRows, renderDiff } from '../../reports/stored/diff.ts';
import { bytesText, type RunRow, STATES } from '../../reports/stored/figures.ts';
import { renderRunList } from '../../reports/stored/list.ts';
import { renderRun } from '../../reports/stored/show.ts';
import { fingerprintOf } from '../../reports/summary.ts';
import { counted } from '../../reports/words.ts';
import type { Shell } from '../program.ts';
import {
  countOption,
  DEFAULT_ROOT,
  type LoadedRun,
  loadRun,
  RUN_HELP,
  rowOf,
  runRows,
} from '../stored.ts';
import { pruneCommand } from './runs-prune.ts';

type Finish = (code: number) => void;

interface Root {
  readonly output: string;
  readonly json?: boolean;
}

/** `schism runs`: what was recorded, and what to do with it. */
export function runsCommand(shell: Shell, finish: Finish): Command {
  const command = new Command('runs').description(
    'list, show, compare, keep and delete stored runs',
  );
  const inner = [
    lsCommand,
    showCommand,
    diffCommand,
    (...args: readonly [Shell, Finish]) => pinCommand('pin', ...args),
    (...args: readonly [Shell, Finish]) => pinCommand('unpin', ...args),
    exportCommand,
    pruneCommand,
  ];
  for (const make of inner) command.addCommand(make(shell, finish));
  return command;
}

/** Lines as wide as the terminal is, within what stays readable. */
function columnsOf(shell: Shell): number {
  return Math.min(160, Math.max(60, shell.columns));
}

function rooted(name: string): Command {
  return new Command(name).option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT);
}

interface ListFlags extends Root {
  readonly verdict?: string;
  readonly system?: string;
  readonly workload?: string;
  readonly limit?: string;
  readonly reindex?: boolean;
}

function lsCommand(shell: Shell, finish: Finish): Command {
  return rooted('ls')
    .alias('list')
    .description('stored runs, the newest first')
    .option('--verdict <names>', `only these, comma-separated: ${STATES.join(', ')}`)
    .option('--system <name>', 'only of this system')
    .option('--workload <name>', 'only of this workload')
    .option('-n, --limit <n>', 'only the newest')
    .option('--reindex', 'write runs/index.jsonl anew first, from the runs that are there')
    .option('--json', 'one JSON document')
    .action(async (flags: ListFlags) => {
      if (flags.reindex === true && existsSync(flags.output)) await rebuildIndex(flags.output);
      const rows = await runRows(flags.output, realClock().wallMs());
      const chosen = selected(rows, flags).toReversed();
      const limit = flags.limit === undefined ? Infinity : countOption(flags.limit, '--limit', 1e6);
      const shown = chosen.slice(0, limit);
      shell.out(
        flags.json === true
          ? `${JSON.stringify({ schism: 1, runs: shown.map(rowDocument) })}\n`
          : renderRunList(shown, { columns: columnsOf(shell), all: rows.length }),
      );
      finish(EXIT.pass);
    });
}

function selected(rows: readonly RunRow[], flags: ListFlags): readonly RunRow[] {
  const states = flags.verdict?.split(',').map((name) => name.trim().toLowerCase());
  const odd = states?.find((name) => !STATES.some((state) => state === name));
  if (odd !== undefined)
    throw new HarnessError('bad-option', `--verdict: '${odd}'; there are: ${STATES.join(', ')}`);
  return rows.filter(
    ({ state, summary }) =>
      (states === undefined || states.includes(state)) &&
      (flags.system === undefined || summary?.system === flags.system) &&
      (flags.workload === undefined || summary?.workload === flags.workload),
  );
}

/** As `--json` says it; the summary is `verdict.json`. */
function rowDocument({ id, folder, startedAtMs, bytes, pinned, state, ...more }: RunRow): object {
  const { summary = null, suite } = more;
  const isKnown = Number.isFinite(startedAtMs);
  const startedAt = isKnown ? new Date(startedAtMs).toISOString() : null;
  const ofSuite = suite === undefined ? {} : { suite };
  return { run: id, folder, state, startedAt, bytes, pinned, ...ofSuite, summary };
}

function showCommand(shell: Shell, finish: Finish): Command {
  return rooted('show')
    .description('one run: what came of it, what it weighs, its files')
    .argument('[run]', RUN_HELP, 'latest')
    .option('--json', 'one JSON document')
    .action(async (ref: string, flags: Root) => {
      await using run = await openRun(flags.output, ref);
      const row = await rowIn(run);
      const files = (await filesOf(run.dir)).map(({ name, bytes }) => ({ name, bytes }));
      const path = run.archive ?? relative('', run.dir);
      shell.out(
        flags.json === true
          ? `${JSON.stringify({ schism: 1, ...rowDocument(row), path, files })}\n`
          : renderRun(row, files, { columns: columnsOf(shell), path }),
      );
      finish(EXIT.pass);
    });
}

async function rowIn({ dir }: OpenedRun): Promise<RunRow> {
  const id = idOfFolder(dir) ?? (await readManifest(dir)).run;
  return rowOf(await candidateOf({ id, dir }, realClock().wallMs()));
}

function pinCommand(name: 'pin' | 'unpin', shell: Shell, finish: Finish): Command {
  return rooted(name)
    .description(name === 'pin' ? 'never delete this run' : 'let this run go with the others')
    .argument('<run>', `${RUN_HELP}; the id of a suite: all of its runs`)
    .action(async (ref: string, flags: Root) => {
      if (isSuiteId(ref)) {
        const dirs = await runsOfSuite(flags.output, ref);
        for (const dir of dirs) await setPinned(dir, name === 'pin');
        const done = name === 'pin' ? 'pinned' : 'no longer pinned';
        shell.out(`${done}: ${counted(dirs.length, 'run')} of suite ${ref}\n`);
        finish(EXIT.pass);
        return;
      }
      await using run = await openRun(flags.output, ref);
      if (run.archive !== undefined)
        throw new HarnessError('bad-input', `${ref}: an archive cannot be pinned; it stays anyway`);
      await setPinned(run.dir, name === 'pin');
      shell.out(`${name === 'pin' ? 'pinned' : 'no longer pinned'}: ${relative('', run.dir)}\n`);
      finish(EXIT.pass);
    });
}

/** Those of them that are still there. */
async function runsOfSuite(root: string, id: string): Promise<readonly string[]> {
  const { result } = await openSuite(root, id);
  const folders = result.tests.flatMap(({ runs }) => runs.map(({ dir }) => basename(dir)));
  return (await listRuns(root)).flatMap(({ dir }) => (folders.includes(basename(dir)) ? dir : []));
}

interface ExportFlags extends Root {
  readonly out?: string;
  readonly nodeData?: boolean;
}

function exportCommand(shell: Shell, finish: Finish): Command {
  return new Command('export')
    .description('pack a run into one .zip, which every command takes for a run')
    .argument('[run]', RUN_HELP, 'latest')
    .option('-o, --out <file>', 'the archive (default: <run>.zip here)')
    .option('--node-data', 'also what the nodes stored')
    .option('--output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .action(async (ref: string, flags: ExportFlags) => {
      await using run = await openRun(flags.output, ref);
      const to = flags.out ?? `${basename(run.dir)}.zip`;
      if (run.archive !== undefined && resolve(run.archive) === resolve(to))
        throw new HarnessError('bad-option', `--out: ${to} is the archive itself`);
      const packed = await packRun(run.dir, resolve(to), { nodeData: flags.nodeData === true });
      shell.out(`${to}\n`);
      const left =
        packed.leftOut === 0
          ? ''
          : `; ${counted(packed.leftOut, 'file')} that nodes stored left out (--node-data)`;
      shell.err(
        `schism: ${counted(packed.files, 'file')}, ${bytesText(packed.bytes)} unpacked${left}. ` +
          'Logs and histories may hold what is not for everybody: look before you share it.\n',
      );
      finish(EXIT.pass);
    });
}

function diffCommand(shell: Shell, finish: Finish): Command {
  return rooted('diff')
    .description('two runs side by side: verdicts, checks, figures, and what was set otherwise')
    .argument('<a>', RUN_HELP)
    .argument('<b>', 'the same')
    .option('--json', 'one JSON document')
    .action(async (first: string, second: string, flags: Root) => {
      await using left = await loadRun(flags.output, first);
      await using right = await loadRun(flags.output, second);
      const [a, b] = [comparedOf(left), comparedOf(right)];
      const ids = { a: a.result.manifest.run, b: b.result.manifest.run };
      shell.out(
        flags.json === true
          ? `${JSON.stringify({ schism: 1, ...ids, rows: diffRows(a, b) })}\n`
          : renderDiff(a, b, columnsOf(shell)),
      );
      finish(EXIT.pass);
    });
}

function comparedOf({ result, history }: LoadedRun): Compared {
  const fingerprint = fingerprintOf(result, history);
  return {
    result,
    reading: readRun(result, history),
    ...(fingerprint !== undefined && { fingerprint }),
  };
}
