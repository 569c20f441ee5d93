/** The planted bugs of what a member keeps, on whole nodes: the same schedule with and without. */
import { describe, expect, test } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { Bug } from './bugs.ts';
import {
  bytes,
  get,
  got,
  hashes,
  leaderOf,
  others,
  playOut,
  put,
  type Scenario,
} from './bugs-testing.ts';
import { MemoryCluster, onVirtualTime } from './server/testing.ts';

const RANDOM = Random.stream(seedFrom(3), 'power');

/** Of twenty writes that were acknowledged, how many are there when all have come back. */
async function writesLeft(
  cluster: MemoryCluster,
  end: (name: string) => Promise<void>,
): Promise<number> {
  for (let n = 0; n < 20; n++) {
    await put(cluster, cluster.names[n % 3] as string, `k${n}`, 'there');
    await sleep(cluster.clock, 77);
  }
  for (const name of cluster.names) await end(name);
  await cluster.startAll();
  const range = { key: bytes('k'), end: bytes('l') };
  return got(await cluster.node('n1').api.range(range)).count;
}

async function left(bug: Bug, isWrong: boolean, isPowerLost: boolean): Promise<number> {
  let count = -1;
  const bugs = new Set(isWrong ? [bug] : []);
  await onVirtualTime(new MemoryCluster(3, { bugs }), async (cluster) => {
    await cluster.startAll();
    count = await writesLeft(cluster, (name) =>
      isPowerLost ? cluster.powerFailure(name, RANDOM.fork(name)) : cluster.crash(name),
    );
  });
  return count;
}

describe('ack-before-write', () => {
  test('a kill of all loses what was acknowledged within the last second', async () => {
    const count = await left('ack-before-write', true, false);
    expect(count).toBeLessThan(20);
    // Whatever was written before is there.
    expect(count).toBeGreaterThan(5);
  });

  test('without it the same schedule loses nothing', async () => {
    expect(await left('ack-before-write', false, false)).toBe(20);
  });
});

describe('ack-before-fsync', () => {
  test('a power failure loses what was acknowledged within the last second', async () => {
    expect(await left('ack-before-fsync', true, true)).toBeLessThan(20);
  });

  test('a kill loses nothing, and without the bug a power failure does not either', async () => {
    expect(await left('ack-before-fsync', true, false)).toBe(20);
    expect(await left('ack-before-fsync', false, true)).toBe(20);
  });
});

describe.each<Bug>(['ack-before-write', 'ack-before-fsync', 'consistent-index'])('%s', (bug) => {
  test('a member comes back after every crash, also from snapshots, and catches up', () =>
    onVirtualTime(
      new MemoryCluster(3, { bugs: new Set([bug]), snapshotCount: 20, catchUpEntries: 5 }),
      async (cluster) => {
        await cluster.startAll();
        for (let round = 0; round < 30; round++) {
          const victim = cluster.names[round % 3] as string;
          const [via] = others(cluster, victim);
          for (let n = 0; n < 9; n++) await put(cluster, via, 'x', `${round}.${n}`);
          await sleep(cluster.clock, 37 * round);
          if (round % 2 === 0) await cluster.powerFailure(victim, RANDOM.fork(`${round}`));
          else await cluster.crash(victim);
          await cluster.until(() => (cluster.leader() ?? victim) !== victim);
          for (let n = 0; n < 30 * (round % 3); n++) await put(cluster, via, 'y', `${n}`);
          const node = await cluster.start(victim);
          await node.serving;
          await put(cluster, via, 'x', `${round}`);
          expect(await get(cluster, victim, 'x')).toBe(`${round}`);
        }
      },
    ));
});

async function skipEntries(cluster: MemoryCluster): Promise<unknown> {
  const leader = leaderOf(cluster);
  const [victim] = others(cluster, leader);
  for (let n = 0; n < 40; n++) {
    await put(cluster, leader, `k${n}`, 'x');
    await sleep(cluster.clock, 10);
  }
  await cluster.crash(victim);
  const node = await cluster.start(victim);
  await node.serving;
  const range = { key: bytes('k'), end: bytes('l') };
  const { count } = got(await node.api.range(range));
  return { isAllThere: count === 40, hashes: await hashes(cluster) };
}

async function loseTail(cluster: MemoryCluster): Promise<unknown> {
  const leader = leaderOf(cluster);
  const [behind] = others(cluster, leader);
  cluster.cutOff(behind);
  for (let n = 0; n < 100; n++) await put(cluster, leader, `k${n}`, 'x');
  cluster.heal();
  const { api } = cluster.node(behind);
  const there = await get(cluster, behind, 'k99');
  const revisions = [api.header().revision];
  // What it lost, it has lost for good, and it starts again with what it has.
  await put(cluster, leader, 'x', 'later');
  await cluster.until(() => api.header().revision > (revisions[0] ?? 0));
  await sleep(cluster.clock, 500);
  await cluster.crash(behind);
  const node = await cluster.start(behind);
  await node.serving;
  return { there, revisions: [...revisions, node.api.header().revision] };
}

async function restartAfterCompaction(cluster: MemoryCluster): Promise<unknown> {
  const { api } = cluster.node('n1');
  await put(cluster, 'n1', 'a', '1');
  await put(cluster, 'n1', 'b', '2');
  const { revision } = got(await api.deleteRange({ key: bytes('b') }));
  got(await api.compact(revision));
  await sleep(cluster.clock, 500);
  await cluster.crash('n1');
  await cluster.startAll();
  const restarted = cluster.node('n1').api.header().revision;
  const next = await put(cluster, 'n1', 'a', '3');
  return { before: revision, restarted, next, a: await get(cluster, 'n1', 'a') };
}

const SCENARIOS: readonly Scenario[] = [
  {
    bug: 'consistent-index',
    shows: 'a member that crashed lacks what the others have',
    play: skipEntries,
    wrong: { isAllThere: false, hashes: 2 },
    right: { isAllThere: true, hashes: 1 },
  },
  {
    bug: 'snapshot-tail',
    shows: 'a member that got a snapshot is ten revisions behind for good',
    config: { snapshotCount: 20, catchUpEntries: 5 },
    play: loseTail,
    wrong: { there: undefined, revisions: [91, 92] },
    right: { there: 'x', revisions: [101, 102] },
  },
  {
    bug: 'compaction-restart',
    shows: 'a revision comes a second time',
    size: 1,
    play: restartAfterCompaction,
    wrong: { before: 4, restarted: 2, next: 3, a: '3' },
    right: { before: 4, restarted: 4, next: 5, a: '3' },
  },
];

describe.each(SCENARIOS)('$bug', (scenario) => {
  test(`it shows: ${scenario.shows}`, () => playOut(scenario, true));
  test('without it the same schedule does no harm', () => playOut(scenario, false));
});
