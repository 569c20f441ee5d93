/** Leases as all members know them: which there are, and which keys hang on them. No time. */
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import { compareLeaseIds, decodeNumber, encodeNumber, LEASE_BUCKET } from './bucket-codec.ts';
import { compareTexts } from './keys.ts';
import { type LeaseId, NO_LEASE } from './types.ts';

/** etcd's limit, about 285 years. */
const MAX_TTL_SECONDS = 9_000_000_000;

interface Lease {
  readonly ttlSeconds: number;
  /** As texts. */
  readonly keys: Set<string>;
}

/** Writes leases through to their bucket; the keys on them are known from the keys' versions. */
export class LeaseBook {
  readonly #writer: BucketWriter;
  readonly #leases = new Map<LeaseId, Lease>();

  constructor(writer: BucketWriter) {
    this.#writer = writer;
  }

  /** The leases, with no keys yet: those are to be attached. */
  static restore(buckets: Buckets, writer: BucketWriter): LeaseBook {
    const book = new LeaseBook(writer);
    for (const [id, ttl] of buckets.get(LEASE_BUCKET) ?? [])
      book.#leases.set(id, { ttlSeconds: decodeNumber(ttl), keys: new Set() });
    return book;
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  ttlSeconds(id: LeaseId): number | undefined {
    return this.#leases.get(id)?.ttlSeconds;
  }

  /** Texts, in order; none when there is no such lease. */
  keys(id: LeaseId): readonly string[] {
    return [...(this.#leases.get(id)?.keys ?? [])].toSorted(compareTexts);
  }

  ids(): readonly LeaseId[] {
    return [...this.#leases.keys()].toSorted(compareLeaseIds);
  }

  /** Refuses in etcd's order. */
  grant(id: LeaseId, ttlSeconds: number): Result<null> {
    if (id === NO_LEASE) return failed(FAILURES.leaseNotFound);
    if (ttlSeconds > MAX_TTL_SECONDS) return failed(FAILURES.leaseTtlTooLarge);
    if (this.has(id)) return failed(FAILURES.leaseExists);
    this.#leases.set(id, { ttlSeconds, keys: new Set() });
    this.#writer.put(LEASE_BUCKET, id, encodeNumber(ttlSeconds));
    return ok(null);
  }

  /** Its keys stay: they are the caller's to delete. */
  remove(id: LeaseId): void {
    this.#leases.delete(id);
    this.#writer.delete(LEASE_BUCKET, id);
  }

  /** A key hangs on one lease at most. Either may be none. */
  move(key: string, from: LeaseId, to: LeaseId): void {
    if (from === to) return;
    this.#leases.get(from)?.keys.delete(key);
    this.#leases.get(to)?.keys.add(key);
  }
}
