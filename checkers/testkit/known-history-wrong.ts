import type { KnownOptions } from './known-history.ts';
import { READ, type Rows, WRITE } from './known-history-rows.ts';

/** Before the place of a stale read, values are withheld for so many operations of each client. */
const WITHHELD = 6;
/** Beyond all values that are written. */
const PHANTOM = 2 ** 30;

/** Waits for the conditions under which one answer can be made wrong for certain. */
export interface Wrong {
  /** The row of the wrong read, or -1. */
  readonly row: number;
  readonly isPending: boolean;
  /** The history must not leave this key before its violation. */
  isAt(key: number): boolean;
  /** The value that must not be written now, or -1. */
  bannedFor(key: number, lost: boolean): number;
  /** The value that the next operation has to write and to hold back, or -1. */
  heldBack(key: number): number;
  /** That operation. */
  holds(row: number): void;
  called(row: number): void;
  /** `puts`: what it left there, if it changed the register, whether or not it is answered. */
  acted(row: number, puts: number | undefined, lost: boolean): void;
  /** Looks at each answer, and makes one wrong when everything is ready. */
  answered(row: number): void;
}

/** Where a violation is wanted: the key, and from how many operations on to prepare it. */
export function placeOf(
  { violation, operations, clients, keys, spread }: KnownOptions,
  each: number,
): { readonly key: number; readonly from: number } {
  const at = Math.floor((violation?.at ?? 0) * (operations - 1));
  const perKey = Math.ceil(operations / keys);
  const room = Math.min(each * clients, Math.floor(at / 2));
  const key = spread === 'in-turn' ? Math.min(keys - 1, Math.floor(at / perKey)) : keys >> 1;
  const isInTurn = keys > 1 && spread === 'in-turn';
  return { key, from: isInTurn ? key * perKey + (perKey >> 2) : at - room };
}

/** A phantom, a stale read, or nothing. */
export class WrongRead implements Wrong {
  /** The row of the wrong read, or -1. */
  row = -1;
  readonly #kind: 'stale-read' | 'phantom-read' | undefined;
  readonly #rows: Rows;
  readonly #from: number;
  readonly #key: number;
  /** The value that will be read again; -1 while it is not known. */
  #value: number;
  /** Somebody wrote it: otherwise it would not be old. */
  #isWritten = false;
  /** Writers of it that are not answered. */
  #open = 0;
  /** Since this moment nobody can write it; then a write was answered at that one. */
  #cleanAt = Infinity;
  #overwrittenAt = Infinity;

  constructor(options: KnownOptions, rows: Rows) {
    const { violation, values } = options;
    const { key, from } = placeOf(options, WITHHELD);
    this.#kind = violation?.kind === 'phantom-read' ? 'phantom-read' : violation && 'stale-read';
    this.#rows = rows;
    this.#key = key;
    this.#from = from;
    this.#value = values === 'unique' ? -1 : 0;
  }

  get isPending(): boolean {
    return this.#kind !== undefined && this.row < 0;
  }

  isAt(key: number): boolean {
    return this.isPending && key === this.#key;
  }

  bannedFor(key: number, lost: boolean): number {
    if (this.#kind !== 'stale-read' || !this.isAt(key)) return -1;
    return lost || (this.#isNear() && this.#isWritten) ? this.#value : -1;
  }

  heldBack(): number {
    return -1;
  }

  holds(): void {
    // Nothing is ever held back for these.
  }

  #isNear(): boolean {
    return this.#rows.length >= this.#from;
  }

  called(row: number): void {
    const rows = this.#rows;
    if (!this.isPending || rows.key[row] !== this.#key) return;
    if (rows.puts(row) === this.#value && this.#value >= 0) this.#open++;
  }

  /** With unique values: what is written now, for certain, will be read again. */
  acted(row: number, puts: number | undefined, lost: boolean): void {
    if (puts === undefined) return;
    if (this.#kind !== 'stale-read' || this.#rows.key[row] !== this.#key) return;
    if (this.#value < 0 && this.#isNear() && !lost) {
      this.#value = puts;
      this.#open = 1;
    }
    this.#isWritten ||= puts === this.#value;
  }

  answered(row: number): void {
    const rows = this.#rows;
    if (!this.isPending || rows.key[row] !== this.#key) return;
    if (this.#kind === 'phantom-read') {
      if (rows.f[row] === READ && this.#isNear()) this.#answer(row, PHANTOM);
      return;
    }
    const [call, ret] = [rows.call[row] as number, rows.ret[row] as number];
    if (this.#value >= 0 && rows.puts(row) === this.#value) this.#open--;
    if (!this.#isWritten || !this.#isNear()) return;
    if (this.#open === 0 && this.#cleanAt === Infinity) this.#cleanAt = ret;
    if (rows.f[row] === WRITE && call > this.#cleanAt && this.#overwrittenAt === Infinity)
      this.#overwrittenAt = ret;
    if (rows.f[row] === READ && call > this.#overwrittenAt) this.#answer(row, this.#value);
  }

  #answer(row: number, value: number): void {
    this.row = row;
    this.#rows.saw[row] = value;
  }
}
