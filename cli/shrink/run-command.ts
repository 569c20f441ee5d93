/** `schism shrink --run`: finds out what of a run it takes, and leaves that as files and as a run. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Clock, realClock } from '../../harness/core/clock.ts';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { NANOS_PER_MS, type Nanos, nanos, parseDurationMs } from '../../harness/core/units.ts';
import type { RunConfig, ScheduledFault } from '../../harness/protocols/run.ts';
import { writeWhole } from '../../harness/store/store.ts';
import { titleOf } from '../../reports/command.ts';
import type { ShrinkFlags } from '../commands/shrink.ts';
import { type Interrupt, interruptible } from '../interrupt.ts';
import { loadModules, modulesFor } from '../modules.ts';
import type { Shell } from '../program.ts';
import { findNamed, findWorkload } from '../registry.ts';
import { recordedFaults, replayedConfig, requireOwnPrograms } from '../replay.ts';
import { styleFor } from '../reporting.ts';
import { countOption, DEFAULT_ROOT, type LoadedRun, loadRun } from '../stored.ts';
import { player } from './play.ts';
import { reduce } from './reduce.ts';
import { chaosFile, optionsOf, runWords, scheduleLines } from './repro.ts';
import {
  headLines,
  notShownLines,
  type Result,
  resultDocument,
  resultLines,
  rowLine,
} from './run-text.ts';
import { type Target, targetOf } from './target.ts';
import { Trials } from './trials.ts';
import { commandText } from './words.ts';

const BUDGET = '10m';
const REPEATS_MAX = 1000;
/** Simulated runs are exact, and other seeds are tried; real ones are counted. */
const REPEATS = { sim: 3, other: 20 };

interface Settings {
  /** Default: by the kind of cluster. */
  readonly repeats?: number;
  readonly budgetMs: number;
}

export async function shrinkStoredRun(
  shell: Shell,
  ref: string,
  flags: ShrinkFlags,
): Promise<number> {
  const settings = settingsOf(flags);
  await using run = await loadRun(flags.output, ref);
  requireOwnPrograms(run.archive, run.result.manifest);
  const say = flags.json === true ? shell.err : shell.out;
  const clock = realClock();
  using interrupt = interruptible(shell, clock, () => {
    say('\n stopping: the smallest until now counts; once more to quit at once\n');
  });
  const around: Around = { shell, flags, interrupt, clock, say };
  const search = await searched(run, settings, around);
  if (search.smallest === undefined) return notShown(search, interrupt.by, say);
  const result = await concluded(run, search.smallest, search, around);
  const style = styleFor(shell, flags.color && flags.json !== true);
  if (flags.json === true) shell.out(`${JSON.stringify(resultDocument(result))}\n`);
  for (const line of resultLines(result, style, Math.min(100, shell.columns))) say(`${line}\n`);
  return exitOf(result);
}

function settingsOf({ repeats, budget = BUDGET }: ShrinkFlags): Settings {
  const count = repeats === undefined ? undefined : countOption(repeats, '--repeats', REPEATS_MAX);
  if (count === 0) throw new HarnessError('bad-option', '--repeats: 0 runs show nothing');
  return {
    ...(count !== undefined && { repeats: count }),
    budgetMs: parseDurationMs(budget, '--budget'),
  };
}

/** Whom a command talks to, and who may end it. */
interface Around {
  readonly shell: Shell;
  readonly flags: ShrinkFlags;
  readonly interrupt: Interrupt;
  readonly clock: Clock;
  readonly say: (text: string) => void;
}

interface Search {
  readonly target: Target;
  readonly modules: readonly string[];
  readonly repeats: number;
  readonly started: Nanos;
  readonly trials: Trials;
  /** What else was found, and in how many runs. */
  readonly others: ReadonlyMap<string, number>;
  /** As it was found again, and what came of it; undefined: it was not found again. */
  readonly smallest: { readonly from: RunConfig; readonly config: RunConfig } | undefined;
}

async function searched(
  run: LoadedRun,
  settings: Settings,
  { shell, flags, interrupt, clock, say }: Around,
): Promise<Search> {
  const { manifest } = run.result;
  const started = clock.now();
  const target = targetOf(run.result, flags.any);
  const modules = await modulesFor(flags.config, manifest.config);
  const isExact = manifest.config.backend === 'sim';
  const repeats = settings.repeats ?? (isExact ? REPEATS.sim : REPEATS.other);
  const style = styleFor(shell, flags.color && flags.json !== true);
  await using plays = await player({
    shell,
    output: flags.output,
    interrupt,
    modules,
    target,
    keeps: false,
  });
  const trials = new Trials({
    isExact,
    repeats,
    clock,
    deadline: nanos(started + settings.budgetMs * NANOS_PER_MS),
    interrupted: () => interrupt.signal.aborted,
    play: (config) => plays.play(config),
    onRow: (row) => {
      say(`${rowLine(row, style, isExact)}\n`);
    },
  });
  for (const line of headLines(`${manifest.run}: ${titleOf(manifest)}`, target, isExact))
    say(`${line}\n`);
  const from = await shownAgain(run, target, trials);
  const found = { target, modules, repeats, started, trials, others: plays.others };
  if (from === undefined) return { ...found, smallest: undefined };
  const { catalogue } = await loadModules(modules, manifest.config.test);
  const config = await reduce(from, {
    accepts: (change) => trials.accepts(change),
    isOver: () => trials.isOver(),
    isExact,
    timing: findNamed('system', catalogue.systems, from.system).timing(from.systemOptions),
    workloads: from.workload.split('+').map((name) => findWorkload(name, catalogue)),
  });
  return { ...found, smallest: { from, config } };
}

/** Writes the smallest, and plays it once more for the store. */
async function concluded(
  { result: { manifest } }: LoadedRun,
  { from, config }: NonNullable<Search['smallest']>,
  { target, modules, repeats, started, trials }: Search,
  { shell, flags, interrupt, clock }: Around,
): Promise<Result> {
  const budgetEnded = trials.isOver() && !interrupt.signal.aborted;
  const { catalogue } = await loadModules(modules, config.test);
  const options = optionsOf(config, findNamed('system', catalogue.systems, config.system));
  const file = flags.out ?? join(flags.output, 'repro', `${manifest.run}.chaos.ts`);
  const scheduleFile = `${file.replace(/(\.chaos)?\.[a-z]+$/, '')}.schedule.json`;
  const words = [
    'run',
    ...runWords(options, scheduleFile),
    ...(flags.config === undefined ? [] : ['--config', flags.config]),
    ...(flags.output === DEFAULT_ROOT ? [] : ['-o', flags.output]),
  ];
  const checker = target.checker || 'a check';
  const kind = target.kind || 'a violation';
  const origin = `Made small by \`schism shrink --run\` from run ${manifest.run}`;
  await mkdir(dirname(file), { recursive: true });
  if (config.schedule !== undefined) await writeWhole(scheduleFile, scheduleText(config.schedule));
  const text = chaosFile({
    title: `${manifest.run} ${target.kind || target.checker || 'any violation'}`,
    notes: [`${origin}: ${checker} finds ${kind}.`],
    options: {
      ...(target.kind !== '' && { anomaly: target.kind }),
      within: config.backend === 'sim' ? '1 run' : `${repeats} run${repeats === 1 ? '' : 's'}`,
      ...options,
    },
  });
  await writeWhole(file, text);
  await using plays = await player({
    shell: { ...shell, argv: words },
    output: flags.output,
    interrupt,
    modules,
    target,
    keeps: true,
  });
  const rate = await trials.result(config, 'the smallest', (one) => plays.play(one));
  const kept = plays.kept();
  return {
    run: manifest.run,
    target,
    original: from,
    smallest: config,
    rate,
    rows: trials.rows,
    file,
    ...(config.schedule !== undefined && { scheduleFile }),
    command: commandText(words),
    ...(kept !== undefined && {
      kept: kept.result.manifest.run,
      keptDir: relative('', kept.dir),
    }),
    budgetEnded,
    ...(interrupt.by !== undefined && { interrupted: interrupt.by }),
    wallMs: (clock.now() - started) / NANOS_PER_MS,
  };
}

function exitOf({ interrupted, kept }: Result): number {
  if (interrupted === 'SIGINT') return EXIT.interrupted;
  if (interrupted === 'SIGTERM') return EXIT.terminated;
  return kept === undefined ? EXIT.unknown : EXIT.pass;
}

/** One fault a line. */
function scheduleText(schedule: NonNullable<RunConfig['schedule']>): string {
  const lines = scheduleLines(schedule).map((line) => `  ${JSON.stringify(line)}`);
  return `[\n${lines.join(',\n')}\n]\n`;
}

/**
 * The run with its faults as a list, which can be cut; and if that does not show it, where chance and
 * faults draw from one seed, the run as it was, of which only kinds of fault can be left out.
 */
async function shownAgain(
  run: LoadedRun,
  target: Target,
  trials: Trials,
): Promise<RunConfig | undefined> {
  const { result, history } = run;
  // What was a test of a suite, and what else was measured, is no part of what is looked for.
  const config = bare(replayedConfig(result, history), target.checker);
  const { schedule } = config;
  if (config.backend !== 'sim')
    return trials.original(
      schedule === undefined ? config : { ...config, schedule: schedule.map(inMs) },
      'as recorded',
    );
  if (schedule !== undefined) return trials.original(config, 'as recorded');
  const startNanos = result.phases.find(({ phase }) => phase === 'main')?.startNanos ?? 0;
  const recorded = recordedFaults(history, startNanos).map(inMs);
  const listed =
    recorded.length === 0
      ? undefined
      : await trials.original({ ...config, schedule: recorded }, 'its faults as a list');
  return listed ?? (trials.isOver() ? undefined : trials.original(config, 'as its seed says'));
}

function inMs(fault: ScheduledFault): ScheduledFault {
  return { ...fault, atMs: Math.round(fault.atMs), forMs: Math.round(fault.forMs) };
}

function bare({ test, ownChecks, thresholds, ...config }: RunConfig, checker: string): RunConfig {
  return {
    ...config,
    ...((checker === '' || ownChecks?.includes(checker) === true) &&
      ownChecks !== undefined && {
        ownChecks,
        ...(test !== undefined && { test }),
      }),
    ...((checker === '' || checker === 'thresholds') && thresholds !== undefined && { thresholds }),
  };
}

function notShown(
  { trials, others }: Search,
  by: 'SIGINT' | 'SIGTERM' | undefined,
  say: (text: string) => void,
): number {
  for (const line of notShownLines(trials.rows, others)) say(`${line}\n`);
  if (by !== undefined) return by === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  return EXIT.unknown;
}
