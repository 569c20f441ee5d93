/**
 * When leases end. Only one member's opinion counts, the primary's (etcd: the leader's), since
 * clocks differ: the others keep no time at all.
 */
import type { LeaseId } from './types.ts';

/** A revocation may be lost with the leader it was proposed to: the lease is named again. */
const NAMED_AGAIN_MS = 3000;

interface Timed {
  readonly id: LeaseId;
  readonly ttlMs: number;
  /** Means something on the primary only. */
  expiresAt: number;
}

/** When to look at a lease again: never later than it expires, unless it was named just now. */
interface Alarm {
  readonly at: number;
  /** Orders alarms of the same time, so that what expires first never depends on the heap. */
  readonly order: number;
  readonly lease: Timed;
}

/**
 * Times are milliseconds of a clock that never goes back, the same for all calls. Renewing costs
 * O(1), since a lease's one alarm moves only when it rings; naming an expired one O(log n).
 */
export class LeaseClock {
  readonly #leases = new Map<LeaseId, Timed>();
  #alarms: Alarm[] = [];
  #order = 0;
  #isPrimary = false;

  get isPrimary(): boolean {
    return this.#isPrimary;
  }

  /**
   * Each lease gets its full TTL from now, and `extendMs` more: an earlier primary may have renewed
   * it a moment ago, and its clients need time to find this one.
   */
  promote(nowMs: number, extendMs: number): void {
    this.#isPrimary = true;
    this.#alarms = [];
    for (const lease of this.#leases.values()) {
      lease.expiresAt = nowMs + lease.ttlMs + extendMs;
      this.#schedule(lease, lease.expiresAt);
    }
  }

  /** From now on nothing expires here. */
  demote(): void {
    this.#isPrimary = false;
    this.#alarms = [];
  }

  /** To be told on every member. */
  granted(id: LeaseId, ttlSeconds: number, nowMs: number): void {
    const ttlMs = ttlSeconds * 1000;
    const lease: Timed = { id, ttlMs, expiresAt: nowMs + ttlMs };
    this.#leases.set(id, lease);
    if (this.#isPrimary) this.#schedule(lease, lease.expiresAt);
  }

  /** To be told on every member. */
  revoked(id: LeaseId): void {
    this.#leases.delete(id);
  }

  /**
   * The TTL it has again. Undefined: this is not the primary, there is no such lease, or it has
   * expired, and then it stays so although it is not revoked yet.
   */
  renew(id: LeaseId, nowMs: number): number | undefined {
    const lease = this.#leases.get(id);
    if (!this.#isPrimary || lease === undefined || lease.expiresAt <= nowMs) return undefined;
    // A lease that was just extended by a promotion must not lose by being renewed.
    lease.expiresAt = Math.max(lease.expiresAt, nowMs + lease.ttlMs);
    return lease.ttlMs / 1000;
  }

  /** At least 0. Undefined: this is not the primary, or there is no such lease. */
  remainingMs(id: LeaseId, nowMs: number): number | undefined {
    const lease = this.#leases.get(id);
    if (!this.#isPrimary || lease === undefined) return undefined;
    return Math.max(0, lease.expiresAt - nowMs);
  }

  /**
   * Up to `max` leases whose time is over, oldest first; never one whose time is not. Those named
   * are not named again for three seconds. None when this is not the primary.
   */
  expired(nowMs: number, max: number): LeaseId[] {
    const found: LeaseId[] = [];
    while (found.length < max) {
      const alarm = this.#alarms[0];
      if (alarm === undefined || alarm.at > nowMs) break;
      this.#popFirst();
      const { lease } = alarm;
      // Revoked since, or another lease by the same id.
      if (this.#leases.get(lease.id) !== lease) continue;
      if (lease.expiresAt > alarm.at) {
        this.#schedule(lease, lease.expiresAt);
        continue;
      }
      found.push(lease.id);
      this.#schedule(lease, nowMs + NAMED_AGAIN_MS);
    }
    return found;
  }

  /** `#alarms` is a binary heap, the earliest first. */
  #schedule(lease: Timed, at: number): void {
    const heap = this.#alarms;
    const alarm: Alarm = { at, order: this.#order++, lease };
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = heap[parent] as Alarm;
      if (!isBefore(alarm, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = alarm;
  }

  #popFirst(): void {
    const heap = this.#alarms;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const hasRight = right < heap.length;
      const least = hasRight && isBefore(heap[right] as Alarm, heap[left] as Alarm) ? right : left;
      const child = heap[least];
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = least;
    }
    heap[index] = last;
  }
}

function isBefore(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
