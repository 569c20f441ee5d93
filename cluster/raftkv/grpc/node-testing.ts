/** A node that is alone and only a store: for tests of what clients see. */
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import { createStore } from '../mvcc/store.ts';
import type { Store } from '../mvcc/types.ts';
import { Alarms } from '../server/alarms.ts';
import type { Member, NodeApi } from '../server/api.ts';

/** What the node is at the moment; a test may change it at any time. */
export interface NodeState {
  leader: string | undefined;
  isLearner: boolean;
  /** Every call that may fail fails so. */
  failure: Failure | undefined;
  /** Every call throws it. */
  bug: Error | undefined;
  /** What a backup has; the last is its hash. */
  backup: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Of all but the hash. */
  backupSize: number;
}

export interface StoreNode {
  readonly api: NodeApi;
  readonly store: Store;
  readonly state: NodeState;
  /** What was asked of it, by method; watches apart. */
  readonly asked: { readonly method: string; readonly args: readonly unknown[] }[];
}

export const CLUSTER = 'c0ffee';
export const SELF = 'fedcba9876543210';
export const MEMBERS: readonly Member[] = [
  {
    id: SELF,
    name: 'n1',
    peerUrls: ['http://127.0.0.1:1'],
    clientUrls: ['http://127.0.0.1:2'],
    isLearner: false,
  },
  { id: '7', name: '', peerUrls: ['http://127.0.0.1:3'], clientUrls: [], isLearner: true },
];

export function storeNode(): StoreNode {
  const store = createStore({ put: () => undefined, delete: () => undefined });
  const alarms = new Alarms(new Map(), { put: () => undefined, delete: () => undefined });
  const state: NodeState = {
    leader: SELF,
    isLearner: false,
    failure: undefined,
    bug: undefined,
    backup: [],
    backupSize: 0,
  };
  const asked: { method: string; args: readonly unknown[] }[] = [];
  const answer =
    <Args extends readonly unknown[], T>(method: string, apply: (...args: Args) => Result<T>) =>
    (...args: Args): Promise<Result<T>> => {
      asked.push({ method, args });
      if (state.bug !== undefined) throw state.bug;
      return Promise.resolve(state.failure === undefined ? apply(...args) : failed(state.failure));
    };
  const members = (): Result<readonly Member[]> => ok(MEMBERS);
  const api: NodeApi = {
    header: () => ({ cluster: CLUSTER, member: SELF, revision: store.revision, term: 3 }),
    range: answer('range', (request) => store.range(request)),
    put: answer('put', (request) => store.put(request)),
    deleteRange: answer('deleteRange', (request) => store.deleteRange(request)),
    txn: answer('txn', (request) => store.txn(request)),
    compact: answer('compact', (revision) => store.compact(revision)),
    leaseGrant: answer('leaseGrant', (id, ttlSeconds) => {
      const granted = store.leases.grant(id, ttlSeconds);
      return granted.ok ? ok({ id, ttlSeconds }) : granted;
    }),
    leaseRevoke: answer('leaseRevoke', (id) => store.leases.revoke(id)),
    leaseKeepAlive: answer('leaseKeepAlive', (id) =>
      ok({ ttlSeconds: store.leases.get(id)?.ttlSeconds ?? 0 }),
    ),
    leaseTimeToLive: answer('leaseTimeToLive', (id, withKeys) => {
      const lease = store.leases.get(id);
      const keys = withKeys ? (lease?.keys ?? []) : [];
      const grantedTtlSeconds = lease?.ttlSeconds ?? 0;
      return ok({ id, ttlSeconds: lease === undefined ? -1 : 5, grantedTtlSeconds, keys });
    }),
    leases: answer('leases', () => ok(store.leases.list())),
    watch: (request, wake) => {
      if (state.bug !== undefined) throw state.bug;
      return store.watches.open(request, wake);
    },
    memberAdd: answer('memberAdd', (peerUrls, isLearner) => {
      const member: Member = { id: '8', name: '', peerUrls, clientUrls: [], isLearner };
      return ok({ member, members: [...MEMBERS, member] });
    }),
    memberRemove: answer('memberRemove', members),
    memberPromote: answer('memberPromote', members),
    memberUpdate: answer('memberUpdate', members),
    memberList: answer('memberList', members),
    status: () => ({
      version: '3.4.0-test',
      dbSize: 4096,
      dbSizeInUse: 1024,
      leader: state.leader,
      raftIndex: 12,
      raftTerm: 3,
      raftApplied: 11,
      errors: state.leader === undefined ? [FAILURES.noLeader.message] : [],
      isLearner: state.isLearner,
    }),
    snapshot: answer('snapshot', () => ok({ size: state.backupSize, pieces: each(state.backup) })),
    hashKv: answer('hashKv', (revision) => store.hash(revision)),
    moveLeader: answer('moveLeader', () => ok(null)),
    alarms: answer('alarms', () => ok(alarms.list())),
    setAlarm: answer('setAlarm', (alarm, isOn) =>
      ok(isOn ? alarms.activate(alarm) : alarms.deactivate(alarm)),
    ),
    defragment: answer('defragment', () => ok(null)),
  };
  return { api, store, state, asked };
}

async function* each<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
