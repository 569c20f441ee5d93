/** Who waits where: for each completion a list of configurations. */
import { allocateZero } from './arena.ts';
import { completionCount, spareColumn } from './window.ts';

let lists: usize = 0;
/** For each completion a bit whether anybody waits there; 0: not kept, as nobody goes back. */
let bits: usize = 0;
let words: i32 = 0;

export function prepareQueue(goesBack: bool): bool {
  words = (completionCount >> 6) + 1;
  lists = spareColumn();
  memory.fill(lists, 0, (<usize>completionCount + 1) << 2);
  bits = goesBack ? allocateZero((<usize>words) << 3) : 0;
  return bits != 0 || !goesBack;
}

/** The first of the list; 0: nobody waits there. */
export function waitingAt(e: i32): usize {
  return load<usize>(lists + ((<usize>e) << 2));
}

export function setWaiting(e: i32, c: usize): void {
  store<usize>(lists + ((<usize>e) << 2), c);
  if (bits == 0) return;
  const word = bits + ((<usize>(e >> 6)) << 3);
  const bit = (<u64>1) << (e & 63);
  const before = load<u64>(word);
  store<u64>(word, c == 0 ? before & ~bit : before | bit);
}

function bitsAt(word: i32): u64 {
  return load<u64>(bits + ((<usize>word) << 3));
}

/** The first completion from `from` to `to` where somebody waits; -1: none. */
export function nextWaiting(from: i32, to: i32): i32 {
  if (bits == 0) {
    for (let e = from; e <= to; e++) if (waitingAt(e) != 0) return e;
    return -1;
  }
  let word = from >> 6;
  if (word >= words) return -1;
  let found = bitsAt(word) & (~(<u64>0) << (from & 63));
  while (found == 0) {
    word++;
    if (word == words) return -1;
    found = bitsAt(word);
  }
  return (word << 6) + <i32>ctz<u64>(found);
}

/** The last completion up to that of `to`'s word where somebody waits; -1: none. */
export function lastWaiting(to: i32): i32 {
  for (let word = to >> 6; word >= 0; word--) {
    const found = bitsAt(word);
    if (found != 0) return (word << 6) + 63 - <i32>clz<u64>(found);
  }
  return -1;
}
