/**
 * The search. A configuration waits at the first completion whose operation has not yet found its
 * place (just-in-time linearization, Lowe 2017). To get past, operations in flight are placed one
 * after another, that operation last. docs/linearizability.md proves each rule by which this leaves
 * out choices or puts them off:
 *
 * - R: a read that fits is done at once. N: what would change nothing here may count as done.
 * - A: when an overwrite is placed, every other overwrite in flight may count as hidden before it.
 * - C: a read that was in flight then may have read what was hidden.
 * - U: an overwrite is placed before the last one only for what depends on it.
 * - S: of equal operations in flight the one that completes first goes first.
 */
import {
  admit,
  choiceLeadingTo,
  chosenAt,
  countsOf,
  creditOf,
  doneOf,
  forget,
  isExpanded,
  isFresh,
  KNOWN,
  linkOf,
  NEW,
  NO_MEMORY,
  newConfiguration,
  nextOf,
  nodeOf,
  optionalOf,
  prepareConfigurations,
  REPLACED,
  release,
  replaced,
  setChosen,
  setExpanded,
  setLink,
  setMasks,
  setNext,
  setNode,
  setReadsNow,
  setWorkAfter,
  stateOf,
  workAfter,
} from './configurations.ts';
import { countOf, none, oneMore, prepareCounts } from './counts.ts';
import { lastWaiting, nextWaiting, prepareQueue, setWaiting, waitingAt } from './queue.ts';
import {
  addNode,
  keep,
  newNodeOf,
  numberKept,
  prepareTrail,
  ROOT,
  sweep,
  wantsSweep,
} from './trail.ts';
import { next, outOfStates } from './transitions.ts';
import {
  at,
  changing,
  classCount,
  completionCount,
  completionOp,
  fitting,
  isOverwrite,
  isRead,
  keeping,
  kindOf,
  kindOfClassAt,
  kindOfSlot,
  look,
  moveTo,
  openClasses,
  opOfSlot,
  pending,
  pendingOverwrites,
  pendingReads,
  returnOfSlot,
  slotOf,
  supplyOf,
} from './window.ts';

export const RULE_N: i32 = 1;
export const RULE_A: i32 = 2;
export const RULE_C: i32 = 4;
export const RULE_S: i32 = 8;
export const RULE_U: i32 = 16;

/** What `run` returns. */
export const RUNNING: i32 = 0;
export const VALID: i32 = 1;
export const INVALID: i32 = 2;
export const OUT_OF_MEMORY: i32 = 3;
export const OUT_OF_STATES: i32 = 4;

/** Choices: an operation is placed (its number), one of a class is, or an overwrite was hidden. */
const DISCARD: i32 = -1;
const PLACE: i32 = 0;
const USE: i32 = 1;
const HIDE: i32 = 2;

let rules: i32 = 0;
let waveWidth: i32 = 0;
let isUnlimited: bool = false;

/** Configurations at the present completion: to be expanded, and all. */
let work: usize = 0;
let members: usize = 0;
let taken: i32 = 0;
let failure: i32 = 0;

export let steps: i64 = 0;
export let configurations: i64 = 0;
/** The last completion that no configuration got past yet, and the trail to one that waits there. */
export let furthest: i32 = 0;
export let furthestNode: i32 = ROOT;

/** The configuration that is being expanded. */
let parent: i32 = 0;
let target: u64 = 0;

/**
 * `width`: how many configurations of a completion are expanded before those that got further;
 * 0: all of them, so that nothing needs to be remembered of completions that were passed.
 * `unlimited`: operations without completion may be used any number of times.
 */
export function prepareSearch(ruleMask: i32, width: i32, unlimited: bool): bool {
  rules = ruleMask;
  if ((rules & (RULE_N | RULE_A | RULE_C)) != (RULE_N | RULE_A | RULE_C)) rules &= ~RULE_U;
  waveWidth = width;
  isUnlimited = unlimited;
  work = 0;
  members = 0;
  taken = 0;
  failure = RUNNING;
  steps = 0;
  configurations = 0;
  furthest = 0;
  furthestNode = ROOT;
  if (!prepareQueue() || !prepareCounts(classCount) || !prepareTrail()) return false;
  if (!prepareConfigurations(width > 0)) return false;
  parent = ROOT;
  target = 0;
  setReadsNow(pendingReads);
  emit(0, 0, 0, 0, none, false, DISCARD);
  return failure == RUNNING || failure == VALID;
}

/** Expands up to so many configurations. */
export function run(budget: i32): i32 {
  const end = steps + budget;
  while (failure == RUNNING && steps < end) {
    if (wantsSweep() && !sweepTrail()) return OUT_OF_MEMORY;
    if (waveWidth == 0) while (waitingAt(at) != 0 && failure == RUNNING) arrive();
    else
      while (work == 0 && taken < waveWidth && waitingAt(at) != 0 && failure == RUNNING) arrive();
    if (failure != RUNNING) break;
    if (work != 0) {
      const c = work;
      work = workAfter(c);
      taken++;
      steps++;
      expand(c);
      if (outOfStates) failure = OUT_OF_STATES;
    } else if (!goOn()) failure = INVALID;
  }
  return failure;
}

/** To the next completion where somebody waits; false: there is none. */
function goOn(): bool {
  let e = nextWaiting(at + 1);
  if (e < 0 && waveWidth > 0) e = lastWaiting(furthest);
  if (e < 0) return false;
  forget(members);
  members = 0;
  taken = 0;
  moveTo(e);
  setReadsNow(pendingReads);
  return true;
}

/** Takes one that waits, brings it to its normal form, and keeps it unless one as good was here. */
function arrive(): void {
  const c = waitingAt(at);
  setWaiting(at, nextOf(c));
  const bit = (<u64>1) << slotOf(completionOp(at));
  const sight = look(stateOf(c));
  const done = doneOf(c) | fitting(sight);
  let optional = optionalOf(c);
  if ((rules & RULE_N) != 0) optional |= keeping(sight) & ~bit;
  setMasks(c, done, optional & ~done, creditOf(c) & ~done);
  const found = admit(c, pending & ~pendingReads & ~pendingOverwrites);
  if (found == NO_MEMORY) failure = OUT_OF_MEMORY;
  else if (found == KNOWN) release(c);
  else if (found == NEW) {
    configurations++;
    setLink(c, members);
    members = c;
    toWork(c);
  } else if (found == REPLACED) {
    release(c);
    if (isExpanded(replaced)) toWork(replaced);
  }
}

function toWork(c: usize): void {
  setExpanded(c, false);
  setWorkAfter(c, work);
  work = c;
}

/** Puts a configuration that was just made where it cannot get on. */
function emit(
  state: i32,
  done: u64,
  optional: u64,
  credit: u64,
  counts: usize,
  fresh: bool,
  choice: i32,
): void {
  let e = at;
  for (; e < completionCount; e++) {
    const op = completionOp(e);
    const bit = (<u64>1) << slotOf(op);
    if ((done & bit) != 0) {
      done ^= bit;
      continue;
    }
    const kind = kindOf(op);
    if (!isRead(kind) || next(state, kind) < 0) break;
    credit &= ~bit;
  }
  if (e == completionCount) {
    furthest = e;
    furthestNode = choice == DISCARD ? parent : addNode(parent, choice, at);
    failure = furthestNode < 0 ? OUT_OF_MEMORY : VALID;
    return;
  }
  const c = newConfiguration(e, state, counts, fresh && e == at);
  if (c == 0 || counts == 0) {
    failure = OUT_OF_MEMORY;
    return;
  }
  setMasks(c, done, optional, credit);
  setNode(c, parent);
  setChosen(c, choice, at);
  setNext(c, waitingAt(e));
  setWaiting(e, c);
  if (e <= furthest) return;
  furthest = e;
  furthestNode = choice == DISCARD ? parent : addNode(parent, choice, at);
  if (furthestNode < 0) failure = OUT_OF_MEMORY;
}

function placing(op: i32): i32 {
  return (op << 2) | PLACE;
}

/** Makes every choice that is open to a configuration. */
function expand(c: usize): void {
  setExpanded(c, true);
  const choice = choiceLeadingTo(c);
  if (choice != DISCARD) {
    const node = addNode(nodeOf(c), choice, chosenAt(c));
    if (node < 0) {
      failure = OUT_OF_MEMORY;
      return;
    }
    setNode(c, node);
    setChosen(c, DISCARD, at);
  }
  parent = nodeOf(c);
  const op = completionOp(at);
  target = (<u64>1) << slotOf(op);
  const fresh = isFresh(c);
  const optional = optionalOf(c) & ~target;
  useUnfinished(c, optional, fresh);
  placePending(c, optional, fresh);
  if (fresh) return;
  if ((optionalOf(c) & target) != 0) discard(c, optional, op);
  if ((creditOf(c) & target) != 0) spend(c, optional);
}

/** The operation that completes counts as hidden; so do the reads that may have read it. */
function discard(c: usize, optional: u64, op: i32): void {
  let done = doneOf(c) | target;
  let credit = creditOf(c);
  const kind = kindOf(op);
  if (credit != 0 && isOverwrite(kind)) {
    const read = credit & fitting(look(next(stateOf(c), kind)));
    done |= read;
    credit &= ~read;
  }
  emit(stateOf(c), done, optional, credit, countsOf(c), false, DISCARD);
}

/** The read that completes is satisfied by an overwrite that then counts as hidden (rule C). */
function spend(c: usize, optional: u64): void {
  const state = stateOf(c);
  const credit = creditOf(c);
  const candidates = optional & pendingOverwrites;
  for (let left = candidates; left != 0; left &= left - 1) {
    const slot = <i32>ctz<u64>(left);
    const read = credit & fitting(look(next(state, kindOfSlot(slot))));
    if ((read & target) == 0 || hasEarlierTwin(slot, candidates)) continue;
    const spent = (<u64>1) << slot;
    const done = doneOf(c) | spent | read;
    const choice = (opOfSlot(slot) << 2) | HIDE;
    emit(state, done, optional & ~spent, credit & ~read, countsOf(c), false, choice);
  }
}

/** Whether one of `candidates` is of the same kind and completes earlier (rule S). */
function hasEarlierTwin(slot: i32, candidates: u64): bool {
  if ((rules & RULE_S) == 0) return false;
  const kind = kindOfSlot(slot);
  const completion = returnOfSlot(slot);
  for (let left = candidates; left != 0; left &= left - 1) {
    const other = <i32>ctz<u64>(left);
    if (kindOfSlot(other) == kind && returnOfSlot(other) < completion) return true;
  }
  return false;
}

function placePending(c: usize, optional: u64, fresh: bool): void {
  const state = stateOf(c);
  const done = doneOf(c);
  const counts = countsOf(c);
  const sight = look(state);
  const open = pending & ~pendingReads & ~done;
  let candidates = changing(sight) & open;
  if (fresh) candidates &= ~pendingOverwrites;
  const same = fresh ? 0 : keeping(sight) & open;
  // What keeps the state is only worth placing to complete it or, an overwrite, for what it hides.
  let worth = target;
  if ((rules & RULE_N) == 0) worth = same;
  else if (mayAbsorb(c, optional)) worth |= pendingOverwrites;
  candidates |= same & worth;
  for (let left = candidates; left != 0; left &= left - 1) {
    const slot = <i32>ctz<u64>(left);
    const bit = (<u64>1) << slot;
    const twins = (optional & bit) != 0 ? open : open & ~optional;
    if (hasEarlierTwin(slot, twins)) continue;
    const to = next(state, kindOfSlot(slot));
    const choice = placing(opOfSlot(slot));
    if ((pendingOverwrites & bit) != 0)
      overwrite(c, to, done | bit, optional & ~bit, counts, bit == target, true, choice);
    else emit(to, done | bit, optional & ~bit, creditOf(c), counts, false, choice);
  }
}

/** Whether an overwrite that keeps the state could hide anything that is not hidden yet. */
function mayAbsorb(c: usize, optional: u64): bool {
  if ((rules & RULE_A) == 0) return false;
  const done = doneOf(c);
  const others = pendingOverwrites & ~done & ~target;
  if ((others & ~optional) != 0) return true;
  if ((rules & RULE_C) == 0) return false;
  return others != 0 && (pendingReads & ~done & ~creditOf(c)) != 0;
}

/** Places an overwrite, which leads to state `to`. */
function overwrite(
  c: usize,
  to: i32,
  done: u64,
  optional: u64,
  counts: usize,
  isLast: bool,
  isPending: bool,
  choice: i32,
): void {
  let fresh = false;
  if (!isLast && (rules & RULE_U) != 0) {
    const gain = gainOf(to, done, optional, isPending);
    if (gain == NOTHING) return;
    fresh = gain == LATER;
  }
  let credit = creditOf(c);
  if ((rules & RULE_A) != 0) {
    optional |= pendingOverwrites & ~done & ~target;
    if ((rules & RULE_C) != 0) credit = pendingReads & ~done;
  }
  emit(to, done, optional, credit, counts, fresh, choice);
}

const NOTHING: i32 = 0;
/** Something can be placed next that depends on this state. */
const LATER: i32 = 1;
/** Something is satisfied by the state itself. */
const NOW: i32 = 2;

/** What there is to gain by passing through a state, if the next overwrite followed at once. */
function gainOf(to: i32, done: u64, optional: u64, isPending: bool): i32 {
  const reads = (isPending ? target : ~(<u64>0)) & pendingReads & ~done;
  let gain = NOTHING;
  for (let left = reads; left != 0; left &= left - 1)
    if (next(to, kindOfSlot(<i32>ctz<u64>(left))) >= 0) return NOW;
  for (
    let left = pending & ~pendingReads & ~pendingOverwrites & ~done;
    left != 0;
    left &= left - 1
  ) {
    const slot = <i32>ctz<u64>(left);
    const after = next(to, kindOfSlot(slot));
    if (after < 0) continue;
    if (after != to) gain = LATER;
    else if ((optional & ((<u64>1) << slot)) == 0) return NOW;
  }
  if (gain != NOTHING) return gain;
  for (let cls = 0; cls < openClasses; cls++) {
    const kind = kindOfClassAt(cls);
    if (isOverwrite(kind)) continue;
    const after = next(to, kind);
    if (after >= 0 && after != to) return LATER;
  }
  return NOTHING;
}

/** Operations that never completed may be placed, too; of equal ones only how many matters. */
function useUnfinished(c: usize, optional: u64, fresh: bool): void {
  const state = stateOf(c);
  const done = doneOf(c);
  const used = countsOf(c);
  for (let cls = 0; cls < openClasses; cls++) {
    if (!isUnlimited && countOf(used, cls) >= supplyOf(cls)) continue;
    const kind = kindOfClassAt(cls);
    const blind = isOverwrite(kind);
    if (blind && fresh) continue;
    const to = next(state, kind);
    if (to < 0) continue;
    if (to == state && !(blind && mayAbsorb(c, optional))) continue;
    const counts = isUnlimited ? used : oneMore(used, cls);
    const choice = (kind << 2) | USE;
    if (blind) overwrite(c, to, done, optional, counts, false, false, choice);
    else useOther(c, to, optional, counts, choice);
  }
}

/** An unfinished operation that is no overwrite is placed only for what depends on it (rule U). */
function useOther(c: usize, to: i32, optional: u64, counts: usize, choice: i32): void {
  const gain = (rules & RULE_U) != 0 ? gainOf(to, doneOf(c), optional, false) : NOW;
  if (gain == NOTHING) return;
  emit(to, doneOf(c), optional, creditOf(c), counts, gain == LATER, choice);
}

function sweepTrail(): bool {
  keep(furthestNode);
  for (let c = work; c != 0; c = workAfter(c)) keep(nodeOf(c));
  for (let e = nextWaiting(0); e >= 0; e = nextWaiting(e + 1))
    for (let c = waitingAt(e); c != 0; c = nextOf(c)) keep(nodeOf(c));
  if (!numberKept()) return false;
  furthestNode = newNodeOf(furthestNode);
  for (let c = work; c != 0; c = workAfter(c)) setNode(c, newNodeOf(nodeOf(c)));
  for (let e = nextWaiting(0); e >= 0; e = nextWaiting(e + 1))
    for (let c = waitingAt(e); c != 0; c = nextOf(c)) setNode(c, newNodeOf(nodeOf(c)));
  sweep();
  return true;
}
