/** Numbers and byte strings as bytes: for records on disk, frames between peers, and commands. */
import { invariant } from '../../harness/core/invariant.ts';

export type Bytes = Uint8Array;

/** Most of what is written is a command or a version of a key, and fits. */
const FIRST_CAPACITY = 64;
/** Up to so many characters it is faster to copy them here than to call into the runtime. */
const SHORT_TEXT = 48;

/** Grows as it is written to. Numbers are whole, from 0 to 2^53 - 1, in LEB128. */
export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;

  /** Less than 256. */
  byte(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  number(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0)
      invariant(false, `cannot write the number ${value}`);
    this.#reserve(8);
    let left = value;
    while (left >= 0x80) {
      this.#buffer[this.#length++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#buffer[this.#length++] = left;
    return this;
  }

  /** Its length first. */
  bytes(value: Bytes): this {
    this.number(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** UTF-8, its length first. */
  text(value: string): this {
    return this.#asciiText(value) ? this : this.bytes(Buffer.from(value, 'utf8'));
  }

  /** One byte for each character, its length first. */
  latin1(value: string): this {
    return this.#asciiText(value) ? this : this.bytes(Buffer.from(value, 'latin1'));
  }

  /** False, and nothing is written: it is long, or not ASCII, where all encodings are the same. */
  #asciiText(value: string): boolean {
    const { length } = value;
    if (length > SHORT_TEXT) return false;
    this.#reserve(length + 1);
    const start = this.#length + 1;
    for (let at = 0; at < length; at++) {
      const code = value.charCodeAt(at);
      if (code >= 0x80) return false;
      this.#buffer[start + at] = code;
    }
    this.#buffer[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.number(items.length);
    for (const item of items) write(item);
    return this;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; what is written later comes after it. */
  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** The bytes are not what a `ByteWriter` wrote; whoever knows the file or peer says so. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}

/** Reads what a `ByteWriter` wrote; throws `MalformedBytes`, never reads beyond the end. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    const value = this.#buffer[this.#at];
    if (value === undefined) throw new MalformedBytes('ended too early');
    this.#at++;
    return value;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw new MalformedBytes('a number is too large');
      if (next < 0x80) return value;
      scale *= 0x80;
    }
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const end = this.#endOf(this.number());
    const value = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  text(): string {
    const length = this.number();
    const start = this.#at;
    this.#at = this.#endOf(length);
    return this.#buffer.toString('utf8', start, this.#at);
  }

  list<T>(read: () => T): T[] {
    const count = this.number();
    // Each item takes a byte at least: a damaged count must not fill the memory.
    if (count > this.#buffer.length - this.#at) throw new MalformedBytes('a list is too long');
    const items: T[] = [];
    for (let at = 0; at < count; at++) items.push(read());
    return items;
  }

  #endOf(length: number): number {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw new MalformedBytes('ended too early');
    return end;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (!this.isAtEnd) throw new MalformedBytes('has more than it should');
  }
}
