import type { KnownOptions } from './known-history.ts';
import { READ, type Rows, WRITE } from './known-history-rows.ts';
import { placeOf, type Wrong } from './known-history-wrong.ts';

/** About how many operations of each client pass for one sighting. */
const EACH_SIGHTING = 8;
const VALUE = 0;

/**
 * Reads that see a value once more often than it can have been there.
 *
 * When all who wrote `v` are answered, `k` writes of `v` begin and are held back; nobody else writes
 * `v` from then on. Each sighting is a read of `v` that begins when a write of another value has
 * ended that began after the sighting before had ended. So before each sighting, and after that
 * write, `v` must be put there anew: `k + 1` sightings take more writes than there are. The first
 * `k` are possible: each is the read that acted just before some write, and just before it one of
 * those held back can act, unseen by anyone else.
 */
export class TooFewWrites implements Wrong {
  row = -1;
  readonly #rows: Rows;
  readonly #key: number;
  readonly #from: number;
  /** How many writes of the value are to be held back, and how many are. */
  readonly #wanted: number;
  #held = 0;
  /** Other writers of the value that are not answered. */
  #open = 0;
  #sightings = 0;
  /** A sighting whose answer is awaited. */
  #seeing = -1;
  /** What begins from this moment on may overwrite; then what begins from that one may see. */
  #readyAt = Infinity;
  #overwrittenAt = Infinity;
  /** The read that acted last, if nothing did since. */
  #lastRead = -1;

  constructor(options: KnownOptions, rows: Rows) {
    this.#rows = rows;
    this.#wanted = sourcesOf(options);
    const { key, from } = placeOf(options, EACH_SIGHTING * (this.#wanted + 1));
    this.#key = key;
    this.#from = from;
    // With a single client nothing can be held back: whatever is clean then is ready.
    if (this.#wanted === 0) this.#readyAt = from;
  }

  get isPending(): boolean {
    return this.row < 0;
  }

  isAt(key: number): boolean {
    return this.isPending && key === this.#key;
  }

  bannedFor(key: number, lost: boolean): number {
    return this.isAt(key) && (lost || this.#isNear()) ? VALUE : -1;
  }

  #isNear(): boolean {
    return this.#rows.length >= this.#from;
  }

  heldBack(key: number): number {
    const isDue = this.isAt(key) && this.#isNear() && this.#open === 0;
    return isDue && this.#held < this.#wanted ? VALUE : -1;
  }

  holds(): void {
    if (++this.#held === this.#wanted) this.#readyAt = this.#rows.moments;
  }

  called(row: number): void {
    const rows = this.#rows;
    if (this.isAt(rows.key[row] as number) && rows.puts(row) === VALUE) this.#open++;
  }

  acted(row: number, puts: number | undefined, lost: boolean): void {
    const rows = this.#rows;
    if (!this.isAt(rows.key[row] as number)) return;
    const read = this.#lastRead;
    this.#lastRead = rows.f[row] === READ && !lost ? row : -1;
    const isWrite = rows.f[row] === WRITE && puts !== undefined;
    if (!isWrite || read < 0 || this.#seeing >= 0) return;
    if ((rows.call[read] as number) < this.#overwrittenAt) return;
    rows.saw[read] = VALUE;
    this.#overwrittenAt = Infinity;
    this.#seeing = read;
    if (rows.isAnswered(read)) this.#seen();
  }

  answered(row: number): void {
    const rows = this.#rows;
    if (!this.isAt(rows.key[row] as number)) return;
    if (row === this.#seeing) {
      this.#seen();
      return;
    }
    if (rows.puts(row) === VALUE) this.#open--;
    const isOther = rows.f[row] === WRITE && (rows.call[row] as number) >= this.#readyAt;
    if (isOther && this.#overwrittenAt === Infinity && this.#seeing < 0)
      this.#overwrittenAt = rows.moments;
  }

  #seen(): void {
    this.#readyAt = this.#rows.moments;
    if (++this.#sightings > this.#wanted) this.row = this.#seeing;
    this.#seeing = -1;
  }
}

/** As answered writes that are held back occupy their clients, only some do that. */
function sourcesOf({ clients, indefinite }: KnownOptions): number {
  return indefinite > 0 ? 2 : Math.min(2, clients - 1);
}
