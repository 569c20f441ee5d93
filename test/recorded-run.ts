/** What `schism run --backend sim` with these words plays and judges, without folders and processes. */
import { Command } from 'commander';
import { checkAll } from '../checkers/compose.ts';
import { addRunFlags } from '../cli/flags.ts';
import { type RunFlags, resolveConfig } from '../cli/options.ts';
import { findNamed, findWorkload, makeNemesis, SYSTEMS } from '../cli/registry.ts';
import { scripted } from '../cluster/nemeses/schedule.ts';
import { VirtualClock } from '../harness/core/clock.ts';
import { silentLog } from '../harness/core/log.ts';
import { Random, type Seed, seedFrom } from '../harness/core/prng.ts';
import { msFromNanos } from '../harness/core/units.ts';
import type { Generator } from '../harness/generator/generator.ts';
import type { History } from '../harness/history/history.ts';
import { Recorder } from '../harness/history/recorder.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { Nemesis } from '../harness/protocols/nemesis.ts';
import type { RunConfig, RunProblem } from '../harness/protocols/run.ts';
import type { Cluster, System } from '../harness/protocols/system.ts';
import { noUndo } from '../harness/protocols/undo.ts';
import { play } from '../harness/runner/play.ts';

export interface RecordedRun {
  readonly history: History;
  readonly checks: readonly CheckResult[];
  readonly problems: readonly RunProblem[];
  /** The whole run, in its own time. */
  readonly virtualMs: number;
}

/** `words` as on the command line, without `schism run`; the simulator is meant. */
export async function recordedRun(words: readonly string[]): Promise<RecordedRun> {
  const flags = addRunFlags(new Command())
    .parse(['--system', 'raftkv', ...words], { from: 'user' })
    .opts<RunFlags & { readonly system: string; readonly workload: string }>();
  const system = findNamed('system', SYSTEMS, flags.system);
  const workload = findWorkload(flags.workload);
  const config = await resolveConfig({ ...flags, backend: 'sim' }, system, workload, {});
  const clock = new VirtualClock();
  const recorder = Recorder.inMemory(clock);
  const played = await clock.run(playOn(clock, config, system, recorder));
  const history = recorder.history();
  const checks = await checkAll(workload.checkers(config.workloadOptions), history, {
    nodes: config.nodes,
    timing: played.timing,
    promises: config.promises,
    faults: config.faults,
    requireFaults: config.requireFaults,
    logs: [],
    limits: config.checkLimits,
  });
  return { history, checks, problems: played.problems, virtualMs: msFromNanos(clock.now()) };
}

async function playOn(
  clock: VirtualClock,
  config: RunConfig,
  system: System,
  recorder: Recorder,
): Promise<Pick<RecordedRun, 'problems'> & Pick<Cluster, 'timing'>> {
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
  });
  await cluster.ready(READY_MS_MAX);
  const nemeses = config.faults.map((name) => makeNemesis(name));
  const workload = findWorkload(config.workload);
  const stream = Random.stream(seed, `workload/${config.workload}`);
  const { problems } = await play({
    config,
    cluster,
    workload: workload.build(config.workloadOptions, stream),
    nemeses,
    schedules: new Map(
      nemeses.map((nemesis) => [nemesis.name, scheduleOf(nemesis, config, seed, cluster)]),
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

const READY_MS_MAX = 60_000;

function scheduleOf(
  nemesis: Nemesis,
  { schedule, faultIntervalMs, faultDurationMs }: RunConfig,
  seed: Seed,
  { timing }: Cluster,
): Generator {
  if (schedule !== undefined) return scripted(nemesis.name, schedule);
  return nemesis.schedule({
    random: Random.stream(seed, `schedule/${nemesis.name}`),
    timing,
    intervalMs: faultIntervalMs,
    durationMs: faultDurationMs,
  });
}
