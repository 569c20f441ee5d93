/** Configurations that were just made go to where they cannot get on; how far any of them got. */
import { newConfiguration, setChosen, setMasks, setNext, setNode } from './configurations.ts';
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

/** Choices: an operation is placed (its number), one of a class is, or an overwrite was hidden. */
export const DISCARD: i32 = -1;
export const PLACE: i32 = 0;
export const USE: i32 = 1;
export const HIDE: i32 = 2;

export let outcome: i32 = 0;
/** The last completion that no configuration got past yet, and the trail to one that waits there. */
export let furthest: i32 = 0;
export let furthestNode: i32 = ROOT;

/** The node of the configuration that is being expanded. */
let parent: i32 = ROOT;

export function prepareFrontier(): void {
  outcome = RUNNING;
  furthest = 0;
  furthestNode = ROOT;
  parent = ROOT;
}
export function endWith(result: i32): void {
  outcome = result;
}
export function setParent(node: i32): void {
  parent = node;
}
export function setFurthestNode(node: i32): void {
  furthestNode = node;
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
  if (e == completionCount) {
    reach(e, choice);
    if (outcome == RUNNING) outcome = VALID;
    return;
  }
  const c = newConfiguration(e, state, counts, fresh && e == at);
  if (c == 0 || counts == 0) {
    outcome = OUT_OF_MEMORY;
    return;
  }
  setMasks(c, done, optional, credit);
  setNode(c, parent);
  setChosen(c, choice, at);
  setNext(c, waitingAt(e));
  setWaiting(e, c);
  if (e > furthest) reach(e, choice);
}

function reach(e: i32, choice: i32): void {
  furthest = e;
  furthestNode = choice == DISCARD ? parent : addNode(parent, choice, at);
  if (furthestNode < 0) outcome = OUT_OF_MEMORY;
}
