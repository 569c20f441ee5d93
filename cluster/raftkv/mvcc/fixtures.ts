/** For the tests of the store: short ways to say things, and buckets in memory. */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Bytes } from '../bytes.ts';
import type { Result } from '../failures.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import { createStore } from './store.ts';
import type { Event, KeyRange, KeyValue, RequestOp, Store, WatchBatch } from './types.ts';

export function bytes(value: string): Bytes {
  return new Uint8Array(Buffer.from(value, 'latin1'));
}

export function text(value: Bytes): string {
  return Buffer.from(value).toString('latin1');
}

/** The one key, or from `key` up to `end`. */
export function keys(key: string, end?: string): KeyRange {
  return end === undefined ? { key: bytes(key) } : { key: bytes(key), end: bytes(end) };
}

/** All keys, and all from `a` on, in etcd's way to say so. */
export const ALL: KeyRange = keys('\0', '\0');

/** What was granted; a refusal fails the test with its message. */
export function got<T>(result: Result<T>): T {
  invariant(result.ok, result.ok ? '' : result.failure.message);
  return result.value;
}

/** `key=value c/m/v` of createRevision, modRevision, version; `@lease` when it has one. */
export function shown(kv: KeyValue): string {
  const counters = `${kv.createRevision}/${kv.modRevision}/${kv.version}`;
  const lease = kv.lease === '0' ? '' : ` @${kv.lease}`;
  return `${text(kv.key)}=${text(kv.value)} ${counters}${lease}`;
}

/** `3 PUT a=1`, `4 DELETE a`; with ` was ...` when it says what was before. */
export function told({ type, kv, prevKv }: Event): string {
  const value = type === 'PUT' ? `=${text(kv.value)}` : '';
  const was = prevKv === undefined ? '' : ` was ${text(prevKv.value)}`;
  return `${kv.modRevision} ${type} ${text(kv.key)}${value}${was}`;
}

export function toldBy(batch: WatchBatch | undefined): string[] {
  invariant(batch?.type !== 'compacted', 'the watch is compacted');
  return (batch?.events ?? []).map(told);
}

export function put(key: string, value: string): RequestOp {
  return { type: 'put', request: { key: bytes(key), value: bytes(value) } };
}

export function del(key: string, end?: string): RequestOp {
  return { type: 'delete-range', request: keys(key, end) };
}

export function range(key: string, end?: string): RequestOp {
  return { type: 'range', request: keys(key, end) };
}

/** A backend that forgets nothing. */
export class MemoryBuckets implements BucketWriter {
  readonly #buckets = new Map<string, Map<string, Bytes>>();

  put(bucket: string, key: string, value: Bytes): void {
    const entries = this.#buckets.get(bucket) ?? new Map<string, Bytes>();
    this.#buckets.set(bucket, entries.set(key, value));
  }

  delete(bucket: string, key: string): void {
    this.#buckets.get(bucket)?.delete(key);
  }

  get contents(): Buckets {
    return this.#buckets;
  }
}

/** A store for tests, in plain texts. */
export interface TestStore {
  readonly store: Store;
  readonly buckets: MemoryBuckets;
  /** Returns the revision. */
  readonly put: (key: string, value: string, lease?: string) => number;
  readonly del: (key: string, end?: string) => number;
  /** All keys, `shown`. */
  readonly all: (revision?: number) => string[];
}

export function testStore(): TestStore {
  const buckets = new MemoryBuckets();
  const store = createStore(buckets);
  return {
    store,
    buckets,
    put: (key, value, lease = '0') =>
      got(store.put({ key: bytes(key), value: bytes(value), lease })).revision,
    del: (key, end) => got(store.deleteRange(keys(key, end))).revision,
    all: (revision = 0) => got(store.range({ ...ALL, revision })).kvs.map(shown),
  };
}
