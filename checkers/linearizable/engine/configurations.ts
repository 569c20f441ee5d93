/**
 * Where a search can be: a state, and what became of each operation in flight. Records of one size,
 * which wait at the completion that they cannot pass as they are, and the set of those that were
 * there already. A hash only finds candidates; every word is compared before one is dropped.
 */
import { allocate, allocateZero } from './arena.ts';
import { atMost } from './counts.ts';

/*
 * A record's words: next (in a list or chain), link (to another of the same completion), completion,
 * state, counts, node of the trail, choice, the completion at which it was chosen, and masks: done,
 * optional, credit; then whether its last overwrite is still unused, and whether it was expanded.
 */
export const RECORD_BYTES: i32 = 72;
const RECORDS_A_CHUNK: i32 = 256;
const FIRST_HEADS: i32 = 1 << 10;

let free: usize = 0;
let heads: usize = 0;
let headMask: i32 = 0;
let members: i32 = 0;

export function nextOf(c: usize): usize {
  return load<usize>(c);
}
export function setNext(c: usize, to: usize): void {
  store<usize>(c, to);
}
export function linkOf(c: usize): usize {
  return load<usize>(c, 4);
}
export function setLink(c: usize, to: usize): void {
  store<usize>(c, to, 4);
}
export function completionOf(c: usize): i32 {
  return load<i32>(c, 8);
}
export function stateOf(c: usize): i32 {
  return load<i32>(c, 12);
}
export function setPlace(c: usize, completion: i32, state: i32): void {
  store<i32>(c, completion, 8);
  store<i32>(c, state, 12);
}
export function countsOf(c: usize): usize {
  return load<usize>(c, 16);
}
export function setCounts(c: usize, counts: usize): void {
  store<usize>(c, counts, 16);
}
export function nodeOf(c: usize): i32 {
  return load<i32>(c, 20);
}
export function setNode(c: usize, node: i32): void {
  store<i32>(c, node, 20);
}
export function choiceLeadingTo(c: usize): i32 {
  return load<i32>(c, 24);
}
export function chosenAt(c: usize): i32 {
  return load<i32>(c, 28);
}
export function setChosen(c: usize, choice: i32, completion: i32): void {
  store<i32>(c, choice, 24);
  store<i32>(c, completion, 28);
}
export function doneOf(c: usize): u64 {
  return load<u64>(c, 32);
}
export function optionalOf(c: usize): u64 {
  return load<u64>(c, 40);
}
export function creditOf(c: usize): u64 {
  return load<u64>(c, 48);
}
export function setMasks(c: usize, done: u64, optional: u64, credit: u64): void {
  store<u64>(c, done, 32);
  store<u64>(c, optional, 40);
  store<u64>(c, credit, 48);
}
export function isFresh(c: usize): bool {
  return load<i32>(c, 56) != 0;
}
export function setFresh(c: usize, fresh: bool): void {
  store<i32>(c, fresh ? 1 : 0, 56);
}
export function isExpanded(c: usize): bool {
  return load<i32>(c, 60) != 0;
}
export function setExpanded(c: usize, expanded: bool): void {
  store<i32>(c, expanded ? 1 : 0, 60);
}
/** The next one to expand. */
export function workAfter(c: usize): usize {
  return load<usize>(c, 64);
}
export function setWorkAfter(c: usize, to: usize): void {
  store<usize>(c, to, 64);
}

export function prepareConfigurations(): bool {
  free = 0;
  members = 0;
  headMask = FIRST_HEADS - 1;
  heads = allocateZero(FIRST_HEADS << 2);
  return heads != 0;
}

/** 0: no memory. */
export function newConfiguration(completion: i32, state: i32, counts: usize, fresh: bool): usize {
  if (free == 0 && !addChunk()) return 0;
  const c = free;
  free = load<usize>(c);
  store<i32>(c, completion, 8);
  store<i32>(c, state, 12);
  setCounts(c, counts);
  setFresh(c, fresh);
  store<i32>(c, 0, 60);
  return c;
}

function addChunk(): bool {
  const chunk = allocate(RECORD_BYTES * RECORDS_A_CHUNK);
  if (chunk == 0) return false;
  for (let i = 0; i < RECORDS_A_CHUNK; i++) release(chunk + i * RECORD_BYTES);
  return true;
}

export function release(c: usize): void {
  store<usize>(c, free);
  free = c;
}

function hashOf(completion: i32, state: i32, fixed: u64): i32 {
  let h = fixed ^ ((<u64>state) << 32) ^ ((<u64>completion) << 8);
  h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9;
  h ^= h >> 32;
  return <i32>h;
}

/** What `admit` found. */
export const NEW: i32 = 0;
export const KNOWN: i32 = 1;
export const REPLACED: i32 = 2;
export const NO_MEMORY: i32 = 3;
/** The member that `admit` wrote over. */
export let replaced: usize = 0;

/**
 * Adds a configuration unless a member is at least as good; if it is better than a member it takes
 * that one's place, and is released. `fixed`: the operations in flight whose being done or not is
 * neither better nor worse; only members that agree on them are compared.
 */
export function admit(c: usize, fixed: u64): i32 {
  const completion = completionOf(c);
  const state = stateOf(c);
  const fixedDone = doneOf(c) & fixed;
  const hash = hashOf(completion, state, fixedDone);
  const head = heads + ((<usize>(hash & headMask)) << 2);
  for (let m = load<usize>(head); m != 0; m = nextOf(m)) {
    if (completionOf(m) != completion) continue;
    const found = weigh(m, c, state, fixed, fixedDone);
    if (found != NEW) return found;
  }
  return insert(c, hash) ? NEW : NO_MEMORY;
}

/** As `admit`, but adds nothing, and compares with those that are linked from `first` on. */
export function weighAmong(first: usize, c: usize, fixed: u64): i32 {
  const state = stateOf(c);
  const fixedDone = doneOf(c) & fixed;
  for (let m = first; m != 0; m = linkOf(m)) {
    const found = weigh(m, c, state, fixed, fixedDone);
    if (found != NEW) return found;
  }
  return NEW;
}

function weigh(m: usize, c: usize, state: i32, fixed: u64, fixedDone: u64): i32 {
  if (stateOf(m) != state || (doneOf(m) & fixed) != fixedDone) return NEW;
  if (isAtLeast(m, c)) return KNOWN;
  if (!isAtLeast(c, m)) return NEW;
  setCounts(m, countsOf(c));
  setMasks(m, doneOf(c), optionalOf(c), creditOf(c));
  setFresh(m, isFresh(c));
  setNode(m, nodeOf(c));
  setChosen(m, choiceLeadingTo(c), chosenAt(c));
  replaced = m;
  return REPLACED;
}

/** Adds one that has nothing to be compared with. */
export function add(c: usize, fixed: u64): bool {
  return insert(c, hashOf(completionOf(c), stateOf(c), doneOf(c) & fixed));
}

function insert(c: usize, hash: i32): bool {
  if (members > headMask && !growHeads()) return false;
  const place = heads + ((<usize>(hash & headMask)) << 2);
  setNext(c, load<usize>(place));
  store<usize>(place, c);
  store<i32>(c, hash, 68);
  members++;
  return true;
}

/**
 * Whatever `b` can still do, `a` can, too: they agree on the state; what differs between what they
 * have done may still be used or not in `a`, or is a read that `a` has behind it.
 */
function isAtLeast(a: usize, b: usize): bool {
  const done = doneOf(a);
  const optional = optionalOf(a);
  if ((optionalOf(b) & ~optional) != 0) return false;
  if ((doneOf(b) & ~(done | optional)) != 0) return false;
  if ((done & ~doneOf(b) & ~readsNow) != 0) return false;
  if ((creditOf(b) & ~(creditOf(a) | done)) != 0) return false;
  return atMost(countsOf(a), countsOf(b));
}

/** The reads in flight where the search is. */
let readsNow: u64 = 0;

export function setReadsNow(reads: u64): void {
  readsNow = reads;
}

function growHeads(): bool {
  const before = heads;
  const count = headMask + 1;
  heads = allocateZero((<usize>count) << 3);
  if (heads == 0) return false;
  headMask = (count << 1) - 1;
  for (let i = 0; i < count; i++) {
    let c = load<usize>(before + ((<usize>i) << 2));
    while (c != 0) {
      const following = nextOf(c);
      const place = heads + ((<usize>(load<i32>(c, 68) & headMask)) << 2);
      setNext(c, load<usize>(place));
      store<usize>(place, c);
      c = following;
    }
  }
  return true;
}

/** Frees the members of a completion, which are linked from `first` on. */
export function forget(first: usize): void {
  for (let c = first; c != 0; ) {
    const following = linkOf(c);
    store<usize>(heads + ((<usize>(load<i32>(c, 68) & headMask)) << 2), 0);
    release(c);
    members--;
    c = following;
  }
}

/** As `forget`, of those that are in no table. */
export function releaseAll(first: usize): void {
  for (let c = first; c != 0; ) {
    const following = linkOf(c);
    release(c);
    c = following;
  }
}

/** Each member there is, in no order that means anything: the one after another, or the first; 0: that was it. */
export function memberAfter(c: usize): usize {
  let bucket = 0;
  if (c != 0) {
    if (nextOf(c) != 0) return nextOf(c);
    bucket = (load<i32>(c, 68) & headMask) + 1;
  }
  for (; bucket <= headMask; bucket++) {
    const first = load<usize>(heads + ((<usize>bucket) << 2));
    if (first != 0) return first;
  }
  return 0;
}
