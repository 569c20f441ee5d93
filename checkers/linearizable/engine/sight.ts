/**
 * What can be done in a state at the completion where the window is. Each state remembers what was
 * seen from it last, so that only operations invoked since then are looked at again.
 */
import { allocate } from './arena.ts';
import { next, outOfMemory, runOut, sightOf } from './transitions.ts';
import {
  at,
  isOverwrite,
  kindOfClassAt,
  kindOfSlot,
  newsSince,
  openClasses,
  pending,
  pendingReads,
} from './window.ts';

/*
 * Of a state: the moment, how many classes were looked at, three masks over operations in flight,
 * first and last of its list of classes. An entry of that is the next one, and a class.
 */
const ENTRY_BYTES: usize = 8;

/** What is in flight, seen from a state: reads that fit it, others that keep it, others that change it. */
export function look(state: i32): usize {
  const sight = sightOf(state);
  const seenAt = load<i32>(sight) - 1;
  if (seenAt != at) renew(state, sight, seenAt);
  return sight;
}

function renew(state: i32, sight: usize, seenAt: i32): void {
  const news = newsSince(seenAt);
  const known = pending & ~news;
  let fitting = load<u64>(sight, 8) & known;
  let keeping = load<u64>(sight, 16) & known;
  let changing = load<u64>(sight, 24) & known;
  for (let left = pending & news; left != 0; left &= left - 1) {
    const slot = <i32>ctz<u64>(left);
    const to = next(state, kindOfSlot(slot));
    // Without branches: no processor could guess them.
    const legal = (<u64>(to >= 0)) << slot;
    const same = (<u64>(to == state)) << slot;
    fitting |= legal & pendingReads;
    keeping |= same & ~pendingReads;
    changing |= legal & ~same & ~pendingReads;
  }
  store<i32>(sight, at + 1);
  store<u64>(sight, fitting, 8);
  store<u64>(sight, keeping, 16);
  store<u64>(sight, changing, 24);
}

export function fitting(sight: usize): u64 {
  return load<u64>(sight, 8);
}
export function keeping(sight: usize): u64 {
  return load<u64>(sight, 16);
}
export function changing(sight: usize): u64 {
  return load<u64>(sight, 24);
}

/**
 * The first entry of a list of classes that do not overwrite, and change this state; 0: there is
 * none. Those at the end may not be open here: see `openClassOf`.
 */
export function firstChanger(state: i32): usize {
  const sight = sightOf(state);
  for (let cls = load<i32>(sight, 4); cls < openClasses; cls++) {
    store<i32>(sight, cls + 1, 4);
    const kind = kindOfClassAt(cls);
    if (isOverwrite(kind)) continue;
    const to = next(state, kind);
    if (to >= 0 && to != state) append(sight, cls);
  }
  return load<usize>(sight, 32);
}

function append(sight: usize, cls: i32): void {
  const entry = allocate(ENTRY_BYTES);
  if (entry == 0) {
    runOut();
    return;
  }
  store<usize>(entry, 0);
  store<i32>(entry, cls, 4);
  const last = load<usize>(sight, 36);
  store<usize>(last == 0 ? sight + 32 : last, entry);
  store<usize>(sight, entry, 36);
}

export function nextChanger(entry: usize): usize {
  return load<usize>(entry);
}

/** Of an entry the class, if operations of it were invoked by now; else -1, for all behind it, too. */
export function openClassOf(entry: usize): i32 {
  if (entry == 0) return -1;
  const cls = load<i32>(entry, 4);
  return cls < openClasses ? cls : -1;
}
