/** Complete runs on virtual time, of the in-process store or of a simulated one, judged like any other. */
import { checkAll } from '../checkers/compose.ts';
import { nemesesOf } from '../cli/make-run.ts';
import { BUILT_IN } from '../cli/registry.ts';
import { scripted } from '../cluster/nemeses/schedule.ts';
import { memory } from '../cluster/systems/memory.ts';
import { VirtualClock } from '../harness/core/clock.ts';
import { silentLog } from '../harness/core/log.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../harness/core/units.ts';
import type { Generator } from '../harness/generator/generator.ts';
import { encodeOp, HEADER } from '../harness/history/codec.ts';
import type { History } from '../harness/history/history.ts';
import type { ReadMode } from '../harness/history/op.ts';
import { Recorder } from '../harness/history/recorder.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { Nemesis } from '../harness/protocols/nemesis.ts';
import type { RunConfig, RunProblem, ScheduledFault } from '../harness/protocols/run.ts';
import type { Cluster, ReadPromise, System } from '../harness/protocols/system.ts';
import { noUndo } from '../harness/protocols/undo.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { play } from '../harness/runner/play.ts';

export interface VirtualRunOptions {
  readonly seed: number;
  readonly workload: Workload;
  /** Default: the in-process store; another one is simulated. */
  readonly system?: System;
  readonly bug?: string;
  readonly faults?: readonly string[];
  /** Instead of `faults` by chance. */
  readonly schedule?: readonly ScheduledFault[];
  readonly durationMs?: number;
  /** Mean pause between two faults of a lane, and mean length of one. */
  readonly faultIntervalMs?: number;
  readonly faultDurationMs?: number;
  readonly clientTimeoutMs?: number;
  readonly nodes?: readonly NodeName[];
  readonly rate?: number;
  readonly clients?: number;
  readonly promises?: Readonly<Record<ReadMode, ReadPromise>>;
}

export interface VirtualRun {
  readonly history: History;
  readonly checks: readonly CheckResult[];
  readonly problems: readonly RunProblem[];
  /** The whole run, in its own time. */
  readonly virtualMs: number;
}

const NODES: readonly NodeName[] = ['n1', 'n2', 'n3', 'n4', 'n5'];
const READY_MS_MAX = 60_000;

export function virtualRun(options: VirtualRunOptions): Promise<VirtualRun> {
  return playVirtually(configOf(options), options.system ?? memory, options.workload, 'workload');
}

/** `stream` names the chance of the workload: another name, another run from the same seed. */
export async function playVirtually(
  config: RunConfig,
  system: System,
  workload: Workload,
  stream: string,
): Promise<VirtualRun> {
  const clock = new VirtualClock();
  const recorder = Recorder.inMemory(clock);
  const built = workload.build(
    config.workloadOptions,
    Random.stream(seedFrom(config.seed), stream),
  );
  const { problems, timing } = await clock.run(playOn(clock, config, system, built, recorder));
  const history = recorder.history();
  const checkers = workload.checkers(config.workloadOptions);
  const checks = await checkAll(checkers, history, {
    nodes: config.nodes,
    timing,
    promises: config.promises,
    faults: config.faults,
    requireFaults: config.requireFaults,
    logs: [],
    limits: config.checkLimits,
  });
  return { history, checks, problems, virtualMs: msFromNanos(clock.now()) };
}

/** The history as it would be on disk. */
export function historyText({ history }: Pick<VirtualRun, 'history'>): string {
  return `${[HEADER, ...[...history.ops()].map((op) => encodeOp(op))].join('\n')}\n`;
}

async function playOn(
  clock: VirtualClock,
  config: RunConfig,
  system: System,
  workload: ReturnType<Workload['build']>,
  recorder: Recorder,
): Promise<Pick<VirtualRun, 'problems'> & Pick<Cluster, 'timing'>> {
  const seed = seedFrom(config.seed);
  await using cluster = await system.deploy({
    backend: config.backend,
    nodes: config.nodes,
    clock,
    log: silentLog,
    random: Random.stream(seed, `system/${system.name}`),
    runId: 'test',
    dir: '',
    undo: noUndo,
    options: config.systemOptions,
    ...(config.latencyMs !== undefined && { latencyMs: config.latencyMs }),
  });
  await cluster.ready(READY_MS_MAX);
  const nemeses = nemesesOf(config, BUILT_IN);
  const { problems } = await play({
    config,
    cluster,
    workload,
    nemeses,
    schedules: new Map(
      nemeses.map((nemesis) => [nemesis.name, scheduleOf(nemesis, config, cluster)]),
    ),
    seed,
    clock,
    log: silentLog,
    recorder: { record: (draft) => recorder.record(draft), snapshot: () => recorder.history() },
    interrupt: new AbortController().signal,
    onPhase: () => undefined,
  });
  return { problems, timing: cluster.timing };
}

function scheduleOf(
  nemesis: Nemesis,
  { schedule, seed, faultIntervalMs, faultDurationMs }: RunConfig,
  { timing }: Cluster,
): Generator {
  if (schedule !== undefined) return scripted(nemesis.name, schedule);
  return nemesis.schedule({
    random: Random.stream(seedFrom(seed), `schedule/${nemesis.name}`),
    timing,
    intervalMs: faultIntervalMs,
    durationMs: faultDurationMs,
  });
}

function configOf(options: VirtualRunOptions): RunConfig {
  const { system = memory, nodes = NODES } = options;
  return {
    system: system.name,
    systemOptions: options.bug === undefined ? {} : { bug: options.bug },
    backend: system === memory ? 'memory' : 'sim',
    nodes,
    workload: options.workload.name,
    workloadOptions: {
      clients: options.clients ?? 10,
      nodes,
      rate: options.rate ?? 400,
      clientTimeoutMs: options.clientTimeoutMs ?? 150,
      readModes: ['linearizable', 'serializable'],
      capabilities: system.capabilities,
      own: {},
    },
    faults: options.faults ?? [...new Set(options.schedule?.map(({ fault }) => fault))],
    ...(options.schedule !== undefined && { schedule: options.schedule }),
    requireFaults: true,
    seed: options.seed,
    durationMs: options.durationMs ?? 3000,
    quietMs: 200,
    faultIntervalMs: options.faultIntervalMs ?? 400,
    faultDurationMs: options.faultDurationMs ?? 600,
    promises: options.promises ?? system.promises,
    checkLimits: { timeoutMs: 30_000, memoryBytes: 2 ** 30 },
    unknown: 'fail',
  };
}
