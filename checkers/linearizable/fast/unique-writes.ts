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
 * What is known of each value, `FIELDS` numbers one after another, so that they share a line of the
 * cache: the row that put it and the row of the cas that took it, each plus one; and of its reads
 * the last start plus one, and how long before `LAST` the first one ended. 0 is none. In the end
 * the two last ones of a block's head are those of the block.
 */
const FIELDS = 4;
const SOURCE = 0;
const TAKER = 1;
const START = 2;
const END = 3;
/** Later than all moments, and such that the time from -1 to it is a number of 32 bits. */
const LAST = NEVER - 1;
/** As a source: what the key begins with. */
const BEGINNING = -1;

export function uniqueWrites(columns: RegisterColumns): UniqueWrites {
  return new Blocks(columns).judge();
}

class Blocks {
  readonly #c: RegisterColumns;
  readonly #table: Int32Array;
  /** By value: 1 when it is in a block. */
  readonly #placed: Uint8Array;
  /** The head of the block with max(f, s) at this moment, plus one. */
  readonly #heads: Int32Array;
  /** By key: 1 when nothing can be said of it. */
  readonly #other: Uint8Array;
  readonly #found: Map<number, Found> = new Map();

  constructor(columns: RegisterColumns) {
    this.#c = columns;
    this.#table = new Int32Array(columns.keyOf.length * FIELDS);
    this.#placed = new Uint8Array(columns.keyOf.length);
    this.#heads = new Int32Array(columns.moments);
    this.#other = new Uint8Array(columns.keys.length);
  }

  judge(): UniqueWrites {
    for (const value of this.#c.initial) this.#table[value * FIELDS + SOURCE] = BEGINNING;
    this.#pin(this.#readColumns());
    this.#makeBlocks();
    this.#orderBlocks();
    this.#findUnplaced();
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
      if (put >= 0) {
        const source = put * FIELDS + SOURCE;
        if (table[source] !== 0) this.#other[keyOf[put] as number] = 1;
        table[source] = row + 1;
      }
      const end = ret[row] as number;
      const needed = needs[row] as number;
      if (end === NEVER) open.push(row);
      else if (needed < NONE) this.#other[key[row] as number] = 1;
      else if (needed >= 0) {
        const at = needed * FIELDS;
        if (put >= 0) {
          if (table[at + TAKER] !== 0) this.#twoWinners(needed, row);
          else table[at + TAKER] = row + 1;
        } else {
          if (LAST - end > (table[at + END] as number)) table[at + END] = LAST - end;
          const start = (call[row] as number) + 1;
          if (start > (table[at + START] as number)) table[at + START] = start;
        }
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
        const taker = needed * FIELDS + TAKER;
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
    const at = value * FIELDS;
    return this.#table[at + START] !== 0 || this.#table[at + TAKER] !== 0;
  }

  /** The row that put it; below 0: none did. */
  #sourceOf(value: number): number {
    return (this.#table[value * FIELDS + SOURCE] as number) - 1;
  }

  /** Goes through each block in its order; leaves f and s with its head, and that at max(f, s). */
  #makeBlocks(): void {
    const { needs, puts, call, ret } = this.#c;
    const [table, placed, heads] = [this.#table, this.#placed, this.#heads];
    for (let head = 0; head < placed.length; head++) {
      const source = table[head * FIELDS + SOURCE] as number;
      const row = source - 1;
      if (source === 0) continue;
      if (row >= 0) {
        if ((needs[row] as number) >= 0) continue;
        if (ret[row] === NEVER && !this.#isNeeded(head)) continue;
      }
      let first = row >= 0 ? (ret[row] as number) : NONE;
      let latest = row >= 0 ? (call[row] as number) : NONE;
      // Only a value with a second source, about which nothing is said, can come again.
      for (let value = head; placed[value] === 0; ) {
        placed[value] = 1;
        const at = value * FIELDS;
        const readEnd = LAST - (table[at + END] as number);
        const readStart = (table[at + START] as number) - 1;
        if (readEnd < latest) this.#tooEarly(value, latest, readEnd);
        if (readEnd < first) first = readEnd;
        if (readStart > latest) latest = readStart;
        const taker = (table[at + TAKER] as number) - 1;
        if (taker < 0) break;
        const end = ret[taker] as number;
        const start = call[taker] as number;
        if (end < latest) this.#tooEarly(value, latest, end);
        if (end < first) first = end;
        if (start > latest) latest = start;
        value = puts[taker] as number;
      }
      table[head * FIELDS + START] = latest + 1;
      table[head * FIELDS + END] = LAST - first;
      const last = first > latest ? first : latest;
      if (last >= 0) heads[last] = head + 1;
    }
  }

  /** Goes through the blocks in order of max(f, s): none must have ended before one began. */
  #orderBlocks(): void {
    const { keyOf } = this.#c;
    const [table, heads] = [this.#table, this.#heads];
    /** By key: the block with the last start so far, plus one. */
    const latest = new Int32Array(this.#c.keys.length);
    for (let moment = 0; moment < heads.length; moment++) {
      const head = (heads[moment] as number) - 1;
      if (head < 0) continue;
      const key = keyOf[head] as number;
      const before = (latest[key] as number) - 1;
      if (before >= 0) {
        const start = (table[before * FIELDS + START] as number) - 1;
        if (LAST - (table[head * FIELDS + END] as number) < start) this.#overlap(before, head);
        if ((table[head * FIELDS + START] as number) <= start) continue;
      }
      latest[key] = head + 1;
    }
  }

  /** Values that are needed, but that no write leads to. */
  #findUnplaced(): void {
    const circles: number[] = [];
    const placed = this.#placed;
    for (let value = 0; value < placed.length; value++) {
      if (placed[value] === 1 || !this.#isNeeded(value)) continue;
      if (this.#table[value * FIELDS + SOURCE] === 0) this.#noSource(value);
      else circles.push(value);
    }
    for (const value of circles) this.#circle(value);
  }

  #add(found: Omit<Found, 'key'>, value: number): void {
    const key = this.#c.keyOf[value] as number;
    if (!this.#found.has(key)) this.#found.set(key, { ...found, key });
  }

  #twoWinners(value: number, row: number): void {
    const first = (this.#table[value * FIELDS + TAKER] as number) - 1;
    this.#add({ kind: 'two-winners', rows: [first, row] }, value);
  }

  #tooEarly(value: number, start: number, end: number): void {
    this.#add({ kind: 'too-early', calls: [start], rets: [end] }, value);
  }

  #overlap(one: number, other: number): void {
    // What a key begins with has no operation that put it, and ended before all.
    const rets = [one, other].map((head) => this.#firstEnd(head));
    const calls = [other, one].map((head) => this.#lastStart(head));
    this.#add({ kind: 'overlap', calls, rets }, one);
  }

  #firstEnd(value: number): number {
    return LAST - (this.#table[value * FIELDS + END] as number);
  }

  #lastStart(value: number): number {
    return (this.#table[value * FIELDS + START] as number) - 1;
  }

  #noSource(value: number): void {
    const taker = (this.#table[value * FIELDS + TAKER] as number) - 1;
    if (taker >= 0) this.#add({ kind: 'no-source', rows: [taker] }, value);
    else this.#add({ kind: 'no-source', rets: [this.#firstEnd(value)] }, value);
  }

  #circle(value: number): void {
    if (this.#found.has(this.#c.keyOf[value] as number)) return;
    const rows = new Set<number>();
    for (let row = this.#sourceOf(value); row >= 0 && !rows.has(row); ) {
      rows.add(row);
      row = this.#sourceOf(this.#c.needs[row] as number);
    }
    this.#add({ kind: 'circle', rows: [...rows] }, value);
  }

  #orders(): number[][] {
    const { keys, keyOf, puts } = this.#c;
    const reads = this.#reads();
    const orders = keys.map((): number[] => []);
    for (const mark of this.#heads) {
      const key = keyOf[mark - 1] ?? NONE;
      if (mark === 0 || this.#other[key] === 1) continue;
      const order = orders[key] as number[];
      const source = this.#sourceOf(mark - 1);
      if (source >= 0) order.push(source);
      for (let value = mark - 1; ; ) {
        for (const row of reads.get(value) ?? []) order.push(row);
        const taker = (this.#table[value * FIELDS + TAKER] as number) - 1;
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
