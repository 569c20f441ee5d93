/** Whole nodes against each other, on virtual time: what clients may rely on. */

import { describe, expect, test } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import type { Result } from '../failures.ts';
import type { Event } from '../mvcc/types.ts';
import { MemoryCluster, onVirtualTime, urlOf } from './testing.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

async function put(cluster: MemoryCluster, name: string, key: string, to: string): Promise<number> {
  const { api } = cluster.node(name);
  return value(await api.put({ key: bytes(key), value: bytes(to) })).revision;
}

async function get(cluster: MemoryCluster, name: string, key: string): Promise<string | undefined> {
  const { kvs } = value(await cluster.node(name).api.range({ key: bytes(key) }));
  return kvs[0] === undefined ? undefined : Buffer.from(kvs[0].value).toString();
}

/** Waits until somebody else leads, and gives its name. */
async function nextLeader(cluster: MemoryCluster, old: string): Promise<string> {
  const found = (): string | undefined => {
    const leader = cluster.leader();
    return leader === old ? undefined : leader;
  };
  await cluster.until(() => found() !== undefined);
  return found() as string;
}

function others(cluster: MemoryCluster, name: string | undefined): string[] {
  return cluster.names.filter((each) => each !== name);
}

describe('reads and writes', () => {
  test('a write through any node is read through every other', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      for (const [at, name] of cluster.names.entries())
        expect(await put(cluster, name, 'x', `v${at}`)).toBe(2 + at);
      for (const name of cluster.names) expect(await get(cluster, name, 'x')).toBe('v2');
    }));

  test('a node alone answers too', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      expect(await put(cluster, 'n1', 'x', 'a')).toBe(2);
      expect(await get(cluster, 'n1', 'x')).toBe('a');
    }));

  test('a leader that is cut off acknowledges nothing and reads nothing; the others go on', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const old = cluster.leader() as string;
      await put(cluster, old, 'x', 'before');
      cluster.cutOff(old);
      const write = cluster.node(old).api.put({ key: bytes('x'), value: bytes('lost') });
      const next = await nextLeader(cluster, old);
      const read = cluster.node(old).api.range({ key: bytes('x') });
      await put(cluster, next, 'x', 'after');
      expect(await write).toMatchObject({ ok: false, failure: { status: 'UNAVAILABLE' } });
      expect(await read).toMatchObject({ ok: false, failure: { status: 'UNAVAILABLE' } });
      const stale = await cluster.node(old).api.range({ key: bytes('x'), serializable: true });
      expect(Buffer.from(value(stale).kvs[0]?.value ?? []).toString()).toBe('before');
      cluster.heal();
      expect(await get(cluster, old, 'x')).toBe('after');
    }));

  test('what was acknowledged survives the crash of all nodes', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      for (let round = 1; round <= 5; round++) {
        const revision = await put(cluster, 'n1', 'x', `v${round}`);
        for (const name of cluster.names) await cluster.crash(name);
        await cluster.startAll();
        expect(cluster.node('n2').api.header().revision).toBe(revision);
        expect(await get(cluster, 'n2', 'x')).toBe(`v${round}`);
      }
    }));

  test('a proposal without a leader waits for one', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      cluster.network.isCut = () => true;
      await cluster.until(() => cluster.node('n1').api.status().leader === undefined);
      const patient = put(cluster, 'n1', 'x', 'patient');
      await sleep(cluster.clock, 2_000);
      cluster.heal();
      expect(await patient).toBe(2);
      expect(await get(cluster, 'n2', 'x')).toBe('patient');
    }));
});

describe('a follower that missed too much', () => {
  test('gets a snapshot, goes on from it, and its watches lose nothing', () =>
    onVirtualTime(
      new MemoryCluster(3, { snapshotCount: 20, catchUpEntries: 5 }),
      async (cluster) => {
        await cluster.startAll();
        const [behind] = others(cluster, cluster.leader());
        const name = behind as string;
        const { api } = cluster.node(name);
        const seen: number[] = [];
        using watch = api.watch(
          { key: bytes('k'), startRevision: 0, prevKv: false, noPut: false, noDelete: false },
          () => undefined,
        );
        const drain = (): void => {
          for (let batch = watch.pull(10); batch !== undefined; batch = watch.pull(10))
            if (batch.type === 'events')
              seen.push(...batch.events.map(({ kv }: Event) => kv.modRevision));
        };
        const writer = cluster.leader() as string;
        await put(cluster, writer, 'k', 'first');
        await cluster.until(() => api.header().revision === 2);
        drain();
        cluster.cutOff(name);
        for (let i = 0; i < 100; i++) await put(cluster, writer, 'k', `v${i}`);
        cluster.heal();
        expect(await get(cluster, name, 'k')).toBe('v99');
        await put(cluster, writer, 'k', 'last');
        await cluster.until(() => api.header().revision === 103);
        drain();
        expect(seen).toEqual(Array.from({ length: 102 }, (_, at) => at + 2));
        const hashes = await Promise.all(
          cluster.names.map(async (each) => value(await cluster.node(each).api.hashKv(0)).hash),
        );
        expect(new Set(hashes).size).toBe(1);
      },
    ));
});

describe('leases', () => {
  test('a lease ends after its time, with its keys, and not before, whoever leads', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const old = cluster.leader() as string;
      const [first] = others(cluster, old) as [string];
      const { id, ttlSeconds } = value(await cluster.node(first).api.leaseGrant('0', 5));
      expect(ttlSeconds).toBe(5);
      const { api } = cluster.node(first);
      value(await api.put({ key: bytes('x'), value: bytes('held'), lease: id }));
      await sleep(cluster.clock, 4_000);
      expect(value(await api.leaseKeepAlive(id))).toEqual({ ttlSeconds: 5 });
      await cluster.crash(old);
      await sleep(cluster.clock, 4_900);
      expect(await get(cluster, first, 'x')).toBe('held');
      await sleep(cluster.clock, 3_000);
      expect(await get(cluster, first, 'x')).toBeUndefined();
      expect(value(await api.leaseKeepAlive(id))).toEqual({ ttlSeconds: 0 });
      expect(value(await api.leaseTimeToLive(id, true)).ttlSeconds).toBe(-1);
    }));

  test('a lease is at least as long as an election and a half', () =>
    onVirtualTime(new MemoryCluster(1, { electionMs: 1_000 }), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      expect(value(await api.leaseGrant('77', 1))).toEqual({ id: '77', ttlSeconds: 2 });
      expect(await api.leaseGrant('77', 1)).toMatchObject({ ok: false });
    }));
});

describe('membership', () => {
  test('a learner is added, catches up, is promoted, and counts', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      await put(cluster, 'n1', 'x', 'old');
      const added = value(await cluster.node('n2').api.memberAdd([urlOf('n4')], true));
      expect(added.member).toMatchObject({ name: '', isLearner: true });
      cluster.addSlot('n4');
      await cluster.start('n4', true);
      await cluster.node('n4').serving;
      expect(cluster.node('n4').api.status().isLearner).toBe(true);
      // The leader hears with a heartbeat how far it is.
      await sleep(cluster.clock, 100);
      const members = value(await cluster.node('n3').api.memberPromote(added.member.id));
      expect(members.filter(({ isLearner }) => isLearner)).toEqual([]);
      expect(await get(cluster, 'n4', 'x')).toBe('old');
      // Four members need three: with two down nothing goes on.
      const leader = cluster.leader() as string;
      const [first, second] = others(cluster, leader) as [string, string];
      await cluster.crash(first);
      await put(cluster, leader, 'x', 'three');
      await cluster.crash(second);
      const write = cluster.node(leader).api.put({ key: bytes('x'), value: bytes('two') });
      expect(await write).toMatchObject({ ok: false });
    }));

  test('the leader removes itself: it ends, the others elect another', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const old = cluster.leader() as string;
      const node = cluster.node(old);
      const left = value(await node.api.memberRemove(node.api.header().member));
      expect(left).toHaveLength(2);
      expect(await node.ended).toEqual({ why: 'removed' });
      await cluster.crash(old);
      expect(await put(cluster, await nextLeader(cluster, old), 'x', 'without')).toBe(2);
    }));

  test('a removed follower that missed its removal is told when it comes back', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const leader = cluster.leader() as string;
      const [gone] = others(cluster, leader) as [string];
      const node = cluster.node(gone);
      cluster.cutOff(gone);
      value(await cluster.node(leader).api.memberRemove(node.api.header().member));
      cluster.heal();
      expect(await node.ended).toEqual({ why: 'removed' });
    }));

  test('leadership moves to the member that is named', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const old = cluster.leader() as string;
      const [next] = others(cluster, old) as [string];
      const to = cluster.node(next).api.header().member;
      expect(await cluster.node(next).api.moveLeader(to)).toMatchObject({ ok: false });
      expect(await cluster.node(old).api.moveLeader(to)).toEqual({ ok: true, value: null });
      expect(cluster.leader()).toBe(next);
    }));
});
