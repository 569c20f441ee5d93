import { describe, expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Reply } from '../etcd-api/client.ts';
import type { ContentCalls } from '../etcd-api/contents.ts';
import { STATUS } from '../etcd-api/status.ts';
import { type AdministeredCluster, adminOf, type Restoration } from './member-admin.ts';
import type { OperatorCalls } from './member-operator.ts';

const call = { timeoutMs: 100 };
const header = { clusterId: '1', memberId: '11', revision: '7', raftTerm: '2' };
const ok = <T>(value: T): Promise<Reply<T>> => Promise.resolve({ ok: true, value });
const silent: Promise<Reply<never>> = Promise.resolve({
  ok: false,
  error: { code: STATUS.UNAVAILABLE, details: 'Connection dropped' },
});

/** Three members; `n1` is 11, `n2` 12, `n3` 13, which is a learner. */
function clusterWith(
  calls: Partial<OperatorCalls>,
  restorer?: AdministeredCluster['restorer'],
): { readonly cluster: AdministeredCluster; readonly asked: string[] } {
  const asked: string[] = [];
  const member = (ID: string, name: string, isLearner = false) => ({
    ID,
    name,
    peerURLs: [],
    isLearner,
  });
  const members = [member('11', 'n1'), member('12', 'n2'), member('13', 'n3', true)];
  const all = (node: string): Partial<OperatorCalls> => ({
    memberList: () => ok({ header, members }),
    moveLeader: (target) => {
      asked.push(`${node}: ${target}`);
      return ok({ header });
    },
    ...calls,
  });
  const cluster: AdministeredCluster = {
    nodes: ['n1', 'n2', 'n3'],
    clock: realClock(),
    calls: (node) => all(node) as OperatorCalls,
    ...(restorer !== undefined && { restorer }),
  };
  return { cluster, asked };
}

const statusWith = (leader: string): Partial<OperatorCalls> => ({
  status: () =>
    ok({
      header,
      leader,
      version: '3.4.0',
      raftIndex: '9',
      raftTerm: '2',
      raftAppliedIndex: '9',
      isLearner: false,
    }),
});

describe('a compaction', () => {
  const compacting = (details: string): AdministeredCluster =>
    clusterWith({
      range: () => ok({ header, kvs: [], more: false, count: '0' }),
      compact: () => Promise.resolve({ ok: false, error: { code: STATUS.OUT_OF_RANGE, details } }),
    }).cluster;

  test('of what was compacted before is refused for certain', async () => {
    const details = 'etcdserver: mvcc: required revision has been compacted';
    expect(await adminOf(compacting(details), 'n1').compact(2, call)).toEqual({
      type: 'fail',
      error: { code: 'compacted', definite: true, message: details },
    });
    expect((await adminOf(compacting('what?'), 'n1').compact(2, call)).type).toBe('info');
    expect(await adminOf(compacting(details), 'n1').compact(9, call)).toMatchObject({
      error: { code: 'nothing-to-compact' },
    });
  });
});

describe('the leader moves', () => {
  test('to the node that is talked to; the leader is asked', async () => {
    const { cluster, asked } = clusterWith(statusWith('12'));
    const moved = await adminOf(cluster, 'n1').moveLeader(call);
    expect(moved).toEqual({ type: 'ok', value: { from: 'n2', to: 'n1' } });
    expect(asked).toEqual(['n2: 11']);
  });

  test('to another voter where that node leads itself', async () => {
    const { cluster, asked } = clusterWith(statusWith('11'));
    const moved = await adminOf(cluster, 'n1').moveLeader(call);
    expect(moved).toEqual({ type: 'ok', value: { from: 'n1', to: 'n2' } });
    expect(asked).toEqual(['n1: 12']);
  });

  test('nowhere if nobody leads, or nobody knows who that is', async () => {
    for (const leader of ['0', '99']) {
      const { cluster, asked } = clusterWith(statusWith(leader));
      const moved = await adminOf(cluster, 'n1').moveLeader(call);
      expect(moved).toMatchObject({ type: 'fail', error: { code: 'no-leader', definite: true } });
      expect(asked).toEqual([]);
    }
  });

  test('perhaps, if the leader did not answer', async () => {
    const { cluster } = clusterWith({ ...statusWith('12'), moveLeader: () => silent });
    expect(await adminOf(cluster, 'n1').moveLeader(call)).toMatchObject({ type: 'info' });
  });
});

/** A member that holds one key; `source` is what the node that was asked says of its state. */
const contents: ContentCalls = {
  range: () =>
    ok({
      header: { ...header, clusterId: '161', memberId: '177' },
      kvs: [
        {
          key: Buffer.from('k'),
          value: Buffer.from('5'),
          createRevision: '3',
          modRevision: '6',
          version: '2',
        },
      ],
      more: false,
      count: '1',
    }),
  hashKV: () => ok({ header, hash: 42, compactRevision: '2' }),
};

interface Restored {
  readonly pieces: string[];
  ended: number;
}

function restorerWith(restore: Restoration['restore']): {
  readonly restorer: NonNullable<AdministeredCluster['restorer']>;
  readonly seen: Restored;
} {
  const seen: Restored = { pieces: [], ended: 0 };
  return {
    seen,
    restorer: {
      begin: () => ({
        take: (piece) => {
          seen.pieces.push(Buffer.from(piece).toString());
        },
        restore,
        [Symbol.asyncDispose]: () => {
          seen.ended++;
          return Promise.resolve();
        },
      }),
    },
  };
}

const streaming: Partial<OperatorCalls> = {
  range: () => ok({ header, kvs: [], more: false, count: '0' }),
  hashKV: () => ok({ header, hash: 41, compactRevision: '3' }),
  snapshot: (_timeoutMs, take) => {
    take(Buffer.from('one'));
    take(Buffer.from('two'));
    return ok(null);
  },
};

describe('a backup', () => {
  test('is what the restored member holds, beside what the node says of itself', async () => {
    const { restorer, seen } = restorerWith(() => Promise.resolve(contents));
    const { cluster } = clusterWith(streaming, restorer);
    expect(await adminOf(cluster, 'n1').backup(call)).toEqual({
      type: 'ok',
      value: {
        revision: 7,
        cluster: 'a1',
        member: 'b1',
        hash: { hash: 42, revision: 7, compactRevision: 2 },
        source: { hash: 41, revision: 7, compactRevision: 3 },
        keys: [['k', 5, 6]],
      },
      server: { revision: 7, term: 2, cluster: '1', member: 'b' },
    });
    expect(seen).toEqual({ pieces: ['one', 'two'], ended: 1 });
  });

  test('is none where the stream breaks: nothing is restored', async () => {
    let restores = 0;
    const { restorer, seen } = restorerWith(() => {
      restores++;
      return Promise.resolve(contents);
    });
    const { cluster } = clusterWith({ ...streaming, snapshot: () => silent }, restorer);
    const failed = await adminOf(cluster, 'n1').backup(call);
    expect(failed).toMatchObject({ type: 'fail', error: { code: 'connection-lost' } });
    expect({ restores, ended: seen.ended }).toEqual({ restores: 0, ended: 1 });
  });

  test('is none through a node that cannot read linearizably: it may be behind', async () => {
    const { restorer, seen } = restorerWith(() => Promise.resolve(contents));
    const { cluster } = clusterWith({ ...streaming, range: () => silent }, restorer);
    expect((await adminOf(cluster, 'n1').backup(call)).type).toBe('fail');
    expect(seen.pieces).toEqual([]);
  });

  test.each([
    ['bad-input', 'not-restored'],
    ['binary-missing', 'restore-binary-missing'],
    ['deadline', 'restore-deadline'],
  ] as const)('that fails with %s is called %s', async (code, name) => {
    const { restorer, seen } = restorerWith(() => Promise.reject(new HarnessError(code, 'why')));
    const { cluster } = clusterWith(streaming, restorer);
    expect(await adminOf(cluster, 'n1').backup(call)).toEqual({
      type: 'fail',
      error: { code: name, definite: true, message: 'why' },
    });
    expect(seen.ended).toBe(1);
  });

  test('is refused while another one is restored, and where there is no place for one', async () => {
    const { cluster } = clusterWith(streaming, { begin: () => undefined });
    expect(await adminOf(cluster, 'n1').backup(call)).toMatchObject({ error: { code: 'busy' } });
    const { cluster: bare } = clusterWith(streaming);
    expect(await adminOf(bare, 'n1').backup(call)).toMatchObject({
      type: 'fail',
      error: { code: 'unsupported', definite: true },
    });
  });
});
