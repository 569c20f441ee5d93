import { describe, expect, test } from 'vitest';
import { FAILURES, type Result } from '../failures.ts';
import type { Node, NodeApi } from './api.ts';
import { costOf } from './quota.ts';
import { MemoryCluster, onVirtualTime } from './testing.ts';

const KEY = Buffer.from('k');
const QUOTA = 100_000;

function put(api: NodeApi, bytes: number, key = 'k'): Promise<Result<{ revision: number }>> {
  return api.put({ key: Buffer.from(key), value: Buffer.alloc(bytes, 'x') });
}

function messageOf(result: Result<unknown>): string {
  return result.ok ? 'ok' : result.failure.message;
}

/** Puts until it is refused; how many were not. */
async function fill(api: NodeApi, bytes = 10_000): Promise<number> {
  for (let count = 0; ; count++) {
    const result = await put(api, bytes);
    if (result.ok) continue;
    expect(result.failure).toEqual(FAILURES.noSpace);
    return count;
  }
}

async function alarmsOf({ api }: Node): Promise<unknown> {
  const result = await api.alarms();
  return result.ok ? result.value : result.failure.message;
}

describe('what a request costs', () => {
  test('is etcd`s estimate, and nothing for what only takes away', () => {
    const value = Buffer.alloc(100);
    const request = { key: KEY, value };
    const op = { type: 'put', request } as const;
    const inner = { compare: [], success: [op], failure: [] };
    expect(costOf({ type: 'put', request })).toBe(357);
    expect(costOf({ type: 'txn', request: { ...inner, failure: [op, op] } })).toBe(714);
    const nested = {
      compare: [],
      success: [{ type: 'txn', request: inner }],
      failure: [],
    } as const;
    expect(costOf({ type: 'txn', request: nested })).toBe(0);
    expect(costOf({ type: 'lease-grant', id: '1', ttlSeconds: 9 })).toBe(64);
    expect(costOf({ type: 'delete-range', request: { key: KEY } })).toBe(0);
    expect(costOf({ type: 'compact', revision: 7 })).toBe(0);
  });
});

describe('a member that is full', () => {
  test('raises its alarm before its file has the size, and refuses what adds', () =>
    onVirtualTime(new MemoryCluster(1, { quotaBytes: QUOTA }), async (cluster) => {
      await cluster.startAll();
      const node = cluster.node('n1');
      const { api } = node;
      expect(await fill(api)).toBe(9);
      expect(api.status().dbSize).toBeLessThan(QUOTA);
      const { member } = api.header();
      expect(await alarmsOf(node)).toEqual([{ member, type: 'NOSPACE' }]);
      expect(api.status().errors).toEqual([`memberID:${BigInt(`0x${member}`)} alarm:NOSPACE `]);
      // Now even what would fit is refused.
      const { raftIndex } = api.status();
      expect(messageOf(await put(api, 100_000))).toBe('etcdserver: mvcc: database space exceeded');
      // Which is no news: the log does not grow by those who ask again and again.
      expect(api.status().raftIndex).toBe(raftIndex);
      expect(messageOf(await put(api, 1))).toBe('etcdserver: mvcc: database space exceeded');
      expect(messageOf(await api.leaseGrant('7', 60))).toBe(FAILURES.noSpace.message);
      const kvs = await api.range({ key: KEY });
      expect(kvs.ok && kvs.value.count).toBe(1);
    }));

  test('takes writes again after deletion, compaction, defragmentation and a disarm', () =>
    onVirtualTime(new MemoryCluster(1, { quotaBytes: QUOTA }), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      await fill(api);
      const alarm = { member: api.header().member, type: 'NOSPACE' } as const;
      // Disarmed without having made room, the next write that is too large raises it again.
      expect(messageOf(await api.setAlarm(alarm, false))).toBe('ok');
      expect(messageOf(await put(api, 10_000))).toBe(FAILURES.noSpace.message);
      expect(api.status().errors).toHaveLength(1);
      const deleted = await api.deleteRange({ key: KEY });
      expect(deleted.ok).toBe(true);
      expect(messageOf(await api.compact(api.header().revision))).toBe('ok');
      expect(messageOf(await api.defragment())).toBe('ok');
      expect(api.status().dbSize).toBeLessThan(2_000);
      expect(messageOf(await put(api, 1))).toBe(FAILURES.noSpace.message);
      expect(await api.setAlarm(alarm, false)).toEqual({ ok: true, value: [alarm] });
      expect(await api.setAlarm(alarm, false)).toEqual({ ok: true, value: [] });
      expect(messageOf(await put(api, 10_000))).toBe('ok');
      expect(api.status().errors).toEqual([]);
    }));

  test('stops all others, and all remember it through a restart and a snapshot', () =>
    onVirtualTime(
      new MemoryCluster(3, { quotaBytes: QUOTA, snapshotCount: 10, catchUpEntries: 2 }),
      async (cluster) => {
        await cluster.startAll();
        await cluster.until(() => cluster.leader() !== undefined);
        const leader = cluster.leader() as string;
        const [other, last] = cluster.names.filter((name) => name !== leader) as [string, string];
        await cluster.crash(last);
        await fill(cluster.node(leader).api);
        const { member } = cluster.node(leader).api.header();
        expect(messageOf(await put(cluster.node(other).api, 1))).toBe(FAILURES.noSpace.message);
        await cluster.start(last);
        await cluster.node(last).serving;
        expect(await alarmsOf(cluster.node(last))).toEqual([{ member, type: 'NOSPACE' }]);
        for (const name of cluster.names) await cluster.crash(name);
        await cluster.startAll();
        expect(await alarmsOf(cluster.node(other))).toEqual([{ member, type: 'NOSPACE' }]);
        expect(messageOf(await put(cluster.node(last).api, 1))).toBe(FAILURES.noSpace.message);
      },
    ));

  test('refuses what it finds too large only when it applies it, and has applied it all the same', () =>
    onVirtualTime(new MemoryCluster(1, { quotaBytes: QUOTA }), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
      // All pass the first look, since none is applied yet.
      const results = await Promise.all(keys.map((key) => put(api, 10_000, key)));
      const refused = results.filter((result) => !result.ok);
      expect(refused.map(messageOf)).toEqual(Array(11).fill(FAILURES.noSpace.message));
      const all = await api.range({ key: Buffer.from('k'), end: Buffer.from('l') });
      expect(all.ok && all.value.count).toBe(20);
      expect(api.status().errors).toHaveLength(1);
    }));

  test('has no end without a quota', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      for (let count = 0; count < 20; count++) expect((await put(api, 10_000)).ok).toBe(true);
      expect(api.status().errors).toEqual([]);
    }));
});
