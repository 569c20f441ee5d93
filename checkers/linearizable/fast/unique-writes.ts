/**
 * Registers whose written values are all different, in linear time: after Gibbons and Korach
 * ("Testing shared memories", SIAM J. Comput. 26, 1997), extended to cas and to operations of
 * unknown outcome.
 *
 * *Blocks.* A value that appears once is there for one unbroken span, in which the operation that
 * put it comes first, then its reads, and then, where a cas from it succeeded, that cas, which puts
 * the next value. So each blind write heads a block of one or more values, whose operations follow
 * each other without any of another block in between, in an order that is known but for reads of
 * one value among themselves. What the key begins with heads the first block.
 *
 * *Unknown outcomes.* One that put a value which somebody needs has happened (it is the only
 * source), so it belongs to a block, but may have ended at any time. Any other is left out: nobody
 * needs its value, so an order remains one without it (see `removable` of the register).
 *
 * *Order of blocks.* Let f be the first moment by which an operation of a block had ended, and s
 * the last at which one began. Block A must come before B exactly if f(A) < s(B). An order exists
 * unless there are A and B with both f(A) < s(B) and f(B) < s(A): take a circle, and in it the A
 * with the greatest s and the B that A must precede; f(B) is less than the s of the one after it,
 * hence than s(A). Blocks by max(f, s) are in such an order if there is one: if f(B) < s(A) although
 * max(f(A), s(A)) < max(f(B), s(B)), then s(B) is that maximum, and f(A) < s(B) as well.
 * All maxima differ, since moments do.
 */
import { NEVER, NONE, type RegisterColumns } from '../columns.ts';
import { type Room, zeroBytes, zeros } from '../room.ts';
import { earlier, later } from './branchless.ts';
import { coresOf } from './cores.ts';

export interface UniqueWrites {
  /**
   * For each key. `other`: nothing is known, because somebody may have written a value twice, or a
   * refusal did not say what it saw.
   */
  readonly verdicts: readonly ('valid' | 'invalid' | 'other')[];
  /** One for each invalid key. */
  readonly conflicts: readonly Conflict[];
  /** A legal order of a valid key; rows of the columns. Those that it does not need are absent. */
  readonly order: (key: number) => number[];
}

/**
 * What no order explains. `ops` are rows, at most four but for a circle.
 * - `no-source`: the first needs a value that nobody put.
 * - `circle`: each is a cas from a value that only another of them (or itself in the end) put.
 * - `two-winners`: two cas took the same single appearance of a value.
 * - `too-early`: the first had ended when the second began, which comes before it in the only
 *   order of their block.
 * - `overlap`: two blocks of which each must come before the other: the first had ended when the
 *   second, of the other block, began, and the third, of that block, when the fourth began.
 */
export interface Conflict {
  readonly key: number;
  readonly kind: 'no-source' | 'circle' | 'two-winners' | 'too-early' | 'overlap';
  readonly ops: readonly number[];
  /** Rows that show that those of `ops` with an unknown outcome have happened. */
  readonly proofs: readonly number[];
}

/** A conflict before its operations are looked up: rows, or the moments of their ends or starts. */
export interface Found {
  readonly key: number;
  readonly kind: Conflict['kind'];
  readonly rows?: readonly number[];
  readonly calls?: readonly number[];
  readonly rets?: readonly number[];
}

/**
 * What is known of each value, four numbers one after another, so that they share a line of the
 * cache: the row that put it and the row of the cas that took it, each plus one; and of those that
 * needed it the last start plus one, and how long before `LAST` the first one ended. 0 is none. In the end
 * the two last ones of a block's head are those of the block.
 */
const FIELDS_BITS = 2;
const SOURCE = 0;
const TAKER = 1;
const START = 2;
const END = 3;
/** Later than all moments, and such that the time from -1 to it is a number of 32 bits. */
const LAST = NEVER - 1;
/** As a source: what the key begins with. */
const BEGINNING = -1;

/** Where the fields of a value are. `NONE` has some as well, so that nobody has to ask for it. */
function placeOf(value: number): number {
  return (value + 1) << FIELDS_BITS;
}

/** `order` can be asked for as long as the room is not cleared. */
export function uniqueWrites(
  columns: RegisterColumns,
  room: Pick<Room, 'zeros'> = { zeros },
): UniqueWrites {
  return new Blocks(columns, room).judge();
}

class Blocks {
  readonly #c: RegisterColumns;
  readonly #table: Int32Array;
  /** By value: the head of its block, plus one; 0 as long as it is in none. */
  readonly #blockOf: Int32Array;
  /**
   * From the second on: of the block with max(f, s) at this moment the head, plus one. In the end
   * only those, in this order.
   */
  #heads: Int32Array;
  /** By key: 1 when nothing can be said of it. */
  readonly #other: Uint8Array;
  readonly #found: Map<number, Found> = new Map();

  constructor(columns: RegisterColumns, room: Pick<Room, 'zeros'>) {
    this.#c = columns;
    this.#table = room.zeros(placeOf(columns.keyOf.length));
    this.#blockOf = room.zeros(columns.keyOf.length);
    this.#heads = room.zeros(columns.moments + 1);
    this.#other = zeroBytes(columns.keys.length);
  }

  judge(): UniqueWrites {
    for (const value of this.#c.initial) this.#table[placeOf(value) + SOURCE] = BEGINNING;
    this.#pin(this.#readColumns());
    this.#makeBlocks();
    this.#sortBlocks();
    this.#orderBlocks();
    const found = [...this.#found.values()].filter(({ key }) => this.#other[key] === 0);
    const verdicts = this.#c.keys.map((_, key) => {
      if (this.#other[key] === 1) return 'other';
      return this.#found.has(key) ? 'invalid' : 'valid';
    });
    let orders: readonly number[][] | undefined;
    return {
      verdicts,
      conflicts: coresOf(this.#c, found),
      order: (key) => {
        orders ??= this.#orders();
        return orders[key] ?? [];
      },
    };
  }

  /** Sources, takers and reads; returns the rows of unknown outcome. */
  #readColumns(): number[] {
    const { length, key, needs, puts, call, ret, keyOf } = this.#c;
    const table = this.#table;
    const open: number[] = [];
    for (let row = 0; row < length; row++) {
      const put = puts[row] as number;
      const isPut = ~(put >> 31);
      const source = placeOf(put) + SOURCE;
      if (((table[source] as number) & isPut) !== 0) this.#other[keyOf[put] as number] = 1;
      table[source] = row + 1;
      const end = ret[row] as number;
      const needed = needs[row] as number;
      if (end === NEVER) open.push(row);
      else if (needed < NONE) this.#other[key[row] as number] = 1;
      else {
        const at = placeOf(needed);
        const isCas = isPut & ~(needed >> 31);
        const taker = table[at + TAKER] as number;
        if ((taker & isCas) !== 0) this.#twoWinners(needed, row);
        else table[at + TAKER] = (taker & ~isCas) | ((row + 1) & isCas);
        table[at + END] = later(table[at + END] as number, LAST - end);
        table[at + START] = later(table[at + START] as number, (call[row] as number) + 1);
      }
    }
    return open;
  }

  /** Gives what has happened, though nobody said so, its place in a block. */
  #pin(open: readonly number[]): void {
    const { needs, puts, ret } = this.#c;
    for (let row of open) {
      for (;;) {
        const needed = needs[row] as number;
        if (needed < 0 || !this.#isNeeded(puts[row] as number)) break;
        const taker = placeOf(needed) + TAKER;
        if (this.#table[taker] === row + 1) break;
        if (this.#table[taker] !== 0) {
          this.#twoWinners(needed, row);
          break;
        }
        this.#table[taker] = row + 1;
        // The value that it took is needed now, and so may have happened what put that.
        row = this.#sourceOf(needed);
        if (row < 0 || ret[row] !== NEVER) break;
      }
    }
  }

  #isNeeded(value: number): boolean {
    if (value < 0) return false;
    const at = placeOf(value);
    return this.#table[at + START] !== 0 || this.#table[at + TAKER] !== 0;
  }

  /** The row that put it; below 0: none did. */
  #sourceOf(value: number): number {
    return (this.#table[placeOf(value) + SOURCE] as number) - 1;
  }

  /**
   * Leaves f and s with the head of each block, which takes in its values one after the other. They
   * have their numbers mostly in that order; those that do not wait for the others.
   */
  #makeBlocks(): void {
    const { needs, puts, ret } = this.#c;
    const [table, blockOf] = [this.#table, this.#blockOf];
    const late: number[] = [];
    for (let value = 0; value < blockOf.length; value++) {
      const source = table[placeOf(value) + SOURCE] as number;
      if (source === 0) continue;
      if (source === BEGINNING) {
        this.#begin(value);
        continue;
      }
      const row = source - 1;
      if (ret[row] === NEVER && !this.#isNeeded(value)) continue;
      if (!this.#add(value, row, needs[row] as number)) late.push(value);
    }
    for (const first of late) {
      for (let value = first; blockOf[value] === 0; ) {
        const row = this.#sourceOf(value);
        if (!this.#add(value, row, needs[row] as number)) break;
        const taker = (table[placeOf(value) + TAKER] as number) - 1;
        if (taker < 0) break;
        value = puts[taker] as number;
      }
    }
  }

  /** What a key begins with is there before all. */
  #begin(value: number): void {
    this.#blockOf[value] = value + 1;
    this.#addReads(value, value, NONE, NONE);
  }

  /**
   * Adds what this row put to the block of the value that it took, or to one of its own if it took
   * none. False: that value is in no block, or not yet.
   */
  #add(value: number, row: number, taken: number): boolean {
    const { call, ret } = this.#c;
    const table = this.#table;
    const isHead = taken >> 31;
    const block = ((this.#blockOf[taken & ~isHead] as number) & ~isHead) | ((value + 1) & isHead);
    if (block === 0) return false;
    this.#blockOf[value] = block;
    const at = placeOf(block - 1);
    const latest = ((table[at + START] as number) - 1) | isHead;
    const end = ret[row] as number;
    if (end < latest) this.#tooEarly(taken, latest, end);
    // What took a value is one of those that needed it, unless nobody knows when it ended.
    const first = ((LAST - (table[at + END] as number)) & ~isHead) | (end & isHead);
    this.#addReads(value, block - 1, first, later(latest, call[row] as number));
    return true;
  }

  /** `first` and `latest`: f and s of the block as they are without these. */
  #addReads(value: number, head: number, first: number, latest: number): void {
    const table = this.#table;
    const at = placeOf(value);
    const readEnd = LAST - (table[at + END] as number);
    const readStart = (table[at + START] as number) - 1;
    if (readEnd < latest) this.#tooEarly(value, latest, readEnd);
    const to = placeOf(head);
    table[to + END] = LAST - earlier(first, readEnd);
    table[to + START] = later(latest, readStart) + 1;
  }

  /**
   * Puts the head of each block at its max(f, s); finds values that are needed, but that no write
   * leads to.
   */
  #sortBlocks(): void {
    const circles: number[] = [];
    const [table, blockOf, heads] = [this.#table, this.#blockOf, this.#heads];
    for (let value = 0; value < blockOf.length; value++) {
      const block = blockOf[value] as number;
      const last = later(this.#firstEnd(value), this.#lastStart(value));
      heads[(last + 1) * Number(block === value + 1)] = block;
      if (block === 0 && this.#isNeeded(value)) {
        if (table[placeOf(value) + SOURCE] === 0) this.#noSource(value);
        else circles.push(value);
      }
    }
    for (const value of circles) this.#circle(value);
  }

  /** Goes through the blocks in order of max(f, s): none must have ended before one began. */
  #orderBlocks(): void {
    const { keyOf } = this.#c;
    const heads = this.#heads;
    /** By key: the last start so far, and the block that has it. */
    const starts = zeros(this.#c.keys.length).fill(NONE);
    const latest = zeros(this.#c.keys.length);
    let count = 0;
    for (let next = 1; next < heads.length; next++) {
      const mark = heads[next] as number;
      heads[count] = mark;
      count += -mark >>> 31;
    }
    this.#heads = heads.subarray(0, count);
    for (let at = 0; at < count; at++) {
      const head = (heads[at] as number) - 1;
      const key = keyOf[head] as number;
      const start = starts[key] as number;
      if (this.#firstEnd(head) < start) this.#overlap(latest[key] as number, head);
      const own = this.#lastStart(head);
      const isLater = (start - own) >> 31;
      starts[key] = later(start, own);
      latest[key] = (head & isLater) | ((latest[key] as number) & ~isLater);
    }
  }

  #tell(found: Omit<Found, 'key'>, value: number): void {
    const key = this.#c.keyOf[value] as number;
    if (!this.#found.has(key)) this.#found.set(key, { ...found, key });
  }

  #twoWinners(value: number, row: number): void {
    const first = (this.#table[placeOf(value) + TAKER] as number) - 1;
    this.#tell({ kind: 'two-winners', rows: [first, row] }, value);
  }

  #tooEarly(value: number, start: number, end: number): void {
    this.#tell({ kind: 'too-early', calls: [start], rets: [end] }, value);
  }

  #overlap(one: number, other: number): void {
    // What a key begins with has no operation that put it, and ended before all.
    const rets = [one, other].map((head) => this.#firstEnd(head));
    const calls = [other, one].map((head) => this.#lastStart(head));
    this.#tell({ kind: 'overlap', calls, rets }, one);
  }

  #firstEnd(value: number): number {
    return LAST - (this.#table[placeOf(value) + END] as number);
  }

  #lastStart(value: number): number {
    return (this.#table[placeOf(value) + START] as number) - 1;
  }

  #noSource(value: number): void {
    const taker = (this.#table[placeOf(value) + TAKER] as number) - 1;
    if (taker >= 0) this.#tell({ kind: 'no-source', rows: [taker] }, value);
    else this.#tell({ kind: 'no-source', rets: [this.#firstEnd(value)] }, value);
  }

  #circle(value: number): void {
    if (this.#found.has(this.#c.keyOf[value] as number)) return;
    const rows = new Set<number>();
    for (let row = this.#sourceOf(value); row >= 0 && !rows.has(row); ) {
      rows.add(row);
      row = this.#sourceOf(this.#c.needs[row] as number);
    }
    this.#tell({ kind: 'circle', rows: [...rows] }, value);
  }

  #orders(): number[][] {
    const { keys, keyOf, puts } = this.#c;
    const reads = this.#reads();
    const orders = keys.map((): number[] => []);
    for (const mark of this.#heads) {
      const key = keyOf[mark - 1] ?? NONE;
      if (this.#other[key] === 1) continue;
      const order = orders[key] as number[];
      const source = this.#sourceOf(mark - 1);
      if (source >= 0) order.push(source);
      for (let value = mark - 1; ; ) {
        for (const row of reads.get(value) ?? []) order.push(row);
        const taker = (this.#table[placeOf(value) + TAKER] as number) - 1;
        if (taker < 0) break;
        order.push(taker);
        value = puts[taker] as number;
      }
    }
    return orders;
  }

  /** Of each value, in order of invocation. */
  #reads(): Map<number, number[]> {
    const { length, needs, puts, call, ret } = this.#c;
    const isRead = (row: number): boolean => puts[row] === NONE && ret[row] !== NEVER;
    const rows = Int32Array.from({ length }, (_, row) => row).filter(isRead);
    rows.sort((a, b) => (call[a] as number) - (call[b] as number));
    return Map.groupBy(rows, (row) => needs[row] as number);
  }
}
