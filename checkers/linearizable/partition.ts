/** Cuts the columns of registers into one part for each key, as searches take them. */
import { anythingBut, NEVER, NONE, type RegisterColumns } from './columns.ts';

/** One part after the other; numbers only, so that threads can share them. */
export interface Parts {
  /** The rows of part p are those from `first[p]` to `first[p + 1]`, in order of invocation. */
  readonly first: Int32Array;
  /** Of each part: how many different values there are. Number 0 is what the key begins with. */
  readonly values: Int32Array;
  /**
   * `WORDS` numbers for each row, one after another so that they share a line of the cache: what it
   * needs and what it puts, as in the columns, with the values of each part numbered from 0; and the
   * moments of its invocation and completion, which in each part are 0, 1, 2, ... without a gap, or
   * `NEVER`.
   */
  readonly table: Int32Array;
}

const WORDS = 4;

/** The operations of one part, in columns of their own. */
export interface PartColumns {
  readonly needs: Int32Array;
  readonly puts: Int32Array;
  readonly calls: Int32Array;
  readonly returns: Int32Array;
}

export function columnsOfPart({ first, table }: Parts, part: number): PartColumns {
  const [from, to] = [first[part] as number, first[part + 1] as number];
  const column = (): Int32Array => new Int32Array(to - from);
  const [needs, puts, calls, returns] = [column(), column(), column(), column()];
  for (let row = 0, at = WORDS * from; row < to - from; row++, at += WORDS) {
    needs[row] = table[at] as number;
    puts[row] = table[at + 1] as number;
    calls[row] = table[at + 2] as number;
    returns[row] = table[at + 3] as number;
  }
  return { needs, puts, calls, returns };
}

export interface Partition extends Parts {
  /** The key of each part. */
  readonly keys: Int32Array;
  /** For each row of the table the one of the columns; made when it is asked for. */
  rows(): Int32Array;
}

/**
 * Parts for the keys with `wanted` 1, without operations of unknown outcome that nobody can have
 * observed: an order that has one remains one without it (see `removable` of the register).
 */
export function partitionOf(columns: RegisterColumns, wanted: Uint8Array): Partition {
  const dropped = unobservable(columns, wanted);
  const { length, key, call, ret, moments } = columns;
  const partOf = new Int32Array(wanted.length).fill(NONE);
  const keys = Int32Array.from(wanted.keys()).filter((own) => wanted[own] === 1);
  for (let part = 0; part < keys.length; part++) partOf[keys[part] as number] = part;
  const first = new Int32Array(keys.length + 1);
  /** What happens at each moment: a row, twice, and one more for its completion; or `NONE`. */
  const events = new Int32Array(moments).fill(NONE);
  for (let row = 0; row < length; row++) {
    const part = partOf[key[row] as number] as number;
    if (part === NONE || dropped?.[row] === 1) continue;
    first[part + 1] = (first[part + 1] as number) + 1;
    events[call[row] as number] = 2 * row;
    if (ret[row] !== NEVER) events[ret[row] as number] = 2 * row + 1;
  }
  for (let part = 0; part < keys.length; part++)
    first[part + 1] = (first[part + 1] as number) + (first[part] as number);
  const values = localValues(columns, partOf, keys);
  return {
    keys,
    first,
    values: values.counts,
    table: filled(columns, partOf, first, events, values.of),
    rows: () => {
      const rows = new Int32Array(first[keys.length] as number);
      const next = first.slice();
      for (let row = 0; row < length; row++) {
        const part = partOf[key[row] as number] as number;
        if (part === NONE || dropped?.[row] === 1) continue;
        const place = next[part] as number;
        next[part] = place + 1;
        rows[place] = row;
      }
      return rows;
    },
  };
}

/** The rows in order of moments: so each part gets its own in order, and its moments without gaps. */
function filled(
  columns: RegisterColumns,
  partOf: Int32Array,
  first: Int32Array,
  events: Int32Array,
  valueOf: Int32Array,
): Int32Array {
  const { length, key, needs, puts } = columns;
  const table = new Int32Array(WORDS * (first[first.length - 1] as number));
  const next = first.slice();
  const moments = new Int32Array(first.length);
  const placeOf = new Int32Array(length);
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as number;
    if (event === NONE) continue;
    const row = event >> 1;
    const part = partOf[key[row] as number] as number;
    const moment = moments[part] as number;
    moments[part] = moment + 1;
    if ((event & 1) === 1) {
      table[WORDS * (placeOf[row] as number) + 3] = moment;
      continue;
    }
    const place = next[part] as number;
    next[part] = place + 1;
    placeOf[row] = place;
    const needed = needs[row] as number;
    const put = puts[row] as number;
    const to = WORDS * place;
    if (needed >= 0) table[to] = valueOf[needed] as number;
    else table[to] = needed === NONE ? NONE : anythingBut(valueOf[anythingBut(needed)] as number);
    table[to + 1] = put < 0 ? NONE : (valueOf[put] as number);
    table[to + 2] = moment;
    table[to + 3] = NEVER;
  }
  return table;
}

/** A number for each value of a part, from 0, which is what its key begins with. */
function localValues(
  { initial, keyOf }: RegisterColumns,
  partOf: Int32Array,
  keys: Int32Array,
): { readonly of: Int32Array; readonly counts: Int32Array } {
  const of = new Int32Array(keyOf.length);
  const counts = new Int32Array(keys.length).fill(1);
  for (let value = 0; value < keyOf.length; value++) {
    const key = keyOf[value] as number;
    const part = partOf[key] as number;
    if (part === NONE || initial[key] === value) continue;
    const number = counts[part] as number;
    of[value] = number;
    counts[part] = number + 1;
  }
  return { of, counts };
}

/** 1 for each row to leave out; undefined: none. */
function unobservable(columns: RegisterColumns, wanted: Uint8Array): Uint8Array | undefined {
  const { length, key, needs, puts, ret, keyOf } = columns;
  let open = 0;
  for (let row = 0; row < length; row++) if (ret[row] === NEVER) open++;
  if (open === 0) return undefined;
  const needed = new Int32Array(keyOf.length);
  /** Of each key: whether a refusal may have seen any value but one. */
  const any = new Uint8Array(wanted.length);
  for (let row = 0; row < length; row++) {
    const value = needs[row] as number;
    if (value >= 0) needed[value] = (needed[value] as number) + 1;
    else if (value < NONE) any[key[row] as number] = 1;
  }
  const dropped = new Uint8Array(length);
  let candidates = new Int32Array(length).map((_, row) => row).filter((row) => ret[row] === NEVER);
  for (let before = Infinity; candidates.length < before; ) {
    before = candidates.length;
    candidates = candidates.filter((row) => {
      const put = puts[row] as number;
      // One without a value to put is a cas from a value to itself.
      if (put >= 0 && ((needed[put] as number) > 0 || any[key[row] as number] === 1)) return true;
      dropped[row] = 1;
      const value = needs[row] as number;
      if (value >= 0) needed[value] = (needed[value] as number) - 1;
      return false;
    });
  }
  return dropped;
}
