import { zeros } from './room.ts';

/** Integers from 0 in three words each: both of the pair, the first one plus one, and its value. */
const WORDS = 3;
const FIRST_SLOTS = 64;
/** Of maps that nobody has added to, which many are for good. It stays as it is. */
const EMPTY = new Int32Array(WORDS);
/** Up to so many slots it grows fourfold, which saves half of the moves. */
const SMALL = 2 ** 14;

/**
 * A number for a pair of integers from 0, in an open hash table of which at most half is full. A
 * `Map` would need one key made of both, and takes several times as long.
 */
export class PairMap {
  #table: Int32Array = EMPTY;
  #mask: number = 0;
  #size: number = 0;

  get(a: number, b: number): number | undefined {
    const place = this.#placeOf(a, b);
    return this.#table[place] === 0 ? undefined : this.#table[place + 2];
  }

  /** Its number; a pair without one gets the next, from 0. */
  numberOf(a: number, b: number): number {
    const known = this.get(a, b);
    if (known !== undefined) return known;
    const number = this.#size;
    this.add(a, b, number);
    return number;
  }

  /** The pair has no number yet. */
  add(a: number, b: number, value: number): void {
    if (2 * ++this.#size > this.#mask) this.#grow();
    this.#put(this.#placeOf(a, b), a, b, value);
  }

  #put(place: number, a: number, b: number, value: number): void {
    this.#table[place] = a + 1;
    this.#table[place + 1] = b;
    this.#table[place + 2] = value;
  }

  /** Where the pair is, or the free place where it belongs. */
  #placeOf(a: number, b: number): number {
    const table = this.#table;
    for (let slot = hashOf(a, b); ; slot++) {
      const place = WORDS * (slot & this.#mask);
      const first = table[place];
      if (first === 0 || (first === a + 1 && table[place + 1] === b)) return place;
    }
  }

  #grow(): void {
    const before = this.#table;
    const slots = this.#mask + 1;
    this.#mask = Math.max(FIRST_SLOTS, (slots < SMALL ? 4 : 2) * slots) - 1;
    this.#table = zeros(WORDS * (this.#mask + 1));
    for (let at = 0; at < before.length; at += WORDS) {
      const [a, b] = [(before[at] as number) - 1, before[at + 1] as number];
      if (a >= 0) this.#put(this.#placeOf(a, b), a, b, before[at + 2] as number);
    }
  }
}

function hashOf(a: number, b: number): number {
  const mixed = Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
