/**
 * Makes every choice that is open to a configuration. docs/linearizability.md proves each rule by
 * which choices are left out or put off:
 *
 * - R: a read that fits is done at once. N: what would change nothing here may count as done.
 * - A: when an overwrite is placed, every other overwrite in flight may count as hidden before it.
 * - C: a read that was in flight then may have read what was hidden.
 * - U: an overwrite is placed before the last one only for what depends on it.
 * - S: of equal operations in flight the one that completes first goes first.
 */
import {
  choiceLeadingTo,
  chosenAt,
  countsOf,
  creditOf,
  doneOf,
  isFresh,
  nodeOf,
  optionalOf,
  setChosen,
  setExpanded,
  setMasks,
  setNode,
  stateOf,
} from './configurations.ts';
import { countOf, oneMore } from './counts.ts';
import { DISCARD, emit, endWith, HIDE, OUT_OF_MEMORY, PLACE, setParent, USE } from './frontier.ts';
import {
  changing,
  firstChanger,
  fitting,
  keeping,
  look,
  nextChanger,
  openClassOf,
} from './sight.ts';
import { addNode } from './trail.ts';
import { next } from './transitions.ts';
import {
  at,
  completionBit,
  completionKind,
  groupOf,
  isOverwrite,
  kindOfClassAt,
  kindOfSlot,
  openClasses,
  opOfSlot,
  overwritingClass,
  overwritingCount,
  pending,
  pendingOverwrites,
  pendingReads,
  returnOfSlot,
  slotsLike,
  supplyOf,
} from './window.ts';

export const RULE_N: i32 = 1;
export const RULE_A: i32 = 2;
export const RULE_C: i32 = 4;
export const RULE_S: i32 = 8;
export const RULE_U: i32 = 16;

export let rules: i32 = 0;

/** The operation that completes next. */
let target: u64 = 0;

export function prepareChoices(ruleMask: i32): void {
  rules = ruleMask;
  if ((rules & (RULE_N | RULE_A | RULE_C)) != (RULE_N | RULE_A | RULE_C)) rules &= ~RULE_U;
}

/** Where a configuration is in the tree of choices, its last one included; -1: no memory. */
export function nodeWithChoice(c: usize): i32 {
  const choice = choiceLeadingTo(c);
  return choice == DISCARD ? nodeOf(c) : addNode(nodeOf(c), choice, chosenAt(c));
}

/** What nothing speaks against, now that the window is where it waits, is done. */
export function normalize(c: usize): void {
  const sight = look(stateOf(c));
  const done = doneOf(c) | fitting(sight);
  let optional = optionalOf(c);
  if ((rules & RULE_N) != 0) optional |= keeping(sight) & ~completionBit(at);
  optional &= ~done;
  // Without an overwrite that may be hidden there is nothing that a read could have seen.
  const credit = (optional & pendingOverwrites) == 0 ? 0 : creditOf(c) & ~done;
  setMasks(c, done, optional, credit);
}

/** Says which operation completes next; to be called whenever the window has moved. */
export function aim(): void {
  target = completionBit(at);
}

export function expand(c: usize): void {
  setExpanded(c, true);
  const node = nodeWithChoice(c);
  if (node < 0) {
    endWith(OUT_OF_MEMORY);
    return;
  }
  setNode(c, node);
  setChosen(c, DISCARD, at);
  setParent(node);
  aim();
  const fresh = isFresh(c);
  useUnfinished(c, optionalOf(c) & ~target, fresh);
  for (let left = placeable(c); left != 0; left &= left - 1) place(c, <i32>ctz<u64>(left));
  if (mayDiscard(c)) discard(c);
  for (let left = hideable(c); left != 0; left &= left - 1) hide(c, <i32>ctz<u64>(left));
}

export function mayDiscard(c: usize): bool {
  return !isFresh(c) && (optionalOf(c) & target) != 0;
}

/** The operation that completes counts as hidden; so do the reads that may have read it. */
export function discard(c: usize): void {
  const optional = optionalOf(c) & ~target;
  let done = doneOf(c) | target;
  let credit = creditOf(c);
  const kind = completionKind(at);
  if (credit != 0 && isOverwrite(kind)) {
    const read = credit & fitting(look(next(stateOf(c), kind)));
    done |= read;
    credit &= ~read;
  }
  emit(stateOf(c), done, optional, credit, countsOf(c), false, DISCARD);
}

/** What may be hidden for the sake of the read that completes (rule C). */
export function hideable(c: usize): u64 {
  if (isFresh(c) || (creditOf(c) & target) == 0) return 0;
  return optionalOf(c) & ~target & pendingOverwrites;
}

/** The read that completes is satisfied by an overwrite that then counts as hidden (rule C). */
export function hide(c: usize, slot: i32): void {
  const state = stateOf(c);
  const credit = creditOf(c);
  const optional = optionalOf(c) & ~target;
  const read = credit & fitting(look(next(state, kindOfSlot(slot))));
  if ((read & target) == 0 || hasEarlierTwin(slot, optional & pendingOverwrites)) return;
  const spent = (<u64>1) << slot;
  const done = doneOf(c) | spent | read;
  const choice = (opOfSlot(slot) << 2) | HIDE;
  emit(state, done, optional & ~spent, credit & ~read, countsOf(c), false, choice);
}

/** Whether one of `candidates` is of the same kind and completes earlier (rule S). */
function hasEarlierTwin(slot: i32, candidates: u64): bool {
  if ((rules & RULE_S) == 0) return false;
  const completion = returnOfSlot(slot);
  for (let left = candidates & slotsLike(slot); left != 0; left &= left - 1)
    if (returnOfSlot(<i32>ctz<u64>(left)) < completion) return true;
  return false;
}

/** What is worth placing, as far as this can be said of all at once. */
export function placeable(c: usize): u64 {
  const fresh = isFresh(c);
  const optional = optionalOf(c) & ~target;
  const sight = look(stateOf(c));
  const open = pending & ~pendingReads & ~doneOf(c);
  let candidates = changing(sight) & open;
  if (fresh) candidates &= ~pendingOverwrites;
  const same = fresh ? 0 : keeping(sight) & open;
  // What keeps the state is only worth placing to complete it or, an overwrite, for what it hides.
  let worth = target;
  if ((rules & RULE_N) == 0) worth = same;
  else if (mayAbsorb(c, optional)) worth |= pendingOverwrites;
  return candidates | (same & worth);
}

export function place(c: usize, slot: i32): void {
  const state = stateOf(c);
  const done = doneOf(c);
  const optional = optionalOf(c) & ~target;
  const bit = (<u64>1) << slot;
  const open = pending & ~pendingReads & ~done;
  const twins = (optional & bit) != 0 ? open : open & ~optional;
  if (hasEarlierTwin(slot, twins)) return;
  const to = next(state, kindOfSlot(slot));
  const choice = (opOfSlot(slot) << 2) | PLACE;
  if ((pendingOverwrites & bit) != 0)
    overwrite(c, to, done | bit, optional & ~bit, -1, bit == target, choice);
  else emit(to, done | bit, optional & ~bit, creditOf(c), countsOf(c), false, choice);
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

/** Places an overwrite, which leads to state `to`; `used`: its kind if its outcome is unknown, or -1. */
function overwrite(
  c: usize,
  to: i32,
  done: u64,
  optional: u64,
  used: i32,
  isLast: bool,
  choice: i32,
): void {
  let fresh = false;
  if (!isLast && (rules & RULE_U) != 0) {
    const gain = gainOf(to, (used < 0 ? target : ~(<u64>0)) & ~done, done, optional);
    if (gain == NOTHING) return;
    fresh = gain == LATER;
  }
  let credit = creditOf(c);
  if ((rules & RULE_A) != 0) {
    optional |= pendingOverwrites & ~done & ~target;
    if ((rules & RULE_C) != 0) credit = pendingReads & ~done;
  }
  const counts = used < 0 ? countsOf(c) : countsWith(c, used);
  emit(to, done, optional, credit, counts, fresh, choice);
}

const NOTHING: i32 = 0;
/** Something can be placed next that depends on this state. */
const LATER: i32 = 1;
/** Something is satisfied by the state itself. */
const NOW: i32 = 2;

/** What there is to gain, for `reads` or others, by a state that an overwrite followed at once. */
function gainOf(to: i32, reads: u64, done: u64, optional: u64): i32 {
  const sight = look(to);
  const others = ~pendingOverwrites & ~done;
  const now = (fitting(sight) & reads) | (keeping(sight) & others & ~optional);
  const isLater = (changing(sight) & others) != 0 || openClassOf(firstChanger(to)) >= 0;
  return now != 0 ? NOW : isLater ? LATER : NOTHING;
}

/** Operations that never completed may be placed, too; of equal ones only how many matters. */
function useUnfinished(c: usize, optional: u64, fresh: bool): void {
  const state = stateOf(c);
  for (let entry = firstChanger(state); openClassOf(entry) >= 0; entry = nextChanger(entry)) {
    const kind = kindOfClassAt(openClassOf(entry));
    if (isLeft(c, kind)) useOther(c, next(state, kind), optional, kind);
  }
  if (fresh) return;
  for (let i = 0; i < overwritingCount; i++) {
    const cls = overwritingClass(i);
    if (cls >= openClasses) return;
    const kind = kindOfClassAt(cls);
    if (!isLeft(c, kind)) continue;
    const to = next(state, kind);
    if (to < 0 || (to == state && !mayAbsorb(c, optional))) continue;
    overwrite(c, to, doneOf(c), optional, kind, false, (kind << 2) | USE);
  }
}

/** Whether fewer of a kind, and those that are counted with it, were used than were invoked. */
function isLeft(c: usize, kind: i32): bool {
  const group = groupOf(kind);
  return group < 0 || countOf(countsOf(c), group) < supplyOf(group);
}

function countsWith(c: usize, kind: i32): usize {
  const group = groupOf(kind);
  return group < 0 ? countsOf(c) : oneMore(countsOf(c), group);
}

/** An unfinished operation that is no overwrite is placed only for what depends on it (rule U). */
function useOther(c: usize, to: i32, optional: u64, kind: i32): void {
  const gain = (rules & RULE_U) != 0 ? gainOf(to, ~doneOf(c), doneOf(c), optional) : NOW;
  if (gain == NOTHING) return;
  const choice = (kind << 2) | USE;
  emit(to, doneOf(c), optional, creditOf(c), countsWith(c, kind), gain == LATER, choice);
}
