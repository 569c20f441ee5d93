/** A multiset of numbers that says how many are above a bound, in O(log n) (Fenwick 1994). */
export class CountAbove {
  readonly #sorted: readonly number[];
  readonly #tree: Int32Array;
  #size = 0;

  /** `universe`: every number that will be added. */
  constructor(universe: readonly number[]) {
    this.#sorted = universe.toSorted((a, b) => a - b);
    this.#tree = new Int32Array(universe.length + 1);
  }

  add(value: number): void {
    this.#size++;
    for (let at = this.#rank(value); at < this.#tree.length; at += at & -at)
      this.#tree[at] = (this.#tree[at] as number) + 1;
  }

  above(bound: number): number {
    let atMost = 0;
    for (let at = this.#rank(bound); at > 0; at -= at & -at) atMost += this.#tree[at] as number;
    return this.#size - atMost;
  }

  /** How many numbers of the universe are at most `value`. */
  #rank(value: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
