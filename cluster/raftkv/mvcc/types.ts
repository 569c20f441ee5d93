/** The words of the store: multi-version keys, transactions, watches and leases, as etcd has them. */
import type { Bytes } from '../bytes.ts';
import type { Result } from '../failures.ts';

/** Decimal digits of a signed 64-bit number; `'0'`: no lease. */
export type LeaseId = string;
export const NO_LEASE: LeaseId = '0';

export interface KeyValue {
  readonly key: Bytes;
  readonly value: Bytes;
  /** Of the revision that created the key, after its last deletion. */
  readonly createRevision: number;
  readonly modRevision: number;
  /** Changes since it was created, from 1. */
  readonly version: number;
  readonly lease: LeaseId;
}

/**
 * etcd's way to say which keys: without `end` the key alone; `end` of one zero byte: all keys from
 * `key` on (all keys, when `key` is one zero byte too); else `key` up to, not including, `end`.
 */
export interface KeyRange {
  readonly key: Bytes;
  readonly end?: Bytes;
}

export type SortTarget = 'KEY' | 'VERSION' | 'CREATE' | 'MOD' | 'VALUE';
export type SortOrder = 'NONE' | 'ASCEND' | 'DESCEND';

export interface RangeRequest extends KeyRange {
  /** 0 or absent: no limit. */
  readonly limit?: number;
  /** 0 or absent: the newest. */
  readonly revision?: number;
  readonly sortOrder?: SortOrder;
  readonly sortTarget?: SortTarget;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
  /** Says nothing to the store: the server decides whether a read must be linearizable. */
  readonly serializable?: boolean;
}

export interface RangeResult {
  /** The store's newest at the time of the read, also when an older one was asked for. */
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** Of all keys in the range, beyond the limit too. */
  readonly count: number;
}

export interface PutRequest {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly lease?: LeaseId;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}
export interface PutResult {
  readonly revision: number;
  readonly prevKv?: KeyValue;
}

export interface DeleteRangeRequest extends KeyRange {
  readonly prevKv?: boolean;
}
export interface DeleteRangeResult {
  readonly revision: number;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export type CompareResult = 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
export type Compare = KeyRange & { readonly result: CompareResult } & (
    | { readonly target: 'VERSION' | 'CREATE' | 'MOD'; readonly number: number }
    | { readonly target: 'VALUE'; readonly value: Bytes }
    | { readonly target: 'LEASE'; readonly lease: LeaseId }
  );

export type RequestOp =
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'delete-range'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest };
export type ResponseOp =
  | { readonly type: 'range'; readonly result: RangeResult }
  | { readonly type: 'put'; readonly result: PutResult }
  | { readonly type: 'delete-range'; readonly result: DeleteRangeResult }
  | { readonly type: 'txn'; readonly result: TxnResult };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
export interface TxnResult {
  /** Of an inner transaction 0: etcd leaves its header empty. */
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface Event {
  readonly type: 'PUT' | 'DELETE';
  /** Of a DELETE: key and modRevision only; the value is empty, version and createRevision 0. */
  readonly kv: KeyValue;
  /** The key before; absent when it did not exist, or is compacted. */
  readonly prevKv?: KeyValue;
}

export interface HashResult {
  /** Of keys, revisions and values alive at `revision` or changed since the compaction. */
  readonly hash: number;
  readonly compactRevision: number;
  /** The store's newest. */
  readonly revision: number;
}

/**
 * The replicated store, pure and deterministic: the same writes in the same order give the same
 * store on every member. Starts at revision 1, as etcd does. What it changes it also writes to the
 * `BucketWriter` it was made with, from which `restoreStore` makes the same store again.
 */
export interface Store {
  /** Of the newest change. */
  readonly revision: number;
  /** 0: never compacted. Reads below fail; the newest version of a living key stays. */
  readonly compactRevision: number;
  /** Keys and values, the newest and all others still kept: bytes, roughly. */
  readonly sizeInUse: number;
  range(request: RangeRequest): Result<RangeResult>;
  put(request: PutRequest): Result<PutResult>;
  deleteRange(request: DeleteRangeRequest): Result<DeleteRangeResult>;
  /** All of it or nothing: what can be refused is found before anything is written. */
  txn(request: TxnRequest): Result<TxnResult>;
  compact(revision: number): Result<{ readonly revision: number }>;
  /** `revision` 0: the newest. */
  hash(revision: number): Result<HashResult>;
  readonly leases: LeaseTable;
  readonly watches: WatchHub;
}

/** Which leases there are and which keys hang on them: replicated, without time. */
export interface LeaseTable {
  grant(id: LeaseId, ttlSeconds: number): Result<null>;
  /** Deletes its keys, in one revision, if it has any. */
  revoke(id: LeaseId): Result<{ readonly revision: number }>;
  get(id: LeaseId): { readonly ttlSeconds: number; readonly keys: readonly Bytes[] } | undefined;
  /** In the order of their ids. */
  list(): readonly LeaseId[];
}

export interface WatchRequest extends KeyRange {
  /** 0: from now on. */
  readonly startRevision: number;
  readonly prevKv: boolean;
  /** Leave these out. */
  readonly noPut: boolean;
  readonly noDelete: boolean;
}

export type WatchBatch =
  /** Whole revisions, in order, never the same twice. `revision`: of the store, for the header. */
  | { readonly type: 'events'; readonly revision: number; readonly events: readonly Event[] }
  /** What it would have to say next is compacted: the watch is over. */
  | { readonly type: 'compacted'; readonly compactRevision: number };

/**
 * One watch, which is pulled: it has a place in the store's past and no queue, so a slow reader
 * costs no memory.
 */
export interface Watch extends Disposable {
  /** The next revision it has not looked at. */
  readonly position: number;
  /** Undefined: nothing to say for now. At least one whole revision, about `maxEvents` events. */
  pull(maxEvents: number): WatchBatch | undefined;
}

export interface WatchHub {
  /**
   * `wake` is called, from within an apply, when there may be something to pull; once, until it is
   * pulled. Pull after opening, too: nobody is woken for what lies in the past.
   */
  open(request: WatchRequest, wake: () => void): Watch;
  readonly size: number;
}
