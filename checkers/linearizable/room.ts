/** Columns that are used again: a thousand short parts cost as little as one, and stay in the cache. */
export class Room {
  readonly #size: number;
  #piece: Int32Array | undefined;
  #used = 0;

  /** So many numbers it gives from one piece; 0: each column is one of its own. */
  constructor(size: number = 2 ** 18) {
    this.#size = size;
  }

  /** With whatever was there before. */
  column(length: number): Int32Array {
    if (length > this.#size >> 3) return new Int32Array(length);
    if (this.#piece === undefined || this.#used + length > this.#size) {
      this.#piece = new Int32Array(this.#size);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += length;
    return this.#piece.subarray(from, this.#used);
  }

  /** Whatever it gave is given again. */
  clear(): void {
    this.#used = 0;
  }
}

/** A copy of so few numbers takes less time than to make them sharable. */
const FEW = 2 ** 14;

/**
 * Numbers that other threads can be given, many of them without a copy, where there are threads (not
 * on all pages).
 */
export function sharable(length: number): Int32Array {
  if (length <= FEW || typeof SharedArrayBuffer === 'undefined') return new Int32Array(length);
  return new Int32Array(new SharedArrayBuffer(4 * length));
}
