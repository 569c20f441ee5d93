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

  /** As `column`, with zeros. */
  zeros(length: number): Int32Array {
    return length > this.#size >> 3 ? new Int32Array(length) : this.column(length).fill(0);
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
  if (length <= FEW || typeof SharedArrayBuffer === 'undefined') return zeros(length);
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

/** Numbers that short columns share the memory of: to ask for as few by themselves takes ten times as long. */
const PIECE = 2 ** 14;
let numbers = new Int32Array(0);
let bytes = new Uint8Array(0);
let [numbersUsed, bytesUsed] = [0, 0];

/** Zeros, as of `new Int32Array`. No two columns overlap, and none is given again. */
export function zeros(length: number): Int32Array {
  if (!isShort(length)) return new Int32Array(length);
  if (numbersUsed + length > numbers.length) {
    numbers = new Int32Array(PIECE);
    numbersUsed = 0;
  }
  numbersUsed += length;
  return numbers.subarray(numbersUsed - length, numbersUsed);
}

/** As `zeros`, of bytes. */
export function zeroBytes(length: number): Uint8Array {
  if (!isShort(length)) return new Uint8Array(length);
  if (bytesUsed + length > bytes.length) {
    bytes = new Uint8Array(PIECE);
    bytesUsed = 0;
  }
  bytesUsed += length;
  return bytes.subarray(bytesUsed - length, bytesUsed);
}

/** What is no length is left to the language. */
function isShort(length: number): boolean {
  return length >= 0 && length <= PIECE >> 3;
}
