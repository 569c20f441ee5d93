import { describe, expect, test } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import { bytes, get, got, leaderOf, put } from '../bugs-testing.ts';
import { ALL } from '../mvcc/fixtures.ts';
import { restoreStore } from '../mvcc/store.ts';
import { MemoryCluster, onVirtualTime } from '../server/testing.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { readBackup } from './backup-file.ts';
import { restoreBackup } from './restore.ts';
import { backupFileFrom, fileOf, memberAt, PLAN, textsOf } from './testing.ts';

describe('a backup of a running member', () => {
  test('has what was applied when it was asked for, though it is on no disk yet', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      // The backend is committed once in a while; these would wait for that.
      for (let n = 1; n <= 5; n++) await put(cluster, 'n1', 'k', `${n}`);
      const backup = got(await api.snapshot());
      await put(cluster, 'n1', 'k', 'later');
      const restored = await restoreBackup(new MemoryDisk(), await fileOf(backup), {
        ...PLAN,
        initialCluster: [memberAt('n1')],
      });
      expect(restored.revision).toBe(6);
      const { member, cluster: id } = api.header();
      expect(restored.from).toEqual({ member, cluster: id });
    }));

  test('does not change while it is read, whatever becomes of the member', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const value = 'x'.repeat(200_000);
      await put(cluster, 'n1', 'k', value);
      const { size, pieces } = got(await cluster.node('n1').api.snapshot());
      let read = 0;
      const chunks: Uint8Array[] = [];
      for await (const piece of pieces) {
        chunks.push(piece);
        read += piece.length;
        await put(cluster, 'n1', 'k', `${read}`);
      }
      expect(read).toBe(size + 32);
      const disk = new MemoryDisk();
      const plan = { ...PLAN, initialCluster: [memberAt('n1')] };
      expect(await restoreBackup(disk, Buffer.concat(chunks), plan)).toMatchObject({ revision: 2 });
    }));

  test('has whole transactions up to one revision, whoever gives it and whatever goes on', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const leader = leaderOf(cluster);
      const write = async (value: number): Promise<void> => {
        const puts = ['a', 'b'].map((key) => ({
          type: 'put' as const,
          request: { key: bytes(key), value: bytes(`${value}`) },
        }));
        const request = { compare: [], success: puts, failure: [] };
        got(await cluster.node(leader).api.txn(request));
      };
      const seen = new Set<string>();
      for (let value = 1; value <= 30; value++) {
        const giver = cluster.names[value % 3] ?? leader;
        const [backup] = await Promise.all([cluster.node(giver).api.snapshot(), write(value)]);
        const found = readBackup(await fileOf(got(backup)), false);
        const store = restoreStore(found.buckets, { put: () => {}, delete: () => {} });
        const values = got(store.range(ALL)).kvs.map((kv) => Buffer.from(kv.value).toString());
        const last = `${store.revision - 1}`;
        expect(values).toEqual(store.revision === 1 ? [] : [last, last]);
        seen.add(`${value - store.revision}`);
      }
      // Some are behind, and none is ahead.
      expect(seen.size).toBeGreaterThan(1);
    }));

  test('has nothing that is not committed', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const leader = leaderOf(cluster);
      await put(cluster, leader, 'k', 'committed');
      cluster.cutOff(leader);
      const lost = cluster.node(leader).api.put({ key: bytes('k'), value: bytes('lost') });
      await sleep(cluster.clock, 100);
      const { buckets, revision } = readBackup(await backupFileFrom(cluster, leader), false);
      expect(revision).toBe(2);
      expect(textsOf(buckets).join()).not.toContain(bytes('lost').toString('hex'));
      expect(await lost).toMatchObject({ ok: false });
    }));

  test('does not bring the backend ahead of the log, even of one that is written late', () =>
    onVirtualTime(
      new MemoryCluster(1, { bugs: new Set(['ack-before-write']) }),
      async (cluster) => {
        await cluster.startAll();
        for (let n = 1; n <= 5; n++) await put(cluster, 'n1', 'k', `${n}`);
        got(await cluster.node('n1').api.snapshot());
        await cluster.crash('n1');
        await cluster.startAll();
        expect(await get(cluster, 'n1', 'k')).toBe('5');
      },
    ));

  test('is whole though the member is defragmented meanwhile', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      for (let n = 1; n <= 50; n++) await put(cluster, 'n1', 'k', `${n}`.repeat(1_000));
      got(await api.compact(51));
      const [before, , after] = await Promise.all([
        api.snapshot(),
        api.defragment(),
        api.snapshot(),
      ]);
      const [, last] = await Promise.all([api.defragment(), api.snapshot()]);
      expect(got(last).size).toBeLessThan(got(before).size / 10);
      const plan = { ...PLAN, initialCluster: [memberAt('n1')] };
      for (const backup of [before, after, last]) {
        const restored = await restoreBackup(new MemoryDisk(), got(backup).pieces, plan);
        expect(restored.revision).toBe(51);
      }
    }));

  test('is refused by a member that is stopped', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      await cluster.crash('n1');
      const refused = { ok: false, failure: { message: 'etcdserver: server stopped' } };
      expect(await api.snapshot()).toMatchObject(refused);
    }));
});
