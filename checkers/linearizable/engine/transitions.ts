/**
 * What an operation of a kind makes of a state. The host is asked once for each pair while the
 * table has room; beyond that a cache may forget, and the host is asked again.
 */
import { allocate, allocateZero } from './arena.ts';
import { step } from './host.ts';

export const ILLEGAL: i32 = -1;

const DENSE_BYTES: i32 = 1 << 18;
const CACHE_ENTRY_BYTES: i32 = 12;
const CACHE_ENTRIES_MAX: i32 = 1 << 18;

/** What is known of a state at one moment; see sight.ts. */
const SIGHT_BYTES: usize = 40;
const CHUNK_BITS: i32 = 8;
const CHUNKS_MAX: i32 = 1 << 12;

let kindCount: i32 = 0;
let dense: usize = 0;
let denseStates: i32 = 0;
let cache: usize = 0;
let cacheMask: i32 = 0;
let chunks: usize = 0;
let chunkCount: i32 = 0;
let states: i32 = 0;

/** True once a state could not be kept: from then on no answer of this search counts. */
export let outOfStates: bool = false;
/** True once there was no memory to remember something. */
export let outOfMemory: bool = false;

export function stateCount(): i32 {
  return states;
}

export function prepareTransitions(kinds: i32, operations: i32): bool {
  kindCount = kinds;
  denseStates = min(DENSE_BYTES / (max(kinds, 1) << 2), 1 << 16);
  dense = allocate((<usize>denseStates * kinds) << 2);
  let entries = 1 << 10;
  while (entries < operations * 4 && entries < CACHE_ENTRIES_MAX) entries <<= 1;
  cacheMask = entries - 1;
  cache = 0;
  chunks = allocate(CHUNKS_MAX << 2);
  chunkCount = 0;
  states = 0;
  outOfStates = false;
  outOfMemory = false;
  return dense != 0 && chunks != 0 && know(0);
}

/** The state after an operation of this kind, or `ILLEGAL`. */
export function next(state: i32, kind: i32): i32 {
  if (state < denseStates) {
    const at = dense + ((<usize>state * kindCount + kind) << 2);
    const known = load<i32>(at);
    if (known != 0) return known - 2;
    const to = ask(state, kind);
    store<i32>(at, to + 2);
    return to;
  }
  return nextFromCache(state, kind);
}

function nextFromCache(state: i32, kind: i32): i32 {
  if (cache == 0) {
    cache = allocateZero((cacheMask + 1) * CACHE_ENTRY_BYTES);
    if (cache == 0) {
      outOfStates = true;
      return ILLEGAL;
    }
  }
  const hash = (state * 0x2c1b3c6d) ^ (kind * 0x297a2d39);
  const at = cache + ((hash ^ (hash >>> 15)) & cacheMask) * CACHE_ENTRY_BYTES;
  // Plus one, as with many kinds not even state 0 is dense: so an empty place is that of no state.
  if (load<i32>(at) == state + 1 && load<i32>(at, 4) == kind) return load<i32>(at, 8);
  const to = ask(state, kind);
  store<i32>(at, state + 1);
  store<i32>(at, kind, 4);
  store<i32>(at, to, 8);
  return to;
}

function ask(state: i32, kind: i32): i32 {
  const to = step(state, kind);
  if (to >= states && !know(to)) {
    outOfStates = true;
    return ILLEGAL;
  }
  return to;
}

export function runOut(): void {
  outOfMemory = true;
}

/** Makes room for all states up to this one. */
export function know(state: i32): bool {
  while (states <= state) {
    if (states >> CHUNK_BITS == chunkCount) {
      const chunk =
        chunkCount == CHUNKS_MAX ? <usize>0 : allocate((<usize>SIGHT_BYTES) << CHUNK_BITS);
      if (chunk == 0) return false;
      store<usize>(chunks + (chunkCount << 2), chunk);
      chunkCount++;
    }
    memory.fill(sightOf(states), 0, SIGHT_BYTES);
    if (states < denseStates)
      memory.fill(dense + ((<usize>states * kindCount) << 2), 0, kindCount << 2);
    states++;
  }
  return true;
}

/** Where the window keeps what it sees from this state. */
export function sightOf(state: i32): usize {
  const chunk = load<usize>(chunks + ((state >> CHUNK_BITS) << 2));
  return chunk + <usize>(state & ((1 << CHUNK_BITS) - 1)) * SIGHT_BYTES;
}
