import { Command } from 'commander';
import { HarnessError } from '../../harness/core/errors.ts';
import { readHistory } from '../../harness/history/jsonl.ts';
import type { RunConfig, RunResult } from '../../harness/protocols/run.ts';
import { worstExit } from '../../harness/runner/verdict.ts';
import { storedHistory } from '../../harness/store/store.ts';
import { seedOf, titleOf } from '../../reports/command.ts';
import { wilson, wilsonText } from '../../reports/rate.ts';
import { stateText } from '../../reports/stored/figures.ts';
import { fingerprintOf } from '../../reports/summary.ts';
import { counted, lengthText } from '../../reports/words.ts';
import type { Ran } from '../make-run.ts';
import { modulesFor } from '../modules.ts';
import type { Shell } from '../program.ts';
import { historyHash, replayedConfig, requireOwnPrograms } from '../replay.ts';
import { countOption, DEFAULT_ROOT, type LoadedRun, loadRun, RUN_HELP } from '../stored.ts';
import { VERSION } from '../version.ts';
import { runConfigured } from './run.ts';

interface Flags {
  readonly config?: string;
  readonly output: string;
  readonly repeatEach?: string;
  readonly untilFailure?: boolean;
  readonly pinTimes?: boolean;
  readonly json?: boolean;
}

const REPEATS_MAX = 10_000;
/** With `--until-failure` alone. */
const TRIES = 1000;

/** `schism replay`: the same configuration, seed and faults, once or often. */
export function replayCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('replay')
    .description('run again what was stored: same configuration, seed and times of the faults')
    .argument('[run]', RUN_HELP, 'latest-failed')
    .option('--repeat-each <n>', 'how often (default: once)')
    .option('--until-failure', 'until a violation is found')
    .option('--pin-times', 'faults that waited for something begin at the time at which it came')
    .option(
      '-c, --config <file>',
      'with stores and tests of your own (default: that of the working folder, if the run has some)',
    )
    .option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .option('--json', 'one JSON document')
    .action(async (ref: string, flags: Flags) => {
      finish(await execute(shell, ref, flags));
    });
}

/** One of the runs that were made. */
interface Again {
  readonly run: string;
  readonly verdict: RunResult['verdict'];
  readonly exitCode: number;
  /** It fails in the same way as the one that is replayed. */
  readonly same: boolean;
}

async function execute(shell: Shell, ref: string, flags: Flags): Promise<number> {
  const otherwise = flags.untilFailure === true ? TRIES : 1;
  const times =
    flags.repeatEach === undefined
      ? otherwise
      : countOption(flags.repeatEach, '--repeat-each', REPEATS_MAX);
  if (times === 0) throw new HarnessError('bad-option', '--repeat-each: 0 runs show nothing');
  await using original = await loadRun(flags.output, ref);
  const { manifest } = original.result;
  requireOwnPrograms(original.archive, manifest);
  const config = replayedConfig(original.result, original.history, flags.pinTimes);
  const modules = await modulesFor(flags.config, config);
  const say = flags.json === true ? shell.err : shell.out;
  say(` ${introduction(original, config)}\n`);
  if (manifest.version !== VERSION)
    shell.err(`schism: it was made by version ${manifest.version}; this is ${VERSION}\n`);
  const runs: Again[] = [];
  let identical: boolean | undefined;
  // What is simulated comes out the same each time: once says it all.
  const most = config.backend === 'sim' ? 1 : times;
  while (runs.length < most) {
    const ran = await runQuietly(shell, flags, config, original, modules);
    const again = await compared(ran, original);
    runs.push(again);
    say(lineOf(again, runs.length, most, ran.result));
    if (config === manifest.config && config.backend === 'sim')
      identical = await isIdentical(ran, original);
    if (ran.result.interrupted !== undefined) break;
    if (flags.untilFailure === true && again.verdict === 'fail') break;
  }
  if (flags.json === true) shell.out(`${JSON.stringify(documentOf(original, runs, identical))}\n`);
  say(`\n ${conclusion(runs, identical)}\n`);
  return worstExit(runs.map(({ exitCode }) => exitCode));
}

function introduction({ result }: LoadedRun, config: RunConfig): string {
  const { manifest } = result;
  const faults =
    config === manifest.config || config.schedule === undefined
      ? 'everything as its seed says'
      : `${counted(config.schedule.length, 'fault')} as recorded`;
  return `replay ${manifest.run}: ${titleOf(manifest)}, seed ${seedOf(manifest)}, ${faults}`;
}

/** A run like any other in the store; only its own texts are not printed. */
function runQuietly(
  shell: Shell,
  { output }: Flags,
  config: RunConfig,
  { result }: LoadedRun,
  modules: readonly string[],
): Promise<Ran> {
  const silent: Shell = {
    ...shell,
    argv: result.manifest.argv,
    out: () => undefined,
    isTty: false,
  };
  const speech = { output, quiet: true, color: false };
  return runConfigured(silent, speech, config, undefined, { modules });
}

async function compared({ result, dir }: Ran, original: LoadedRun): Promise<Again> {
  const { manifest, verdict, exitCode } = result;
  const isFailed = verdict === 'fail';
  const { history } = await readHistory(storedHistory(dir, manifest.config.workload));
  const print = isFailed ? fingerprintOf(result, history) : undefined;
  const same = isFailed && print === fingerprintOf(original.result, original.history);
  return { run: manifest.run, verdict, exitCode, same };
}

async function isIdentical({ result, dir }: Ran, original: LoadedRun): Promise<boolean> {
  const { workload } = result.manifest.config;
  const [now, then] = await Promise.all(
    [dir, original.dir].map((each) => historyHash(storedHistory(each, workload))),
  );
  return now === then;
}

function lineOf(
  { run, verdict, same }: Again,
  at: number,
  most: number,
  result: RunResult,
): string {
  const place = `${at} of ${most}`.padStart(2 * String(most).length + 4);
  const what = same ? '   fails in the same way' : '';
  return `   ${place}   ${stateText(verdict).padEnd(9)}   run ${run}   ${lengthText(result.wallMs)}${what}\n`;
}

function documentOf(
  { result }: LoadedRun,
  runs: readonly Again[],
  identical: boolean | undefined,
): object {
  const failed = runs.filter(({ verdict }) => verdict === 'fail').length;
  return {
    schism: 1,
    replayed: result.manifest.run,
    runs,
    violations: wilson(failed, runs.length),
    ...(identical !== undefined && { identical }),
  };
}

function conclusion(runs: readonly Again[], identical: boolean | undefined): string {
  if (identical !== undefined)
    return identical
      ? 'The history is the same, byte for byte.'
      : 'The history is another one: this is not the code that made it.';
  const failed = runs.filter(({ verdict }) => verdict === 'fail').length;
  const same = runs.filter((run) => run.same).length;
  const alike = failed === 0 ? '' : `; ${same} of them in the same way`;
  return `A violation in ${wilsonText(wilson(failed, runs.length))}${alike}.`;
}
