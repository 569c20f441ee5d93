/**
 * How many operations without completion were used of each class: vectors, each kept once, so that
 * equal ones have equal addresses. A vector is its sum, its length, and pairs of class and count by
 * class.
 */
import { allocate, allocateZero } from './arena.ts';

const FIRST_HEADS: i32 = 256;
const MEMO_ENTRIES: i32 = 1024;
const MEMO_ENTRY_BYTES: i32 = 12;
/** Before the pairs: next in the chain of its hash, the hash, sum, length. */
const HEADER_BYTES: usize = 16;

let heads: usize = 0;
let headMask: i32 = 0;
let vectors: i32 = 0;
let memo: usize = 0;
let scratch: usize = 0;

/** The vector of zeros; 0: no memory. */
export let none: usize = 0;

export function prepareCounts(classes: i32): bool {
  vectors = 0;
  headMask = FIRST_HEADS - 1;
  heads = allocateZero(FIRST_HEADS << 2);
  memo = classes == 0 ? 1 : allocateZero(MEMO_ENTRIES * MEMO_ENTRY_BYTES);
  scratch = allocate(((<usize>classes) << 3) + 8);
  if (heads == 0 || memo == 0 || scratch == 0) return false;
  none = intern(0, 0);
  return none != 0;
}

export function sumOf(vector: usize): i32 {
  return load<i32>(vector, 8);
}
export function lengthOf(vector: usize): i32 {
  return load<i32>(vector, 12);
}
function classAt(vector: usize, i: i32): i32 {
  return load<i32>(vector + HEADER_BYTES + ((<usize>i) << 3));
}
function countAt(vector: usize, i: i32): i32 {
  return load<i32>(vector + HEADER_BYTES + ((<usize>i) << 3), 4);
}

export function countOf(vector: usize, cls: i32): i32 {
  const length = lengthOf(vector);
  for (let i = 0; i < length; i++) {
    const found = classAt(vector, i);
    if (found >= cls) return found == cls ? countAt(vector, i) : 0;
  }
  return 0;
}

/** No class was used more often in `a` than in `b`. */
export function atMost(a: usize, b: usize): bool {
  if (a == b) return true;
  if (sumOf(a) >= sumOf(b)) return false;
  const lengthA = lengthOf(a);
  const lengthB = lengthOf(b);
  if (lengthA > lengthB) return false;
  let j = 0;
  for (let i = 0; i < lengthA; i++) {
    const cls = classAt(a, i);
    while (j < lengthB && classAt(b, j) < cls) j++;
    if (j == lengthB || classAt(b, j) != cls || countAt(b, j) < countAt(a, i)) return false;
    j++;
  }
  return true;
}

/** The vector with one more of a class; 0: no memory. */
export function oneMore(vector: usize, cls: i32): usize {
  const hash = (<i32>vector * 0x2c1b3c6d) ^ (cls * 0x297a2d39);
  const entry = memo + ((hash ^ (hash >>> 16)) & (MEMO_ENTRIES - 1)) * MEMO_ENTRY_BYTES;
  if (load<usize>(entry) == vector && load<i32>(entry, 4) == cls) return load<usize>(entry, 8);
  const length = lengthOf(vector);
  let to = 0;
  let added = false;
  for (let i = 0; i < length; i++) {
    const found = classAt(vector, i);
    if (!added && found > cls) to = put(to, cls, 1);
    added = added || found >= cls;
    to = put(to, found, countAt(vector, i) + (found == cls ? 1 : 0));
  }
  if (!added) to = put(to, cls, 1);
  const result = intern(to, sumOf(vector) + 1);
  if (result == 0) return 0;
  store<usize>(entry, vector);
  store<i32>(entry, cls, 4);
  store<usize>(entry, result, 8);
  return result;
}

function put(i: i32, cls: i32, count: i32): i32 {
  store<i32>(scratch + ((<usize>i) << 3), cls);
  store<i32>(scratch + ((<usize>i) << 3), count, 4);
  return i + 1;
}

/** The vector whose pairs are in `scratch`. */
function intern(length: i32, sum: i32): usize {
  let hash = sum;
  for (let i = 0; i < length << 1; i++) {
    hash = (hash ^ load<i32>(scratch + ((<usize>i) << 2))) * 0x9e3779b1;
    hash ^= hash >>> 15;
  }
  for (let found = headOf(hash); found != 0; found = load<usize>(found))
    if (load<i32>(found, 4) == hash && isScratch(found, length)) return found;
  if (vectors > headMask && !growHeads()) return 0;
  const vector = allocate(HEADER_BYTES + ((<usize>length) << 3));
  if (vector == 0) return 0;
  const head = heads + ((hash & headMask) << 2);
  store<usize>(vector, load<usize>(head));
  store<i32>(vector, hash, 4);
  store<i32>(vector, sum, 8);
  store<i32>(vector, length, 12);
  memory.copy(vector + HEADER_BYTES, scratch, (<usize>length) << 3);
  store<usize>(head, vector);
  vectors++;
  return vector;
}

function headOf(hash: i32): usize {
  return load<usize>(heads + ((hash & headMask) << 2));
}

function isScratch(vector: usize, length: i32): bool {
  return (
    lengthOf(vector) == length &&
    memory.compare(vector + HEADER_BYTES, scratch, (<usize>length) << 3) == 0
  );
}

function growHeads(): bool {
  const before = heads;
  const count = headMask + 1;
  heads = allocateZero((<usize>count) << 3);
  if (heads == 0) return false;
  headMask = (count << 1) - 1;
  for (let i = 0; i < count; i++) {
    let vector = load<usize>(before + ((<usize>i) << 2));
    while (vector != 0) {
      const following = load<usize>(vector);
      const head = heads + ((load<i32>(vector, 4) & headMask) << 2);
      store<usize>(vector, load<usize>(head));
      store<usize>(head, vector);
      vector = following;
    }
  }
  return true;
}
