/**
 * Linear memory as one arena that only grows. A search frees single records into lists of its own
 * and everything at once when the next search begins; so nothing here collects garbage.
 */

const PAGE_BITS: i32 = 16;
const GROW_PAGES: i32 = 16;

let top: usize = 0;
let limit: usize = 0;

/** Forgets everything; from now on at most `limitBytes` are given out. */
export function resetArena(limitBytes: usize): void {
  top = (__heap_base + 15) & ~15;
  limit = limitBytes;
  spared = 0;
}

/** What is told of a search is not held against its budget: see `allocateToTell`. */
let spared: usize = 0;

/** As `allocate`, as long as the machine has more. */
export function allocateToTell(bytes: usize): usize {
  const before = limit;
  limit = ~(<usize>0) - 0xffff;
  const from = top;
  const at = allocate(bytes);
  spared += top - from;
  limit = before;
  return at;
}

/** An address whose bytes hold anything; 0 when the budget or the machine has no more. */
export function allocate(bytes: usize): usize {
  const at = top;
  const end = (at + bytes + 15) & ~15;
  if (end - spared > limit || end < at) return 0;
  const have = (<usize>memory.size()) << PAGE_BITS;
  if (end > have) {
    const need = <i32>((end - have + 0xffff) >> PAGE_BITS);
    if (memory.grow(max(need, GROW_PAGES)) < 0 && memory.grow(need) < 0) return 0;
  }
  top = end;
  return at;
}

/** As `allocate`, with bytes of 0. */
export function allocateZero(bytes: usize): usize {
  const at = allocate(bytes);
  if (at != 0) memory.fill(at, 0, bytes);
  return at;
}

export function arenaBytes(): usize {
  return top;
}
