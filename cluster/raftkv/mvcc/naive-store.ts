/**
 * What the store must do, said in the plainest way: a list of everything that ever happened, and
 * scans over all of it. The model of the property tests; shares no code with the store.
 */
import type { Bytes } from '../bytes.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResult,
  Event,
  KeyRange,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResult,
  WatchRequest,
} from './types.ts';

const EMPTY = new Uint8Array(0);
const NOTHING: Omit<KeyValue, 'key'> = {
  value: EMPTY,
  createRevision: 0,
  modRevision: 0,
  version: 0,
  lease: '0',
};

function order(a: Bytes, b: Bytes): number {
  return Buffer.compare(a, b);
}

export function isIn({ key, end }: KeyRange, candidate: Bytes): boolean {
  if (end === undefined || end.length === 0) return order(candidate, key) === 0;
  const isOpen = end.length === 1 && end[0] === 0;
  return order(candidate, key) >= 0 && (isOpen || order(candidate, end) < 0);
}

export class NaiveStore {
  revision: number = 1;
  compactRevision: number = 0;
  /** Every change there ever was; a deletion has version 0. Nothing is taken out. */
  readonly changes: KeyValue[] = [];
  readonly leases: Map<string, number> = new Map();
  #isDirty = false;

  /** All keys as they were at the end of `revision`, in order. */
  keysAt(range: KeyRange, revision: number): KeyValue[] {
    const newest = new Map<string, KeyValue>();
    for (const change of this.changes)
      if (change.modRevision <= revision && isIn(range, change.key))
        newest.set(String(change.key), change);
    const living = [...newest.values()].filter(({ version }) => version > 0);
    return living.toSorted((a, b) => order(a.key, b.key));
  }

  range(request: RangeRequest): Result<RangeResult> {
    const { revision = 0 } = request;
    if (revision > this.revision) return failed(FAILURES.futureRevision);
    if (revision !== 0 && revision < this.compactRevision) return failed(FAILURES.compacted);
    return ok(this.#read(request));
  }

  put(request: PutRequest): Result<PutResult> {
    const failure = this.#noLease(request) ?? this.#noKey(request);
    if (failure !== undefined) return failed(failure);
    return ok(this.#commit(this.#put(request)));
  }

  deleteRange(request: DeleteRangeRequest): Result<DeleteRangeResult> {
    return ok(this.#commit(this.#delete(request)));
  }

  txn(request: TxnRequest): Result<TxnResult> {
    const before = [...this.changes];
    const planned = this.#choose(request);
    const plain = flatten(planned);
    for (const op of plain) {
      if (op.type !== 'put') continue;
      const failure = this.#noKey(op.request) ?? this.#noLease(op.request);
      if (failure !== undefined) return failed(failure);
    }
    for (const op of plain) {
      const tried = op.type === 'range' ? this.range(op.request) : undefined;
      if (tried !== undefined && !tried.ok) return tried;
    }
    const result = this.#commit(this.#run(planned));
    const isWritten = this.changes.length > before.length;
    return ok({ ...result, revision: isWritten ? this.revision : result.revision });
  }

  compact(revision: number): Result<{ readonly revision: number }> {
    if (revision <= this.compactRevision) return failed(FAILURES.compacted);
    if (revision > this.revision) return failed(FAILURES.futureRevision);
    this.compactRevision = revision;
    return ok({ revision: this.revision });
  }

  grant(id: string, ttlSeconds: number): Result<null> {
    if (this.leases.has(id)) return failed(FAILURES.leaseExists);
    this.leases.set(id, ttlSeconds);
    return ok(null);
  }

  revoke(id: string): Result<{ readonly revision: number }> {
    if (!this.leases.delete(id)) return failed(FAILURES.leaseNotFound);
    for (const { key } of this.keysOn(id)) this.#write({ ...NOTHING, key });
    return ok(this.#commit({ revision: this.revision + (this.#isDirty ? 1 : 0) }));
  }

  keysOn(id: string): KeyValue[] {
    const all = { key: EMPTY, end: new Uint8Array(1) };
    return this.keysAt(all, this.revision + 1).filter(({ lease }) => lease === id);
  }

  /** What a compaction must have left, in order. */
  kept(): KeyValue[] {
    const all = { key: EMPTY, end: new Uint8Array(1) };
    const values = new Set(this.keysAt(all, this.compactRevision));
    return this.changes.filter((kv) => kv.modRevision >= this.compactRevision || values.has(kv));
  }

  /** All that a watch of these keys has to tell from `from` on, compacted or not. */
  events(request: WatchRequest, from: number): Event[] {
    return this.changes
      .filter((kv) => kv.modRevision >= from && isIn(request, kv.key))
      .filter((kv) => (kv.version === 0 ? !request.noDelete : !request.noPut))
      .map((kv) => {
        const type = kv.version === 0 ? 'DELETE' : 'PUT';
        const before = kv.modRevision - 1;
        const isCreation = kv.createRevision === kv.modRevision;
        if (!request.prevKv || isCreation || before < this.compactRevision) return { type, kv };
        const [prevKv] = this.keysAt({ key: kv.key }, before);
        return prevKv === undefined ? { type, kv } : { type, kv, prevKv };
      });
  }

  #seen(): number {
    return this.revision + (this.#isDirty ? 1 : 0);
  }

  #read(request: RangeRequest): RangeResult {
    const all = this.keysAt(request, request.revision || this.#seen());
    const { sortTarget = 'KEY', sortOrder = 'NONE', limit = 0 } = request;
    const bounds = [
      request.minModRevision,
      request.maxModRevision,
      request.minCreateRevision,
      request.maxCreateRevision,
    ].map((bound) => bound ?? 0);
    const [minMod = 0, maxMod = 0, minCreate = 0, maxCreate = 0] = bounds;
    const cutsFirst = limit > 0 && sortOrder === 'NONE' && bounds.every((bound) => bound === 0);
    const sortValue = (kv: KeyValue): number =>
      ({ KEY: 0, VALUE: 0, VERSION: kv.version, CREATE: kv.createRevision, MOD: kv.modRevision })[
        sortTarget
      ];
    const bySort = (a: KeyValue, b: KeyValue): number => {
      if (sortTarget === 'KEY') return order(a.key, b.key);
      return sortTarget === 'VALUE' ? order(a.value, b.value) : sortValue(a) - sortValue(b);
    };
    const kvs = all
      .slice(0, cutsFirst ? limit + 1 : all.length)
      .filter((kv) => kv.modRevision >= minMod && kv.modRevision <= (maxMod || Infinity))
      .filter((kv) => kv.createRevision >= minCreate)
      .filter((kv) => kv.createRevision <= (maxCreate || Infinity))
      .toSorted((a, b) => (sortOrder === 'DESCEND' ? bySort(b, a) : bySort(a, b)));
    const shown = request.countOnly === true ? [] : kvs;
    return {
      revision: this.#seen(),
      kvs: shown
        .slice(0, limit || shown.length)
        .map((kv) => (request.keysOnly === true ? { ...kv, value: EMPTY } : kv)),
      more: limit > 0 && shown.length > limit,
      count: all.length,
    };
  }

  #noLease({ lease = '0' }: PutRequest): Failure | undefined {
    return lease !== '0' && !this.leases.has(lease) ? FAILURES.leaseNotFound : undefined;
  }

  #noKey(request: PutRequest): Failure | undefined {
    const isNeeded = request.ignoreValue === true || request.ignoreLease === true;
    const isThere = this.keysAt({ key: request.key }, this.#seen()).length > 0;
    return isNeeded && !isThere ? FAILURES.keyNotFound : undefined;
  }

  #write(kv: KeyValue): void {
    this.#isDirty = true;
    this.changes.push({ ...kv, modRevision: this.revision + 1 });
  }

  #commit<T>(result: T): T {
    if (this.#isDirty) this.revision++;
    this.#isDirty = false;
    return result;
  }

  #put(request: PutRequest): PutResult {
    const { key } = request;
    const [before] = this.keysAt({ key }, this.#seen());
    this.#write({
      key,
      value: request.ignoreValue === true ? (before?.value ?? EMPTY) : request.value,
      createRevision: before?.createRevision ?? this.revision + 1,
      modRevision: 0,
      version: (before?.version ?? 0) + 1,
      lease: (request.ignoreLease === true ? before?.lease : request.lease) ?? '0',
    });
    const revision = this.#seen();
    return request.prevKv === true && before !== undefined
      ? { revision, prevKv: before }
      : { revision };
  }

  #delete(request: DeleteRangeRequest): DeleteRangeResult {
    const found = this.keysAt(request, this.#seen());
    for (const { key } of found) this.#write({ ...NOTHING, key });
    return {
      revision: this.#seen(),
      deleted: found.length,
      prevKvs: request.prevKv === true ? found : [],
    };
  }

  #holds(compare: Compare): boolean {
    const found = this.keysAt(compare, this.revision);
    if (found.length === 0 && compare.target === 'VALUE') return false;
    const candidates = found.length === 0 ? [{ ...NOTHING, key: EMPTY }] : found;
    return candidates.every((kv) => {
      const by = differenceFrom(compare, kv);
      const holds = { EQUAL: by === 0, NOT_EQUAL: by !== 0, GREATER: by > 0, LESS: by < 0 };
      return holds[compare.result];
    });
  }

  #choose(request: TxnRequest): Chosen {
    const succeeded = request.compare.every((compare) => this.#holds(compare));
    const ops = (succeeded ? request.success : request.failure).map((op) => ({
      op,
      inner: op.type === 'txn' ? this.#choose(op.request) : undefined,
    }));
    return { succeeded, ops };
  }

  #run({ succeeded, ops }: Chosen, revision?: number): TxnResult {
    const responses = ops.map(({ op, inner }): ResponseOp => {
      if (inner !== undefined) return { type: 'txn', result: this.#run(inner, 0) };
      if (op.type === 'range') return { type: 'range', result: this.#read(op.request) };
      if (op.type === 'put') return { type: 'put', result: this.#put(op.request) };
      if (op.type === 'delete-range') return { type: op.type, result: this.#delete(op.request) };
      throw new Error('an inner transaction was not chosen');
    });
    return { revision: revision ?? this.revision, succeeded, responses };
  }
}

/** A transaction whose compares were looked at. */
interface Chosen {
  readonly succeeded: boolean;
  readonly ops: readonly { readonly op: RequestOp; readonly inner: Chosen | undefined }[];
}

function flatten(chosen: Chosen): RequestOp[] {
  return chosen.ops.flatMap(({ op, inner }) => (inner === undefined ? [op] : flatten(inner)));
}

function differenceFrom(compare: Compare, kv: KeyValue): number {
  if (compare.target === 'VALUE') return order(kv.value, compare.value);
  if (compare.target === 'LEASE') return Number(kv.lease) - Number(compare.lease);
  const numbers = { VERSION: kv.version, CREATE: kv.createRevision, MOD: kv.modRevision };
  return numbers[compare.target] - compare.number;
}
