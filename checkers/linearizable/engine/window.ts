/**
 * The operations in flight at one completion. Completions are numbered in order; "at completion e"
 * is the moment just before it, when everything invoked earlier and completed no earlier is in
 * flight. Each such operation has one of 64 slots, which is used again after it completed.
 */
import { allocate, allocateZero } from './arena.ts';

/** Of a kind: never changes a state; is legal in every state and leaves always the same one. */
export const READ_ONLY: u8 = 1;
export const OVERWRITE: u8 = 2;

const NEVER: i32 = 0x7fffffff;
const SLOTS: i32 = 64;
/** For how many completions it is remembered which slots were taken since the one before. */
const RECENT: i32 = 8;
/** Of a completion: operation, how many were invoked before it, kind, slot. */
const COMPLETION_BITS: usize = 4;

let operations: i32 = 0;
/**
 * For each operation, in order of invocation: kind; invocation's moment, later unused; completion's
 * moment, then number.
 */
let kinds: usize = 0;
let calls: usize = 0;
let returns: usize = 0;
let slots: usize = 0;
let flags: usize = 0;
let completions: usize = 0;
/** While completions are numbered: what is in flight. */
let order: usize = 0;
/** Kinds that have operations without completion are classes, numbered by the first invocation. */
let classOfKind: usize = 0;
let kindOfClass: usize = 0;
/** The classes that overwrite. */
let overwriting: usize = 0;
/** Those of a group are counted together; -1: they are not counted. */
let groups: usize = 0;
/** For each class, and each group: how many of its operations were invoked by now. */
let supply: usize = 0;
let groupSupply: usize = 0;
/** For each of the last completions: the slots that were taken just before it. */
let recent: usize = 0;
/** The window did not go back since it was at this one. */
let recentFrom: i32 = 0;
/** For each kind the slots of its operations in flight. */
let slotsOfKind: usize = 0;
let slotKinds: usize = 0;
let slotReturns: usize = 0;

export let completionCount: i32 = 0;
export let classCount: i32 = 0;
export let overwritingCount: i32 = 0;
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
  completionCount = 0;
  width = 0;
  const words = (<usize>count) << 2;
  const kindWords = (<usize>kindCount) << 2;
  kinds = allocate(words);
  calls = allocate(words + 4);
  returns = allocate(words);
  flags = allocate(kindCount);
  completions = allocate((<usize>count + 1) << COMPLETION_BITS);
  slots = allocate(count);
  order = allocate(SLOTS << 3);
  classOfKind = allocate(kindWords);
  kindOfClass = allocate(kindWords);
  overwriting = allocate(kindWords);
  groups = allocate(kindWords);
  supply = allocateZero(kindWords);
  groupSupply = allocateZero(kindWords);
  recent = allocateZero(RECENT << 3);
  slotsOfKind = allocateZero(kindWords << 1);
  slotKinds = allocate(SLOTS << 2);
  slotReturns = allocate(SLOTS << 2);
  if (kinds == 0 || calls == 0 || returns == 0 || flags == 0 || completions == 0) return false;
  if (slots == 0 || order == 0 || classOfKind == 0 || kindOfClass == 0 || overwriting == 0)
    return false;
  if (groups == 0 || supply == 0 || groupSupply == 0 || recent == 0) return false;
  if (slotsOfKind == 0 || slotKinds == 0 || slotReturns == 0) return false;
  memory.fill(classOfKind, 0xff, kindWords);
  return true;
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
export function groupsColumn(): usize {
  return groups;
}
/** Memory of one word per completion and one more, free once the window is prepared. */
export function spareColumn(): usize {
  return calls;
}

/** Numbers completions and gives out slots. False: more than 64 operations in flight at once. */
export function prepareWindow(): bool {
  classCount = 0;
  overwritingCount = 0;
  let head = 0;
  let tail = 0;
  let free: u64 = ~(<u64>0);
  for (let op = 0; op <= operations; op++) {
    const call = op == operations ? NEVER : load<i32>(calls + ((<usize>op) << 2));
    while (head < tail && returnInFlight(head) < call)
      free |= (<u64>1) << complete(opInFlight(head++), op);
    if (op == operations) break;
    const ret = load<i32>(returns + ((<usize>op) << 2));
    if (ret == NEVER) {
      nameClass(kindOf(op));
      continue;
    }
    if (free == 0) return false;
    store<u8>(slots + op, <u8>ctz<u64>(free));
    free &= free - 1;
    width = max(width, SLOTS - <i32>popcnt<u64>(free));
    let place = tail++;
    for (; place > head && returnInFlight(place - 1) > ret; place--)
      store<u64>(inFlight(place), load<u64>(inFlight(place - 1)));
    store<u64>(inFlight(place), ((<u64>ret) << 32) | op);
  }
  store<i32>(recordOf(completionCount), operations, 4);
  at = 0;
  pending = 0;
  pendingReads = 0;
  pendingOverwrites = 0;
  openClasses = 0;
  recentFrom = 0;
  invokeFrom(0, completionCount == 0 ? operations : callsBefore(0));
  return true;
}

/** What is in flight, in order of completion: the completion's moment above the operation. */
function inFlight(place: i32): usize {
  return order + ((<usize>(place & (SLOTS - 1))) << 3);
}
function returnInFlight(place: i32): i32 {
  return load<i32>(inFlight(place), 4);
}
function opInFlight(place: i32): i32 {
  return load<i32>(inFlight(place));
}

/** Numbers a completion, before which `called` were invoked. Returns the slot. */
function complete(op: i32, called: i32): i32 {
  const record = recordOf(completionCount);
  const slot = slotOf(op);
  store<i32>(record, op);
  store<i32>(record, called, 4);
  store<i32>(record, kindOf(op), 8);
  store<i32>(record, slot, 12);
  store<i32>(returns + ((<usize>op) << 2), completionCount);
  completionCount++;
  return slot;
}

function nameClass(kind: i32): void {
  if (load<i32>(classOfKind + ((<usize>kind) << 2)) >= 0) return;
  store<i32>(classOfKind + ((<usize>kind) << 2), classCount);
  store<i32>(kindOfClass + ((<usize>classCount) << 2), kind);
  if (isOverwrite(kind)) {
    store<i32>(overwriting + ((<usize>overwritingCount) << 2), classCount);
    overwritingCount++;
  }
  classCount++;
}

export function kindOf(op: i32): i32 {
  return load<i32>(kinds + ((<usize>op) << 2));
}
export function slotOf(op: i32): i32 {
  return load<u8>(slots + op);
}
function recordOf(e: i32): usize {
  return completions + ((<usize>e) << COMPLETION_BITS);
}
export function completionOp(e: i32): i32 {
  return load<i32>(recordOf(e));
}
function callsBefore(e: i32): i32 {
  return load<i32>(recordOf(e), 4);
}
/** Of the operation that completes. */
export function completionKind(e: i32): i32 {
  return load<i32>(recordOf(e), 8);
}
function completionSlot(e: i32): i32 {
  return load<i32>(recordOf(e), 12);
}
export function completionBit(e: i32): u64 {
  return (<u64>1) << completionSlot(e);
}
export function isRead(kind: i32): bool {
  return (load<u8>(flags + kind) & READ_ONLY) != 0;
}
export function isOverwrite(kind: i32): bool {
  return (load<u8>(flags + kind) & OVERWRITE) != 0;
}
export function groupOf(kind: i32): i32 {
  return load<i32>(groups + ((<usize>kind) << 2));
}
export function kindOfSlot(slot: i32): i32 {
  return load<i32>(slotKinds + (slot << 2));
}
/** Operations in flight of the same kind as the one in a slot, that one included. */
export function slotsLike(slot: i32): u64 {
  return load<u64>(slotsOfKind + ((<usize>kindOfSlot(slot)) << 3));
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
/** Of the classes that overwrite, in order. */
export function overwritingClass(i: i32): i32 {
  return load<i32>(overwriting + ((<usize>i) << 2));
}
export function supplyOf(group: i32): i32 {
  return load<i32>(groupSupply + ((<usize>group) << 2));
}

export function moveTo(e: i32): void {
  while (at < e) {
    leave(completionSlot(at));
    const from = callsBefore(at);
    const before = pending;
    at++;
    invokeFrom(from, callsBefore(at));
    store<u64>(recentAt(at), pending & ~before);
  }
  if (at == e) return;
  recentFrom = e;
  while (at > e) {
    at--;
    revokeTo(callsBefore(at), callsBefore(at + 1));
    enter(completionOp(at));
  }
}

function invokeFrom(from: i32, to: i32): void {
  for (let op = from; op < to; op++)
    if (load<i32>(returns + ((<usize>op) << 2)) != NEVER) enter(op);
    else supplyMore(kindOf(op), 1);
}

function revokeTo(from: i32, to: i32): void {
  for (let op = to - 1; op >= from; op--)
    if (load<i32>(returns + ((<usize>op) << 2)) != NEVER) leave(slotOf(op));
    else supplyMore(kindOf(op), -1);
}

function supplyMore(kind: i32, more: i32): void {
  const place = supply + ((<usize>load<i32>(classOfKind + ((<usize>kind) << 2))) << 2);
  const count = load<i32>(place) + more;
  store<i32>(place, count);
  if (count == max(more, 0)) openClasses += more;
  const group = groupOf(kind);
  if (group < 0) return;
  const sum = groupSupply + ((<usize>group) << 2);
  store<i32>(sum, load<i32>(sum) + more);
}

function enter(op: i32): void {
  const slot = slotOf(op);
  const kind = kindOf(op);
  const bit = (<u64>1) << slot;
  store<i32>(slotKinds + (slot << 2), kind);
  store<i32>(slotReturns + (slot << 2), load<i32>(returns + ((<usize>op) << 2)));
  pending |= bit;
  const same = slotsOfKind + ((<usize>kind) << 3);
  store<u64>(same, load<u64>(same) | bit);
  // Without a branch: no processor could guess it.
  const flag = <u64>load<u8>(flags + kind);
  pendingReads |= (flag & READ_ONLY) << slot;
  pendingOverwrites |= (flag >> 1) << slot;
}

function leave(slot: i32): void {
  const bit = (<u64>1) << slot;
  const same = slotsOfKind + ((<usize>kindOfSlot(slot)) << 3);
  store<u64>(same, load<u64>(same) & ~bit);
  pending &= ~bit;
  pendingReads &= ~bit;
  pendingOverwrites &= ~bit;
}

/** Slots that may hold another operation than at completion `e`, as far as that is remembered. */
export function newsSince(e: i32): u64 {
  return e < recentFrom || e > at || at - e >= RECENT ? ~(<u64>0) : newsAt(e);
}

function newsAt(e: i32): u64 {
  let news: u64 = 0;
  for (let later = e + 1; later <= at; later++) news |= load<u64>(recentAt(later));
  return news;
}

/** The ring has for each of the last completions what was taken on the way to it. */
function recentAt(e: i32): usize {
  return recent + ((<usize>(e & (RECENT - 1))) << 3);
}
