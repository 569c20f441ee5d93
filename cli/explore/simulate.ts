/** A simulated run without folders and reports, judged at once, and broken off when a store went back. */
import { createHash } from 'node:crypto';
import { checkAll } from '../../checkers/compose.ts';
import { VirtualClock } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, type Seed } from '../../harness/core/prng.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import type { Generator } from '../../harness/generator/generator.ts';
import { encodeOp } from '../../harness/history/codec.ts';
import type { History } from '../../harness/history/history.ts';
import { Recorder } from '../../harness/history/recorder.ts';
import type { RunConfig, RunProblem } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { play } from '../../harness/runner/play.ts';
import { requireLatency } from '../../harness/runner/run.ts';
import { checkersOf, judgedBy } from '../judge.ts';
import { nemesesOf, scheduleOf } from '../make-run.ts';
import type { OwnCode } from '../modules.ts';
import { findNamed, findWorkload } from '../registry.ts';
import { Coverage } from './coverage.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

const READY_MS_MAX = 60_000;

/** Plays and judges. What went back and shows nothing to any checker is played to its end after all. */
export async function simulated(
  config: RunConfig,
  code: OwnCode,
  modules: readonly string[],
): Promise<Outcome> {
  const first = await once(config, code, modules, true);
  const isDecided = first.stoppedAt === undefined || first.violations.length > 0;
  return isDecided ? first : once(config, code, modules, false);
}

async function once(
  config: RunConfig,
  code: OwnCode,
  modules: readonly string[],
  stops: boolean,
): Promise<Outcome> {
  const clock = new VirtualClock();
  const recorder = Recorder.inMemory(clock);
  const stop = new AbortController();
  const system = findNamed('system', code.catalogue.systems, config.system);
  const coverage = new Coverage(system.timing(config.systemOptions));
  const { problems, timing } = await clock.run(
    played(config, code, clock, {
      signal: stop.signal,
      record: (draft) => {
        const op = recorder.record(draft);
        coverage.take(op);
        if (stops && coverage.tripwire.tripped !== undefined) stop.abort();
        return op;
      },
      snapshot: () => recorder.history(),
    }),
  );
  const history = recorder.history();
  const checks = await checkAll(checkersOf(judgedBy(config, modules), code), history, {
    nodes: config.nodes,
    timing,
    promises: config.promises,
    faults: config.faults,
    requireFaults: false,
    logs: [],
    limits: config.checkLimits,
  });
  const entries = coverage.tripwire.tripped ?? history.length - 1;
  return {
    ...outcomeOf({ checks, problems, history, coverage }),
    ...(stop.signal.aborted && { stoppedAt: entries }),
    virtualMs: msFromNanos(clock.now()),
    beginning: { entries: entries + 1, hash: hashOf(history, entries + 1) },
  };
}

interface Tape {
  readonly signal: AbortSignal;
  readonly record: Recorder['record'];
  readonly snapshot: () => History;
}

async function played(
  config: RunConfig,
  { catalogue }: OwnCode,
  clock: VirtualClock,
  { signal, record, snapshot }: Tape,
): Promise<{ readonly problems: readonly RunProblem[]; readonly timing: Timing }> {
  const seed = config.seed as Seed;
  const system = findNamed('system', catalogue.systems, config.system);
  const workload = findWorkload(config.workload, catalogue);
  await using cluster = await system.deploy({
    backend: config.backend,
    nodes: config.nodes,
    clock,
    log: silentLog,
    random: Random.stream(seed, `system/${system.name}`),
    runId: 'explore',
    dir: '',
    undo: noUndo,
    options: config.systemOptions,
    ...(config.latencyMs !== undefined && { latencyMs: config.latencyMs }),
  });
  requireLatency(config, cluster);
  await cluster.ready(READY_MS_MAX);
  const nemeses = nemesesOf(config, catalogue).filter(
    (nemesis) => nemesis.available(cluster) === true,
  );
  const schedule = scheduleOf(config);
  const { problems } = await play({
    config,
    cluster,
    workload: workload.build(
      config.workloadOptions,
      Random.stream(seed, `workload/${workload.name}`),
    ),
    nemeses,
    schedules: new Map(
      nemeses.flatMap((nemesis): [string, Generator][] => {
        const lane = Random.stream(seed, `schedule/${nemesis.name}`);
        const generator = schedule(nemesis, cluster, lane);
        return generator === undefined ? [] : [[nemesis.name, generator]];
      }),
    ),
    seed,
    clock,
    log: silentLog,
    recorder: { record, snapshot },
    interrupt: signal,
    onPhase: () => undefined,
  });
  return { problems, timing: cluster.timing };
}

/** Of the first so many entries, as their lines would be stored. */
export function hashOf(history: History, entries: number): string {
  const hash = createHash('sha256');
  for (let index = 0; index < entries; index++) hash.update(`${encodeOp(history.op(index))}\n`);
  return hash.digest('hex');
}
