/**
 * The order that a store itself tells: a change has the revision that it made, and a read happened
 * right after the revision that its answer names. If that order respects real time and every
 * operation finds what it needs, it is a witness: the whole store, all keys together, is
 * linearizable. If not, the store broke its contract about revisions, which proves nothing about
 * the values; the search, which looks at no revisions, must say.
 *
 * An operation of unknown outcome has no revision. It is put in when somebody needs its value, just
 * before the first who does: at any earlier place it would forbid more, since what comes after it
 * must not have ended before it began. (It might explain a refusal that does not say what it saw;
 * such a history is left to the search.)
 */
import { invariant } from '../../../harness/core/invariant.ts';
import { anythingBut, NEVER, NONE, type RegisterColumns } from '../columns.ts';
import { later } from './branchless.ts';

export type RevisionWitness =
  /** `order`: rows of a legal order of all keys, without what nobody needs of unknown outcome. */
  | { readonly holds: true; readonly order: Int32Array }
  /** The order fails at this row, because of another perhaps. */
  | {
      readonly holds: false;
      readonly row: number;
      readonly other?: number;
      /**
       * `no-revision`: its answer named none. `same-revision`: another change has its revision.
       * `real-time`: it had ended when the other, which the order puts before it, began.
       * `value`: what it needs is not there then.
       */
      readonly why: 'no-revision' | 'same-revision' | 'real-time' | 'value';
    };

/** The columns must be in order of invocation. */
export function revisionWitness(columns: RegisterColumns): RevisionWitness {
  const { length, ret, revision } = columns;
  for (let row = 0; row < length; row++)
    if (ret[row] !== NEVER && (revision[row] as number) < 0)
      return { holds: false, row, why: 'no-revision' };
  const sorted = byRevision(columns, revisionRanks(columns));
  return 'holds' in sorted ? sorted : replay(columns, sorted);
}

/** Revisions as numbers from 0 without large gaps; of a row that has ended. */
interface Ranks {
  readonly of: Int32Array;
  readonly first: number;
  readonly count: number;
}

/** Gaps are what others did; so many for each operation cost nothing. */
const GAPS = 8;

function revisionRanks({ length, ret, revision }: RegisterColumns): Ranks {
  let [first, last] = [NEVER, 0];
  for (let row = 0; row < length; row++) {
    if (ret[row] === NEVER) continue;
    const own = revision[row] as number;
    if (own < first) first = own;
    if (own > last) last = own;
  }
  const count = Math.max(0, last - first + 1);
  if (count <= GAPS * length + 1) return { of: revision, first, count };
  const distinct = [...new Set(revision)].toSorted((a, b) => a - b);
  const rankOf = new Map(distinct.map((own, rank) => [own, rank]));
  const of = revision.map((own) => rankOf.get(own) as number);
  return { of, first: 0, count: distinct.length };
}

/** Rows with a known outcome by revision: the change, then the reads in order of invocation. */
function byRevision(columns: RegisterColumns, ranks: Ranks): Int32Array | RevisionWitness {
  const { length, puts, call, ret } = columns;
  const { of, first, count } = ranks;
  // Two places for each revision, one for the change and one for all reads; the first is for none.
  const places = new Int32Array(2 * count + 1);
  let before = NONE;
  for (let row = 0; row < length; row++) {
    const start = call[row] as number;
    if (start <= before) invariant(false, 'the columns are in order of invocation');
    before = start;
    if (ret[row] === NEVER) continue;
    const place = placeOf((of[row] as number) - first, puts[row] as number);
    places[place] = (places[place] as number) + 1;
  }
  let sum = 0;
  for (let place = 1; place < 2 * count; place += 2) {
    const changes = places[place] as number;
    const reads = places[place + 1] as number;
    if (changes > 1) return sameRevision(columns, ranks, first + (place >> 1));
    places[place] = sum;
    places[place + 1] = sum + changes;
    sum += changes + reads;
  }
  const sorted = new Int32Array(sum);
  for (let row = 0; row < length; row++) {
    if (ret[row] === NEVER) continue;
    const place = placeOf((of[row] as number) - first, puts[row] as number);
    const at = places[place] as number;
    sorted[at] = row;
    places[place] = at + 1;
  }
  return sorted;
}

/** Odd for changes. There is no branch in it, which would be a guess each time. */
function placeOf(rank: number, put: number): number {
  return 2 * rank + 1 + (put >>> 31);
}

function sameRevision(
  { length, puts, ret }: RegisterColumns,
  { of }: Ranks,
  rank: number,
): RevisionWitness {
  const [other = 0, row = 0] = Int32Array.from({ length }, (_, one) => one).filter(
    (one) => of[one] === rank && ret[one] !== NEVER && (puts[one] as number) >= 0,
  );
  return { holds: false, row, other, why: 'same-revision' };
}

function replay(columns: RegisterColumns, sorted: Int32Array): RevisionWitness {
  const { key, needs, puts, call, ret } = columns;
  const holds = Int32Array.from(columns.initial);
  const unseen = new Unseen(columns, holds);
  let latest = NONE;
  for (let at = 0; at < sorted.length; at++) {
    const row = sorted[at] as number;
    const needed = needs[row] as number;
    const own = key[row] as number;
    if (needed < NONE && holds[own] === anythingBut(needed))
      return { holds: false, row, why: 'value' };
    // What needs nothing has no other bits either.
    if ((((holds[own] as number) ^ needed) & ~(needed >> 31)) !== 0) {
      const revealed = unseen.reveal(needed, at);
      if (revealed === undefined) return { holds: false, row, why: 'value' };
      for (const one of revealed) latest = Math.max(latest, call[one] as number);
    }
    if ((ret[row] as number) < latest)
      return { holds: false, row, other: call.indexOf(latest), why: 'real-time' };
    latest = later(latest, call[row] as number);
    const put = puts[row] as number;
    // Whether a change comes next nobody can guess, so that it costs less to store each time.
    const isRead = put >> 31;
    holds[own] = (put & ~isRead) | ((holds[own] as number) & isRead);
  }
  return { holds: true, order: unseen.within(sorted) };
}

/** The operations of unknown outcome that nobody has seen yet. */
class Unseen {
  readonly #c: RegisterColumns;
  readonly #holds: Int32Array;
  /** By the value that they put, in order of invocation. */
  #byValue: Map<number, number[]> | undefined;
  /** Those that happened, and before which position of the order. */
  readonly #revealed: { readonly at: number; readonly rows: readonly number[] }[] = [];

  constructor(columns: RegisterColumns, holds: Int32Array) {
    this.#c = columns;
    this.#holds = holds;
  }

  /** Lets some happen before position `at`, so that the value is there; undefined: none can. */
  reveal(value: number, at: number): readonly number[] | undefined {
    const { key, needs, puts } = this.#c;
    this.#byValue ??= this.#collect();
    const chain = new Set<number>();
    for (let needed = value; ; ) {
      const row = this.#byValue.get(needed)?.find((one) => !chain.has(one));
      if (row === undefined) return undefined;
      chain.add(row);
      needed = needs[row] as number;
      if (needed < 0 || this.#holds[key[row] as number] === needed) break;
    }
    const rows = [...chain].toReversed();
    for (const row of rows) {
      const put = puts[row] as number;
      this.#holds[key[row] as number] = put;
      const left = this.#byValue.get(put)?.filter((one) => one !== row) ?? [];
      this.#byValue.set(put, left);
    }
    this.#revealed.push({ at, rows });
    return rows;
  }

  /** The order with those that happened. */
  within(sorted: Int32Array): Int32Array {
    const more = this.#revealed.reduce((sum, { rows }) => sum + rows.length, 0);
    if (more === 0) return sorted;
    const order = new Int32Array(sorted.length + more);
    let [from, count] = [0, 0];
    for (const { at, rows } of this.#revealed) {
      order.set(sorted.subarray(from, at), count);
      order.set(rows, count + at - from);
      count += at - from + rows.length;
      from = at;
    }
    order.set(sorted.subarray(from), count);
    return order;
  }

  #collect(): Map<number, number[]> {
    const { length, ret, puts } = this.#c;
    const byValue = new Map<number, number[]>();
    for (let row = 0; row < length; row++) {
      const put = puts[row] as number;
      if (ret[row] !== NEVER || put < 0) continue;
      const rows = byValue.get(put);
      if (rows === undefined) byValue.set(put, [row]);
      else rows.push(row);
    }
    return byValue;
  }
}
