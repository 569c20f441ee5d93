/**
 * How each configuration came about: a tree of the choices that led to it, from which the witness is
 * read at the end. Branches that lead nowhere are swept out when the tree has doubled, so it stays
 * about as long as one order of the history.
 */
import { allocate } from './arena.ts';

const NODE_BYTES: i32 = 12;
const CHUNK_BITS: i32 = 12;
const CHUNKS_MAX: i32 = 1 << 13;
const FIRST_LIMIT: i32 = 1 << 14;
const MARK: i32 = 1 << 31;

let chunks: usize = 0;
let chunkCount: i32 = 0;
let nodes: i32 = 0;
let sweepAt: i32 = 0;
/** While sweeping: for each 64 nodes a mask of those kept, and how many are kept before them. */
let kept: usize = 0;
let keptBefore: usize = 0;
let keptRoom: i32 = 0;

/** Nothing was chosen yet. */
export const ROOT: i32 = 0;

export function prepareTrail(): bool {
  chunks = allocate(CHUNKS_MAX << 2);
  chunkCount = 0;
  nodes = 0;
  keptRoom = 0;
  sweepAt = FIRST_LIMIT;
  return chunks != 0 && addNode(-1, 0, 0) == ROOT;
}

function addressOf(node: i32): usize {
  const chunk = load<usize>(chunks + ((node >> CHUNK_BITS) << 2));
  return chunk + (node & ((1 << CHUNK_BITS) - 1)) * NODE_BYTES;
}
export function parentOf(node: i32): i32 {
  return load<i32>(addressOf(node));
}
export function choiceOf(node: i32): i32 {
  return load<i32>(addressOf(node), 4);
}
/** The completion before which the choice was made. */
export function momentOf(node: i32): i32 {
  return load<i32>(addressOf(node), 8) & ~MARK;
}

/** -1: no memory. */
export function addNode(parent: i32, choice: i32, moment: i32): i32 {
  if (nodes >> CHUNK_BITS == chunkCount) {
    const chunk = chunkCount == CHUNKS_MAX ? <usize>0 : allocate((<usize>NODE_BYTES) << CHUNK_BITS);
    if (chunk == 0) return -1;
    store<usize>(chunks + (chunkCount << 2), chunk);
    chunkCount++;
  }
  const at = addressOf(nodes);
  store<i32>(at, parent);
  store<i32>(at, choice, 4);
  store<i32>(at, moment, 8);
  return nodes++;
}

export function wantsSweep(): bool {
  return nodes >= sweepAt;
}

/** Marks what must stay: call it for every node in use, between `wantsSweep` and `sweep`. */
export function keep(node: i32): void {
  while (node >= 0) {
    const at = addressOf(node);
    const moment = load<i32>(at, 8);
    if ((moment & MARK) != 0) return;
    store<i32>(at, moment | MARK, 8);
    node = load<i32>(at);
  }
}

/** Makes room for `newNodeOf`. False: no memory. */
export function numberKept(): bool {
  const words = (nodes >> 6) + 1;
  if (words > keptRoom) {
    keptRoom = words << 1;
    kept = allocate((<usize>keptRoom) << 3);
    keptBefore = allocate((<usize>keptRoom) << 2);
    if (kept == 0 || keptBefore == 0) return false;
  }
  memory.fill(kept, 0, (<usize>words) << 3);
  let count = 0;
  for (let word = 0; word < words; word++) {
    let mask: u64 = 0;
    const first = word << 6;
    for (let i = 0; i < 64 && first + i < nodes; i++)
      if ((load<i32>(addressOf(first + i), 8) & MARK) != 0) mask |= (<u64>1) << i;
    store<u64>(kept + ((<usize>word) << 3), mask);
    store<i32>(keptBefore + ((<usize>word) << 2), count);
    count += <i32>popcnt<u64>(mask);
  }
  return true;
}

/** Where a marked node will be after the sweep. */
export function newNodeOf(node: i32): i32 {
  const word = <usize>(node >> 6);
  const below = ((<u64>1) << (node & 63)) - 1;
  const mask = load<u64>(kept + (word << 3));
  return load<i32>(keptBefore + (word << 2)) + <i32>popcnt<u64>(mask & below);
}

/** Moves what was marked together. Parents come before their children, and stay so. */
export function sweep(): void {
  let to = 0;
  for (let node = 0; node < nodes; node++) {
    const from = addressOf(node);
    const moment = load<i32>(from, 8);
    if ((moment & MARK) == 0) continue;
    const parent = load<i32>(from);
    const choice = load<i32>(from, 4);
    const target = addressOf(to);
    store<i32>(target, parent < 0 ? parent : newNodeOf(parent));
    store<i32>(target, choice, 4);
    store<i32>(target, moment & ~MARK, 8);
    to++;
  }
  nodes = to;
  sweepAt = max(FIRST_LIMIT, to * 3);
}
