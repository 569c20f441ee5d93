/** One set of tests for every system that runs as linked nodes, as processes or in containers. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Grudge, Network } from '../../harness/protocols/network.ts';
import type {
  BackendName,
  Cluster,
  Outcome,
  RegisterApi,
  RoleSample,
  System,
} from '../../harness/protocols/system.ts';
import { findLeftovers } from '../../harness/runner/sweep.ts';
import { startWatchdog } from '../../harness/runner/undo.ts';
import { allPids, readEnvironment } from '../../harness/runner/watchdog-proc.ts';
import { findMade } from '../backends/docker/cleanup.ts';
import { openEngine } from '../backends/docker/engine.ts';
import { isolate } from '../network/grudge.ts';

const clock = realClock();
/** For what must not succeed, and where it is asked again. */
const call = { timeoutMs: 1_000 };
/** For what must succeed the first time, however busy the machine. */
const patient = { timeoutMs: 10_000 };

export interface Deployed extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly run: string;
}

type Backend = Extract<BackendName, 'process' | 'docker'>;

/** A cluster of its own in a folder of its own, ready. */
export async function deployed(
  system: System,
  count: number,
  options: Readonly<Record<string, string>> = {},
  backend: Backend = 'process',
  latencyMs = 0,
): Promise<Deployed> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'schism-system-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const run = `${system.name}-test-${process.pid}-${count}`;
  const undo = stack.use(await startWatchdog({ runId: run, clock, log: silentLog }));
  const cluster = stack.use(
    await system.deploy({
      backend,
      nodes: Array.from({ length: count }, (_, index) => `n${index + 1}`),
      clock,
      log: silentLog,
      random: Random.stream(seedFrom(count), system.name),
      runId: run,
      dir,
      undo,
      options,
      latencyMs,
    }),
  );
  await cluster.ready(60_000);
  const owned = stack.move();
  return { cluster, run, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Processes, or what is on the engine, that carry the mark of a run. */
const tracesOf: Readonly<Record<Backend, (run: string) => Promise<readonly unknown[]>>> = {
  process: (run) =>
    Promise.resolve(allPids().filter((pid) => readEnvironment(pid).get('SCHISM_RUN') === run)),
  docker: async (run) => findMade(await openEngine(process.env), clock, { run }),
};

async function registerAt(
  cluster: Cluster,
  node: NodeName,
  stack: AsyncDisposableStack,
): Promise<RegisterApi> {
  const { apis } = stack.use(await cluster.open(node));
  expect.assert(apis.register !== undefined);
  return apis.register;
}

const leadersOf = (roles: readonly RoleSample[]): NodeName[] =>
  roles.filter(({ role }) => role === 'leader').map(({ node }) => node);

/** Looks at the roles until they are as wanted; returns the last that were seen either way. */
async function rolesUntil(
  cluster: Cluster,
  wanted: (roles: readonly RoleSample[]) => boolean,
  ms: number,
): Promise<readonly RoleSample[]> {
  const deadline = clock.now() + ms * 1e6;
  for (;;) {
    const roles = await cluster.roles();
    if (wanted(roles) || clock.now() > deadline) return roles;
    await sleep(clock, 50);
  }
}

/** Everybody answers, and names the same leader. */
const settled = (roles: readonly RoleSample[]): boolean =>
  agreed(roles) &&
  leadersOf(roles).length === 1 &&
  roles.every(({ state, term, applied }) => state === 'answered' && term && applied);

const agreed = (roles: readonly RoleSample[]): boolean =>
  roles.every(({ leader }) => leader !== undefined && leader === roles[0]?.leader);

async function leaderOf(cluster: Cluster): Promise<NodeName> {
  const [leader] = leadersOf(await rolesUntil(cluster, agreed, 20_000));
  expect.assert(leader !== undefined);
  return leader;
}

async function eventually<T>(
  attempt: () => Promise<Outcome<T>>,
  ms: number,
): Promise<Outcome<T>['type']> {
  const deadline = clock.now() + ms * 1e6;
  for (;;) {
    const { type } = await attempt();
    if (type === 'ok' || clock.now() > deadline) return type;
    await sleep(clock, 20);
  }
}

const others = (cluster: Cluster, node: NodeName): NodeName[] =>
  cluster.nodes.filter((each) => each !== node);

/** What the probe must say of each ordered pair while `grudge` holds. */
const expected = (cluster: Cluster, grudge: Grudge): Record<string, string> =>
  Object.fromEntries(
    cluster.nodes.flatMap((from) =>
      others(cluster, from).map((to) => [
        `${from}>${to}`,
        grudge.get(to)?.has(from) === true ? 'cut' : 'open',
      ]),
    ),
  );

async function measured(network: Network): Promise<Record<string, string>> {
  const matrix = await network.observe();
  return Object.fromEntries(matrix.map(({ from, to, state }) => [`${from}>${to}`, state]));
}

/** A node that is too busy to answer a look makes it say that a state is unknown, never another one. */
async function isMeasured(network: Network, states: Record<string, string>): Promise<void> {
  let seen = await measured(network);
  for (let looks = 0; looks < 20 && Object.values(seen).includes('unknown'); looks++) {
    await sleep(clock, 250);
    seen = await measured(network);
  }
  expect(seen).toEqual(states);
}

const SHAPES: readonly [string, (leader: NodeName, rest: readonly NodeName[]) => Grudge][] = [
  ['both ways', (leader, rest) => new Map([[leader, new Set(rest)], ...only(rest, leader)])],
  ['so that it cannot send', (leader, rest) => only(rest, leader)],
  ['so that it cannot hear', (leader, rest) => new Map([[leader, new Set(rest)]])],
];

function only(nodes: readonly NodeName[], from: NodeName): Map<NodeName, ReadonlySet<NodeName>> {
  return new Map(nodes.map((node) => [node, new Set([from])]));
}

/**
 * What a system of several processes with etcd's API and links must do; its test says which one,
 * within a group of its own.
 */
export function membersServe(system: System, backend: Backend = 'process'): void {
  describe('three nodes', () => {
    test('that are far from each other serve, also after a heal and a new start', async () => {
      await using three = await deployed(system, 3, {}, backend, 40);
      await using stack = new AsyncDisposableStack();
      const { cluster } = three;
      const { network, processes } = cluster;
      expect.assert(network !== undefined && processes !== undefined);
      const led = await leaderOf(cluster);
      const [far = led] = others(cluster, led);
      const passagesOf = async (node: NodeName): Promise<number> => {
        const register = await registerAt(cluster, node, stack);
        const start = clock.now();
        const read = await eventually(() => register.read('k', 'linearizable', call), 20_000);
        expect(read).toBe('ok');
        return Math.floor((clock.now() - start) / 40e6);
      };
      expect(network.latencyMs).toBe(40);
      expect(await passagesOf(led)).toBeGreaterThanOrEqual(2);
      expect(await passagesOf(far)).toBeGreaterThanOrEqual(4);
      await network.drop(isolate(cluster.nodes, far));
      await network.heal();
      expect(await network.installed()).toEqual([]);
      await processes.kill(far);
      await processes.start(far);
      await cluster.ready(20_000);
      for (const { state, rttMs = 0 } of await network.observe())
        expect([state, rttMs >= 80]).toEqual(['open', true]);
      expect(await passagesOf(led)).toBeGreaterThanOrEqual(2);
    });

    test('serve through their links, and keep their data over kill and start', async () => {
      const three = await deployed(system, 3, {}, backend);
      {
        await using _ = three;
        await using stack = new AsyncDisposableStack();
        const { cluster } = three;
        expect((await tracesOf[backend](three.run)).length).toBeGreaterThanOrEqual(3);
        expect(cluster.timing).toEqual({ heartbeatMs: 50, electionMs: 500 });
        expect(cluster.facts).toMatchObject({
          system: system.name,
          version: expect.stringMatching(/^\d+\.\d+\./),
          members: { n3: {} },
        });
        expect(settled(await rolesUntil(cluster, settled, 20_000))).toBe(true);

        const [n1, n2] = [
          await registerAt(cluster, 'n1', stack),
          await registerAt(cluster, 'n2', stack),
        ];
        expect(await n1.write('k', 1, patient)).toMatchObject({ type: 'ok' });
        expect(await n2.read('k', 'linearizable', patient)).toMatchObject({ type: 'ok', value: 1 });
        expect(await n2.cas('k', 1, 2, patient)).toMatchObject({ type: 'ok' });
        expect(await n1.cas('k', 1, 3, patient)).toMatchObject({ type: 'fail', seen: 2 });
        expect(await n1.read('k', 'serializable', patient)).toMatchObject({ type: 'ok' });

        const { processes } = cluster;
        expect.assert(processes !== undefined);
        await processes.kill('n1');
        expect(await processes.state('n1')).toEqual({ state: 'gone' });
        const down = await n1.write('k', 9, { timeoutMs: 300 });
        expect(down.type).not.toBe('ok');
        expect((await cluster.roles())[0]).toEqual({
          node: 'n1',
          role: 'unknown',
          state: 'unreachable',
        });
        await processes.start('n1');
        await cluster.ready(30_000);
        expect(await eventually(() => n1.read('k', 'serializable', call), 20_000)).toBe('ok');
        expect(await n1.read('k', 'linearizable', patient)).toMatchObject({ type: 'ok', value: 2 });

        await processes.pause('n2');
        await expect
          .poll(async () => (await processes.state('n2')).state, { timeout: 5_000 })
          .toBe('paused');
        expect((await cluster.roles())[1]?.state).toBe('unreachable');
        await processes.resume('n2');
        expect((await processes.state('n2')).state).toBe('running');
        expect(await eventually(() => n2.read('k', 'linearizable', call), 20_000)).toBe('ok');
        expect(cluster.crashed()).toEqual([]);
        expect(cluster.logs().every(({ path }) => existsSync(path))).toBe(true);
      }
      expect(await tracesOf[backend](three.run)).toEqual([]);
      expect(findLeftovers().filter(({ run }) => run === three.run)).toEqual([]);
    });
  });

  describe('a leader that is cut off', () => {
    test.each(SHAPES)('%s: another one leads, and its own writes are not ok', async (_, shape) => {
      await using three = await deployed(system, 3, {}, backend);
      await using stack = new AsyncDisposableStack();
      const { cluster } = three;
      const { network } = cluster;
      expect.assert(network !== undefined);
      const old = await leaderOf(cluster);
      const rest = others(cluster, old);
      const grudge = shape(old, rest);
      const atOld = await registerAt(cluster, old, stack);
      const atRest = await registerAt(cluster, rest[0] ?? '', stack);
      expect((await atOld.write('k', 'before', patient)).type).toBe('ok');
      await isMeasured(network, expected(cluster, new Map()));

      await network.drop(grudge);
      const write = atOld.write('k', 'old', call);
      const next = (roles: readonly RoleSample[]): boolean => {
        const followers = roles.filter(({ node }) => node !== old);
        return followers.every(({ leader }) => leader !== undefined && leader !== old);
      };
      const roles = await rolesUntil(cluster, next, 20_000);
      expect(next(roles)).toBe(true);
      expect((await write).type).not.toBe('ok');
      expect((await network.installed()).length).toBeGreaterThan(0);
      await isMeasured(network, expected(cluster, grudge));
      expect(await eventually(() => atRest.write('k', 'new', call), 20_000)).toBe('ok');
      expect((await atOld.write('k', 'old again', call)).type).not.toBe('ok');

      await network.heal();
      expect(await network.installed()).toEqual([]);
      await isMeasured(network, expected(cluster, new Map()));
      await cluster.ready(30_000);
      expect(agreed(await rolesUntil(cluster, agreed, 10_000))).toBe(true);
      expect(await eventually(() => atOld.read('k', 'linearizable', call), 20_000)).toBe('ok');
      expect(await eventually(() => atOld.write('k', 'after', call), 20_000)).toBe('ok');
      expect(await atRest.read('k', 'linearizable', patient)).toMatchObject({ value: 'after' });
      expect(cluster.crashed()).toEqual([]);
    });
  });

  describe('other sizes', () => {
    test.each([1, 5])('%i nodes serve', async (count) => {
      await using some = await deployed(system, count, { 'snapshot-count': '50' }, backend);
      await using stack = new AsyncDisposableStack();
      const register = await registerAt(some.cluster, `n${count}`, stack);
      for (let value = 0; value < 60; value++)
        expect(await eventually(() => register.write('k', value, call), 20_000)).toBe('ok');
      expect(await register.read('k', 'linearizable', patient)).toMatchObject({ value: 59 });
      expect(settled(await rolesUntil(some.cluster, settled, 20_000))).toBe(true);
    });
  });
}
