/** What the host calls, in this order: begin, fill the columns, prepare, run until it is decided, trace. */
import { allocate, arenaBytes, resetArena } from './arena.ts';
import { configurations, furthest, furthestNode, prepareSearch, run, steps } from './search.ts';
import { choiceOf, momentOf, parentOf, ROOT } from './trail.ts';
import { prepareTransitions, stateCount } from './transitions.ts';
import {
  callsColumn,
  completionCount,
  completionOp,
  flagsColumn,
  kindsColumn,
  prepareColumns,
  prepareWindow,
  returnsColumn,
  width,
} from './window.ts';

export { arenaBytes, callsColumn, flagsColumn, kindsColumn, returnsColumn, run, stateCount };

/** False: not even the columns fit into the memory. */
export function begin(limitBytes: i32, operations: i32, kinds: i32): bool {
  resetArena(<usize>(<u32>limitBytes));
  return prepareColumns(operations, kinds) && prepareTransitions(kinds, operations);
}

const READY: i32 = 0;
const TOO_WIDE: i32 = 1;
const TOO_LARGE: i32 = 2;

export function prepare(rules: i32, waveWidth: i32, unlimited: bool): i32 {
  if (!prepareWindow()) return TOO_WIDE;
  return prepareSearch(rules, waveWidth, unlimited) ? READY : TOO_LARGE;
}

export function stepCount(): f64 {
  return <f64>steps;
}
export function configurationCount(): f64 {
  return <f64>configurations;
}
export function concurrency(): i32 {
  return width;
}
/** How many completions have found a place in some order, at most. */
export function passed(): i32 {
  return furthest;
}
export function completions(): i32 {
  return completionCount;
}
/** The operation of a completion. */
export function operationOf(completion: i32): i32 {
  return completionOp(completion);
}

let traced: i32 = 0;

/** Writes the choices that got furthest, first to last, as pairs (choice, completion); -1: no memory. */
export function trace(): i32 {
  let length = 0;
  for (let node = furthestNode; node != ROOT; node = parentOf(node)) length++;
  const pairs = allocate(((<usize>length) << 3) + 8);
  if (pairs == 0) return -1;
  traced = <i32>pairs;
  let to = length;
  for (let node = furthestNode; node != ROOT; node = parentOf(node)) {
    to--;
    store<i32>(pairs + ((<usize>to) << 3), choiceOf(node));
    store<i32>(pairs + ((<usize>to) << 3), momentOf(node), 4);
  }
  return length;
}

export function tracedAt(): i32 {
  return traced;
}
