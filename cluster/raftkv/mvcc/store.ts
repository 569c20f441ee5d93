/** The store: etcd 3.4's keys, transactions, leases and watches, as its clients see them. */
import { type Bugs, NO_BUGS } from '../bugs.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import { hashUpTo } from './hash.ts';
import { KeySpace } from './key-space.ts';
import { LeaseBook } from './leases.ts';
import { rangeOf, refusedRevision } from './range.ts';
import { applyTxn } from './txn.ts';
import {
  type DeleteRangeRequest,
  type DeleteRangeResult,
  type HashResult,
  type LeaseId,
  type LeaseTable,
  NO_LEASE,
  type PutRequest,
  type PutResult,
  type RangeRequest,
  type RangeResult,
  type Store,
  type TxnRequest,
  type TxnResult,
  type WatchHub,
} from './types.ts';
import { Watchers } from './watch-hub.ts';
import {
  applyDelete,
  applyPut,
  commit,
  refusedIgnore,
  refusedLease,
  type StoreParts,
} from './writes.ts';

/** An empty store, at revision 1. */
export function createStore(writer: BucketWriter, bugs: Bugs = NO_BUGS): Store {
  return restoreStore(new Map(), writer, bugs);
}

/**
 * The store that wrote `buckets`, without its watches. Throws `MalformedBytes` when the buckets do
 * not hold a store.
 */
export function restoreStore(buckets: Buckets, writer: BucketWriter, bugs: Bugs = NO_BUGS): Store {
  const space = KeySpace.restore(buckets, writer, bugs);
  const leases = LeaseBook.restore(buckets, writer);
  const all = { from: '', to: undefined, only: undefined };
  for (const { text, versions } of space.histories(all))
    leases.move(text, NO_LEASE, versions.at(-1)?.kv.lease ?? NO_LEASE);
  return new MvccStore({ space, leases, watchers: new Watchers(space) });
}

class MvccStore implements Store {
  readonly #parts: StoreParts;
  readonly leases: LeaseTable;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.leases = leaseTable(parts);
  }

  get revision(): number {
    return this.#parts.space.revision;
  }

  get compactRevision(): number {
    return this.#parts.space.compactRevision;
  }

  get sizeInUse(): number {
    return this.#parts.space.sizeInUse;
  }

  get watches(): WatchHub {
    return this.#parts.watchers;
  }

  range(request: RangeRequest): Result<RangeResult> {
    const { space } = this.#parts;
    const failure = refusedRevision(space, request.revision ?? 0);
    return failure === undefined ? ok(rangeOf(space, request)) : failed(failure);
  }

  put(request: PutRequest): Result<PutResult> {
    const { space, leases } = this.#parts;
    const failure = refusedLease(leases, request) ?? refusedIgnore(space, request);
    if (failure !== undefined) return failed(failure);
    const result = applyPut(this.#parts, request);
    commit(this.#parts);
    return ok(result);
  }

  deleteRange(request: DeleteRangeRequest): Result<DeleteRangeResult> {
    const result = applyDelete(this.#parts, request);
    commit(this.#parts);
    return ok(result);
  }

  txn(request: TxnRequest): Result<TxnResult> {
    return applyTxn(this.#parts, request);
  }

  compact(revision: number): Result<{ readonly revision: number }> {
    const { space } = this.#parts;
    if (revision <= space.compactRevision) return failed(FAILURES.compacted);
    if (revision > space.revision) return failed(FAILURES.futureRevision);
    space.compact(revision);
    return ok({ revision: space.revision });
  }

  hash(revision: number): Result<HashResult> {
    const { space } = this.#parts;
    const failure = refusedRevision(space, revision);
    if (failure !== undefined) return failed(failure);
    const hash = hashUpTo(space, revision > 0 ? revision : space.revision);
    return ok({ hash, compactRevision: space.compactRevision, revision: space.revision });
  }
}

function leaseTable(parts: StoreParts): LeaseTable {
  const { space, leases } = parts;
  return {
    grant: (id, ttlSeconds) => leases.grant(id, ttlSeconds),
    revoke: (id) => revoke(parts, id),
    get(id) {
      const ttlSeconds = leases.ttlSeconds(id);
      if (ttlSeconds === undefined) return undefined;
      const keys = leases.keys(id).flatMap((text) => space.get(text)?.key ?? []);
      return { ttlSeconds, keys };
    },
    list: () => leases.ids(),
  };
}

function revoke(parts: StoreParts, id: LeaseId): Result<{ readonly revision: number }> {
  const { space, leases } = parts;
  if (!leases.has(id)) return failed(FAILURES.leaseNotFound);
  const keys = leases.keys(id);
  leases.remove(id);
  for (const text of keys) {
    const history = space.get(text);
    if (history !== undefined) space.remove(history);
  }
  commit(parts);
  return ok({ revision: space.revision });
}
