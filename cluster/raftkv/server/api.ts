/** What a node offers to clients, without any wire: the gRPC adapter and the simulator call this. */
import type { Result } from '../failures.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  HashResult,
  LeaseId,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  TxnRequest,
  TxnResult,
  Watch,
  WatchRequest,
} from '../mvcc/types.ts';
import type { MemberId } from '../raft/types.ts';
import type { Alarm } from './alarms.ts';

/** Stamped on every response when it is sent; results with a `revision` of their own override it. */
export interface Header {
  readonly cluster: string;
  readonly member: MemberId;
  readonly revision: number;
  readonly term: number;
}

export interface Member {
  readonly id: MemberId;
  /** Empty until it has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until it has started for the first time. */
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface NodeStatus {
  readonly version: string;
  /** Bytes of the backend file. */
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  /** Undefined: none known. */
  readonly leader: MemberId | undefined;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftApplied: number;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
}

export interface LeaseInfo {
  readonly id: LeaseId;
  /** Seconds left, rounded as etcd does; -1: there is no such lease. */
  readonly ttlSeconds: number;
  readonly grantedTtlSeconds: number;
  readonly keys: readonly Uint8Array[];
}

/** A copy of all that a member had applied at one moment: the content of a file. */
export interface Backup {
  /** Bytes of all pieces but the last. */
  readonly size: number;
  /** To be read once. The last piece is the SHA-256 of all before it, 32 bytes. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * Every call either answers or fails within its time (five seconds and two election timeouts, as in
 * etcd), but for a defragmentation and what waits for it; none throws. After the node is stopped,
 * all fail with `server stopped`.
 */
export interface NodeApi {
  header(): Header;
  /** Linearizable unless it says serializable. */
  range(request: RangeRequest): Promise<Result<RangeResult>>;
  put(request: PutRequest): Promise<Result<PutResult>>;
  deleteRange(request: DeleteRangeRequest): Promise<Result<DeleteRangeResult>>;
  /** A transaction of reads only is read, linearizably unless all are serializable. */
  txn(request: TxnRequest): Promise<Result<TxnResult>>;
  compact(revision: number): Promise<Result<{ readonly revision: number }>>;

  /** `id` 0: the node chooses one. The answer says what was granted: at least the minimum TTL. */
  leaseGrant(
    id: LeaseId,
    ttlSeconds: number,
  ): Promise<Result<{ readonly id: LeaseId; readonly ttlSeconds: number }>>;
  leaseRevoke(id: LeaseId): Promise<Result<{ readonly revision: number }>>;
  /** The TTL after the renewal; 0: there is no such lease. */
  leaseKeepAlive(id: LeaseId): Promise<Result<{ readonly ttlSeconds: number }>>;
  leaseTimeToLive(id: LeaseId, withKeys: boolean): Promise<Result<LeaseInfo>>;
  leases(): Promise<Result<readonly LeaseId[]>>;

  watch(request: WatchRequest, wake: () => void): Watch;

  /** Each answers with the members after the change. */
  memberAdd(
    peerUrls: readonly string[],
    isLearner: boolean,
  ): Promise<Result<{ readonly member: Member; readonly members: readonly Member[] }>>;
  memberRemove(id: MemberId): Promise<Result<readonly Member[]>>;
  memberPromote(id: MemberId): Promise<Result<readonly Member[]>>;
  memberUpdate(id: MemberId, peerUrls: readonly string[]): Promise<Result<readonly Member[]>>;
  /** This node's own view, unless `linearizable`. */
  memberList(linearizable: boolean): Promise<Result<readonly Member[]>>;

  status(): NodeStatus;
  /** Of this member, which may be behind; `backup/restore.ts` makes a new cluster out of it. */
  snapshot(): Promise<Result<Backup>>;
  hashKv(revision: number): Promise<Result<HashResult>>;
  /** Those that are on, by type and member; as of all that is committed. */
  alarms(): Promise<Result<readonly Alarm[]>>;
  /** What it found or made to be on, or off: nothing when it was off already. */
  setAlarm(alarm: Alarm, isOn: boolean): Promise<Result<readonly Alarm[]>>;
  /** Gives back what the backend file does not need; this member answers nobody meanwhile. */
  defragment(): Promise<Result<null>>;
  /** Must be asked of the leader. */
  moveLeader(to: MemberId): Promise<Result<null>>;
}

/** A running member. Disposing of it stops it: the disk keeps what was acknowledged. */
export interface Node extends AsyncDisposable {
  readonly api: NodeApi;
  /** Resolves when it has applied an entry of its own start: only then clients may be served. */
  readonly serving: Promise<void>;
  /**
   * Resolves when the node is over by itself: it was removed from the cluster, or its disk failed
   * (then nothing after the failure was acknowledged).
   */
  readonly ended: Promise<NodeEnd>;
}

export type NodeEnd =
  | { readonly why: 'removed' }
  | { readonly why: 'disk-failed'; readonly error: unknown }
  | { readonly why: 'disposed' };
