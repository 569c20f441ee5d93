import { describe, expect, test } from 'vitest';
import { bytes, get, got, hashes, leaderOf, others, put } from '../bugs-testing.ts';
import { MemoryCluster, onVirtualTime, urlOf } from '../server/testing.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { openStorage } from '../storage/storage.ts';
import { type RestorePlan, restoreBackup } from './restore.ts';
import { backupFileFrom, backupFileOf, memberAt, OWNER, PLAN } from './testing.ts';

const A_LEASE = '77';

function planFor(cluster: MemoryCluster, name: string): RestorePlan {
  const initialCluster = cluster.names.map((each) => ({ name: each, peerUrls: [urlOf(each)] }));
  return { name, initialCluster, token: 'test' };
}

/** All members, on new disks, as if nothing were left of the old ones. */
async function restoreAll(cluster: MemoryCluster, file: Buffer): Promise<void> {
  for (const name of cluster.names) {
    await cluster.crash(name);
    cluster.addSlot(name);
    await restoreBackup(cluster.disk(name), file, planFor(cluster, name));
  }
  await cluster.startAll();
}

const ids = (cluster: MemoryCluster): string[] =>
  cluster.names.map((name) => cluster.node(name).api.header().member);

describe('a restored cluster', () => {
  test('has what was stored, with its revisions and leases, and not what came later', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const leader = leaderOf(cluster);
      got(await cluster.node(leader).api.leaseGrant(A_LEASE, 600));
      await put(cluster, leader, 'a', '1');
      await put(cluster, leader, 'a', '2');
      await put(cluster, leader, 'leased', 'x', A_LEASE);
      got(await cluster.node(leader).api.compact(2));
      const file = await backupFileFrom(cluster, leader);
      await put(cluster, leader, 'a', 'later');

      await restoreAll(cluster, file);
      const { api } = cluster.node('n2');
      expect(api.header().revision).toBe(4);
      expect(await get(cluster, 'n2', 'a')).toBe('2');
      const old = await api.range({ key: bytes('a'), revision: 2 });
      expect(got(old).kvs.map(({ value }) => Buffer.from(value).toString())).toEqual(['1']);
      expect(await api.range({ key: bytes('a'), revision: 1 })).toMatchObject({ ok: false });
      const lease = got(await api.leaseTimeToLive(A_LEASE, true));
      expect(lease).toMatchObject({ grantedTtlSeconds: 600, keys: [bytes('leased')] });
      expect(await put(cluster, 'n3', 'b', 'new')).toBe(5);
      await cluster.until(() => cluster.node('n1').api.header().revision === 5);
      await cluster.until(() => cluster.node('n2').api.header().revision === 5);
      expect(await hashes(cluster)).toBe(1);
    }));

  test('has other ids for itself and for all members, though names and token are the same', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const before = ids(cluster);
      const old = cluster.node('n1').api.header().cluster;
      const file = await backupFileFrom(cluster, 'n1');
      await restoreAll(cluster, file);
      expect(ids(cluster).filter((id) => before.includes(id))).toEqual([]);
      const { api } = cluster.node('n1');
      expect(api.header().cluster).not.toBe(old);
      expect(new Set(cluster.names.map((name) => cluster.node(name).api.header().cluster))).toEqual(
        new Set([api.header().cluster]),
      );
      const members = got(await api.memberList(true));
      expect(members.map(({ name }) => name).toSorted()).toEqual(['n1', 'n2', 'n3']);
      expect(members.map(({ id }) => id).toSorted()).toEqual(ids(cluster).toSorted());
    }));

  test('has the alarms that were on, as in etcd, and they can be taken back', () =>
    onVirtualTime(new MemoryCluster(1), async (cluster) => {
      await cluster.startAll();
      const alarm = { member: cluster.node('n1').api.header().member, type: 'NOSPACE' } as const;
      got(await cluster.node('n1').api.setAlarm(alarm, true));
      await restoreAll(cluster, await backupFileFrom(cluster, 'n1'));
      const { api } = cluster.node('n1');
      expect(got(await api.alarms())).toEqual([alarm]);
      expect(await api.put({ key: bytes('k'), value: bytes('v') })).toMatchObject({ ok: false });
      got(await api.setAlarm(alarm, false));
      expect(await put(cluster, 'n1', 'k', 'v')).toBe(2);
    }));

  test('may have fewer members, and forgets who was removed', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const leader = leaderOf(cluster);
      const [gone] = others(cluster, leader);
      await put(cluster, leader, 'a', '1');
      const { api } = cluster.node(leader);
      got(await api.memberRemove(cluster.node(gone).api.header().member));
      const file = await backupFileFrom(cluster, leader);
      const plan = { ...planFor(cluster, leader), initialCluster: [memberAt(leader)] };
      for (const name of cluster.names) await cluster.crash(name);
      cluster.addSlot(leader);
      await restoreBackup(cluster.disk(leader), file, plan);
      const alone = await cluster.start(leader);
      await alone.serving;
      expect(got(await alone.api.memberList(true))).toHaveLength(1);
      expect(await put(cluster, leader, 'b', '1')).toBe(3);
      got(await alone.api.memberAdd([urlOf(gone)], true));
    }));

  test('keeps what it stores across restarts, and takes in a member that joins', () =>
    onVirtualTime(
      new MemoryCluster(3, { snapshotCount: 5, catchUpEntries: 0 }),
      async (cluster) => {
        await cluster.startAll();
        await put(cluster, 'n1', 'a', '1');
        await restoreAll(cluster, await backupFileFrom(cluster, 'n1'));
        for (let n = 0; n < 20; n++) await put(cluster, 'n1', 'b', `${n}`);
        for (const name of cluster.names) await cluster.crash(name);
        await cluster.startAll();
        expect(await get(cluster, 'n2', 'b')).toBe('19');
        got(await cluster.node(leaderOf(cluster)).api.memberAdd([urlOf('n4')], true));
        cluster.addSlot('n4');
        await cluster.start('n4', true);
        await cluster.until(() => cluster.node('n4').api.header().revision === 22);
        expect(await get(cluster, 'n4', 'a', true)).toBe('1');
      },
    ));
});

describe('restoring', () => {
  const file = backupFileOf([(writer) => writer.put('b', 'k', Buffer.from('v'))]);

  test('writes to an empty disk only', async () => {
    const disk = new MemoryDisk(new Map([['db', Buffer.from('x')]]));
    await expect(restoreBackup(disk, await file, PLAN)).rejects.toThrow(
      /restored to an empty folder, and this one has db/,
    );
  });

  test('writes nothing of a backup that was changed, or of a plan without this member', async () => {
    const disk = new MemoryDisk();
    const damaged = Buffer.from(await file);
    damaged[50] = 0;
    await expect(restoreBackup(disk, damaged, PLAN)).rejects.toThrow(/was changed or cut off/);
    const plan = { ...PLAN, name: 'n9' };
    await expect(restoreBackup(disk, await file, plan)).rejects.toThrow(/does not list 'n9'/);
    expect(disk.changes).toBe(0);
  });

  test('takes a backup as it streams', async () => {
    const whole = await file;
    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < whole.length; at += 100) yield whole.subarray(at, at + 100);
    }
    const restored = await restoreBackup(new MemoryDisk(), stream(), PLAN);
    expect(restored).toMatchObject({ from: OWNER, revision: 1 });
  });

  test('two backups never make members of one cluster, one backup always does', async () => {
    const other = await backupFileOf([(writer) => writer.put('b', 'k', Buffer.from('w'))]);
    const identityOf = async (of: Buffer, plan: RestorePlan): Promise<unknown> =>
      (await restoreBackup(new MemoryDisk(), of, plan)).identity;
    const [n1, n2, n1Other, n1Token] = await Promise.all([
      identityOf(await file, PLAN),
      identityOf(await file, { ...PLAN, name: 'n2' }),
      identityOf(other, PLAN),
      identityOf(await file, { ...PLAN, token: 'another' }),
    ]);
    const clusterOf = (identity: unknown): unknown => (identity as { cluster: string }).cluster;
    expect(clusterOf(n1)).toBe(clusterOf(n2));
    expect(new Set([n1, n2, n1Other, n1Token].map((each) => JSON.stringify(each))).size).toBe(4);
    expect(new Set([n1, n1Other, n1Token].map(clusterOf)).size).toBe(3);
  });

  test('a crash at any moment leaves a member that is whole, or one that does not start', async () => {
    const whole = await file;
    let isOver = false;
    for (let after = 0; !isOver; after++) {
      const disk = new MemoryDisk();
      disk.failAfter({ after, code: 'EIO' });
      isOver = await restoreBackup(disk, whole, PLAN).then(
        () => true,
        () => false,
      );
      const left = disk.crash();
      const opened = await openStorage(left).then(
        async (storage) => {
          await using owned = storage;
          return owned.recovered === undefined ? 'empty' : 'whole';
        },
        () => 'refused',
      );
      if (isOver) expect(opened).toBe('whole');
      else expect(['empty', 'refused', 'whole']).toContain(opened);
      if (opened === 'whole') await expectWhole(left);
      if (opened === 'empty') expect(left.sizeOf('db') ?? 0).toBe(0);
    }
  });
});

async function expectWhole(disk: MemoryDisk): Promise<void> {
  await using storage = await openStorage(disk);
  const buckets = await storage.backend.load();
  expect([...(buckets.get('b') ?? [])]).toEqual([['k', Buffer.from('v')]]);
  expect(buckets.get('members')?.size).toBe(3);
  expect(storage.backend.applied).toBe(3);
  expect(storage.recovered?.snapshot.config.voters).toHaveLength(3);
}
