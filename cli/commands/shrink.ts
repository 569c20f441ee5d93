import { Command } from 'commander';
import { HarnessError } from '../../harness/core/errors.ts';
import { FORMATS } from '../../harness/history/formats/format.ts';
import { CRITERION_NAMES } from '../criteria.ts';
import { MODEL_NAMES } from '../models.ts';
import type { Shell } from '../program.ts';
import { shrinkStoredHistory } from '../shrink/history-command.ts';
import { shrinkStoredRun } from '../shrink/run-command.ts';
import { DEFAULT_ROOT, RUN_HELP } from '../stored.ts';
import type { SubjectFlags } from '../subject.ts';

export interface ShrinkFlags extends SubjectFlags {
  readonly run?: boolean;
  readonly history?: boolean;
  readonly model?: string;
  readonly init?: string;
  readonly criterion?: string;
  readonly to?: string;
  readonly out?: string;
  readonly budget?: string;
  readonly repeats?: string;
  readonly any?: boolean;
  readonly config?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** `schism shrink`: what was found, with as little around it as possible. */
export function shrinkCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('shrink')
    .description('make what was found small: the history, or with --run what was done to the store')
    .argument('[run]', `${RUN_HELP}; also a history file, or - for standard input`, 'latest-failed')
    .option('--history', 'leave operations out that prove nothing: offline and exact (default)')
    .option('--run', 'run it again with less: fewer and shorter faults, less time, fewer clients')
    .option('--to <form>', 'of the small history: jsonl, edn or ops (default: jsonl)')
    .option('--out <file>', 'where the result is written (default: repro/ where runs are kept)')
    .option('--budget <time>', 'ends the search (default: 10m for --run, 1m otherwise)')
    .option('--repeats <n>', '--run: at most so many runs of each candidate (default: 20; sim: 3)')
    .option('--any', '--run: any violation counts, whatever check finds it and of whatever kind')
    .option('-c, --config <file>', 'with stores, workloads and tests of your own')
    .option('--workload <name>', 'for a bare history.jsonl: what was asked (default: register)')
    .option('--format <name>', `of a file: ${FORMATS.join(', ')} (default: by its content)`)
    .option('--model <name>', `judge by this model alone: ${MODEL_NAMES.join(', ')}`)
    .option('--criterion <name>', `what its order must keep: ${CRITERION_NAMES.join(', ')}`)
    .option('--init <json>', 'what each object holds at the start (default: as the model says)')
    .option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .option('--json', 'one JSON document on stdout; texts go to stderr')
    .option('--no-color', 'no colours')
    .action(async (ref: string, flags: ShrinkFlags) => {
      finish(await execute(shell, ref, flags));
    });
}

function execute(shell: Shell, ref: string, flags: ShrinkFlags): Promise<number> {
  if (flags.run !== true) {
    if (flags.any === true)
      throw new HarnessError('bad-option', '--any: says what counts in new runs; add --run');
    return shrinkStoredHistory(shell, ref, flags);
  }
  if (flags.history === true)
    throw new HarnessError('bad-option', '--run and --history are two things; give one of them');
  const ofHistory = ['to', 'workload', 'format', 'model', 'criterion', 'init'] as const;
  const wrong = ofHistory.find((name) => flags[name] !== undefined);
  if (wrong !== undefined)
    throw new HarnessError('bad-option', `--${wrong}: says how to read a history; leave out --run`);
  return shrinkStoredRun(shell, ref, flags);
}
