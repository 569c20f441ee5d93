/** Complete runs against the in-process store on virtual time, judged like any other. */
import { checkAll } from '../checkers/compose.ts';
import { makeNemesis } from '../cli/registry.ts';
import { memory } from '../cluster/systems/memory.ts';
import { VirtualClock } from '../harness/core/clock.ts';
import { silentLog } from '../harness/core/log.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import type { History } from '../harness/history/history.ts';
import type { ReadMode } from '../harness/history/op.ts';
import { Recorder } from '../harness/history/recorder.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { RunConfig, RunProblem } from '../harness/protocols/run.ts';
import type { ReadPromise } from '../harness/protocols/system.ts';
import { noUndo } from '../harness/protocols/undo.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { play } from '../harness/runner/play.ts';

export interface VirtualRunOptions {
  readonly seed: number;
  readonly workload: Workload;
  readonly bug?: string;
  readonly faults?: readonly string[];
  readonly durationMs?: number;
  readonly rate?: number;
  readonly clients?: number;
  readonly promises?: Readonly<Record<ReadMode, ReadPromise>>;
}

export interface VirtualRun {
  readonly history: History;
  readonly checks: readonly CheckResult[];
  readonly problems: readonly RunProblem[];
}

export async function virtualRun(options: VirtualRunOptions): Promise<VirtualRun> {
  const seed = seedFrom(options.seed);
  const clock = new VirtualClock();
  const nodes = ['n1', 'n2', 'n3', 'n4', 'n5'];
  const config = configOf(options, nodes);
  await using cluster = await memory.deploy({
    backend: 'memory',
    nodes,
    clock,
    log: silentLog,
    random: Random.stream(seed, 'system/memory'),
    runId: 'test',
    dir: '',
    undo: noUndo,
    options: config.systemOptions,
  });
  const recorder = Recorder.inMemory(clock);
  const nemeses = config.faults.map((name) => makeNemesis(name));
  const { problems } = await clock.run(
    play({
      config,
      cluster,
      workload: options.workload.build(config.workloadOptions, Random.stream(seed, 'workload')),
      nemeses,
      schedules: new Map(
        nemeses.map((nemesis) => [
          nemesis.name,
          nemesis.schedule({
            random: Random.stream(seed, `schedule/${nemesis.name}`),
            timing: cluster.timing,
            intervalMs: 400,
            durationMs: 600,
          }),
        ]),
      ),
      seed,
      clock,
      log: silentLog,
      recorder: { record: (draft) => recorder.record(draft), snapshot: () => recorder.history() },
      interrupt: new AbortController().signal,
      onPhase: () => undefined,
    }),
  );
  const history = recorder.history();
  const checkers = options.workload.checkers(config.workloadOptions);
  const checks = await checkAll(checkers, history, {
    nodes,
    timing: cluster.timing,
    promises: config.promises,
    faults: config.faults,
    requireFaults: true,
    logs: [],
    limits: config.checkLimits,
  });
  return { history, checks, problems };
}

function configOf(options: VirtualRunOptions, nodes: readonly string[]): RunConfig {
  return {
    system: 'memory',
    systemOptions: options.bug === undefined ? {} : { bug: options.bug },
    backend: 'memory',
    nodes,
    workload: options.workload.name,
    workloadOptions: {
      clients: options.clients ?? 10,
      nodes,
      rate: options.rate ?? 400,
      clientTimeoutMs: 150,
      readModes: ['linearizable', 'serializable'],
      own: {},
    },
    faults: options.faults ?? [],
    requireFaults: true,
    seed: options.seed,
    durationMs: options.durationMs ?? 3000,
    quietMs: 200,
    faultIntervalMs: 400,
    faultDurationMs: 600,
    promises: options.promises ?? memory.promises,
    checkLimits: { timeoutMs: 30_000, memoryBytes: 2 ** 30 },
    unknown: 'fail',
  };
}
