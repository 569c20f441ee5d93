/** One run, from its configuration to what is stored of it: alone, or as one of a suite. */
import { inLane, lanesOf } from '../cluster/nemeses/lanes.ts';
import { scripted } from '../cluster/nemeses/schedule.ts';
import { type Clock, realClock, VirtualClock } from '../harness/core/clock.ts';
import { HarnessError, messageOf } from '../harness/core/errors.ts';
import { Random, type Seed } from '../harness/core/prng.ts';
import type { History } from '../harness/history/history.ts';
import type { Nemesis } from '../harness/protocols/nemesis.ts';
import type { RunConfig, RunManifest, RunResult } from '../harness/protocols/run.ts';
import type { System } from '../harness/protocols/system.ts';
import { noUndo } from '../harness/protocols/undo.ts';
import { type Reporter, type RunRequest, run } from '../harness/runner/run.ts';
import { startWatchdog, type Watchdog } from '../harness/runner/undo.ts';
import { setPinned } from '../harness/store/marks.ts';
import { manifestWithoutSecrets, storableEnv } from '../harness/store/secrets.ts';
import { createRun, type RunFolderHandle } from '../harness/store/store.ts';
import { type Keep, trimRun } from '../harness/store/trim.ts';
import type { Progress } from '../reports/progress.ts';
import type { AttachConfig } from './config/config.ts';
import type { Interrupt } from './interrupt.ts';
import { judge, judgedBy, judgeInMemory } from './judge.ts';
import { openLog } from './log.ts';
import { loadModules } from './modules.ts';
import type { Shell } from './program.ts';
import { type Catalogue, findNamed, findWorkload, makeNemesis } from './registry.ts';
import { fileReporters } from './reporting.ts';
import { VERSION } from './version.ts';

export interface RunOrder {
  readonly shell: Pick<Shell, 'env' | 'argv'>;
  /** Where runs are kept. */
  readonly output: string;
  readonly config: RunConfig;
  readonly attach?: AttachConfig;
  /** Files that define what it is made of, absolute: the judge's worker loads them, too. */
  readonly modules?: readonly string[];
  readonly interrupt: Pick<Interrupt, 'signal' | 'by'>;
  /** A run that does not pass leaves its cluster for somebody to look at. */
  readonly leaveRunning?: boolean;
  /** What of it is stored. */
  readonly keep?: Keep;
  /** Called when its folder is there, and before anything of it starts. */
  begin(run: BegunRun): RunVoice;
  /** What is worth a line, and never the verdict. */
  readonly warn: (text: string) => void;
}

export interface BegunRun {
  readonly manifest: RunManifest;
  readonly folder: RunFolderHandle;
  /** To be shown: virtual where the run is. */
  readonly clock: Clock;
}

/** Who follows a run while it goes on. */
export interface RunVoice {
  readonly progress?: Progress;
  /** Beside those that every run has, after them. */
  readonly reporters: readonly Reporter[];
}

/** A run that came to its end. */
export interface Ran {
  readonly result: RunResult;
  readonly dir: string;
}

/**
 * Runs a resolved configuration and stores it. Throws what keeps it from starting, such as
 * `binary-missing`: then nothing was stored.
 */
export async function makeRun(order: RunOrder): Promise<Ran> {
  const { config, shell } = order;
  const { catalogue } = await loadModules(order.modules ?? [], config.test);
  const system = findNamed('system', catalogue.systems, config.system);
  const workload = findWorkload(config.workload, catalogue);
  const nemeses = nemesesOf(config, catalogue);
  await requireAvailable(system, config);
  const clock = realClock();
  const virtual = config.backend === 'sim' ? new VirtualClock() : undefined;
  const seed = config.seed as Seed;
  const folder = await createRun(order.output, {
    startedAtMs: clock.wallMs(),
    random: Random.stream(seed, `run/${clock.wallMs()}`),
    test: workload.name,
  });
  const manifest = manifestOf(shell, config, folder.id, clock.wallMs());
  const voice = order.begin({ manifest, folder, clock: shownClock(clock, virtual) });
  using progress = voice.progress;
  using log = openLog(folder.path('harness.log'), manifest);
  // What is simulated leaves nothing behind.
  await using guard =
    virtual === undefined ? guarded(await watchdogOf(folder, clock, log), order.warn) : undefined;
  const result = await run({
    config,
    manifest,
    folder,
    system,
    ...(config.backend === 'attach' &&
      order.attach !== undefined && { attach: order.attach.nodes }),
    workload,
    nemeses,
    schedule: scheduleOf(config),
    seed,
    clock,
    ...(virtual !== undefined && { virtual }),
    log: log.log,
    undo: guard?.undo ?? noUndo,
    interrupt: order.interrupt.signal,
    interruptedBy: () => order.interrupt.by,
    ...(order.leaveRunning === true && { leaveRunning: true }),
    judge: judgeOf(order, folder, clock),
    reporters: [...fileReporters(folder), ...voice.reporters],
    onOp: (op) => {
      progress?.onOp(op);
    },
    onPhase: (phase) => {
      progress?.onPhase(phase);
    },
  });
  if (result.leftRunning === true) guard?.undo.release();
  progress?.end(result);
  await entered(folder, result, order);
  return { result, dir: folder.dir };
}

async function requireAvailable(system: System, config: RunConfig): Promise<void> {
  const available = await system.available(config.systemOptions, config.backend);
  if (available === true) return;
  const code = config.backend === 'docker' ? 'engine-failed' : 'binary-missing';
  throw new HarnessError(code, available);
}

function watchdogOf(
  folder: RunFolderHandle,
  clock: Clock,
  { log }: ReturnType<typeof openLog>,
): Promise<Watchdog> {
  return startWatchdog({ runId: folder.id, clock, log, logPath: folder.path('watchdog.log') });
}

/** One for each lane. */
export function nemesesOf({ faults, schedule }: RunConfig, catalogue: Catalogue): Nemesis[] {
  return lanesOf(faults, schedule).map(({ lane, fault }) =>
    inLane(makeNemesis(fault, catalogue), lane),
  );
}

/** Faults at given times, or drawn ones once the cluster says how fast it is. */
export function scheduleOf(config: RunConfig): RunRequest['schedule'] {
  return (nemesis, cluster, random) =>
    config.schedule === undefined
      ? nemesis.schedule({
          random,
          timing: cluster.timing,
          intervalMs: config.faultIntervalMs,
          durationMs: config.faultDurationMs,
        })
      : scripted(nemesis.name, config.schedule);
}

/** Of the stored history in a worker; of one that could not be stored, here. */
function judgeOf(
  { config, modules }: RunOrder,
  { historyPath }: RunFolderHandle,
  clock: Clock,
): RunRequest['judge'] {
  const by = judgedBy(config, modules);
  return (history: History | undefined, context) => {
    const task = { ...by, context };
    if (history !== undefined) return judgeInMemory(history, task);
    return judge({ ...task, historyPath }, clock);
  };
}

/** The verdict stands, whether or not it can be entered. */
async function entered(
  folder: RunFolderHandle,
  result: RunResult,
  { keep, warn }: Pick<RunOrder, 'keep' | 'warn'>,
): Promise<void> {
  try {
    // Nodes that go on write on: nothing is taken from under them, now or by a later pruning.
    if (result.leftRunning === true) await setPinned(folder.dir, true);
    else await trimRun(folder.testDir, result.verdict, keep);
  } catch (error) {
    warn(`schism: what is not to be kept of the run could not be deleted: ${messageOf(error)}\n`);
  }
  try {
    await folder.finish(result);
  } catch (error) {
    warn(`schism: the run could not be entered into the index: ${messageOf(error)}\n`);
  }
}

/** Shows the time of the run, as often as the machine's time says. */
function shownClock(clock: Clock, virtual: VirtualClock | undefined): Clock {
  return virtual === undefined ? clock : { ...clock, now: () => virtual.now() };
}

/** A watchdog that does not say goodbye is worth a line, and never the verdict. */
function guarded(
  watchdog: Watchdog,
  warn: (text: string) => void,
): { readonly undo: Watchdog } & AsyncDisposable {
  return {
    undo: watchdog,
    [Symbol.asyncDispose]: async () => {
      try {
        await watchdog[Symbol.asyncDispose]();
      } catch (error) {
        warn(`schism: ${messageOf(error)}; see \`schism doctor\`\n`);
      }
    },
  };
}

export function manifestOf(
  { argv, env }: RunOrder['shell'],
  config: RunConfig,
  id: string,
  wallMs: number,
): RunManifest {
  return manifestWithoutSecrets({
    schism: 1,
    run: id,
    version: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    argv,
    env: storableEnv(env),
    startedAt: new Date(wallMs).toISOString(),
    config,
  });
}
