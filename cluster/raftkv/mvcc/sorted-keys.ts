/** Things with a key, in the order of their keys. */

const CHUNK = 512;

/**
 * Sorted arrays of at most 512 items each: with a hundred thousand keys an insertion moves a few
 * hundred items, and a scan runs over plain arrays.
 */
export class SortedKeys<T extends { readonly text: string }> {
  /** None is empty. */
  readonly #chunks: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Its key must not be there yet. */
  add(item: T): void {
    this.#size++;
    const at = this.#chunkOf(item.text);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([item]);
      return;
    }
    chunk.splice(firstFrom(chunk, item.text), 0, item);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** Nothing happens when it is not there. */
  remove(text: string): void {
    const at = this.#chunkOf(text);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = firstFrom(chunk, text);
    if (chunk[index]?.text !== text) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
  }

  /** In order, `from` included, `to` not. `to` undefined: to the end. */
  between(from: string, to: string | undefined): T[] {
    const found: T[] = [];
    for (let at = this.#chunkOf(from); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = firstFrom(chunk, from); index < chunk.length; index++) {
        const item = chunk[index] as T;
        if (to !== undefined && item.text >= to) return found;
        found.push(item);
      }
    }
    return found;
  }

  /** The last chunk that begins at or before `text`, else the first. */
  #chunkOf(text: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.[0]?.text ?? '') <= text) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The index of the first item whose key is at or after `text`. */
function firstFrom(chunk: readonly { readonly text: string }[], text: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle]?.text ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
