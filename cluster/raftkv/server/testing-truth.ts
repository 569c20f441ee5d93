/** What really happened to a store, as its watches tell it, and whether all answers agree with it. */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Event, KeyValue } from '../mvcc/types.ts';

/** A key as an answer, or the past, has it. */
export interface Seen {
  readonly key: string;
  readonly value: string;
  readonly modRevision: number;
  readonly createRevision: number;
  readonly version: number;
}

export function seenOf({ key, value, modRevision, createRevision, version }: KeyValue): Seen {
  return { key: textOf(key), value: textOf(value), modRevision, createRevision, version };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

interface Change {
  readonly type: Event['type'];
  readonly kv: Seen;
}

interface Write {
  readonly value: string;
  /** Acknowledged at this revision; undefined: refused for certain. */
  readonly revision: number | undefined;
}

/**
 * The order of revisions is the order in which everything took effect, so each answer is checked
 * against the state at its revision, and revisions against the order in time.
 */
export class Truth {
  readonly #revisions: (readonly Change[])[] = [];
  readonly #reads: { readonly revision: number; readonly found: readonly Seen[] }[] = [];
  readonly #writes: Write[] = [];
  /** At least so much had happened when the newest answer came. */
  #floor = 1;
  counts: Record<'writes' | 'reads' | 'unknown' | 'refused' | 'events', number> = {
    writes: 0,
    reads: 0,
    unknown: 0,
    refused: 0,
    events: 0,
  };

  /** All up to here is known; the first revision has no changes. */
  get known(): number {
    return this.#revisions.length + 1;
  }

  /** What has happened for certain by now; handed back with an answer to what is asked now. */
  get floor(): number {
    return this.#floor;
  }

  /** A watch that has seen all before `next` says this; gives what it has seen all before then. */
  watched(next: number, events: readonly Event[]): number {
    let position = next;
    for (let at = 0; at < events.length; position++) {
      const revision = events[at]?.kv.modRevision ?? 0;
      invariant(revision === position, `a watch at ${position} says ${revision}`);
      const from = at;
      while (events[at]?.kv.modRevision === revision) at++;
      this.#learn(
        revision,
        events.slice(from, at).map(({ type, kv }) => ({ type, kv: seenOf(kv) })),
      );
    }
    this.counts.events += events.length;
    this.#floor = Math.max(this.#floor, position - 1);
    return position;
  }

  #learn(revision: number, changes: readonly Change[]): void {
    const at = revision - 2;
    const known = this.#revisions[at];
    invariant(known !== undefined || at === this.#revisions.length, `a gap before ${revision}`);
    this.#revisions[at] = changes;
    const [before, now] = [JSON.stringify(known ?? changes), JSON.stringify(changes)];
    invariant(before === now, `revision ${revision} is ${before} here and ${now} there`);
  }

  /** A write was acknowledged that was asked for when the floor was `floor`. */
  wrote(value: string, revision: number, floor: number): void {
    invariant(revision > floor, `a write at ${revision} began after ${floor} had happened`);
    this.#floor = Math.max(this.#floor, revision);
    this.#writes.push({ value, revision });
    this.counts.writes++;
  }

  /** A write was refused for certain, or nobody knows. */
  failed(value: string, isCertain: boolean): void {
    this.counts[isCertain ? 'refused' : 'unknown']++;
    if (isCertain) this.#writes.push({ value, revision: undefined });
  }

  /** All keys, read. `floor` of a read that may be stale is 0. */
  read(revision: number, found: readonly Seen[], floor: number): void {
    invariant(revision >= floor, `a read at ${revision} began after ${floor} had happened`);
    if (floor > 0) this.#floor = Math.max(this.#floor, revision);
    this.#reads.push({ revision, found });
    this.counts.reads++;
  }

  /** To be called when `known` is all that ever happened. */
  check(): void {
    this.#checkWrites();
    const reads = this.#reads.toSorted((a, b) => a.revision - b.revision);
    const state = new Map<string, Seen>();
    let revision = 1;
    for (const read of reads) {
      invariant(read.revision <= this.known, `a read at ${read.revision}, which never was`);
      while (revision < read.revision) this.#advance(state, ++revision);
      const expected = JSON.stringify([...state.values()].toSorted(byKey));
      const found = JSON.stringify(read.found.toSorted(byKey));
      invariant(found === expected, `at ${revision}: read ${found} instead of ${expected}`);
    }
  }

  #advance(state: Map<string, Seen>, revision: number): void {
    for (const { type, kv } of this.#revisions[revision - 2] ?? [])
      if (type === 'PUT') state.set(kv.key, kv);
      else state.delete(kv.key);
  }

  #checkWrites(): void {
    const happened = new Map<string, number>();
    for (const changes of this.#revisions)
      for (const { type, kv } of changes) {
        if (type !== 'PUT') continue;
        const twice = happened.get(kv.value);
        invariant(twice === undefined, `${kv.value} happened at ${twice} and ${kv.modRevision}`);
        happened.set(kv.value, kv.modRevision);
      }
    for (const { value, revision } of this.#writes) {
      const at = happened.get(value);
      invariant(at === revision, `${value}: answered ${revision}, but happened at ${at}`);
    }
  }
}

function byKey(a: Seen, b: Seen): number {
  return a.key < b.key ? -1 : 1;
}
