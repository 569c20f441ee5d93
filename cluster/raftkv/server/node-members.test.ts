/** Members that come and go while others are away. */
import { describe, expect, test } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import type { Result } from '../failures.ts';
import { MemoryCluster, onVirtualTime, urlOf } from './testing.ts';

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

function idOf(cluster: MemoryCluster, name: string): string {
  return cluster.node(name).api.header().member;
}

async function add(cluster: MemoryCluster, name: string, isLearner: boolean): Promise<void> {
  const leader = cluster.leader() as string;
  value(await cluster.node(leader).api.memberAdd([urlOf(name)], isLearner));
  cluster.addSlot(name, cluster.names);
  await cluster.start(name, true);
  await cluster.node(name).serving;
}

async function write(cluster: MemoryCluster, name: string, text: string): Promise<number> {
  const put = { key: Buffer.from('k'), value: Buffer.from(text) };
  return value(await cluster.node(name).api.put(put)).revision;
}

describe('a member that was away', () => {
  for (const config of [{}, { snapshotCount: 20, catchUpEntries: 5 }])
    test(`catches up when it has never heard of the leader, ${JSON.stringify(config)}`, () =>
      onVirtualTime(new MemoryCluster(3, config), async (cluster) => {
        await cluster.startAll();
        const away = ['n1', 'n2', 'n3'].find((name) => name !== cluster.leader()) as string;
        await cluster.crash(away);
        await add(cluster, 'n4', true);
        await sleep(cluster.clock, 100);
        value(await cluster.node('n4').api.memberPromote(idOf(cluster, 'n4')));
        const old = cluster.leader() as string;
        value(await cluster.node(old).api.moveLeader(idOf(cluster, 'n4')));
        for (let i = 0; i < 60; i++) await write(cluster, 'n4', `v${i}`);
        await cluster.start(away);
        const revision = await write(cluster, 'n4', 'last');
        await cluster.until(() => cluster.node(away).api.header().revision === revision);
        expect(cluster.leader()).toBe('n4');
        expect(value(await cluster.node(away).api.memberList(true))).toHaveLength(4);
      }));

  test('learns that it was removed, though it is a learner and asks for no votes', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      await add(cluster, 'n4', true);
      const learner = cluster.node('n4');
      cluster.cutOff('n4');
      const leader = cluster.leader() as string;
      value(await cluster.node(leader).api.memberRemove(idOf(cluster, 'n4')));
      await sleep(cluster.clock, 5_000);
      cluster.heal();
      expect(await learner.ended).toEqual({ why: 'removed' });
    }));
});

describe('a member that was removed and is added again where it was', () => {
  test('is another one, also while the others still say goodbye to the first', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const [name] = ['n1', 'n2', 'n3'].filter((each) => each !== cluster.leader()) as [string];
      const first = idOf(cluster, name);
      const node = cluster.node(name);
      value(await cluster.node(cluster.leader() as string).api.memberRemove(first));
      expect(await node.ended).toEqual({ why: 'removed' });
      await cluster.crash(name);
      await add(cluster, name, false);
      expect(idOf(cluster, name)).not.toBe(first);
      expect(await write(cluster, name, 'again')).toBe(2);
    }));
});

describe('a node that was stopped', () => {
  test('refuses everything, at once, also what waits for a leader', () =>
    onVirtualTime(new MemoryCluster(3), async (cluster) => {
      await cluster.startAll();
      const { api } = cluster.node('n1');
      const member = idOf(cluster, 'n1');
      cluster.network.isCut = () => true;
      await cluster.until(() => api.status().leader === undefined);
      const ask = (): Promise<Result<unknown>>[] => [
        api.range({ key: Buffer.from('k') }),
        api.put({ key: Buffer.from('k'), value: Buffer.from('v') }),
        api.leaseKeepAlive('7'),
        api.leaseTimeToLive('7', false),
        api.memberAdd([urlOf('n9')], false),
        api.memberList(true),
      ];
      const waiting = ask();
      await sleep(cluster.clock, 1_000);
      const stoppedMs = cluster.clock.wallMs();
      await cluster.crash('n1');
      const serializable = api.range({ key: Buffer.from('k'), serializable: true });
      const local = [serializable, api.hashKv(0), api.leases(), api.moveLeader(member)];
      for (const result of await Promise.all([...waiting, ...ask(), ...local]))
        expect(result).toMatchObject({ failure: { message: 'etcdserver: server stopped' } });
      expect(cluster.clock.wallMs() - stoppedMs).toBeLessThan(100);
    }));
});
