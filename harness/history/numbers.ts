const BITS = 14;
const SIZE = 1 << BITS;

/**
 * A growing list of numbers, 0 where none was set. Blocks of 32-bit integers are made on first use;
 * one that a number does not fit into is widened. Any number but -0 and NaN comes back as it was.
 */
export class Numbers {
  readonly #blocks: (Int32Array | Float64Array | undefined)[] = [];

  get(at: number): number {
    return this.#blocks[at >>> BITS]?.[at & (SIZE - 1)] ?? 0;
  }

  set(at: number, value: number): void {
    const number = at >>> BITS;
    let block = (this.#blocks[number] ??= new Int32Array(SIZE));
    if ((value | 0) !== value && block instanceof Int32Array) {
      block = new Float64Array(block);
      this.#blocks[number] = block;
    }
    block[at & (SIZE - 1)] = value;
  }
}
