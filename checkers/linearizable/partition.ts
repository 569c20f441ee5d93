/** Cuts the columns of registers into one part for each key, as searches take them. */
import { invariant } from '../../harness/core/invariant.ts';
import { anythingBut, NEVER, NONE, type RegisterColumns } from './columns.ts';
import { later } from './fast/branchless.ts';
import { Room, sharable, zeroBytes, zeros } from './room.ts';

/** One part after the other; numbers only, so that threads can share them. */
export interface Parts {
  /** The rows of part p are those from `first[p]` to `first[p + 1]`, in order of invocation. */
  readonly first: Int32Array;
  /** Of each part: how many different values there are. Number 0 is what the key begins with. */
  readonly values: Int32Array;
  /**
   * `WORDS` numbers for each row, one after another so that they share a line of the cache: what it
   * needs and what it puts, as in the columns, with the values of each part numbered from 0; and the
   * moments of its invocation and completion, as they are in the columns.
   */
  readonly table: Int32Array;
  /** Of the only part: what the table has, in columns that must not be changed, if they are there. */
  readonly whole?: PartColumns;
}

const WORDS = 4;
const CALL = 2;
const RET = 3;

/** The operations of one part, in columns of their own. */
export interface PartColumns {
  readonly needs: Int32Array;
  readonly puts: Int32Array;
  /** Moments: 0, 1, 2, ... without a gap, unless they are not ranked; or `NEVER`. */
  readonly calls: Int32Array;
  readonly returns: Int32Array;
}

/**
 * The columns are valid until the room is cleared. `isRanked`: false leaves gaps between moments,
 * which is enough for a search, but not to write out an order.
 */
export function columnsOfPart(
  parts: Parts,
  part: number,
  room: Room = new Room(0),
  isRanked: boolean = true,
): PartColumns {
  const size = (parts.first[part + 1] as number) - (parts.first[part] as number);
  const { whole } = parts;
  if (whole !== undefined && !isRanked) return whole;
  const column = (): Int32Array => room.column(size);
  const columns =
    whole === undefined
      ? { needs: column(), puts: column(), calls: column(), returns: column() }
      : { ...whole, calls: column(), returns: column() };
  const table = (): Int32Array => rowsOf(parts, part);
  const last = whole === undefined ? spread(table(), columns) : copied(whole, columns);
  if (!isRanked) return columns;
  const first = columns.calls[0] ?? 0;
  if (last - first < GAPS * size)
    rankByCount(columns, first, room.column(last - first + 1).fill(0));
  else if (!rankByPass(table(), columns, column())) rankBySort(table(), columns);
  return columns;
}

function rowsOf({ table, first }: Parts, part: number): Int32Array {
  return table.subarray(WORDS * (first[part] as number), WORDS * (first[part + 1] as number));
}

/** Returns the last moment. */
function spread(table: Int32Array, { needs, puts, calls, returns }: PartColumns): number {
  let [before, last] = [NONE, NONE];
  for (let row = 0, at = 0; at < table.length; row++, at += WORDS) {
    needs[row] = table[at] as number;
    puts[row] = table[at + 1] as number;
    const [call, ret] = [table[at + CALL] as number, table[at + RET] as number];
    calls[row] = call;
    returns[row] = ret;
    if (call <= before) invariant(false, OUT_OF_ORDER);
    before = call;
    last = later(last, ret === NEVER ? call : ret);
  }
  return last;
}

const OUT_OF_ORDER = 'the operations of a key are in order of invocation';

/** Copies the moments; returns the last one. */
function copied(whole: PartColumns, { calls, returns }: PartColumns): number {
  calls.set(whole.calls);
  returns.set(whole.returns);
  let last = NONE;
  for (let row = 0; row < calls.length; row++) {
    const ret = returns[row] as number;
    last = later(last, ret === NEVER ? (calls[row] as number) : ret);
  }
  return last;
}

/** So many moments of others for each operation are less work than any other way to number them. */
const GAPS = 8;

/** Numbers moments by counting those before each of them. `ranks`: 0 for each from `first` on. */
function rankByCount({ calls, returns }: PartColumns, first: number, ranks: Int32Array): void {
  for (let row = 0; row < calls.length; row++) {
    ranks[(calls[row] as number) - first] = 1;
    const ret = returns[row] as number;
    if (ret !== NEVER) ranks[ret - first] = 1;
  }
  let count = 0;
  for (let moment = 0; moment < ranks.length; moment++) {
    const own = ranks[moment] as number;
    ranks[moment] = count;
    count += own;
  }
  for (let row = 0; row < calls.length; row++) {
    calls[row] = ranks[(calls[row] as number) - first] as number;
    const ret = returns[row] as number;
    if (ret !== NEVER) returns[row] = ranks[ret - first] as number;
  }
}

/** So many operations for each one may be passed over to find its place. */
const SHIFTS = 32;

/**
 * Numbers moments in one pass, which keeps what is in flight in order of completion. Returns
 * whether it came to its end: that order is too expensive where thousands are in flight.
 */
function rankByPass(
  table: Int32Array,
  { calls, returns }: PartColumns,
  order: Int32Array,
): boolean {
  /** In flight are the rows between these two of `order`; their returns are not yet numbered. */
  let [head, tail] = [0, 0];
  let moment = 0;
  let shifts = SHIFTS * calls.length;
  for (let row = 0; row < calls.length; row++) {
    const call = table[WORDS * row + CALL] as number;
    while (head < tail && (returns[order[head] as number] as number) < call)
      returns[order[head++] as number] = moment++;
    calls[row] = moment++;
    const ret = table[WORDS * row + RET] as number;
    returns[row] = ret;
    if (ret === NEVER) continue;
    let place = tail++;
    for (; place > head; place--) {
      const other = order[place - 1] as number;
      if ((returns[other] as number) < ret) break;
      order[place] = other;
      shifts--;
    }
    order[place] = row;
    if (shifts < 0) return false;
  }
  while (head < tail) returns[order[head++] as number] = moment++;
  return true;
}

function rankBySort(table: Int32Array, { calls, returns }: PartColumns): void {
  const moments = table.filter((moment, at) => (at & 3) >= CALL && moment !== NEVER).toSorted();
  const rankOf = new Map([...moments].map((moment, rank) => [moment, rank]));
  const rank = (at: number): number => rankOf.get(table[at] as number) ?? NEVER;
  for (let row = 0; row < calls.length; row++) {
    calls[row] = rank(WORDS * row + CALL);
    returns[row] = rank(WORDS * row + RET);
  }
}

export interface Partition extends Parts {
  /** The key of each part. */
  readonly keys: Int32Array;
  /** For each row of the table the one of the columns; made when it is asked for. */
  rows(): Int32Array;
}

/**
 * Parts for the keys with `wanted` 1, without operations of unknown outcome that nobody can have
 * observed: an order that has one remains one without it (see `removable` of the register). The rows
 * of each key must be in order of invocation.
 */
export function partitionOf(columns: RegisterColumns, wanted: Uint8Array): Partition {
  const dropped = unobservable(columns, wanted);
  const { length, key } = columns;
  const keys = zeros(wanted.length)
    .map((_, own) => own)
    .filter((own) => wanted[own] === 1);
  const counts = zeros(wanted.length);
  if (wanted.length === 1 && dropped === undefined) counts[0] = length;
  else
    for (let row = 0; row < length; row++) {
      if (dropped !== undefined && dropped[row] === 1) continue;
      const own = key[row] as number;
      counts[own] = (counts[own] as number) + 1;
    }
  const partOf = zeros(wanted.length).fill(NONE);
  const first = sharable(keys.length + 1);
  for (let part = 0; part < keys.length; part++) {
    const own = keys[part] as number;
    partOf[own] = part;
    first[part + 1] = (first[part] as number) + (counts[own] as number);
  }
  /** Where the next row of each key goes; `NONE`: nowhere. */
  const places = (): Int32Array =>
    partOf.map((part) => (part === NONE ? NONE : (first[part] as number)));
  const values = localValues(columns, partOf, keys);
  const count = first[keys.length] as number;
  const whole = count === length ? wholeOf(columns) : undefined;
  let table: Int32Array | undefined;
  return {
    keys,
    first,
    values: values.counts,
    /** Filled when it is asked for. */
    get table() {
      table ??= filled(columns, places(), dropped, values.of, sharable(WORDS * count));
      return table;
    },
    ...(whole && { whole }),
    rows: () => {
      const rows = zeros(count);
      const next = places();
      for (let row = 0; row < length; row++) {
        const own = key[row] as number;
        const place = next[own] as number;
        if (place === NONE || dropped?.[row] === 1) continue;
        next[own] = place + 1;
        rows[place] = row;
      }
      return rows;
    },
  };
}

/** Of the only key; undefined: its values have other numbers in a part. */
function wholeOf(columns: RegisterColumns): PartColumns | undefined {
  const { length, keys, initial } = columns;
  if (keys.length > 1 || initial[0] !== 0) return undefined;
  const [needs, puts, calls, returns] = [
    columns.needs,
    columns.puts,
    columns.call,
    columns.ret,
  ].map((column) => column.subarray(0, length)) as [Int32Array, Int32Array, Int32Array, Int32Array];
  for (let row = 1; row < length; row++)
    if ((calls[row] as number) <= (calls[row - 1] as number)) invariant(false, OUT_OF_ORDER);
  return { needs, puts, calls, returns };
}

function filled(
  { length, key, needs, puts, call, ret }: RegisterColumns,
  next: Int32Array,
  dropped: Uint8Array | undefined,
  valueOf: Int32Array,
  table: Int32Array,
): Int32Array {
  const offset = valueOf.length >> 1;
  for (let row = 0; row < length; row++) {
    const own = key[row] as number;
    const place = next[own] as number;
    if (place === NONE || (dropped !== undefined && dropped[row] === 1)) continue;
    next[own] = place + 1;
    const to = WORDS * place;
    table[to] = valueOf[offset + (needs[row] as number)] as number;
    table[to + 1] = valueOf[offset + (puts[row] as number)] as number;
    table[to + CALL] = call[row] as number;
    table[to + RET] = ret[row] as number;
  }
  return table;
}

/**
 * A number for each value of a part, from 0, which is what its key begins with. Whatever stands in
 * `needs` or `puts` has its place in `of`, counted from the middle, so that none is a case apart.
 */
function localValues(
  { initial, keyOf }: RegisterColumns,
  partOf: Int32Array,
  keys: Int32Array,
): { readonly of: Int32Array; readonly counts: Int32Array } {
  const middle = keyOf.length + 1;
  const of = zeros(2 * middle);
  const counts = sharable(keys.length).fill(1);
  of[middle + NONE] = NONE;
  for (let value = 0; value < keyOf.length; value++) {
    const key = keyOf[value] as number;
    const part = partOf[key] as number;
    if (part === NONE) continue;
    let number = 0;
    if (initial[key] !== value) {
      number = counts[part] as number;
      counts[part] = number + 1;
    }
    of[middle + value] = number;
    of[middle + anythingBut(value)] = anythingBut(number);
  }
  return { of, counts };
}

/** 1 for each row to leave out; undefined: none. */
function unobservable(columns: RegisterColumns, wanted: Uint8Array): Uint8Array | undefined {
  const { length, key, needs, puts, ret, keyOf } = columns;
  if (!ret.includes(NEVER)) return undefined;
  const needed = zeros(keyOf.length);
  /** Of each key: whether a refusal may have seen any value but one. */
  const any = zeroBytes(wanted.length);
  for (let row = 0; row < length; row++) {
    const value = needs[row] as number;
    if (value >= 0) needed[value] = (needed[value] as number) + 1;
    else if (value < NONE) any[key[row] as number] = 1;
  }
  const dropped = zeroBytes(length);
  let candidates: number[] = [];
  for (let row = 0; row < length; row++) if (ret[row] === NEVER) candidates.push(row);
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
