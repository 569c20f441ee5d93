/** The planted bugs of the request path, on whole nodes: the same schedule with and without. */
import { describe, expect, test } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import { BUG_NAMES } from './bugs.ts';
import {
  bytes,
  cas,
  drained,
  get,
  got,
  hashes,
  leaderOf,
  nextLeader,
  others,
  playOut,
  put,
  type Scenario,
} from './bugs-testing.ts';
import { hostOf, MemoryCluster, onVirtualTime } from './server/testing.ts';

/** It is paused and cut off at once, and goes on when another leads and has written. */
async function readAfterPause(cluster: MemoryCluster): Promise<unknown> {
  const old = leaderOf(cluster);
  await put(cluster, old, 'x', 'old');
  await sleep(cluster.clock, 200);
  cluster.pause(old);
  cluster.cutOff(old);
  const next = await nextLeader(cluster, old);
  await put(cluster, next, 'x', 'new');
  cluster.resume(old);
  const stale = await cluster.node(old).api.range({ key: bytes('x') });
  return stale.ok ? Buffer.from(stale.value.kvs[0]?.value ?? []).toString() : 'refused';
}

async function readWhatIsLost(cluster: MemoryCluster): Promise<unknown> {
  const old = leaderOf(cluster);
  await put(cluster, old, 'x', 'kept');
  cluster.cutOff(old);
  void cluster.node(old).api.put({ key: bytes('x'), value: bytes('lost') });
  await sleep(cluster.clock, 50);
  const there = await get(cluster, old, 'x', true);
  await nextLeader(cluster, old);
  cluster.heal();
  return [there, await get(cluster, old, 'x'), await get(cluster, old, 'x', true)];
}

async function writeAlone(cluster: MemoryCluster): Promise<unknown> {
  const old = leaderOf(cluster);
  await put(cluster, old, 'x', 'before');
  await sleep(cluster.clock, 50);
  cluster.cutOff(old);
  const { ok } = await cluster.node(old).api.put({ key: bytes('x'), value: bytes('alone') });
  await nextLeader(cluster, old);
  cluster.heal();
  return [ok, await get(cluster, old, 'x')];
}

async function race(cluster: MemoryCluster): Promise<unknown> {
  const won = cluster.names.map((name) => cas(cluster, name, 'x', undefined, name));
  return (await Promise.all(won)).filter(Boolean).length;
}

/** The leader is heard and hears nobody: what it appends is committed by the next one. */
async function retryAfterOneWayCut(cluster: MemoryCluster): Promise<unknown> {
  const old = leaderOf(cluster);
  await put(cluster, old, 'x', 'a');
  cluster.network.isCut = (_from, to) => to === hostOf(old);
  const won = cas(cluster, old, 'x', 'a', 'b');
  const next = await nextLeader(cluster, old);
  await sleep(cluster.clock, 1_000);
  cluster.heal();
  return [await won, await get(cluster, next, 'x')];
}

/** Renewed all the time, through whoever leads. */
async function keepLease(cluster: MemoryCluster): Promise<unknown> {
  const old = leaderOf(cluster);
  const [other] = others(cluster, old);
  const { api } = cluster.node(other);
  const { id } = got(await api.leaseGrant('7', 3));
  await put(cluster, other, 'x', 'held', id);
  cluster.cutOff(old);
  await nextLeader(cluster, old);
  cluster.heal();
  await sleep(cluster.clock, 50);
  for (let n = 0; n < 10; n++) {
    got(await api.leaseKeepAlive(id));
    await sleep(cluster.clock, 500);
  }
  return get(cluster, other, 'x');
}

async function watchThroughSnapshot(cluster: MemoryCluster): Promise<unknown> {
  const writer = leaderOf(cluster);
  const [behind] = others(cluster, writer);
  const { api } = cluster.node(behind);
  const request = { key: bytes('k'), startRevision: 0, prevKv: false, noPut: false };
  using watch = api.watch({ ...request, noDelete: false }, () => undefined);
  await put(cluster, writer, 'k', 'first');
  await cluster.until(() => api.header().revision === 2);
  const seen = drained(watch);
  cluster.cutOff(behind);
  for (let n = 0; n < 50; n++) await put(cluster, writer, 'k', `v${n}`);
  cluster.heal();
  await cluster.until(() => api.header().revision === 52);
  return [...seen, ...drained(watch)].slice(0, 3);
}

const SCENARIOS: readonly Scenario[] = [
  {
    bug: 'stale-lease-read',
    shows: 'a leader that wakes up takes its lease for a fresh one',
    config: { leaseReads: true },
    play: readAfterPause,
    wrong: 'old',
    right: 'refused',
  },
  {
    bug: 'dirty-read',
    shows: 'a write is read that never was',
    play: readWhatIsLost,
    wrong: ['lost', 'kept', 'kept'],
    right: ['kept', 'kept', 'kept'],
  },
  {
    bug: 'ack-before-commit',
    shows: 'a leader that is cut off acknowledges what is lost',
    play: writeAlone,
    wrong: [true, 'before'],
    right: [false, 'before'],
  },
  {
    bug: 'txn-race',
    shows: 'all win who create the same key',
    play: race,
    wrong: 3,
    right: 1,
  },
  {
    bug: 'retry-twice',
    shows: 'a cas is refused because it has won',
    play: retryAfterOneWayCut,
    wrong: [false, 'b'],
    right: [true, 'b'],
  },
  {
    bug: 'lease-early',
    shows: 'a lease that was renewed in time is revoked by who led before',
    play: keepLease,
    wrong: undefined,
    right: 'held',
  },
  {
    bug: 'watch-back-in-time',
    shows: 'an event comes twice',
    config: { snapshotCount: 20, catchUpEntries: 5 },
    play: watchThroughSnapshot,
    wrong: [2, 2, 3],
    right: [2, 3, 4],
  },
];

describe.each(SCENARIOS)('$bug', (scenario) => {
  test(`it shows: ${scenario.shows}`, () => playOut(scenario, true));
  test('without it the same schedule does no harm', () => playOut(scenario, false));
});

describe('a cluster that is left alone looks well', () => {
  test.each(BUG_NAMES)('with %s', (bug) =>
    onVirtualTime(
      new MemoryCluster(3, { bugs: new Set([bug]), snapshotCount: 20, catchUpEntries: 5 }),
      async (cluster) => {
        await cluster.startAll();
        const { id } = got(await cluster.node('n2').api.leaseGrant('7', 2));
        for (let n = 0; n < 60; n++) {
          const name = cluster.names[n % 3] as string;
          await put(cluster, name, 'x', `${n}`, n % 2 === 0 ? id : '0');
          expect(await cas(cluster, name, 'x', `${n}`, `${n}!`)).toBe(true);
          await sleep(cluster.clock, 50);
          got(await cluster.node(name).api.leaseKeepAlive(id));
          for (const each of cluster.names) {
            expect(await get(cluster, each, 'x')).toBe(`${n}!`);
            expect(await get(cluster, each, 'x', true)).toBe(`${n}!`);
          }
        }
        got(await cluster.node('n1').api.compact(50));
        await sleep(cluster.clock, 2_000);
        expect(await hashes(cluster)).toBe(1);
        expect(cluster.node('n3').api.header().revision).toBe(121);
        expect(cluster.node(leaderOf(cluster)).api.header().term).toBe(2);
      },
    ),
  );
});
