/**
 * The operations in flight at one completion. Completions are numbered in order; "at completion e"
 * is the moment just before it, when everything invoked earlier and completed no earlier is in
 * flight. Each such operation has one of 64 slots, which is used again after it completed.
 */
import { allocate, allocateZero } from './arena.ts';
import { next, sightOf } from './transitions.ts';

/** Of a kind: never changes a state; is legal in every state and leaves always the same one. */
export const READ_ONLY: u8 = 1;
export const OVERWRITE: u8 = 2;

const NEVER: i32 = 0x7fffffff;
const SLOTS: i32 = 64;
/** For how many completions it is remembered which slots were taken since the one before. */
const RECENT: i32 = 8;
const RECENT_BYTES: i32 = 16;

let operations: i32 = 0;
/** For each operation: kind; invocation's moment, later unused; completion's moment, then number. */
let kinds: usize = 0;
let calls: usize = 0;
let returns: usize = 0;
let slots: usize = 0;
let flags: usize = 0;
/** For each completion its operation, and how many were invoked before it. */
let completions: usize = 0;
let classOfKind: usize = 0;
let kindOfClass: usize = 0;
/** For each class: how many of its operations were invoked by now. */
let supply: usize = 0;
/** For the last completions that the window came to: the slots that were taken, and which it was. */
let recent: usize = 0;
let slotKinds: usize = 0;
let slotReturns: usize = 0;

export let completionCount: i32 = 0;
export let classCount: i32 = 0;
/** The most operations that were in flight at once. */
export let width: i32 = 0;

/** The completion the window is at. */
export let at: i32 = 0;
export let pending: u64 = 0;
export let pendingReads: u64 = 0;
export let pendingOverwrites: u64 = 0;
/** Classes of operations without completion that were invoked by now are those below this. */
export let openClasses: i32 = 0;

/** Room for the columns, which the host fills next. */
export function prepareColumns(count: i32, kindCount: i32): bool {
  operations = count;
  kinds = allocate((<usize>count) << 2);
  calls = allocate((<usize>count + 1) << 2);
  returns = allocate((<usize>count) << 2);
  flags = allocate(kindCount);
  completions = allocate(((<usize>count) << 3) + 8);
  slots = allocate(count);
  classOfKind = allocate((<usize>kindCount) << 2);
  kindOfClass = allocate((<usize>kindCount) << 2);
  supply = allocateZero((<usize>kindCount) << 2);
  recent = allocateZero(RECENT * RECENT_BYTES);
  slotKinds = allocate(SLOTS << 2);
  slotReturns = allocate(SLOTS << 2);
  if (slotReturns == 0 || recent == 0 || supply == 0 || kindOfClass == 0 || classOfKind == 0)
    return false;
  if (kinds == 0 || calls == 0 || returns == 0 || completions == 0 || slots == 0) return false;
  for (let kind = 0; kind < kindCount; kind++) store<i32>(classOfKind + (kind << 2), -1);
  return flags != 0;
}

export function kindsColumn(): usize {
  return kinds;
}
export function callsColumn(): usize {
  return calls;
}
export function returnsColumn(): usize {
  return returns;
}
export function flagsColumn(): usize {
  return flags;
}
/** Memory of one word per completion and one more, free once the window is prepared. */
export function spareColumn(): usize {
  return calls;
}

/** Numbers completions and gives out slots. False: more than 64 operations in flight at once. */
export function prepareWindow(): bool {
  sortMoments();
  completionCount = 0;
  classCount = 0;
  width = 0;
  let called = 0;
  let free: u64 = ~(<u64>0);
  for (let moment = 0; called + completionCount < 2 * operations; moment++) {
    const mark = load<i32>(completions + ((<usize>moment) << 2));
    if (mark < 0) break;
    const op = mark >> 1;
    if ((mark & 1) == 1) {
      store<i32>(completions + ((<usize>completionCount) << 3), op);
      store<i32>(completions + ((<usize>completionCount) << 3), called, 4);
      store<i32>(returns + ((<usize>op) << 2), completionCount);
      free |= (<u64>1) << slotOf(op);
      completionCount++;
      continue;
    }
    called++;
    if (load<i32>(returns + ((<usize>op) << 2)) == NEVER) {
      nameClass(kindOf(op));
      continue;
    }
    if (free == 0) return false;
    const slot = <i32>ctz<u64>(free);
    free &= free - 1;
    store<u8>(slots + op, <u8>slot);
    width = max(width, SLOTS - <i32>popcnt<u64>(free));
  }
  store<i32>(completions + ((<usize>completionCount) << 3), operations, 4);
  at = 0;
  pending = 0;
  pendingReads = 0;
  pendingOverwrites = 0;
  openClasses = 0;
  invokeFrom(0, completionCount == 0 ? operations : callsBefore(0));
  return true;
}

/**
 * Writes what happens at each moment to where the completions will be: record e of those takes
 * the place of moments 2e and 2e + 1, and completion e is moment 2e + 1 at the earliest.
 */
function sortMoments(): void {
  memory.fill(completions, 0xff, ((<usize>operations) << 3) + 8);
  for (let op = 0; op < operations; op++) {
    const call = load<i32>(calls + ((<usize>op) << 2));
    store<i32>(completions + ((<usize>call) << 2), op << 1);
    const ret = load<i32>(returns + ((<usize>op) << 2));
    if (ret != NEVER) store<i32>(completions + ((<usize>ret) << 2), (op << 1) | 1);
  }
}

function nameClass(kind: i32): void {
  if (load<i32>(classOfKind + ((<usize>kind) << 2)) >= 0) return;
  store<i32>(classOfKind + ((<usize>kind) << 2), classCount);
  store<i32>(kindOfClass + ((<usize>classCount) << 2), kind);
  classCount++;
}

export function kindOf(op: i32): i32 {
  return load<i32>(kinds + ((<usize>op) << 2));
}
export function slotOf(op: i32): i32 {
  return load<u8>(slots + op);
}
export function completionOp(e: i32): i32 {
  return load<i32>(completions + ((<usize>e) << 3));
}
function callsBefore(e: i32): i32 {
  return load<i32>(completions + ((<usize>e) << 3), 4);
}
export function isRead(kind: i32): bool {
  return (load<u8>(flags + kind) & READ_ONLY) != 0;
}
export function isOverwrite(kind: i32): bool {
  return (load<u8>(flags + kind) & OVERWRITE) != 0;
}
export function kindOfSlot(slot: i32): i32 {
  return load<i32>(slotKinds + (slot << 2));
}
export function returnOfSlot(slot: i32): i32 {
  return load<i32>(slotReturns + (slot << 2));
}
/** The operation in a slot of the window. */
export function opOfSlot(slot: i32): i32 {
  return completionOp(returnOfSlot(slot));
}
export function kindOfClassAt(cls: i32): i32 {
  return load<i32>(kindOfClass + ((<usize>cls) << 2));
}
export function supplyOf(cls: i32): i32 {
  return load<i32>(supply + ((<usize>cls) << 2));
}

export function moveTo(e: i32): void {
  while (at < e) {
    leave(completionOp(at));
    const from = callsBefore(at);
    const before = pending;
    at++;
    invokeFrom(from, callsBefore(at));
    const note = recent + (at & (RECENT - 1)) * RECENT_BYTES;
    store<u64>(note, pending & ~before);
    store<i32>(note, at, 8);
  }
  while (at > e) {
    at--;
    revokeTo(callsBefore(at), callsBefore(at + 1));
    enter(completionOp(at));
  }
}

function invokeFrom(from: i32, to: i32): void {
  for (let op = from; op < to; op++) {
    if (load<i32>(returns + ((<usize>op) << 2)) != NEVER) {
      enter(op);
      continue;
    }
    const cls = load<i32>(classOfKind + ((<usize>kindOf(op)) << 2));
    const before = supplyOf(cls);
    if (before == 0) openClasses++;
    store<i32>(supply + ((<usize>cls) << 2), before + 1);
  }
}

function revokeTo(from: i32, to: i32): void {
  for (let op = to - 1; op >= from; op--) {
    if (load<i32>(returns + ((<usize>op) << 2)) != NEVER) {
      leave(op);
      continue;
    }
    const cls = load<i32>(classOfKind + ((<usize>kindOf(op)) << 2));
    const after = supplyOf(cls) - 1;
    if (after == 0) openClasses--;
    store<i32>(supply + ((<usize>cls) << 2), after);
  }
}

function enter(op: i32): void {
  const slot = slotOf(op);
  const kind = kindOf(op);
  const bit = (<u64>1) << slot;
  store<i32>(slotKinds + (slot << 2), kind);
  store<i32>(slotReturns + (slot << 2), load<i32>(returns + ((<usize>op) << 2)));
  pending |= bit;
  if (isRead(kind)) pendingReads |= bit;
  else if (isOverwrite(kind)) pendingOverwrites |= bit;
}

function leave(op: i32): void {
  const keep = ~((<u64>1) << slotOf(op));
  pending &= keep;
  pendingReads &= keep;
  pendingOverwrites &= keep;
}

/** What is in flight, seen from a state: reads that fit it, others that keep it, others that change it. */
export function look(state: i32): usize {
  const sight = sightOf(state);
  const seenAt = load<i32>(sight) - 1;
  if (seenAt == at) return sight;
  const news = newsSince(seenAt);
  const known = pending & ~news;
  let fitting = load<u64>(sight, 8) & known;
  let keeping = load<u64>(sight, 16) & known;
  let changing = load<u64>(sight, 24) & known;
  for (let left = pending & news; left != 0; left &= left - 1) {
    const slot = <i32>ctz<u64>(left);
    const bit = (<u64>1) << slot;
    const to = next(state, kindOfSlot(slot));
    if (to < 0) continue;
    if ((pendingReads & bit) != 0) fitting |= bit;
    else if (to == state) keeping |= bit;
    else changing |= bit;
  }
  store<i32>(sight, at + 1);
  store<u64>(sight, fitting, 8);
  store<u64>(sight, keeping, 16);
  store<u64>(sight, changing, 24);
  return sight;
}

/** Slots that may hold another operation than at completion `e`, as far as that is remembered. */
function newsSince(e: i32): u64 {
  if (e < 0 || e > at || at - e > RECENT) return ~(<u64>0);
  let news: u64 = 0;
  for (let i = e + 1; i <= at; i++) {
    const note = recent + (i & (RECENT - 1)) * RECENT_BYTES;
    if (load<i32>(note, 8) != i) return ~(<u64>0);
    news |= load<u64>(note);
  }
  return news;
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
