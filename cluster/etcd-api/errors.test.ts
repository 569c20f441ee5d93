import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { classify, ERROR_ROWS, errorTable } from './errors.ts';
import { STATUS } from './status.ts';

type Example = readonly [
  status: keyof typeof status,
  details: string,
  code: string,
  write: 'fail' | 'info',
];

/** The full texts, as etcd 3.4 to 3.6 and grpc-js 1.14 write them. */
const EXAMPLES: readonly Example[] = [
  ['INVALID_ARGUMENT', 'etcdserver: key is not provided', 'empty-key', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: key not found', 'key-not-found', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: value is provided', 'value-provided', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: lease is provided', 'lease-provided', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: too many operations in txn request', 'too-many-ops', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: duplicate key given in txn request', 'duplicate-key', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: request is too large', 'too-large', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: invalid client api version', 'api-version', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: invalid sort option', 'sort-option', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: given member URLs are invalid', 'bad-urls', 'fail'],
  ['INVALID_ARGUMENT', 'etcdserver: revision of auth store is old', 'auth-revision', 'fail'],
  [
    'INVALID_ARGUMENT',
    'etcdserver: authentication failed, invalid user ID or password',
    'auth-failed',
    'fail',
  ],
  ['INVALID_ARGUMENT', 'etcdserver: user name is empty', 'user-empty', 'fail'],
  ['UNAUTHENTICATED', 'etcdserver: invalid auth token', 'auth-token', 'fail'],
  ['PERMISSION_DENIED', 'etcdserver: permission denied', 'permission-denied', 'fail'],
  ['OUT_OF_RANGE', 'etcdserver: mvcc: required revision has been compacted', 'compacted', 'info'],
  [
    'OUT_OF_RANGE',
    'etcdserver: mvcc: required revision is a future revision',
    'future-revision',
    'info',
  ],
  ['OUT_OF_RANGE', 'etcdserver: too large lease TTL', 'lease-ttl', 'fail'],
  ['NOT_FOUND', 'etcdserver: requested lease not found', 'lease-not-found', 'fail'],
  ['NOT_FOUND', 'etcdserver: member not found', 'member-not-found', 'fail'],
  ['FAILED_PRECONDITION', 'etcdserver: lease already exists', 'lease-exists', 'fail'],
  ['FAILED_PRECONDITION', 'etcdserver: not leader', 'not-leader', 'fail'],
  ['FAILED_PRECONDITION', 'etcdserver: bad leader transferee', 'bad-transferee', 'fail'],
  [
    'UNKNOWN',
    'etcdserver: re-configuration failed due to not enough started members',
    'few-started-members',
    'fail',
  ],
  ['FAILED_PRECONDITION', 'etcdserver: member ID already exist', 'member-exists', 'fail'],
  ['FAILED_PRECONDITION', 'etcdserver: Peer URLs already exists', 'peer-url-exists', 'fail'],
  [
    'FAILED_PRECONDITION',
    'etcdserver: can only promote a learner member which is in sync with leader',
    'not-promotable',
    'fail',
  ],
  [
    'FAILED_PRECONDITION',
    'etcdserver: too many learner members in cluster',
    'many-learners',
    'fail',
  ],
  ['FAILED_PRECONDITION', 'etcdserver: authentication is not enabled', 'auth-off', 'fail'],
  ['RESOURCE_EXHAUSTED', 'etcdserver: too many requests', 'too-many-requests', 'fail'],
  [
    'RESOURCE_EXHAUSTED',
    'grpc: received message larger than max (2097170 vs. 2097152)',
    'too-large',
    'fail',
  ],
  ['UNAVAILABLE', 'etcdserver: no leader', 'no-leader', 'fail'],
  ['UNAVAILABLE', 'etcdserver: not capable', 'not-capable', 'fail'],
  ['UNAVAILABLE', 'etcdserver: rpc not supported for learner', 'learner', 'fail'],
  ['UNAVAILABLE', 'etcdserver: unhealthy cluster', 'unhealthy-cluster', 'fail'],
  ['UNKNOWN', 'raft proposal dropped', 'proposal-dropped', 'fail'],
  ['UNIMPLEMENTED', 'unknown service etcdserverpb.Lock', 'unimplemented', 'fail'],
  [
    'UNIMPLEMENTED',
    'unknown method RangeStream for service etcdserverpb.KV',
    'unimplemented',
    'fail',
  ],
  ['DATA_LOSS', 'etcdserver: corrupt cluster', 'corrupt', 'fail'],
  [
    'UNAVAILABLE',
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:2379. Resolution note: ',
    'not-connected',
    'fail',
  ],
  [
    'DEADLINE_EXCEEDED',
    'Deadline exceeded after 0.400s,Waiting for LB pick',
    'connect-timeout',
    'fail',
  ],
  ['RESOURCE_EXHAUSTED', 'etcdserver: mvcc: database space exceeded', 'no-space', 'info'],
  ['UNAVAILABLE', 'etcdserver: leader changed', 'leader-changed', 'info'],
  [
    'UNAVAILABLE',
    'etcdserver: request timed out, possibly due to previous leader failure',
    'timeout-leader-failure',
    'info',
  ],
  [
    'UNAVAILABLE',
    'etcdserver: request timed out, possibly due to connection lost',
    'timeout-connection-lost',
    'info',
  ],
  [
    'UNAVAILABLE',
    'etcdserver: request timed out, waiting for the applied index took too long',
    'timeout-applied-index',
    'info',
  ],
  ['UNAVAILABLE', 'etcdserver: request timed out', 'request-timed-out', 'info'],
  ['UNAVAILABLE', 'etcdserver: server stopped', 'server-stopped', 'info'],
  ['UNKNOWN', 'raft: stopped', 'raft-stopped', 'info'],
  ['UNAVAILABLE', 'Connection dropped', 'connection-lost', 'info'],
  ['UNAVAILABLE', 'read ECONNRESET', 'connection-lost', 'info'],
  ['UNAVAILABLE', 'read ETIMEDOUT', 'connection-lost', 'info'],
  ['UNAVAILABLE', 'Stream refused by server', 'stream-refused', 'info'],
  ['INTERNAL', 'Received RST_STREAM with code 2 (Internal server error)', 'stream-reset', 'info'],
  [
    'DEADLINE_EXCEEDED',
    'Deadline exceeded after 0.402s,LB pick: 0.001s,remote_addr=127.0.0.1:2379',
    'deadline-exceeded',
    'info',
  ],
  ['CANCELLED', 'Call cancelled', 'cancelled', 'info'],
  ['UNAVAILABLE', 'error reading from server: EOF', 'unavailable', 'info'],
];

describe('the error table', () => {
  test.each(EXAMPLES)('%s "%s" is %s: a write is %s', (name, details, code, write) => {
    const error = Object.assign(new Error(details), { code: status[name], details });
    expect(classify(error, 'write')).toEqual({
      type: write,
      error: { code, definite: write === 'fail', message: details },
    });
    expect(classify(error, 'read').type).toBe('fail');
  });

  test('the numbers of its statuses are those of gRPC', () => {
    const names = Object.keys(STATUS) as (keyof typeof STATUS)[];
    expect(names.map((name) => [name, STATUS[name]])).toEqual(
      names.map((name) => [name, status[name]]),
    );
    expect(names).toHaveLength(17);
  });

  test('every row has an example', () => {
    const covered = new Set(EXAMPLES.map(([name, , code]) => `${name} ${code}`));
    const rows = ERROR_ROWS.map((row) => `${row.status} ${row.code}`);
    expect(rows.filter((row) => !covered.has(row))).toEqual([]);
  });

  test.each([
    ['an unknown text of a known status', { code: status.FAILED_PRECONDITION, details: 'new' }],
    ['an unknown argument error', { code: status.INVALID_ARGUMENT, details: 'etcdserver: new' }],
    ['a failing serialization', { code: status.INTERNAL, details: 'invalid encoding' }],
    ['an unknown status', { code: 99, details: '' }],
    ['a definite text under another status', { code: 2, details: 'etcdserver: no leader' }],
    ['a plain error', new Error('Channel has been shut down')],
    ['a system error', Object.assign(new Error('read'), { code: 'ECONNREFUSED' })],
    ['nothing at all', undefined],
  ])('%s is indefinite', (_, error) => {
    const { type, error: found } = classify(error, 'write');
    expect([type, found.code, found.definite]).toEqual(['info', 'unknown-error', false]);
  });

  test('a failed read is a fail, and still says that the error proves nothing', () => {
    const error = { code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' };
    const { type, error: found } = classify(error, 'read');
    expect([type, found.definite]).toEqual(['fail', false]);
  });

  test('a long text is cut', () => {
    const error = { code: status.UNAVAILABLE, details: 'x'.repeat(10_000) };
    expect(classify(error, 'write').error.message?.length).toBe(201);
  });

  test('the dump names every row once', () => {
    const lines = errorTable().trimEnd().split('\n');
    expect(lines).toHaveLength(ERROR_ROWS.length + 1);
    expect(lines.at(-1)).toContain('anything else');
    expect(lines.find((line) => line.startsWith('no-space'))).toContain('indefinite');
  });
});
