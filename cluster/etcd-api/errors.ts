/**
 * Which errors prove that an operation did not and never will happen. One table for etcd and for
 * whatever speaks its API; `errorTable` prints it for the documentation.
 *
 * Sources: etcd's `api/v3rpc/rpctypes`, where each is raised in `server/etcdserver`, grpc-js's
 * `subchannel-call` and pickers, and trying it on etcd 3.4.23. A row is definite only when the
 * server refuses before it proposes, when applying the request is refused the same way everywhere,
 * or when the request never left this process. Everything that has no row is indefinite.
 */
import type { OpError } from '../../harness/history/op.ts';
import { STATUS, type StatusName } from './status.ts';

export interface ErrorRow {
  /** Short and stable: goes into the history. */
  readonly code: string;
  readonly status: StatusName;
  /** Part of the error's text, exactly; empty: any text. */
  readonly text: string;
  readonly definite: boolean;
  readonly why: string;
}

const BEFORE = 'refused before it is proposed';
const AT_APPLY = 'refused when applied, alike on every member';
/** Measured on 3.4.23: such a transaction was refused, and its write was there after a crash. */
const HALF_DONE = 'etcd 3.4 may have written the rest of the transaction';
const UNKNOWN = 'the proposal may still be committed';
const SENT = 'the request may have reached the server';

type Row = readonly [StatusName, string, string, string];

/** Most particular first: the first row that fits is taken. */
export const ERROR_ROWS: readonly ErrorRow[] = [
  ...rows(true, [
    ['INVALID_ARGUMENT', 'etcdserver: key is not provided', 'empty-key', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: key not found', 'key-not-found', AT_APPLY],
    ['INVALID_ARGUMENT', 'etcdserver: value is provided', 'value-provided', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: lease is provided', 'lease-provided', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: too many operations in txn', 'too-many-ops', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: duplicate key given', 'duplicate-key', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: request is too large', 'too-large', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: invalid client api version', 'api-version', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: invalid sort option', 'sort-option', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: given member URLs are invalid', 'bad-urls', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: revision of auth store is old', 'auth-revision', AT_APPLY],
    ['INVALID_ARGUMENT', 'etcdserver: authentication failed', 'auth-failed', BEFORE],
    ['INVALID_ARGUMENT', 'etcdserver: user name is empty', 'user-empty', BEFORE],
    ['UNAUTHENTICATED', 'etcdserver: invalid auth token', 'auth-token', BEFORE],
    ['PERMISSION_DENIED', 'etcdserver: permission denied', 'permission-denied', AT_APPLY],
    ['OUT_OF_RANGE', 'etcdserver: too large lease TTL', 'lease-ttl', BEFORE],
    ['NOT_FOUND', 'etcdserver: requested lease not found', 'lease-not-found', AT_APPLY],
    ['NOT_FOUND', 'etcdserver: member not found', 'member-not-found', AT_APPLY],
    ['FAILED_PRECONDITION', 'etcdserver: lease already exists', 'lease-exists', AT_APPLY],
    ['FAILED_PRECONDITION', 'etcdserver: not leader', 'not-leader', BEFORE],
    ['FAILED_PRECONDITION', 'etcdserver: bad leader transferee', 'bad-transferee', BEFORE],
    ['UNKNOWN', 'not enough started members', 'few-started-members', BEFORE],
    ['FAILED_PRECONDITION', 'etcdserver: member ID already exist', 'member-exists', AT_APPLY],
    ['FAILED_PRECONDITION', 'etcdserver: Peer URLs already exists', 'peer-url-exists', AT_APPLY],
    ['FAILED_PRECONDITION', 'etcdserver: can only promote a learner', 'not-promotable', BEFORE],
    ['FAILED_PRECONDITION', 'etcdserver: too many learner members', 'many-learners', AT_APPLY],
    ['FAILED_PRECONDITION', 'etcdserver: authentication is not enabled', 'auth-off', BEFORE],
    ['RESOURCE_EXHAUSTED', 'etcdserver: too many requests', 'too-many-requests', BEFORE],
    ['RESOURCE_EXHAUSTED', 'grpc: received message larger than max', 'too-large', BEFORE],
    ['UNAVAILABLE', 'etcdserver: no leader', 'no-leader', BEFORE],
    ['UNAVAILABLE', 'etcdserver: not capable', 'not-capable', BEFORE],
    ['UNAVAILABLE', 'etcdserver: rpc not supported for learner', 'learner', BEFORE],
    ['UNAVAILABLE', 'etcdserver: unhealthy cluster', 'unhealthy-cluster', BEFORE],
    ['UNKNOWN', 'raft proposal dropped', 'proposal-dropped', 'its own raft refused it at once'],
    ['UNIMPLEMENTED', 'unknown service', 'unimplemented', 'there is nobody to serve it'],
    ['UNIMPLEMENTED', 'unknown method', 'unimplemented', 'there is nobody to serve it'],
    ['DATA_LOSS', 'etcdserver: corrupt cluster', 'corrupt', 'an alarm refuses all requests'],
    ['UNAVAILABLE', 'No connection established', 'not-connected', 'no connection: never sent'],
    ['DEADLINE_EXCEEDED', 'Waiting for LB pick', 'connect-timeout', 'no connection: never sent'],
  ]),
  ...rows(false, [
    ['OUT_OF_RANGE', 'required revision has been compacted', 'compacted', HALF_DONE],
    ['OUT_OF_RANGE', 'required revision is a future revision', 'future-revision', HALF_DONE],
    [
      'RESOURCE_EXHAUSTED',
      'database space exceeded',
      'no-space',
      'etcd 3.4 applies the put, then answers with this',
    ],
    ['UNAVAILABLE', 'etcdserver: leader changed', 'leader-changed', UNKNOWN],
    [
      'UNAVAILABLE',
      'request timed out, possibly due to previous leader failure',
      'timeout-leader-failure',
      UNKNOWN,
    ],
    [
      'UNAVAILABLE',
      'request timed out, possibly due to connection lost',
      'timeout-connection-lost',
      UNKNOWN,
    ],
    [
      'UNAVAILABLE',
      'request timed out, waiting for the applied index took too long',
      'timeout-applied-index',
      UNKNOWN,
    ],
    ['UNAVAILABLE', 'etcdserver: request timed out', 'request-timed-out', UNKNOWN],
    ['UNAVAILABLE', 'etcdserver: server stopped', 'server-stopped', UNKNOWN],
    ['UNKNOWN', 'raft: stopped', 'raft-stopped', 'the proposal may already be handed over'],
    ['UNAVAILABLE', 'Connection dropped', 'connection-lost', SENT],
    ['UNAVAILABLE', 'ECONNRESET', 'connection-lost', SENT],
    ['UNAVAILABLE', 'ETIMEDOUT', 'connection-lost', SENT],
    ['UNAVAILABLE', 'Stream refused by server', 'stream-refused', 'only the transport says so'],
    ['INTERNAL', 'Received RST_STREAM', 'stream-reset', SENT],
    ['DEADLINE_EXCEEDED', '', 'deadline-exceeded', SENT],
    ['CANCELLED', '', 'cancelled', SENT],
    ['UNAVAILABLE', '', 'unavailable', 'without a text of etcd, anything may have happened'],
  ]),
];

/** The error code for whatever has no row. */
export const UNKNOWN_ERROR = 'unknown-error';

/** Shaped like grpc-js's `ServiceError`; anything else that is thrown has no row. */
export interface RpcError {
  readonly code: number;
  readonly details: string;
}

/** A reply that never came, or that was an error, in the words of the history. */
export interface Failure {
  readonly type: 'fail' | 'info';
  readonly error: OpError;
}

/**
 * What an error means for the operation it ended. A read that went wrong had no effect, so it is
 * `fail` and its process lives on, whatever the error; a write is `fail` only by a definite row.
 */
export function classify(error: unknown, kind: 'read' | 'write'): Failure {
  const found = opErrorOf(error);
  return { type: kind === 'read' || found.definite ? 'fail' : 'info', error: found };
}

function opErrorOf(error: unknown): OpError {
  if (!isRpcError(error))
    return { code: UNKNOWN_ERROR, definite: false, message: shorten(String(error)) };
  const { code, details } = error;
  const row = ERROR_ROWS.find(
    (each) => STATUS[each.status] === code && details.includes(each.text),
  );
  const message = shorten(details);
  if (row === undefined) return { code: UNKNOWN_ERROR, definite: false, message };
  return { code: row.code, definite: row.definite, message };
}

/** The whole table as aligned text. */
export function errorTable(): string {
  const lines = ERROR_ROWS.map((row) =>
    [
      row.code.padEnd(24),
      row.status.padEnd(20),
      row.definite ? 'definite  ' : 'indefinite',
      `${row.text === '' ? '(any text)' : `"${row.text}"`}: ${row.why}`,
    ].join('  '),
  );
  const rest = `${UNKNOWN_ERROR.padEnd(24)}  ${'any'.padEnd(20)}  indefinite  anything else`;
  return `${[...lines, rest].join('\n')}\n`;
}

function rows(definite: boolean, list: readonly Row[]): ErrorRow[] {
  return list.map(([code, text, name, why]) => ({ code: name, status: code, text, definite, why }));
}

function isRpcError(error: unknown): error is RpcError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'number' &&
    'details' in error &&
    typeof error.details === 'string'
  );
}

/** A history holds one of these per failed operation: long ones are of no use to anybody. */
function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
