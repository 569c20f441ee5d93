/** What the host calls, in this order: begin, fill the columns, prepare, run until it is decided, trace. */
import { arenaBytes, resetArena } from './arena.ts';
import { dash, dashToFurthest, forgetDash, prepareDash, turns } from './dash.ts';
import { furthest, furthestNode } from './frontier.ts';
import { lineAt, lineLength } from './line.ts';
import { configurations, forgetSearch, prepareSearch, search, steps } from './search.ts';
import { nodesAt, prepareSurvey, survey, surveyedAt, traceTo } from './survey.ts';
import { ROOT } from './trail.ts';
import { prepareTransitions, stateCount } from './transitions.ts';
import {
  callsColumn,
  completionCount,
  completionOp,
  flagsColumn,
  groupsColumn,
  kindsColumn,
  opOfSlot,
  prepareColumns,
  prepareWindow,
  returnsColumn,
  width,
} from './window.ts';

export {
  arenaBytes,
  callsColumn,
  flagsColumn,
  groupsColumn,
  kindsColumn,
  returnsColumn,
  stateCount,
  survey,
  surveyedAt,
};

/** Which search there is. */
let isDash: bool = false;

/** False: not even the columns fit into the memory. */
export function begin(limitBytes: i32, operations: i32, kinds: i32): bool {
  resetArena(<usize>(<u32>limitBytes));
  forgetSearch();
  forgetDash();
  prepareSurvey();
  isDash = false;
  const hasColumns = prepareColumns(operations, kinds);
  return prepareTransitions(kinds, operations) && hasColumns;
}

const READY: i32 = 0;
const TOO_WIDE: i32 = 1;
const TOO_LARGE: i32 = 2;

/** `starts`: it begins in any of so many states. */
export function prepare(rules: i32, waveWidth: i32, starts: i32, isStretch: bool): i32 {
  if (!prepareWindow()) return TOO_WIDE;
  return prepareSearch(rules, waveWidth, starts, isStretch) ? READY : TOO_LARGE;
}

/** Instead of `prepare`, where nothing is of unknown outcome. */
export function prepareToDash(rules: i32): i32 {
  isDash = true;
  if (!prepareWindow()) return TOO_WIDE;
  return prepareDash(rules) ? READY : TOO_LARGE;
}

/** Goes on by so many steps. */
export function run(budget: i32): i32 {
  return isDash ? dash(budget) : search(budget);
}

export function stepCount(): f64 {
  return <f64>(isDash ? turns : steps);
}
export function configurationCount(): f64 {
  return <f64>(isDash ? turns : configurations);
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
/** Where the order that got furthest ends in the trail; -1: there was no memory left to tell. */
export function furthestPlace(): i32 {
  if (!isDash) return furthestNode();
  dashToFurthest();
  return ROOT;
}
/** The operation in a slot where the window is. */
export function operationIn(slot: i32): i32 {
  return opOfSlot(slot);
}

/** The choices on the way to a node, or of the dash: how many, as pairs of choice and completion. */
export function trace(to: i32): i32 {
  return isDash ? lineLength : traceTo(to);
}
export function tracedAt(): usize {
  return isDash ? lineAt() : nodesAt();
}
