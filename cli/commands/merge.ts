import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { freshSeed, Random } from '../../harness/core/prng.ts';
import { createSuite } from '../../harness/store/suites.ts';
import { earlierOf } from '../nightly/against.ts';
import type { Shell } from '../program.ts';
import { chooseReporters } from '../reporter-choice.ts';
import { reportersFor } from '../reporters.ts';
import { DEFAULT_ROOT } from '../stored.ts';
import { mergeSuites, type Part } from '../suite/merge.ts';
import { bringHome, openParts } from '../suite/open-parts.ts';
import { conclude, previousSuite, withChanges } from '../suite/run-suite.ts';

interface Flags {
  readonly output: string;
  readonly reporter?: readonly string[];
  readonly addReporter?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
  readonly against?: readonly string[];
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `schism merge`: the shards of one suite become one suite again, with its reports. */
export function mergeCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('merge')
    .description('join the blobs of several shards into one suite, and report it')
    .argument('<blob...>', 'blob.zip of each shard, folders with such files, or folders of suites')
    .option('--against <path>', 'earlier suites: a folder of runs, a suite, or a blob', collect)
    .option('-o, --output <dir>', 'where the runs and the suite are kept then', DEFAULT_ROOT)
    .option('--reporter <names>', 'what to say and write, comma-separated', collect)
    .option('--add-reporter <names>', 'beside what is said and written anyway', collect)
    .option('--json', 'one JSON document on stdout; texts go to stderr')
    .option('-q, --quiet', 'only the end')
    .option('-v, --verbose', 'everything that there is to say')
    .option('--no-color', 'no colours')
    .action(async (paths: readonly string[], flags: Flags) => {
      finish(await execute(shell, paths, flags));
    });
}

async function execute(shell: Shell, paths: readonly string[], flags: Flags): Promise<number> {
  const choice = chooseReporters(shell, flags);
  await using opened = await openParts(paths);
  // What does not belong together is refused before anything of it is kept.
  mergeSuites(opened.parts, '');
  const against = await earlierOf(shell, flags.against);
  const clock = realClock();
  const previous = await previousSuite(flags.output);
  const parts: Part[] = [];
  for (const part of opened.parts)
    parts.push({ source: part.source, result: await bringHome(part, flags.output) });
  const folder = await createSuite(flags.output, {
    startedAtMs: clock.wallMs(),
    random: Random.stream(freshSeed(), 'merge'),
  });
  const merged = mergeSuites(parts, folder.id);
  const { missing } = merged;
  const result = withChanges(merged.result, against);
  const { json = false, color } = flags;
  using reporters = reportersFor(shell, { choice, clock, json, color });
  for (const sentence of missing) shell.err(`schism: ${sentence}\n`);
  await conclude({ reporters, folder, choice, ...(previous && { previous }) }, result);
  return result.exitCode;
}
