/** What a node keeps on its disk: the port to a disk, and what is made of it. */
import type { Bytes } from '../bytes.ts';
import type { Entry, HardState, MemberId, SnapshotMeta } from '../raft/types.ts';
import type { Position } from './record.ts';

/**
 * The port: one flat folder of files. Implemented on real files, and by the simulator, which loses,
 * tears and flips what it may. Errors are thrown as they come (`ENOSPC`, `EIO`): after one the node
 * must end, since nobody knows what is on disk.
 */
export interface Disk {
  /** Sorted. */
  list(): Promise<readonly string[]>;
  /** Undefined: there is no such file. */
  read(name: string): Promise<Bytes | undefined>;
  /** For appending; creates it, durably, when it does not exist. */
  open(name: string): Promise<DiskFile>;
  /** Atomic and durable; replaces `to`. */
  rename(from: string, to: string): Promise<void>;
  /** Durable; nothing happens when there is no such file. */
  remove(name: string): Promise<void>;
}

export interface DiskFile extends AsyncDisposable {
  readonly name: string;
  readonly size: number;
  /** Survives the process when it returns, but not a power failure: that takes `sync`. */
  append(chunks: readonly Bytes[]): void;
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
}

/** The contents of a backend: per bucket, keys (one char a byte, 'latin1') to values. */
export type Buckets = ReadonlyMap<string, ReadonlyMap<string, Bytes>>;

/** Buffered writes to the backend: all there is that a state machine may do with storage. */
export interface BucketWriter {
  put(bucket: string, key: string, value: Bytes): void;
  delete(bucket: string, key: string): void;
}

/**
 * The backend file `db`: what the state machine holds, as batches of writes. Each batch carries the
 * index of the log that it is applied up to, atomically with its data.
 */
export interface Backend extends BucketWriter {
  /** Of the last commit. */
  readonly applied: number;
  /** Buffered since the last commit. */
  readonly pending: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes that the next commit will add, roughly. */
  readonly pendingBytes: number;
  /** Appends one batch; it survives the process, not a power failure. */
  commit(applied: number): void;
  sync(): Promise<void>;
  /** Reads the file; what is pending is not in it. */
  load(): Promise<Buckets>;
  /** The file as it is at the last commit: for a follower that is too far behind, or a backup. */
  snapshot(): Promise<BackendCopy>;
}

export interface BackendCopy {
  readonly applied: number;
  readonly data: Bytes;
  /** Of `data`. */
  readonly end: Position;
}

/** A backend file as `Storage.rewrite` left it beside the one that it may replace. */
export interface Rewritten {
  /** How often the backend had been replaced when it was read. */
  readonly replacements: number;
  readonly end: Position;
  readonly applied: number;
}

export interface Identity {
  readonly member: MemberId;
  /** Hexadecimal like a member's. */
  readonly cluster: string;
}

/** What was found at the start. */
export interface Recovered {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta;
  readonly entries: readonly Entry[];
  readonly identity: Identity;
  /** Sentences about what was repaired: a torn tail, and how many bytes it had. */
  readonly repairs: readonly string[];
}

/** Disposing of it closes the files; nothing is written then. */
export interface Storage extends AsyncDisposable {
  /** Undefined: an empty folder, to be bootstrapped. */
  readonly recovered: Recovered | undefined;
  readonly backend: Backend;
  /** First of all on an empty folder: durable when it resolves. */
  bootstrap(identity: Identity, hardState: HardState, entries: readonly Entry[]): Promise<void>;
  /** Appends to the write-ahead log; with `mustSync` it is durable when it resolves. */
  save(write: {
    readonly entries: readonly Entry[];
    readonly hardState?: HardState;
    readonly mustSync: boolean;
  }): Promise<void>;
  /** Replaces backend and log by a leader's snapshot; atomic: after a crash it is all or nothing. */
  install(snapshot: { readonly meta: SnapshotMeta; readonly data: Bytes }): Promise<void>;
  /**
   * The log starts after `start` from now on. Syncs the backend first, which must have committed
   * at least `start.index`.
   */
  compact(start: SnapshotMeta): Promise<void>;
  /**
   * Writes what the backend holds into a new file, without what was overwritten and deleted. The log
   * goes on meanwhile; but nothing is committed to the backend until `adopt`.
   */
  rewrite(): Promise<Rewritten>;
  /**
   * The new file takes the backend's place; atomic: after a crash it is the one or the other. False:
   * a snapshot was installed meanwhile, so it is of no use any more.
   */
  adopt(rewritten: Rewritten): Promise<boolean>;
}
