/** After the search: where it could not go on, and how it got there. */
import { allocateToTell } from './arena.ts';
import {
  completionOf,
  doneOf,
  memberAfter,
  nodeOf,
  optionalOf,
  stateOf,
} from './configurations.ts';
import { furthest } from './frontier.ts';
import { choiceOf, momentOf, parentOf, ROOT } from './trail.ts';
import { completionCount, moveTo } from './window.ts';

/** Of a configuration: state, node, and masks by slot of what is done and what is optional. */
const ROW_BYTES: usize = 24;

let rows: usize = 0;
let pairs: usize = 0;
let pairsRoom: i32 = 0;

export function prepareSurvey(): void {
  pairs = 0;
  pairsRoom = 0;
}

/**
 * Writes out up to so many configurations that wait at the completion that none got past, and says
 * how many; the window is there then. To be asked when there is no order.
 */
export function survey(limit: i32): i32 {
  if (furthest == completionCount) return 0;
  moveTo(furthest);
  rows = allocateToTell(<usize>limit * ROW_BYTES);
  if (rows == 0) return 0;
  let count = 0;
  for (let c = memberAfter(0); c != 0 && count < limit; c = memberAfter(c)) {
    if (completionOf(c) != furthest) continue;
    const row = rows + <usize>count * ROW_BYTES;
    store<i32>(row, stateOf(c));
    store<i32>(row, nodeOf(c), 4);
    store<u64>(row, doneOf(c), 8);
    store<u64>(row, optionalOf(c), 16);
    count++;
  }
  return count;
}

export function surveyedAt(): usize {
  return rows;
}

/** Writes the choices on the way to a node, first to last, as pairs (choice, completion); -1: no memory. */
export function traceTo(to: i32): i32 {
  if (to < 0) return -1;
  let length = 0;
  for (let node = to; node != ROOT; node = parentOf(node)) length++;
  if (pairs == 0 || length > pairsRoom) {
    pairs = allocateToTell(((<usize>length) << 3) + 8);
    if (pairs == 0) return -1;
    pairsRoom = length;
  }
  let place = length;
  for (let node = to; node != ROOT; node = parentOf(node)) {
    place--;
    store<i32>(pairs + ((<usize>place) << 3), choiceOf(node));
    store<i32>(pairs + ((<usize>place) << 3), momentOf(node), 4);
  }
  return length;
}

export function nodesAt(): usize {
  return pairs;
}
