import { Command } from 'commander';
import type { RunFlags } from './options.ts';

/** What the command line of `schism run` says; every text is checked where it is used. */
export interface Flags extends RunFlags {
  readonly config?: string;
  readonly system: string;
  readonly workload: string;
  readonly output: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
  /** `false` for `--no-input`: nothing is asked, whoever sits there. */
  readonly input?: boolean;
  readonly printConfig?: boolean;
  readonly leaveRunning?: boolean;
  /** Names, comma-separated, each time it was given. */
  readonly reporter?: readonly string[];
  readonly addReporter?: readonly string[];
  readonly project?: readonly string[];
  readonly grep?: string;
  readonly grepInvert?: string;
  readonly list?: boolean;
  readonly shard?: string;
  /** `true` without a word: of the latest suite. */
  readonly lastFailed?: string | true;
  /** `-x`. */
  readonly failFast?: boolean;
  readonly maxFailures?: string;
  readonly repeatEach?: string;
  readonly repeatFor?: string;
  readonly workers?: string;
  readonly infraRetries?: string;
  readonly forbidOnly?: boolean;
  readonly passWithNoTests?: boolean;
  /** `true` without a word: those of the folder, else ours. */
  readonly regressions?: string | true;
  readonly requireRegressions?: boolean;
  /** For a night: regressions, and then exploring. */
  readonly budget?: string;
  /** Earlier results. */
  readonly against?: readonly string[];
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** The flags of `schism run`; `options.ts` says what they may hold. */
export function addRunFlags(command: Command): Command {
  return addEndFlags(addSuiteFlags(addSingleFlags(command)));
}

/** What a command line without any words says. */
export function defaultFlags(): Flags {
  return addRunFlags(new Command('run')).parse([], { from: 'user' }).opts<Flags>();
}

/** What one run is made of. */
function addSingleFlags(command: Command): Command {
  return command
    .option('--system <name>', 'raftkv, etcd, memory; auto: raftkv', 'auto')
    .option(
      '--backend <name>',
      'process: real ones; docker: in containers; sim: simulated, on virtual time, from the ' +
        'seed alone (default: process)',
    )
    .option(
      '-c, --config <file>',
      'defaults for these flags, tests, and the cluster for --backend attach ' +
        '(default: schism.config.ts, .mts, .js, .mjs or .json in the working folder)',
    )
    .option(
      '--workload <names>',
      'what is asked, and what judges it; several, comma-separated, run together',
      'register,reads',
    )
    .option('--nodes <n|names>', 'a number, or names such as n1,n2,n3')
    .option(
      '--latency <time>',
      'every message between nodes takes so much longer, one way, for the whole run (default: none)',
    )
    .option(
      '--clients <n>',
      'concurrent clients; 3n: three for each node (default: 2n for each workload)',
    )
    .option('--rate <n>', 'operations per second over all clients; 0: as fast as they go', '500')
    .option('--duration <time>', 'length of the main phase', '30s')
    .option('--quiet-start <time>', 'clients only, before the faults', '2s')
    .option('--client-timeout <time>', 'how long a client waits for an answer', '1s')
    .option('--seed <seed>', 'for the same choices again; drawn and printed otherwise')
    .option('--fault <kinds>', 'comma-separated; see `schism list` (default: partition,kill,pause)')
    .option('--no-faults', 'clients only')
    .option(
      '--fault-interval <time>',
      'mean pause between two faults of a kind, such as 10el: ten elections (default: 5s, less in a short run)',
    )
    .option('--fault-duration <time>', 'mean length of a fault (default: 4s, less in a short run)')
    .option('--schedule <file>', 'faults at given times, instead of random ones')
    .option(
      '--require-faults',
      'a kind of fault without effect is an error (default when CI is set)',
    )
    .option('--no-require-faults', 'a kind of fault without effect makes the run unknown')
    .option('--read-mode <modes>', 'linearizable, serializable, or both, comma-separated')
    .option('--promise <mode=model>', 'judge a read mode by another promise', collect, [])
    .option('-O, --system-option <name=value>', 'an option of the system', collect, [])
    .option('-W, --workload-option <name=value>', 'an option of the workload', collect, [])
    .option('--image <name>', 'the image of the nodes, with --backend docker')
    .option('--bug <name>', 'let the store be wrong in one known way')
    .option('--check-timeout <time>', 'for each checker', '5m')
    .option('--check-memory <size>', 'for the checkers', '4GB')
    .option(
      '--threshold <metric: expression>',
      "what must hold, such as 'availability{window:none}: rate>0.999'",
      collect,
      [],
    )
    .option(
      '--sometimes <names>',
      'what the run must reach at some time, comma-separated; without it a pass is unknown',
    )
    .option('--unknown <fail|warn|pass>', 'what an unknown verdict does to the exit code', 'fail');
}

/** By which tests are named; also for `schism list`. */
export function addFilterFlags(command: Command): Command {
  return command
    .option('--project <names>', 'only these projects of the config, comma-separated', collect)
    .option('-g, --grep <pattern>', 'only tests whose title, tags or project match it')
    .option('--grep-invert <pattern>', 'only tests that do not match it');
}

/** Which tests, how often, and how many at once. */
function addSuiteFlags(command: Command): Command {
  return addFilterFlags(command)
    .option('--shard <i/n>', 'the i-th of n parts of what was selected')
    .option('--last-failed [suite]', 'only what did not pass in the latest suite, or in that one')
    .option('--list', 'say what would run, and end')
    .option('-x, --fail-fast', 'end after the first test that does not pass: --max-failures 1')
    .option('--max-failures <n>', 'end after so many tests that do not pass; 0: never')
    .option('--repeat-each <n>', 'each test so often; at the end, how often it failed')
    .option('--repeat-for <time>', 'all tests again and again for so long, such as 6h')
    .option('-j, --workers <n>', 'how many clusters at the same time (default: 1)')
    .option('--infra-retries <n>', 'run a test again that ended as an error, never for a verdict')
    .option(
      '--regressions [dir]',
      'play the recorded regressions of a folder, else of regressions/, else ours; --system, ' +
        '--backend, --bug and --workload choose among them',
    )
    .option('--require-regressions', 'one that cannot be played here is an error, not skipped')
    .option(
      '--budget <time>',
      'a night of so long, such as 2h: first regressions, for at most a fifth of it; then explore',
    )
    .option(
      '--against <path>',
      'earlier suites (a folder of runs, a suite, a blob): says which findings are new',
      collect,
    )
    .option('--leave-running', 'after a run that did not pass its cluster stays, healed')
    .option('--forbid-only', 'test.only is an error (default when CI is set)')
    .option('--no-forbid-only', 'test.only is obeyed')
    .option('--pass-with-no-tests', 'to have nothing to run is no error');
}

/** What is said, and where it is kept. */
function addEndFlags(command: Command): Command {
  return command
    .option('-o, --output <dir>', 'where runs are kept', '.schism')
    .option(
      '--reporter <names>',
      'comma-separated: live, line, minimal, html, json, junit, github, blob, perfetto',
      collect,
    )
    .option('--add-reporter <names>', 'beside those of the config', collect)
    .option('--json', 'one JSON document on stdout; texts go to stderr')
    .option('-q, --quiet', 'only the end of the run')
    .option('-v, --verbose', 'more details')
    .option('--no-color', 'no colours')
    .option('--no-input', 'never wait for a key')
    .option('--print-config', 'print what would run and where it was said, as JSON, and end');
}

/** Names that people bring from other tools, as flags of ours. */
const ALIASES: Readonly<Record<string, string>> = {
  '--nemesis': '--fault',
  '--time-limit': '--duration',
  '--concurrency': '--clients',
  '--test-count': '--repeat-each',
};

/** Rewrites foreign flag names; `--time-limit 60` (Jepsen's seconds) becomes `--duration 60s`. */
export function translateFlags(argv: readonly string[]): string[] {
  return argv.map((word, at) => {
    const [name = '', ...value] = word.split('=');
    const ours = ALIASES[name];
    const seconds = (text: string): string => (/^\d+$/.test(text) ? `${text}s` : text);
    if (ours !== undefined && value.length > 0)
      return `${ours}=${name === '--time-limit' ? seconds(value.join('=')) : value.join('=')}`;
    if (ours !== undefined) return ours;
    return argv[at - 1] === '--time-limit' ? seconds(word) : word;
  });
}
