/** Which operations are placed, in a form that can be compared exactly and stored in few words. */
export interface Placed {
  readonly add: (op: number) => void;
  /** Takes back the operation that was added last. */
  readonly remove: (op: number) => void;
  readonly has: (op: number) => boolean;
  /** Writes state and placed set to `words`; returns how many words that took. */
  readonly encode: (state: number) => number;
  readonly words: Int32Array;
}

/**
 * Obligatory operations are numbered by invocation: all below some point are placed and few above
 * it, so only the window between the first unplaced and the last placed one is stored. Optional
 * ones may stay unplaced for ever, which would hold the window open; they have bits of their own.
 */
export function createPlaced(optional: readonly boolean[]): Placed {
  const count = optional.length;
  const optionals = optional.filter(Boolean).length;
  const obligatory = count - optionals;
  const optionalWords = (optionals + 31) >> 5;
  const done = new Int32Array(((obligatory + 31) >> 5) + 1);
  const chosen = new Int32Array(optionalWords);
  const words = new Int32Array(2 + done.length + optionalWords);
  const rank = ranksOf(optional);

  /** The first unplaced obligatory operation, and one more than the last placed one. */
  let base = 0;
  let top = 0;
  const bases: number[] = [];
  const tops: number[] = [];
  const bit = (set: Int32Array, at: number): boolean =>
    (((set[at >> 5] as number) >>> (at & 31)) & 1) === 1;
  const flip = (set: Int32Array, at: number): void => {
    set[at >> 5] = (set[at >> 5] as number) ^ (1 << (at & 31));
  };
  const setOf = (op: number): Int32Array => (optional[op] === true ? chosen : done);

  return {
    words,
    has: (op) => bit(setOf(op), rank[op] as number),
    add: (op) => {
      const at = rank[op] as number;
      flip(setOf(op), at);
      if (optional[op] === true) return;
      bases.push(base);
      tops.push(top);
      top = Math.max(top, at + 1);
      while (base < obligatory && bit(done, base)) base++;
    },
    remove: (op) => {
      flip(setOf(op), rank[op] as number);
      if (optional[op] === true) return;
      base = bases.pop() ?? 0;
      top = tops.pop() ?? 0;
    },
    encode: (state) => {
      words[0] = state;
      words[1] = base;
      let length = 2;
      // Bits below `base` in its word are all set, so the words of equal sets are equal.
      for (let word = base >> 5; word * 32 < top; word++) words[length++] = done[word] as number;
      for (let word = 0; word < optionalWords; word++) words[length++] = chosen[word] as number;
      return length;
    },
  };
}

/** The place of each operation among those of its sort. */
function ranksOf(optional: readonly boolean[]): Int32Array {
  const rank = new Int32Array(optional.length);
  let [first, second] = [0, 0];
  for (const [op, isOptional] of optional.entries()) rank[op] = isOptional ? second++ : first++;
  return rank;
}
