import { expect, test } from 'vitest';
import { memory } from '../../cluster/systems/memory.ts';
import { register } from '../../workloads/register.ts';
import { VirtualClock } from '../core/clock.ts';
import { silentLog } from '../core/log.ts';
import { Random, seedFrom } from '../core/prng.ts';
import type { Generator } from '../generator/generator.ts';
import type { History } from '../history/history.ts';
import { Recorder } from '../history/recorder.ts';
import type { Nemesis } from '../protocols/nemesis.ts';
import type { RunConfig } from '../protocols/run.ts';
import type { Cluster } from '../protocols/system.ts';
import { noUndo } from '../protocols/undo.ts';
import type { WorkloadInstance } from '../protocols/workload.ts';
import { type Played, play } from './play.ts';

const nodes = ['n1', 'n2', 'n3'];
const seed = seedFrom(1);
const config: RunConfig = {
  system: 'memory',
  systemOptions: {},
  backend: 'memory',
  nodes,
  workload: 'register',
  workloadOptions: {
    clients: 3,
    nodes,
    rate: 100,
    clientTimeoutMs: 200,
    readModes: ['linearizable'],
    capabilities: ['register'],
    own: {},
  },
  faults: [],
  requireFaults: false,
  seed,
  durationMs: 500,
  quietMs: 100,
  faultIntervalMs: 100,
  faultDurationMs: 100,
  promises: memory.promises,
  checkLimits: { timeoutMs: 10_000, memoryBytes: 2 ** 30 },
  unknown: 'fail',
};

interface Change {
  readonly cluster?: (cluster: Cluster) => Partial<Cluster>;
  readonly workload?: (workload: WorkloadInstance) => Partial<WorkloadInstance>;
  readonly nemeses?: readonly Nemesis[];
  readonly abortAtMs?: number;
}

/** A played run on virtual time, and how long it took. */
async function playWith(change: Change): Promise<Played & { history: History; ms: number }> {
  const clock = new VirtualClock();
  const stop = new AbortController();
  if (change.abortAtMs !== undefined) clock.timer(change.abortAtMs, () => stop.abort());
  const cluster = await memory.deploy({
    backend: 'memory',
    nodes,
    clock,
    log: silentLog,
    random: Random.stream(seed, 'system'),
    runId: 'test',
    dir: '',
    undo: noUndo,
    options: {},
  });
  const workload = register.build(config.workloadOptions, Random.stream(seed, 'workload'));
  const recorder = Recorder.inMemory(clock);
  const played = await clock.run(
    play({
      config,
      cluster: { ...cluster, ...change.cluster?.(cluster) },
      workload: { ...workload, ...change.workload?.(workload) },
      nemeses: change.nemeses ?? [],
      schedules: new Map(),
      seed,
      clock,
      log: silentLog,
      recorder: { record: (draft) => recorder.record(draft), snapshot: () => recorder.history() },
      interrupt: stop.signal,
      onPhase: () => undefined,
    }),
  );
  return { ...played, history: recorder.history(), ms: clock.now() / 1e6 };
}

const never: Generator = { next: () => ['pending', never], update: () => never };

/** No node answers a read. */
const silent = (cluster: Cluster): Partial<Cluster> => ({
  open: async (node) => {
    const connection = await cluster.open(node);
    const { register: api } = connection.apis;
    if (api === undefined) return connection;
    const read = () =>
      Promise.resolve({ type: 'fail', error: { code: 'silent', definite: true } } as const);
    return { ...connection, apis: { register: { ...api, read } } };
  },
});

test('final reads that do not come to an end are an error, not a pass', async () => {
  const { problems, phases } = await playWith({ workload: () => ({ final: () => never }) });
  expect(phases.map(({ phase }) => phase)).toContain('final');
  expect(problems).toEqual([
    { step: 'final', severity: 'fatal', message: 'the final reads were not done within 60 s' },
  ]);
});

test('nodes that never answer again are an error', async () => {
  const { problems } = await playWith({ cluster: silent });
  expect(problems).toMatchObject([{ step: 'recover', severity: 'fatal' }]);
});

test('an interrupt ends the recovery and the final reads as it ends the load', async () => {
  const recovering = await playWith({ cluster: silent, abortAtMs: 3000 });
  expect(recovering.problems).toEqual([]);
  expect(recovering.ms).toBeLessThan(4000);
  const reading = await playWith({ workload: () => ({ final: () => never }), abortAtMs: 3000 });
  expect(reading.problems).toEqual([]);
  expect(reading.ms).toBeLessThan(4000);
});

test('a load that breaks the harness is healed all the same', async () => {
  let heals = 0;
  const nemesis: Nemesis = {
    name: 'kill',
    available: () => true,
    schedule: () => never,
    invoke: () => Promise.reject(new Error('never asked')),
    heal: () => {
      heals++;
      return Promise.resolve({ result: 'skipped', why: 'nothing was installed' });
    },
  };
  const breaksAt = (left: number, generator: Generator): Generator => ({
    next: (ctx) => {
      if (left === 0) throw new TypeError('undefined is not a function');
      const next = generator.next(ctx);
      return next && [next[0], breaksAt(left - 1, next[1])];
    },
    update: (ctx, event) => breaksAt(left, generator.update(ctx, event)),
  });
  const { problems, phases, history } = await playWith({
    nemeses: [nemesis],
    workload: ({ main }) => ({ main: breaksAt(20, main) }),
  });
  expect(heals).toBe(1);
  expect(history.length).toBeGreaterThan(10);
  expect(phases.map(({ phase }) => phase)).toEqual(['quiet', 'heal']);
  expect(problems).toMatchObject([{ step: 'main', severity: 'fatal', bug: true }]);
});

test('links that never finish healing do not keep the run', async () => {
  const { problems } = await playWith({
    cluster: ({ network }) =>
      network === undefined ? {} : { network: { ...network, heal: () => new Promise(() => {}) } },
  });
  expect(problems).toMatchObject([
    { step: 'heal', message: /heal the links: not done after 30000 ms/ },
  ]);
});
