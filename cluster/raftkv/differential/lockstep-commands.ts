/** What may be asked of both systems by chance: plain data, so that a counterexample can be read. */
import fc from 'fast-check';
import type { Request } from './calls.ts';

/**
 * Within a request `{ ago: 3 }` stands for the revision before the last three and `{ ago: -1 }` for
 * the next one; `{ member: 'n1' }` for that member's id; `{ of: 'learner' }` for where the learner is
 * said to be; `{ leads: 'name' }` for the revision since which somebody leads; keys and values are
 * text, or `{ bytes: n }`.
 */
export type Command =
  | { readonly call: string; readonly request: Request }
  | { readonly watch: Request; readonly on: StreamName }
  /** Counted among those that are open, round and round; -1: one that never was. */
  | { readonly cancel: number; readonly on: StreamName }
  | { readonly progress: StreamName }
  | { readonly keepAlive: number }
  | { readonly receive: 'what is due' }
  | { readonly restart: 'both' };

export type StreamName = 'w1' | 'w2';

/** In a request, a member by name; `learner`: the one that was added last. */
export type MemberName = 'n1' | 'learner' | 'nobody';

const KEYS = ['k/0', 'k/1', 'k/2', 'k/3', 'k/4', 'k/5'];
/** The last one is never granted. */
const LEASES = [11, 12, 13, 99];
const RESULTS = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'];
const SORT_TARGETS = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'];
const SORT_ORDERS = ['NONE', 'ASCEND', 'DESCEND'];
const STREAMS: readonly StreamName[] = ['w1', 'w2'];
const ALARMS = ['NOSPACE', 'CORRUPT'];
const NESTED_MAX = 2;
const OPS_MAX = 128;
/** The most that both take in one request. */
const REQUEST_BYTES_MAX = 1_572_864;

type Drawn<T = unknown> = fc.Arbitrary<T>;
type Fields = Readonly<Record<string, Drawn>>;
type Weighted<T> = readonly [weight: number, arbitrary: Drawn<T>];

/** What shrinks becomes the first of them. */
function weighted<T>(...choices: readonly Weighted<T>[]): Drawn<T> {
  const list = choices.map(([weight, arbitrary]) => ({ weight, arbitrary }));
  return fc.oneof({ withCrossShrink: true }, ...list);
}

/** Absent, but in so many of a hundred. */
function rarely(percent: number, arbitrary: Drawn): Drawn {
  return weighted([100 - percent, fc.constant(undefined)], [percent, arbitrary]);
}

/** Fields that are undefined are left out, so that a counterexample is short. */
function request(fields: Fields): Drawn<Request> {
  return fc.record(fields).map(withoutAbsent);
}

function withoutAbsent(fields: Request): Request {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function merged(...parts: readonly Drawn<Request>[]): Drawn<Request> {
  return fc.tuple(...parts).map((list) => Object.assign({}, ...list) as Request);
}

const key = fc.constantFrom(...KEYS);
const value = fc.integer({ min: 0, max: 9 }).map(String);
const lease = fc.constantFrom(...LEASES);
const yes = fc.constant(true);
/** Compacted, past, now or to come. */
const ago = weighted<Request>(
  [12, request({ ago: fc.integer({ min: 0, max: 12 }) })],
  [2, fc.constant({ ago: -1 })],
  [1, request({ ago: fc.integer({ min: -9, max: 60 }) })],
);
const span = weighted<Request>(
  [5, request({ key })],
  [2, request({ key, rangeEnd: key })],
  [2, fc.constant({ key: 'k/', rangeEnd: 'k0' })],
  [1, request({ key, rangeEnd: fc.constant('\0') })],
  [1, fc.constant({ key: '\0', rangeEnd: '\0' })],
);

const plainPut = request({
  key,
  value,
  lease: rarely(20, lease),
  prevKv: rarely(50, yes),
});
const put = weighted(
  [16, plainPut],
  [2, request({ key, value: rarely(10, value), ignoreValue: yes, prevKv: rarely(50, yes) })],
  [2, request({ key, value, ignoreLease: yes, lease: rarely(10, lease) })],
  [1, request({ key, ignoreValue: yes, ignoreLease: yes })],
);
const deletion = merged(span, request({ prevKv: rarely(50, yes) }));

function rangeOf(mayBeStale: boolean): Drawn<Request> {
  return merged(
    span,
    request({
      revision: rarely(40, ago),
      limit: rarely(30, fc.integer({ min: 0, max: 4 })),
      sortTarget: rarely(30, fc.constantFrom(...SORT_TARGETS)),
      sortOrder: rarely(30, fc.constantFrom(...SORT_ORDERS)),
      keysOnly: rarely(10, yes),
      countOnly: rarely(10, yes),
      minModRevision: rarely(10, ago),
      maxModRevision: rarely(10, ago),
      minCreateRevision: rarely(10, ago),
      maxCreateRevision: rarely(10, ago),
      serializable: mayBeStale ? rarely(20, yes) : fc.constant(undefined),
    }),
  );
}

const operand = weighted<Request>(
  [1, request({ target: fc.constant('VERSION'), version: fc.integer({ min: 0, max: 3 }) })],
  [1, request({ target: fc.constant('CREATE'), createRevision: weighted([2, ago], [1, zero()]) })],
  [1, request({ target: fc.constant('MOD'), modRevision: weighted([2, ago], [1, zero()]) })],
  [1, request({ target: fc.constant('VALUE'), value })],
  [1, request({ target: fc.constant('LEASE'), lease: weighted<unknown>([1, zero()], [1, lease]) })],
);
const compare = merged(
  weighted([4, request({ key })], [1, span]),
  request({ result: fc.constantFrom(...RESULTS) }),
  operand,
);

function zero(): Drawn {
  return fc.constant(0);
}

function txnOf(nested: number): Drawn<Request> {
  const ops = fc.array(opOf(nested), { maxLength: 3 });
  return request({ compare: fc.array(compare, { maxLength: 2 }), success: ops, failure: ops });
}

/** Without `ignoreValue`: etcd ends with a panic when the key was deleted just before. */
function opOf(nested: number): Drawn<Request> {
  return weighted<Request>(
    [4, request({ requestPut: plainPut })],
    [3, request({ requestRange: rangeOf(true) })],
    [2, request({ requestDeleteRange: deletion })],
    ...(nested > 0 ? [[1, request({ requestTxn: txnOf(nested - 1) })] as const] : []),
  );
}

/** Nothing is deleted in these, so what is kept is there. */
const keepingTxn = request({
  compare: fc.array(compare, { maxLength: 1 }),
  success: fc.array(request({ requestPut: put }), { maxLength: 3 }),
});

/** What is refused before anything is done, and what just is not. */
const badCalls = weighted<Command>(
  ...[
    ['KV.Put', { key: '', value: 'x' }],
    ['KV.Put', { key: 'k/0', value: 'x', ignoreValue: true }],
    ['KV.Put', { key: 'k/0', value: 'x', lease: -7 }],
    ['KV.Put', { key: 'k/0', value: { bytes: REQUEST_BYTES_MAX } }],
    ['KV.Put', { key: { bytes: 2000 }, value: 'x' }],
    ['KV.Range', { key: '' }],
    ['KV.Range', { key: '', rangeEnd: '\0' }],
    ['KV.Range', { key: 'k/0', revision: -5 }],
    ['KV.Range', { key: 'k/', rangeEnd: 'k0', limit: -2 }],
    ['KV.Range', { key: 'k/', rangeEnd: 'k0', minModRevision: -1, maxCreateRevision: -1 }],
    ['KV.DeleteRange', { key: '' }],
    ['KV.DeleteRange', { key: 'k/5', rangeEnd: 'k/0' }],
    ['KV.Txn', {}],
    ['KV.Txn', { success: [{}] }],
    ['KV.Txn', { compare: [{ target: 'VERSION', result: 'EQUAL', version: 0 }] }],
    ['KV.Txn', { success: [{ requestPut: { key: '', value: 'x' } }] }],
    ['KV.Txn', { failure: [{ requestRange: { key: '' } }] }],
    ['KV.Txn', { success: many(OPS_MAX) }],
    ['KV.Txn', { success: many(OPS_MAX + 1) }],
    ['KV.Txn', { success: [...many(OPS_MAX), { requestTxn: {} }] }],
    ['KV.Txn', { failure: [{ requestTxn: { success: many(OPS_MAX) } }] }],
    ['KV.Compact', { revision: -3 }],
    ['KV.Compact', {}],
    ['Lease.LeaseGrant', { TTL: 9_000_000_001 }],
    ['Lease.LeaseGrant', { ID: -12, TTL: 700 }],
    ['Lease.LeaseRevoke', { ID: 0 }],
    ['Lease.LeaseRevoke', { ID: -1 }],
    ['Lease.LeaseTimeToLive', { ID: 0, keys: true }],
    ['Maintenance.MoveLeader', { targetID: { member: 'nobody' } }],
    ['Maintenance.MoveLeader', {}],
    ['Cluster.MemberAdd', { peerURLs: [] }],
    ['Cluster.MemberAdd', { peerURLs: ['nonsense'] }],
    ['Cluster.MemberRemove', { ID: { member: 'nobody' } }],
    ['Cluster.MemberPromote', { ID: { member: 'nobody' } }],
    ['Cluster.MemberPromote', { ID: { member: 'n1' } }],
    ['Cluster.MemberUpdate', { ID: { member: 'nobody' }, peerURLs: ['http://192.0.2.9:2380'] }],
  ].map(
    ([call, asked]): Weighted<Command> => [
      1,
      fc.constant({ call: call as string, request: asked as Request }),
    ],
  ),
);

/** Each reads another key. */
function many(count: number): Request[] {
  return Array.from({ length: count }, (_, at) => ({ requestRange: { key: `k/${at}` } }));
}

const memberCalls = weighted<Command>(
  [3, asking('Cluster.MemberList', request({ linearizable: rarely(30, yes) }))],
  [2, asking('Cluster.MemberAdd', fc.constant({ peerURLs: { of: 'learner' }, isLearner: true }))],
  [1, asking('Cluster.MemberRemove', fc.constant({ ID: { member: 'learner' } }))],
  [1, asking('Cluster.MemberPromote', fc.constant({ ID: { member: 'learner' } }))],
  [1, asking('Maintenance.MoveLeader', fc.constant({ targetID: { member: 'n1' } }))],
  [1, asking('Maintenance.MoveLeader', fc.constant({ targetID: { member: 'learner' } }))],
);

/** What is on stays on until it is taken back, or the sequence ends. */
const alarm = weighted(
  [1, request({ action: fc.constant('GET'), alarm: fc.constantFrom('NONE', ...ALARMS) })],
  [
    3,
    request({
      action: fc.constantFrom('ACTIVATE', 'DEACTIVATE', 'DEACTIVATE'),
      memberID: fc.constantFrom({ member: 'n1' }, { member: 'n1' }, { member: 'nobody' }),
      // No `NONE`: etcd keeps and lists that as if it were an alarm.
      alarm: fc.constantFrom(...ALARMS),
    }),
  ],
);

/** Nobody waits: each name is asked for with one lease only. */
const waitingCalls = weighted<Command>(
  [3, forOwn('Lock.Lock', (own) => request({ name: fc.constant(own.lock), lease: own.lease }))],
  [2, forOwn('Lock.Unlock', (own) => request({ key: fc.constant(own.lockKey) }))],
  [
    3,
    forOwn('Election.Campaign', (own) =>
      request({ name: fc.constant(own.election), lease: own.lease, value }),
    ),
  ],
  [2, forOwn('Election.Leader', (own) => request({ name: fc.constant(own.election) }))],
  [2, forOwn('Election.Proclaim', (own) => request({ leader: own.leader, value }))],
  [2, forOwn('Election.Resign', (own) => request({ leader: own.leader }))],
);

/** What only those with one lease ask for. */
interface Own {
  readonly lease: Drawn<number>;
  readonly lock: string;
  readonly lockKey: string;
  readonly election: string;
  readonly leader: Drawn<Request>;
}

function forOwn(name: string, requestOf: (own: Own) => Drawn<Request>): Drawn<Command> {
  return fc.oneof(...LEASES.map((id) => asking(name, requestOf(ownOf(id)))));
}

function ownOf(id: number): Own {
  const [lock, election] = [`lock/${id}`, `election/${id}`];
  const leaderKey = `${election}/${id.toString(16)}`;
  return {
    lease: fc.constant(id),
    lock,
    lockKey: `${lock}/${id.toString(16)}`,
    election,
    leader: request({
      name: fc.constant(election),
      key: fc.constant(leaderKey),
      rev: weighted<unknown>([5, fc.constant({ leads: election })], [1, ago]),
      lease: fc.constant(id),
    }),
  };
}

const watchStart = weighted<unknown>(
  [6, fc.constant(undefined)],
  [3, ago],
  [1, request({ ago: fc.integer({ min: -4, max: 0 }) })],
);
const watch = merged(
  weighted([9, span], [1, request({ key: rarely(50, fc.constant('')) })]),
  request({
    startRevision: watchStart,
    prevKv: rarely(40, yes),
    filters: rarely(
      25,
      fc.constantFrom<readonly string[]>(['NOPUT'], ['NODELETE'], ['NOPUT', 'NODELETE']),
    ),
    fragment: rarely(20, yes),
    progressNotify: rarely(20, yes),
    watchId: rarely(25, fc.integer({ min: 1, max: 4 })),
  }),
);

function asking(name: string, asked: Drawn<Request>): Drawn<Command> {
  return asked.map((each) => ({ call: name, request: each }));
}

const on = fc.constantFrom(...STREAMS);
const leaseCall = (method: string, more: Fields = {}): Drawn<Command> =>
  asking(`Lease.Lease${method}`, request({ ID: lease, ...more }));

/**
 * Compactions are waited for: until one is done etcd may count in a hash what is to go.
 * `restarts`: how often, of ten thousand commands, both are killed and started again.
 */
export function commandArbitrary(restarts: number): Drawn<Command> {
  return weighted<Command>(
    [300, fc.constant({ receive: 'what is due' })],
    [2000, asking('KV.Put', put)],
    [1600, asking('KV.Range', rangeOf(true))],
    [900, asking('KV.DeleteRange', deletion)],
    [1500, asking('KV.Txn', txnOf(NESTED_MAX))],
    [200, asking('KV.Txn', keepingTxn)],
    [250, asking('KV.Compact', request({ revision: ago, physical: yes }))],
    [400, asking('Lease.LeaseGrant', grant)],
    [200, leaseCall('Revoke')],
    [200, leaseCall('TimeToLive', { keys: rarely(60, yes) })],
    [100, asking('Lease.LeaseLeases', fc.constant({}))],
    [200, lease.map((id) => ({ keepAlive: id }))],
    [700, fc.record({ watch, on })],
    [250, fc.record({ cancel: fc.integer({ min: -1, max: 5 }), on })],
    [150, fc.record({ progress: on })],
    [150, asking('Maintenance.Status', fc.constant({}))],
    [200, asking('Maintenance.HashKV', request({ revision: rarely(60, ago) }))],
    [100, memberCalls],
    [60, asking('Maintenance.Alarm', alarm)],
    [40, asking('Maintenance.Defragment', fc.constant({}))],
    [400, waitingCalls],
    [400, badCalls],
    [restarts, fc.constant({ restart: 'both' })],
  );
}

/** Far from ending within a sequence; 0 lets the server choose. */
const grant = request({
  ID: weighted<number>([5, fc.constantFrom(...LEASES.slice(0, -1))], [1, fc.constant(0)]),
  TTL: fc.integer({ min: 500, max: 900 }),
});
