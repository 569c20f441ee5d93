/** Watches and leases as the API has them, and what is answered without a quorum. */
import {
  type Answer,
  afterPrefix,
  bytes,
  type CallSequence,
  type CallStep,
  cancelled,
  compact,
  EVERY_KEY,
  events,
  messages,
  put,
  type Request,
  range,
  remove,
  txn,
} from '../calls.ts';

const OPEN: CallStep = { open: 'Watch.Watch', as: 'w' };
const END: CallStep = { end: 'w' };
const DROP: CallStep = { drop: 'w' };

function create(key: string, more: Request = {}): CallStep {
  return { send: 'w', request: { createRequest: { key: bytes(key), ...more } } };
}

function cancel(watchId: number): CallStep {
  return { send: 'w', request: { cancelRequest: { watchId } } };
}

const receive = (count: number): CallStep => ({ receive: 'w', until: messages(count) });
const receiveEvents = (count: number): CallStep => ({ receive: 'w', until: events(count) });
const PROGRESS: CallStep = { send: 'w', request: { progressRequest: {} } };
const W: Request = { rangeEnd: afterPrefix('w/') };

const watches: CallSequence = {
  kind: 'calls',
  name: 'watch: ids, filters, previous values, cancelling',
  steps: [
    put('w/a', '1'),
    OPEN,
    create('w/', W),
    receive(1),
    put('w/a', '2'),
    put('v', 'outside'),
    put('w/b', '1'),
    receiveEvents(2),
    create('w/', { ...W, prevKv: true }),
    create('w/', { ...W, filters: ['NOPUT'] }),
    create('w/', { ...W, filters: ['NODELETE'] }),
    create('w/', { ...W, filters: ['NOPUT', 'NODELETE'] }),
    receive(4),
    put('w/b', '2'),
    remove('w/a'),
    remove('w/a'),
    put('w/a', 'again'),
    // 3 of the first, 3 with the values before, 1 deletion, 2 puts.
    receiveEvents(9),
    txn(
      [],
      [
        { requestPut: { key: bytes('w/t'), value: bytes('1') } },
        { requestDeleteRange: { key: bytes('w/a'), rangeEnd: bytes('w/c') } },
        { requestPut: { key: bytes('w/u'), value: bytes('2') } },
      ],
    ),
    receiveEvents(12),
    cancel(0),
    receive(1),
    put('w/a', 'to the others'),
    receiveEvents(2),
    cancel(0),
    cancel(77),
    PROGRESS,
    receive(1),
    // An id of one's own, then the same again, then one that is taken.
    create('w/a', { watchId: 40 }),
    receive(1),
    create('w/a', { watchId: 40 }),
    receive(1),
    create('w/a', { watchId: 1 }),
    receive(1),
    create('w/a'),
    receive(1),
    cancel(1),
    cancel(2),
    cancel(3),
    receive(3),
    DROP,
  ],
};

const startOfWatches: CallSequence = {
  kind: 'calls',
  name: 'watch: where it begins',
  steps: [
    ...['1', '2', '3'].flatMap((value) => [put('w/a', value), put('w/b', value)]),
    remove('w/a'),
    put('w/a', '4'),
    OPEN,
    create('w/', { ...W, startRevision: 1 }),
    receiveEvents(8),
    create('w/a', { startRevision: 4, prevKv: true }),
    receiveEvents(3),
    create('w/', { ...W, startRevision: 8, filters: ['NOPUT'], prevKv: true }),
    receiveEvents(1),
    create('w/a', { startRevision: 12 }),
    receive(1),
    put('w/a', '5'),
    put('w/a', '6'),
    put('w/a', '7'),
    put('w/b', '4'),
    receiveEvents(4 + 3 + 1),
    create('', { rangeEnd: bytes('\0'), startRevision: 13 }),
    receiveEvents(1),
    create(''),
    receive(1),
    create('w/b', { rangeEnd: bytes('w/a') }),
    create('w/b', { rangeEnd: bytes('\0'), startRevision: 13 }),
    receiveEvents(1),
    DROP,
    // A watch of a revision that is compacted.
    compact(8),
    OPEN,
    create('w/', { ...W, startRevision: 7 }),
    { receive: 'w', until: cancelled() },
    create('w/', { ...W, startRevision: 8, prevKv: true }),
    receiveEvents(5),
    create('w/a', { startRevision: 3 }),
    { receive: 'w', until: cancelled() },
    put('w/a', 'end'),
    receiveEvents(1),
    DROP,
  ],
};

const progress: CallSequence = {
  kind: 'calls',
  name: 'watch: progress, fragments, large values',
  steps: [
    put('w/a', 'x'.repeat(800_000)),
    put('w/b', 'y'.repeat(800_000)),
    put('w/a', 'z'.repeat(800_000)),
    put('w/b', 'small'),
    OPEN,
    PROGRESS,
    receive(1),
    create('w/', { ...W, startRevision: 2, fragment: true, prevKv: true }),
    receiveEvents(4),
    create('w/', { ...W, progressNotify: true }),
    receive(1),
    PROGRESS,
    receive(1),
    put('v', '1'),
    PROGRESS,
    receive(1),
    DROP,
    { open: 'Watch.Watch', as: 'w', metadata: { hasleader: 'true' } },
    create('w/'),
    receive(1),
    put('w/', '1'),
    receiveEvents(1),
    DROP,
  ],
};

const lease = (method: string, request: Request): CallStep => ({
  call: `Lease.Lease${method}`,
  request,
});

const leases: CallSequence = {
  kind: 'calls',
  name: 'lease: ids of one\u2019s own, bounds, keep-alive',
  steps: [
    lease('Grant', { ID: 5, TTL: 100 }),
    lease('Grant', { ID: 5, TTL: 100 }),
    // What is refused changes nothing.
    lease('Grant', { ID: 5, TTL: 50 }),
    lease('TimeToLive', { ID: 5 }),
    lease('Grant', { ID: 8, TTL: 9_000_000_000 }),
    lease('Grant', { ID: 9, TTL: 9_000_000_001 }),
    lease('Grant', { ID: -10, TTL: 100 }),
    lease('Grant', { ID: 3, TTL: 300 }),
    lease('Grant', { ID: 4, TTL: 200 }),
    lease('Leases', {}),
    put('b', '1', { lease: 5 }),
    put('a', '1', { lease: 5 }),
    put('c', '1', { lease: 3 }),
    lease('TimeToLive', { ID: 5, keys: true }),
    lease('TimeToLive', { ID: 5 }),
    lease('TimeToLive', { ID: 99, keys: true }),
    lease('TimeToLive', { ID: 0 }),
    { open: 'Lease.LeaseKeepAlive', as: 'w' },
    { send: 'w', request: { ID: 5 } },
    receive(1),
    { send: 'w', request: { ID: 99 } },
    receive(1),
    { send: 'w', request: { ID: 0 } },
    receive(1),
    { send: 'w', request: { ID: 3 } },
    receive(1),
    END,
    { open: 'Lease.LeaseKeepAlive', as: 'w', metadata: { hasleader: 'true' } },
    { send: 'w', request: { ID: 5 } },
    receive(1),
    END,
    lease('Revoke', { ID: 99 }),
    lease('Revoke', { ID: 0 }),
    lease('Revoke', { ID: 4 }),
    lease('Revoke', { ID: 5 }),
    lease('Revoke', { ID: 5 }),
    { call: 'KV.Range', request: EVERY_KEY },
    put('c', '2'),
    lease('Revoke', { ID: 3 }),
    { call: 'KV.Range', request: EVERY_KEY },
    txn([], [{ requestPut: { key: bytes('c'), value: bytes('3'), lease: 3 } }]),
    lease('Grant', { ID: 5, TTL: 50 }),
    lease('TimeToLive', { ID: 5, keys: true }),
    lease('Grant', { ID: 6, TTL: 0 }),
    lease('Grant', { ID: 7, TTL: -1 }),
  ],
};

const withoutQuorum: CallSequence = {
  kind: 'calls',
  name: 'without a quorum',
  isMostlyWaiting: true,
  nodes: 3,
  steps: [
    put('a', '1'),
    { open: 'Watch.Watch', as: 'w', metadata: { hasleader: 'true' } },
    create('a'),
    receive(1),
    { kill: 'n2' },
    { kill: 'n3' },
    {
      call: 'Maintenance.Status',
      request: {},
      until: (answer: Answer) => answer.type === 'ok' && answer.message['leader'] === '0',
    },
    { receive: 'w', until: cancelled() },
    { ...range('a'), metadata: { hasleader: 'true' } },
    { ...put('a', '2'), metadata: { hasleader: 'true' } },
    range('a', { serializable: true }),
    range('a', { serializable: true, revision: 9 }),
    put('', 'refused at once'),
    { call: 'Cluster.MemberList', request: {} },
    { call: 'Maintenance.MoveLeader', request: { targetID: 1 } },
    { call: 'Lease.LeaseTimeToLive', request: { ID: 5 } },
  ],
};

export const STREAM_CALLS: readonly CallSequence[] = [
  watches,
  startOfWatches,
  progress,
  leases,
  withoutQuorum,
];
