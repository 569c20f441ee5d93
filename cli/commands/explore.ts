import { Command } from 'commander';
import { exploreCommandLine } from '../explore/explore-command.ts';
import type { Flags } from '../flags.ts';
import type { Shell } from '../program.ts';
import { DEFAULT_ROOT } from '../stored.ts';

/** Those of `run` that say what is not to be drawn, under the same names; and its own. */
export interface ExploreFlags
  extends Partial<
      Pick<Flags, 'system' | 'backend' | 'workload' | 'nodes' | 'clients' | 'rate' | 'duration'>
    >,
    Partial<Pick<Flags, 'clientTimeout' | 'fault' | 'systemOption' | 'workloadOption' | 'image'>>,
    Pick<Flags, 'faults' | 'output' | 'color'>,
    Partial<Pick<Flags, 'latency' | 'bug' | 'promise' | 'config' | 'json' | 'seed' | 'workers'>>,
    Partial<Pick<Flags, 'failFast' | 'maxFailures'>> {
  readonly budget?: string;
  readonly runs?: string;
  readonly uniform?: boolean;
  readonly fresh?: boolean;
  readonly shrink?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `schism explore`: looks for violations in runs that it draws, and learns which are worth drawing. */
export function exploreCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('explore')
    .description(
      'look for violations: draw runs and their faults, learn from each, keep what is found',
    )
    .option('--system <name>', 'raftkv, etcd, memory (default: raftkv)')
    .option('--backend <name>', 'sim, process or docker (default: sim, where the system has it)')
    .option('--budget <time>', 'ends the search (default: 10m)')
    .option('--runs <n>', 'ends it after so many runs')
    .option('-x, --fail-fast', 'end at the first finding: --max-failures 1')
    .option('--max-failures <n>', 'end after so many different findings; 0: never')
    .option('--workload <names>', 'instead of drawing among all that the system can do')
    .option(
      '--fault <kinds>',
      'draw among these alone, comma-separated (default: all that can be had)',
    )
    .option('--no-faults', 'clients only')
    .option('--nodes <n>', 'instead of drawing 1 to 7')
    .option('--latency <time>', 'every message between nodes takes so much longer, in every run')
    .option('--clients <n>', 'concurrent clients; 3n: three for each node')
    .option('--rate <n>', 'operations per second over all clients')
    .option('--duration <time>', 'length of the main phase of each run')
    .option('--client-timeout <time>', 'how long a client waits for an answer')
    .option('-O, --system-option <name=value>', 'an option of the system, in every run', collect)
    .option(
      '-W, --workload-option <name=value>',
      'an option of the workload, in every run',
      collect,
    )
    .option('--promise <mode=model>', 'judge a read mode by another promise', collect)
    .option('--image <name>', 'the image of the nodes, with --backend docker')
    .option('--bug <name>', 'let the store be wrong in one known way')
    .option('--uniform', 'draw every run anew, and learn nothing')
    .option('--fresh', 'do not go on from what earlier explorations learnt')
    .option('--seed <seed>', 'for the same first runs again; drawn and printed otherwise')
    .option(
      '-j, --workers <n>',
      'runs at the same time (default: one a core for sim, up to 4 for process, else 1)',
    )
    .option('--shrink', 'make each finding small in the end')
    .option('-c, --config <file>', 'with stores, workloads and faults of your own')
    .option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .option('--json', 'one JSON document on stdout; texts go to stderr')
    .option('--no-color', 'no colours')
    .action(async (flags: ExploreFlags, command: Command) => {
      const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
      finish(await exploreCommandLine(shell, flags, isGiven));
    });
}
