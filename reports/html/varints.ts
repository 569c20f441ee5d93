/** Whole numbers from 0 as LEB128, one after the other. */
export class VarintWriter {
  #bytes: Uint8Array = new Uint8Array(1 << 12);
  #length = 0;

  add(value: number): void {
    if (this.#length + 10 > this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#bytes.length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    let rest = value;
    // Bits are of 32-bit numbers only; what is larger is divided.
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
