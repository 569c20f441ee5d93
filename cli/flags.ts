import type { Command } from 'commander';

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

/** The flags of `schism run`; `options.ts` says what they may hold. */
export function addRunFlags(command: Command): Command {
  return command
    .option('--system <name>', 'raftkv, etcd, memory; auto: raftkv', 'auto')
    .option(
      '--backend <name>',
      'process: real ones; docker: in containers; sim: simulated, on virtual time, from the ' +
        'seed alone (default: process)',
    )
    .option('--config <file>', 'defaults for these flags, and the cluster for --backend attach')
    .option(
      '--workload <names>',
      'what is asked, and what judges it; several, comma-separated, run together',
      'register,reads',
    )
    .option('--nodes <n|names>', 'a number, or names such as n1,n2,n3')
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
    .option('--unknown <fail|warn|pass>', 'what an unknown verdict does to the exit code', 'fail')
    .option('-o, --output <dir>', 'where runs are kept', '.schism')
    .option('--json', 'one JSON document on stdout; texts go to stderr')
    .option('-q, --quiet', 'only the end of the run')
    .option('--no-color', 'no colours')
    .option('--print-config', 'print what would run, as JSON, and end');
}

/** Names that people bring from other tools, as flags of ours. */
const ALIASES: Readonly<Record<string, string>> = {
  '--nemesis': '--fault',
  '--time-limit': '--duration',
  '--concurrency': '--clients',
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
