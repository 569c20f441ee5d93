/** The simulated cluster as workloads, nemeses and the observer see it. */
import { describe, expect, test } from 'vitest';
import { sleep, VirtualClock } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { Network } from '../../harness/protocols/network.ts';
import type {
  Cluster,
  Connection,
  ProcessControl,
  RegisterApi,
} from '../../harness/protocols/system.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { raftkv } from './raftkv.ts';
import { leaderLeavesAndReturns, pastIsForgotten } from './testing-members.ts';

const CALL = { timeoutMs: 1_000 };

interface Played {
  readonly clock: VirtualClock;
  readonly cluster: Cluster;
  readonly processes: ProcessControl;
  readonly network: Network;
  readonly register: (node: NodeName) => Promise<RegisterApi>;
  readonly leader: () => Promise<NodeName>;
}

/** Three nodes that are ready, on a virtual time of their own. */
async function play(
  scenario: (played: Played) => Promise<void>,
  options: Readonly<Record<string, string>> = {},
  latencyMs = 0,
): Promise<void> {
  const clock = new VirtualClock();
  const run = async (): Promise<void> => {
    await using cluster = await deployOn(clock, options, latencyMs);
    await cluster.ready(10_000);
    const { processes, network } = cluster;
    if (processes === undefined || network === undefined) throw new Error('it has both');
    const connections = new Map<NodeName, Connection>();
    await scenario({
      clock,
      cluster,
      processes,
      network,
      register: async (node) => {
        const connection = connections.get(node) ?? (await cluster.open(node));
        connections.set(node, connection);
        if (connection.apis.register === undefined) throw new Error('it has registers');
        return connection.apis.register;
      },
      leader: async () => {
        for (;;) {
          const found = (await cluster.roles()).find(({ role }) => role === 'leader');
          if (found !== undefined) return found.node;
          await sleep(clock, 50);
        }
      },
    });
  };
  await clock.run(run());
}

function deployOn(
  clock: VirtualClock,
  options: Readonly<Record<string, string>>,
  latencyMs = 0,
): Promise<Cluster> {
  return raftkv.deploy({
    backend: 'sim',
    nodes: ['n1', 'n2', 'n3'],
    clock,
    log: silentLog,
    random: Random.stream(seedFrom(11), 'system'),
    runId: 'test',
    dir: '',
    undo: noUndo,
    options,
    latencyMs,
  });
}

test('members that are far from each other serve, at first, after a heal and a new start', () =>
  play(
    async ({ clock, cluster, processes, network, register, leader }) => {
      expect(network.latencyMs).toBe(80);
      const led = await leader();
      const far = cluster.nodes.find((node) => node !== led) ?? led;
      const readMs = async (node: NodeName): Promise<number> => {
        const start = clock.now();
        const read = await (await register(node)).read('k', 'linearizable', CALL);
        expect(read.type).toBe('ok');
        return msFromNanos(clock.now() - start);
      };
      // To the leader and the others, and back.
      expect(await readMs(led)).toBeGreaterThanOrEqual(2 * 80);
      expect(await readMs(far)).toBeGreaterThanOrEqual(4 * 80);
      await network.heal();
      await processes.kill(far);
      await processes.start(far);
      await cluster.ready(20_000);
      expect(await readMs(far)).toBeGreaterThanOrEqual(4 * 80);
      expect(await network.installed()).toEqual([]);
    },
    {},
    80,
  ));

describe('registers of a simulated cluster', () => {
  test('say what etcd says: values, stamps, and what a refused cas found', () =>
    play(async ({ register }) => {
      const api = await register('n1');
      const absent = await api.read('k', 'linearizable', CALL);
      expect(absent).toMatchObject({ type: 'ok', value: null });
      const written = await api.write('k', 7, CALL);
      expect(written).toMatchObject({ type: 'ok', server: { modRevision: expect.any(Number) } });
      expect(await api.cas('k', 8, 9, CALL)).toMatchObject({
        type: 'fail',
        error: { code: 'cas-mismatch', definite: true },
        seen: 7,
      });
      expect(await api.cas('k', 7, 9, CALL)).toMatchObject({ type: 'ok' });
      const other = await register('n2');
      expect(await other.read('k', 'linearizable', CALL)).toMatchObject({
        type: 'ok',
        value: 9,
        server: { version: 2, member: expect.stringMatching(/^[0-9a-f]+$/) },
      });
    }));

  test('are absent after null was written, whether they were there or not', () =>
    play(async ({ register }) => {
      const api = await register('n1');
      expect(await api.write('k', 7, CALL)).toMatchObject({ type: 'ok' });
      for (let times = 0; times < 2; times++) {
        const gone = await api.write('k', null, CALL);
        expect(gone).toMatchObject({ type: 'ok', server: { revision: expect.any(Number) } });
        expect(await api.read('k', 'linearizable', CALL)).toMatchObject({
          value: null,
          server: { modRevision: 0 },
        });
      }
      expect(await api.cas('k', 7, 8, CALL)).toMatchObject({ type: 'fail', seen: null });
      expect(await api.cas('k', null, 8, CALL)).toMatchObject({ type: 'ok' });
    }));

  test('take options as processes do, and refuse what these refuse', async () => {
    const clock = new VirtualClock();
    await expect(clock.run(deployOn(clock, { extra: '--nonsense' }))).rejects.toThrow(/nonsense/);
    await expect(clock.run(deployOn(clock, { extra: '--help' }))).rejects.toThrow(/help/);
    await play(
      async ({ cluster }) => {
        expect(cluster.timing).toEqual({ heartbeatMs: 20, electionMs: 200 });
        expect(cluster.facts).toMatchObject({ simulated: true });
      },
      { heartbeat: '20ms', election: '200ms' },
    );
  });
});

describe('a fault on a simulated node', () => {
  test('killed, it refuses for certain; started again, it has what was acknowledged', () =>
    play(async ({ cluster, processes, register }) => {
      const api = await register('n2');
      expect(await api.write('k', 1, CALL)).toMatchObject({ type: 'ok' });
      await processes.kill('n2');
      expect(await processes.state('n2')).toEqual({ state: 'gone' });
      expect(await api.write('k', 2, CALL)).toMatchObject({
        type: 'fail',
        error: { code: 'not-connected', definite: true },
      });
      const roles = await cluster.roles();
      expect(roles.find(({ node }) => node === 'n2')).toMatchObject({ state: 'unreachable' });
      await processes.start('n2');
      await cluster.ready(10_000);
      expect(await api.read('k', 'linearizable', CALL)).toMatchObject({ type: 'ok', value: 1 });
      expect(cluster.crashed()).toEqual([]);
    }));

  test('paused, it does not answer anybody; what it was asked may still happen', () =>
    play(async ({ clock, cluster, processes, register, leader }) => {
      const node = await leader();
      const api = await register(node);
      await processes.pause(node);
      const startMs = msFromNanos(clock.now());
      const [write, roles] = await Promise.all([api.write('k', 3, CALL), cluster.roles()]);
      expect(write).toMatchObject({
        type: 'info',
        error: { code: 'deadline-exceeded', definite: false },
      });
      expect(msFromNanos(clock.now()) - startMs).toBeCloseTo(1_000, 3);
      expect(roles.find((role) => role.node === node)).toMatchObject({ state: 'unreachable' });
      await processes.resume(node);
      await cluster.ready(10_000);
      expect((await cluster.roles()).every(({ state }) => state === 'answered')).toBe(true);
    }));

  test('killed under a request, it leaves its client not knowing', () =>
    play(async ({ clock, processes, register, leader }) => {
      const node = await leader();
      const api = await register(node);
      const others = (['n1', 'n2', 'n3'] as const).filter((each) => each !== node);
      await Promise.all(others.map((each) => processes.pause(each)));
      const write = api.write('k', 4, { timeoutMs: 3_000 });
      await sleep(clock, 100);
      await processes.kill(node);
      expect(await write).toMatchObject({
        type: 'info',
        error: { code: 'connection-lost', definite: false },
      });
    }));

  test('cut off from the others, a leader commits nothing, and they choose another', () =>
    play(async ({ clock, network, register, leader, cluster }) => {
      const old = await leader();
      const others = (['n1', 'n2', 'n3'] as const).filter((each) => each !== old);
      const grudge = new Map<NodeName, ReadonlySet<NodeName>>([
        [old, new Set(others)],
        ...others.map((each) => [each, new Set([old])] as const),
      ]);
      await network.drop(grudge);
      const lost = await (await register(old)).write('k', 5, CALL);
      expect(lost.type).toBe('info');
      await sleep(clock, 3_000);
      const roles = await cluster.roles();
      const leaders = roles.filter(({ role }) => role === 'leader').map(({ node }) => node);
      expect(leaders).toHaveLength(1);
      expect(others).toContain(leaders[0]);
      expect(await (await register(leaders[0] ?? '')).write('k', 6, CALL)).toMatchObject({
        type: 'ok',
      });
      await network.heal();
      await cluster.ready(10_000);
      expect(await (await register(old)).read('k', 'linearizable', CALL)).toMatchObject({
        type: 'ok',
        value: 6,
      });
    }));
});

describe('an operator of a simulated cluster', () => {
  test('removes the leader, brings it back, and makes it a voter', () =>
    play(async ({ cluster, clock }) => {
      await leaderLeavesAndReturns(cluster, clock);
    }));

  test('makes it forget its past', () =>
    play(async ({ cluster }) => {
      await pastIsForgotten(cluster);
    }));
});
