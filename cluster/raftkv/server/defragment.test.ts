/** Defragmentation: what it gives back, what waits for it, and what a crash in it leaves. */
import { describe, expect, test } from 'vitest';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import type { MemoryDisk } from '../storage/memory-disk.ts';
import type { Disk } from '../storage/types.ts';
import type { NodeApi } from './api.ts';
import { MemoryCluster, onVirtualTime } from './testing.ts';

const KEY = Buffer.from('k');
const SLOW_MS = 300;

/** To read its backend takes time: long for a read, short for an election. */
function slowToRead(disk: MemoryDisk, clock: Clock): Disk {
  return {
    list: () => disk.list(),
    open: (name) => disk.open(name),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    read: async (name) => {
      if (name === 'db') await sleep(clock, SLOW_MS);
      return disk.read(name);
    },
  };
}

async function write(api: NodeApi, count: number): Promise<void> {
  for (let at = 0; at < count; at++)
    expect(await api.put({ key: KEY, value: Buffer.alloc(1_000, String(at)) })).toMatchObject({
      ok: true,
    });
  expect(await api.compact(api.header().revision)).toMatchObject({ ok: true });
}

async function valueOf(api: NodeApi, serializable = false): Promise<string> {
  const range = await api.range({ key: KEY, serializable });
  return range.ok ? Buffer.from(range.value.kvs[0]?.value ?? []).toString() : range.failure.message;
}

describe('defragmentation', () => {
  test('shrinks the file to what is in use, and a restart finds the same', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      await write(api, 50);
      const hash = await api.hashKv(0);
      await cluster.until(() => api.status().dbSize > 40_000);
      expect(await api.defragment()).toEqual({ ok: true, value: null });
      expect(api.status().dbSize).toBeLessThan(3_000);
      expect(await api.hashKv(0)).toEqual(hash);
      await cluster.crash('n1');
      await cluster.startAll();
      expect(await cluster.node('n1').api.hashKv(0)).toEqual(hash);
      expect(await valueOf(cluster.node('n1').api)).toBe('49'.repeat(500));
    }));

  test('keeps reads and writes of its member waiting, and nobody else', () =>
    onVirtualTime(new MemoryCluster(3, {}, { disk: slowToRead }), async (cluster) => {
      await cluster.startAll();
      await cluster.until(() => cluster.leader() !== undefined);
      const leader = cluster.leader() as string;
      const slow = cluster.names.find((name) => name !== leader) as string;
      const { api } = cluster.node(slow);
      await write(cluster.node(leader).api, 20);
      const done: string[] = [];
      const watch = async (name: string, work: Promise<unknown>): Promise<void> => {
        await work;
        done.push(name);
      };
      const all = [watch('defragment', api.defragment())];
      await sleep(cluster.clock, 10);
      all.push(
        watch('local read', api.range({ key: KEY, serializable: true })),
        watch('read', api.range({ key: KEY })),
        watch('write', api.put({ key: KEY, value: Buffer.from('new') })),
      );
      await sleep(cluster.clock, 100);
      expect(done).toEqual([]);
      // The write is in the log of all by then, this member's too: raft goes on.
      expect(await valueOf(cluster.node(leader).api)).toBe('new');
      expect(api.status().raftIndex).toBe(cluster.node(leader).api.status().raftIndex);
      await Promise.all(all);
      expect(done.toSorted()).toEqual(['defragment', 'local read', 'read', 'write']);
      expect(await valueOf(api, true)).toBe('new');
      expect(cluster.leader()).toBe(leader);
    }));

  test('is of no use, and no harm, when a leader`s snapshot comes in between', () =>
    onVirtualTime(
      new MemoryCluster(3, { snapshotCount: 5, catchUpEntries: 1 }, { disk: slowToRead }),
      async (cluster) => {
        await cluster.startAll();
        await cluster.until(() => cluster.leader() !== undefined);
        const leader = cluster.leader() as string;
        const behind = cluster.names.find((name) => name !== leader) as string;
        cluster.cutOff(behind);
        await write(cluster.node(leader).api, 30);
        cluster.heal();
        const { api } = cluster.node(behind);
        const results = [];
        for (let at = 0; at < 5; at++) results.push(await api.defragment());
        expect(results.every((result) => result.ok)).toBe(true);
        await cluster.until(
          () => api.header().revision === cluster.node(leader).api.header().revision,
        );
        expect(await api.hashKv(0)).toEqual(await cluster.node(leader).api.hashKv(0));
        await cluster.crash(behind);
        await cluster.start(behind);
        await cluster.node(behind).serving;
        expect(await valueOf(cluster.node(behind).api, true)).toBe('29'.repeat(500));
      },
    ));

  test('two at once come one after the other', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      await write(api, 10);
      const both = await Promise.all([api.defragment(), api.defragment()]);
      expect(both.map(({ ok }) => ok)).toEqual([true, true]);
      expect(await valueOf(api)).toBe('9'.repeat(1_000));
    }));

  for (const end of ['kill', 'power'] as const)
    test(`whatever fails in it, a start after it finds everything (${end})`, async () => {
      let failures = 0;
      for (let after = 0; after < 10; after++)
        await onVirtualTime(new MemoryCluster(1), async (cluster) => {
          await cluster.startAll();
          const node = cluster.node('n1');
          await write(node.api, 5);
          cluster.disk('n1').failAfter({ after, code: 'EIO', written: (after % 3) / 2 });
          const result = await node.api.defragment();
          if (!result.ok) {
            failures++;
            expect(await node.ended).toMatchObject({ why: 'disk-failed' });
          }
          if (end === 'kill') await cluster.crash('n1');
          else await cluster.powerFailure('n1', Random.stream(seedFrom(after), 'defragment'));
          await cluster.startAll();
          expect(await valueOf(cluster.node('n1').api)).toBe('4'.repeat(1_000));
          expect(await cluster.disk('n1').list()).toEqual(['db', 'wal-0000000000000001']);
        });
      // Each of its steps was tried.
      expect(failures).toBeGreaterThan(5);
      expect(failures).toBeLessThan(10);
    });
});
