/** Configurations that were just made go to where they cannot get on; how far any of them got. */
import {
  newConfiguration,
  nextOf,
  setChosen,
  setCounts,
  setFresh,
  setMasks,
  setNext,
  setNode,
  setPlace,
} from './configurations.ts';
import { none, sumOf } from './counts.ts';
import { draw } from './line.ts';
import { setWaiting, waitingAt } from './queue.ts';
import { addNode, ROOT } from './trail.ts';
import { next } from './transitions.ts';
import { at, completionBit, completionCount, completionKind, isRead } from './window.ts';

/** What `run` returns. */
export const RUNNING: i32 = 0;
export const VALID: i32 = 1;
export const INVALID: i32 = 2;
export const OUT_OF_MEMORY: i32 = 3;
export const OUT_OF_STATES: i32 = 4;
/** Of a dash, which proves nothing then. */
export const GAVE_UP: i32 = 5;

/** Choices: an operation is placed (its number), one of a class is, or an overwrite was hidden. */
export const DISCARD: i32 = -1;
export const PLACE: i32 = 0;
export const USE: i32 = 1;
export const HIDE: i32 = 2;

export let outcome: i32 = 0;
/**
 * The last completion that no configuration got past yet. Of those that wait there, the one that used
 * the fewest of unknown outcome: where it was made in the tree of choices, and by which.
 */
export let furthest: i32 = 0;
export let furthestParent: i32 = ROOT;
let furthestChoice: i32 = 0;
let furthestAt: i32 = 0;
let furthestSum: i32 = 0;
/** Any order will do, even if there is one that uses fewer. */
let isHasty: bool = false;

/** The node of the configuration that is being expanded. */
let parent: i32 = ROOT;

export function prepareFrontier(hasty: bool): void {
  isHasty = hasty;
  furthestSum = 0;
  outcome = RUNNING;
  furthest = 0;
  waiting = 0;
  furthestParent = ROOT;
  furthestChoice = DISCARD;
  parent = ROOT;
  turn = 0;
}
export function endWith(result: i32): void {
  outcome = result;
}
export function setParent(node: i32): void {
  parent = node;
}
export function setFurthestParent(node: i32): void {
  furthestParent = node;
}
/** Where it is itself in the tree, for which it needs a node; -1: no memory. */
export function furthestNode(): i32 {
  if (furthestChoice == DISCARD) return furthestParent;
  const node = addNode(furthestParent, furthestChoice, furthestAt);
  if (node >= 0) reachBy(furthest, node);
  return node;
}

/** How many wait at all completions together. */
export let waiting: i32 = 0;

export function takeWaiting(e: i32): usize {
  const c = waitingAt(e);
  setWaiting(e, nextOf(c));
  waiting--;
  return c;
}

/** What `pass` leaves of what was done, and of credit. */
export let restDone: u64 = 0;
let restCredit: u64 = 0;

/** The first completion, from here on, whose operation has not found its place. */
export function pass(state: i32, done: u64, credit: u64): i32 {
  let e = at;
  for (; e < completionCount; e++) {
    const bit = completionBit(e);
    if ((done & bit) != 0) {
      done ^= bit;
      continue;
    }
    const kind = completionKind(e);
    if (!isRead(kind) || next(state, kind) < 0) break;
    credit &= ~bit;
  }
  restDone = done;
  restCredit = credit;
  return e;
}

/** Puts a configuration that was just made where it cannot get on. */
export function emit(
  state: i32,
  done: u64,
  optional: u64,
  credit: u64,
  counts: usize,
  fresh: bool,
  choice: i32,
): void {
  const e = pass(state, done, credit);
  if (turn != 0) {
    goTo(e, state, optional, fresh && e == at, choice);
    return;
  }
  if (e == completionCount) {
    if (counts == 0) outcome = OUT_OF_MEMORY;
    else reach(e, counts, choice);
    if (outcome == RUNNING && (isHasty || counts == none)) outcome = VALID;
    return;
  }
  const c = newConfiguration(e, state, counts, fresh && e == at);
  if (c == 0 || counts == 0) {
    outcome = OUT_OF_MEMORY;
    return;
  }
  setMasks(c, restDone, optional, restCredit);
  setNode(c, parent);
  setChosen(c, choice, at);
  setNext(c, waitingAt(e));
  setWaiting(e, c);
  waiting++;
  reach(e, counts, choice);
}

/** Of a dash: where the next turn is to be written; 0: this is none. */
let turn: usize = 0;
/** Whether it was. */
export let hasTurned: bool = false;

export function setTurn(c: usize): void {
  turn = c;
  hasTurned = false;
}

function goTo(e: i32, state: i32, optional: u64, fresh: bool, choice: i32): void {
  if (choice != DISCARD) draw(choice, at);
  hasTurned = true;
  furthest = max(furthest, e);
  if (e == completionCount) outcome = VALID;
  setPlace(turn, e, state);
  setCounts(turn, none);
  setMasks(turn, restDone, optional, restCredit);
  setFresh(turn, fresh);
}

/** Without a branch: no processor could guess it. */
function reach(e: i32, counts: usize, choice: i32): void {
  const sum = sumOf(counts);
  const isFurther = (e > furthest) | ((e == furthest) & (sum < furthestSum));
  furthest = select<i32>(e, furthest, isFurther);
  furthestSum = select<i32>(sum, furthestSum, isFurther);
  furthestParent = select<i32>(parent, furthestParent, isFurther);
  furthestChoice = select<i32>(choice, furthestChoice, isFurther);
  furthestAt = select<i32>(at, furthestAt, isFurther);
}

export function reachBy(e: i32, node: i32): void {
  furthest = e;
  furthestParent = node;
  furthestChoice = DISCARD;
  if (node < 0) outcome = OUT_OF_MEMORY;
}
