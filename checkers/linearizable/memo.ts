/**
 * The set of configurations that the search has been in. A hash finds candidates, and only an
 * exact comparison of every word makes two configurations equal: a collision must never prune.
 */
export interface Memo {
  /** Adds the first `length` words of `words`; `full` when that would need too much memory. */
  add(words: Int32Array, length: number): 'new' | 'seen' | 'full';
  readonly size: number;
  readonly bytes: number;
}

const FIRST_SLOTS = 256;
const FIRST_WORDS = 1024;
const WORD_BYTES = 4;

/** Configurations lie one after another in one array, each behind its length. */
export function createMemo(memoryBytes: number): Memo {
  /** Offsets into `arena` plus one; 0 is free. */
  let slots = new Int32Array(FIRST_SLOTS);
  let arena = new Int32Array(FIRST_WORDS);
  let used = 0;
  let size = 0;

  const equal = (offset: number, words: Int32Array, length: number): boolean => {
    if (arena[offset] !== length) return false;
    for (let i = 0; i < length; i++) if (arena[offset + 1 + i] !== words[i]) return false;
    return true;
  };
  /** The slot of an equal configuration, or the free slot where it belongs. */
  const slotOf = (words: Int32Array, length: number): number => {
    const mask = slots.length - 1;
    let slot = hashOf(words, 0, length) & mask;
    for (;;) {
      const entry = slots[slot] as number;
      if (entry === 0 || equal(entry - 1, words, length)) return slot;
      slot = (slot + 1) & mask;
    }
  };
  const growSlots = (): void => {
    slots = new Int32Array(slots.length * 2);
    const mask = slots.length - 1;
    for (let offset = 0; offset < used; offset += (arena[offset] as number) + 1) {
      let slot = hashOf(arena, offset + 1, arena[offset] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = offset + 1;
    }
  };
  const growArena = (): void => {
    const larger = new Int32Array(arena.length * 2);
    larger.set(arena);
    arena = larger;
  };
  /** Both the old and the new array exist while one grows. */
  const affordable = (extraWords: number): boolean =>
    (slots.length + arena.length + extraWords) * WORD_BYTES <= memoryBytes;

  return {
    add: (words, length) => {
      if (slots[slotOf(words, length)] !== 0) return 'seen';
      while (used + length + 1 > arena.length) {
        if (!affordable(arena.length * 2)) return 'full';
        growArena();
      }
      if ((size + 1) * 2 > slots.length) {
        if (!affordable(slots.length * 2)) return 'full';
        growSlots();
      }
      slots[slotOf(words, length)] = used + 1;
      arena[used] = length;
      for (let i = 0; i < length; i++) arena[used + 1 + i] = words[i] as number;
      used += length + 1;
      size++;
      return 'new';
    },
    get size() {
      return size;
    },
    get bytes() {
      return (slots.length + arena.length) * WORD_BYTES;
    },
  };
}

/** MurmurHash3's mixing (Appleby, public domain) over whole words. */
function hashOf(words: Int32Array, from: number, length: number): number {
  let h = length;
  for (let i = 0; i < length; i++) {
    const k = Math.imul(words[from + i] as number, 0xcc9e2d51);
    h ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
