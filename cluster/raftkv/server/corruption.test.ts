import { describe, expect, test } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { FAILURES } from '../failures.ts';
import { falsify } from '../storage/falsify-testing.ts';
import { differing, type Seen } from './corruption.ts';
import { MemoryCluster, onVirtualTime } from './testing.ts';

function seen(member: string, hash: number, more: Partial<Seen> = {}): Seen {
  return { member, hash, revision: 10, compactRevision: 2, ...more };
}

describe('who is to be blamed', () => {
  const after = { hash: 0, revision: 12, compactRevision: 3 };

  test('nobody, when all hold the same, or cannot be compared', () => {
    expect(differing(seen('a', 1), [seen('b', 1), seen('c', 1)], after)).toEqual([]);
    expect(differing(seen('a', 1), [seen('b', 2, { compactRevision: 3 })], after)).toEqual([]);
    expect(differing(seen('a', 1), [], after)).toEqual([]);
  });

  test('whoever most do not agree with, the leader too', () => {
    expect(differing(seen('a', 1), [seen('b', 1), seen('c', 2)], after)).toEqual(['c']);
    expect(differing(seen('a', 1), [seen('b', 2), seen('c', 2)], after)).toEqual(['a']);
  });

  test('the others, where no most do agree', () => {
    expect(differing(seen('a', 1), [seen('b', 2)], after)).toEqual(['b']);
    expect(differing(seen('a', 1), [seen('b', 2), seen('c', 3)], after)).toEqual(['b', 'c']);
  });

  test('whoever is further than a leader can be; the leader, when most are', () => {
    const ahead = { revision: 13, compactRevision: 9 };
    expect(differing(seen('a', 1), [seen('b', 1), seen('c', 1, ahead)], after)).toEqual(['c']);
    const most = [seen('b', 1, ahead), seen('c', 1, ahead)];
    expect(differing(seen('a', 1), most, after)).toEqual(['a']);
  });
});

const EVERY_MS = 200;

async function put(cluster: MemoryCluster, name: string, key: string, value: string) {
  const { api } = cluster.node(name);
  return api.put({ key: Buffer.from(key), value: Buffer.from(value) });
}

/** As a bit that changed would: the file is intact, what it says is not. */
async function makeWrong(cluster: MemoryCluster, name: string): Promise<void> {
  await cluster.crash(name);
  await falsify(cluster.disk(name), 'right', 'wrong');
}

async function alarms(cluster: MemoryCluster, name: string): Promise<unknown> {
  const result = await cluster.node(name).api.alarms();
  return result.ok ? result.value : result.failure.message;
}

async function started(cluster: MemoryCluster): Promise<{ leader: string; others: string[] }> {
  await cluster.startAll();
  await cluster.until(() => cluster.leader() !== undefined);
  const leader = cluster.leader() as string;
  expect(await put(cluster, leader, 'k', 'right')).toMatchObject({ ok: true });
  // Backends are committed now and then.
  await sleep(cluster.clock, 500);
  return { leader, others: cluster.names.filter((name) => name !== leader) };
}

describe('a leader that compares what the members hold', () => {
  for (const seed of [1, 2, 3, 4, 5])
    test(`never complains of a healthy cluster, whatever is done to it (${seed})`, () =>
      onVirtualTime(
        new MemoryCluster(
          3,
          { corruptCheckMs: 40, snapshotCount: 20, catchUpEntries: 3 },
          { seed },
        ),
        async (cluster) => {
          const random = Random.stream(seedFrom(seed), 'load');
          const { leader } = await started(cluster);
          for (let step = 0; step < 100; step++) {
            const name = random.pick(cluster.names);
            const work = put(cluster, name, `k${random.int(0, 5)}`, `v${step}`);
            if (random.chance(0.2)) void cluster.node(leader).api.compact(random.int(1, step + 1));
            if (random.chance(0.05)) void cluster.node(name).api.defragment();
            if (random.chance(0.05)) cluster.cutOff(random.pick(cluster.names));
            await sleep(cluster.clock, random.int(0, 30));
            if (random.chance(0.2)) cluster.heal();
            void work;
          }
          cluster.heal();
          await sleep(cluster.clock, 1_000);
          for (const name of cluster.names) expect(await alarms(cluster, name)).toEqual([]);
        },
      ));

  test('raises an alarm for the one that differs; then nobody takes writes', () =>
    onVirtualTime(new MemoryCluster(3, { corruptCheckMs: EVERY_MS }), async (cluster) => {
      const { others } = await started(cluster);
      const [bad, good] = others as [string, string];
      const { member } = cluster.node(bad).api.header();
      await makeWrong(cluster, bad);
      await cluster.start(bad);
      await cluster.node(bad).serving;
      const isRaised = (): boolean => cluster.node(good).api.status().errors.length > 0;
      await cluster.until(isRaised);
      for (const name of [bad, good])
        expect(await alarms(cluster, name)).toEqual([{ member, type: 'CORRUPT' }]);
      expect(await put(cluster, good, 'k', 'more')).toEqual({
        ok: false,
        failure: FAILURES.corrupt,
      });
      expect(FAILURES.corrupt).toEqual({
        status: 'DATA_LOSS',
        message: 'etcdserver: corrupt cluster',
      });
      const range = await cluster.node(good).api.range({ key: Buffer.from('k') });
      expect(range.ok).toBe(true);
    }));

  test('raises it for itself when it is the one', () =>
    onVirtualTime(new MemoryCluster(3, { corruptCheckMs: EVERY_MS }), async (cluster) => {
      const { leader: bad } = await started(cluster);
      const { member } = cluster.node(bad).api.header();
      await makeWrong(cluster, bad);
      await cluster.start(bad);
      await cluster.node(bad).serving;
      await cluster.until(() => cluster.node(bad).api.status().leader !== undefined);
      const leader = cluster.leader() as string;
      if (leader !== bad)
        expect(await cluster.node(leader).api.moveLeader(member)).toMatchObject({ ok: true });
      await cluster.until(() => cluster.node(bad).api.status().errors.length > 0);
      expect(await alarms(cluster, bad)).toEqual([{ member, type: 'CORRUPT' }]);
    }));

  test('looks for nothing unless it is told to', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      const { others } = await started(cluster);
      const [bad] = others as [string];
      await makeWrong(cluster, bad);
      await cluster.start(bad);
      await cluster.node(bad).serving;
      await sleep(cluster.clock, 5_000);
      expect(await alarms(cluster, bad)).toEqual([]);
    }));
});

describe('a member that compares itself before it takes part', () => {
  test('does not start with other data than the others, and says with whose', () =>
    onVirtualTime(new MemoryCluster(3, { checksCorruptionAtStart: true }), async (cluster) => {
      const { others } = await started(cluster);
      const [bad] = others as [string];
      const { member } = cluster.node(bad).api.header();
      await makeWrong(cluster, bad);
      const failure = await cluster.start(bad).then(
        () => 'it started',
        (error: unknown) => messageOf(error),
      );
      expect(failure).toContain(`member ${member} holds other data than `);
      expect(failure).toContain('at revision 2');
    }));

  test('starts when it agrees, when it is behind, and when nobody answers', () =>
    onVirtualTime(new MemoryCluster(3, { checksCorruptionAtStart: true }), async (cluster) => {
      const { leader, others } = await started(cluster);
      const [first, second] = others as [string, string];
      await cluster.crash(first);
      expect(await put(cluster, leader, 'k', 'newer')).toMatchObject({ ok: true });
      await cluster.start(first);
      await cluster.node(first).serving;
      for (const name of cluster.names) await cluster.crash(name);
      for (const name of [leader, first, second]) await cluster.start(name);
      await Promise.all(cluster.names.map((name) => cluster.node(name).serving));
      const range = await cluster.node(second).api.range({ key: Buffer.from('k') });
      expect(range.ok && Buffer.from(range.value.kvs[0]?.value ?? []).toString()).toBe('newer');
    }));
});
