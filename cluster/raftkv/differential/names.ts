/** Gives what differs from cluster to cluster (ids, addresses, hashes) names that do not. */

/** Ids of members, clusters and leases are far above any revision, count or size. */
const SMALLEST_ID = 2n ** 40n;
/** Leases are padded to 16 digits, members are not. */
const HEX_ID = /\b[0-9a-f]{11,16}\b/g;
const DECIMAL_ID = /\b\d{17,20}\b/g;

/**
 * One system's names in one sequence. What is equal gets an equal name and what differs another, in
 * the order in which it appears: two systems agree when their texts with names do.
 */
export class Names {
  readonly #ids: Map<bigint, string> = new Map();
  readonly #hashes: Map<string, string> = new Map();
  /** Address to name, as text. */
  readonly #texts: Map<string, string> = new Map();
  #unnamed = 0;

  nameId(id: bigint, name: string): void {
    if (!this.#ids.has(id)) this.#ids.set(id, name);
  }

  nameText(text: string, name: string): void {
    this.#texts.set(text, name);
  }

  id(id: bigint): string {
    const known = this.#ids.get(id);
    if (known !== undefined) return `<${known}>`;
    const name = `id ${++this.#unnamed}`;
    this.#ids.set(id, name);
    return `<${name}>`;
  }

  hash(value: string): string {
    const known = this.#hashes.get(value);
    if (known !== undefined) return known;
    const name = `<hash ${this.#hashes.size + 1}>`;
    this.#hashes.set(value, name);
    return name;
  }

  /** Of before and after a compaction only raftkv's are never equal. */
  forgetHashes(): void {
    this.#hashes.clear();
  }

  isId(id: bigint): boolean {
    return id >= SMALLEST_ID || this.#ids.has(id);
  }

  /** Addresses first, longest first, so that none is found within another. */
  inText(text: string): string {
    let named = text;
    const texts = [...this.#texts].toSorted(([a], [b]) => b.length - a.length);
    for (const [from, to] of texts) named = named.replaceAll(from, `<${to}>`);
    return named
      .replaceAll(DECIMAL_ID, (found) => this.id(BigInt(found)))
      .replaceAll(HEX_ID, (found) => {
        const [hex, decimal] = [`0x${found}`, /^\d+$/.test(found) ? found : '0'].map(BigInt);
        if (hex === undefined || decimal === undefined) return found;
        if (this.#ids.has(decimal)) return this.id(decimal);
        return this.isId(hex) ? this.id(hex) : found;
      });
  }
}
