/**
 * What raftkv refuses, in etcd's words and with etcd's gRPC codes (`api/v3rpc/rpctypes/error.go`),
 * so that one table of definite and indefinite errors serves both.
 */

/** Names of gRPC status codes. */
export type FailureStatus =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'RESOURCE_EXHAUSTED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'UNIMPLEMENTED'
  | 'DATA_LOSS';

export interface Failure {
  readonly status: FailureStatus;
  readonly message: string;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function failed(failure: Failure): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure };
}

function make(status: FailureStatus, message: string): Failure {
  return { status, message: `etcdserver: ${message}` };
}

export type FailureName =
  | 'emptyKey'
  | 'keyNotFound'
  | 'valueProvided'
  | 'leaseProvided'
  | 'tooManyOps'
  | 'duplicateKey'
  | 'tooLarge'
  | 'badSortOption'
  | 'badUrls'
  | 'compacted'
  | 'futureRevision'
  | 'leaseTtlTooLarge'
  | 'leaseNotFound'
  | 'leaseExists'
  | 'memberNotFound'
  | 'memberExists'
  | 'peerUrlExists'
  | 'notEnoughStarted'
  | 'notLearner'
  | 'learnerNotReady'
  | 'tooManyLearners'
  | 'notLeader'
  | 'badTransferee'
  | 'tooManyRequests'
  | 'noSpace'
  | 'corrupt'
  | 'noLeader'
  | 'learner'
  | 'unhealthy'
  | 'timedOut'
  | 'leaderChanged'
  | 'transferTimedOut'
  | 'stopped'
  | 'proposalDropped'
  | 'sessionExpired'
  | 'electionNotLeader'
  | 'electionNoLeader'
  | 'electionNoLeaderKey'
  | 'observeClosed';

export const FAILURES: Readonly<Record<FailureName, Failure>> = {
  emptyKey: make('INVALID_ARGUMENT', 'key is not provided'),
  keyNotFound: make('INVALID_ARGUMENT', 'key not found'),
  valueProvided: make('INVALID_ARGUMENT', 'value is provided'),
  leaseProvided: make('INVALID_ARGUMENT', 'lease is provided'),
  tooManyOps: make('INVALID_ARGUMENT', 'too many operations in txn request'),
  duplicateKey: make('INVALID_ARGUMENT', 'duplicate key given in txn request'),
  tooLarge: make('INVALID_ARGUMENT', 'request is too large'),
  badSortOption: make('INVALID_ARGUMENT', 'invalid sort option'),
  badUrls: make('INVALID_ARGUMENT', 'given member URLs are invalid'),
  compacted: make('OUT_OF_RANGE', 'mvcc: required revision has been compacted'),
  futureRevision: make('OUT_OF_RANGE', 'mvcc: required revision is a future revision'),
  leaseTtlTooLarge: make('OUT_OF_RANGE', 'too large lease TTL'),
  leaseNotFound: make('NOT_FOUND', 'requested lease not found'),
  leaseExists: make('FAILED_PRECONDITION', 'lease already exists'),
  memberNotFound: make('NOT_FOUND', 'member not found'),
  memberExists: make('FAILED_PRECONDITION', 'member ID already exist'),
  peerUrlExists: make('FAILED_PRECONDITION', 'Peer URLs already exists'),
  // etcd has no gRPC code for this one, in any version so far.
  notEnoughStarted: make('UNKNOWN', 're-configuration failed due to not enough started members'),
  notLearner: make('FAILED_PRECONDITION', 'can only promote a learner member'),
  learnerNotReady: make(
    'FAILED_PRECONDITION',
    'can only promote a learner member which is in sync with leader',
  ),
  tooManyLearners: make('FAILED_PRECONDITION', 'too many learner members in cluster'),
  notLeader: make('FAILED_PRECONDITION', 'not leader'),
  badTransferee: make('FAILED_PRECONDITION', 'bad leader transferee'),
  tooManyRequests: make('RESOURCE_EXHAUSTED', 'too many requests'),
  noSpace: make('RESOURCE_EXHAUSTED', 'mvcc: database space exceeded'),
  corrupt: make('DATA_LOSS', 'corrupt cluster'),
  noLeader: make('UNAVAILABLE', 'no leader'),
  learner: make('UNAVAILABLE', 'rpc not supported for learner'),
  unhealthy: make('UNAVAILABLE', 'unhealthy cluster'),
  timedOut: make('UNAVAILABLE', 'request timed out'),
  leaderChanged: make('UNAVAILABLE', 'leader changed'),
  transferTimedOut: make('UNAVAILABLE', 'request timed out, leader transfer took too long'),
  stopped: make('UNAVAILABLE', 'server stopped'),
  proposalDropped: { status: 'UNKNOWN', message: 'raft proposal dropped' },
  // Of etcd's own client within its server, which knows no codes.
  sessionExpired: { status: 'UNKNOWN', message: 'mutex: session is expired' },
  electionNotLeader: { status: 'UNKNOWN', message: 'election: not leader' },
  electionNoLeader: { status: 'UNKNOWN', message: 'election: no leader' },
  electionNoLeaderKey: { status: 'UNKNOWN', message: '"leader" field must be provided' },
  observeClosed: { status: 'UNKNOWN', message: 'election: observe closed early' },
};
