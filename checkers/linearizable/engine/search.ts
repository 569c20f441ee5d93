/**
 * The search. A configuration waits at the first completion whose operation has not yet found its
 * place (just-in-time linearization, Lowe 2017). To get past, operations in flight are placed one
 * after another, that operation last.
 */
import { expand, nodeWithChoice, normalize, prepareChoices } from './choices.ts';
import {
  add,
  admit,
  creditOf,
  doneOf,
  forget,
  isExpanded,
  KNOWN,
  linkOf,
  NEW,
  NO_MEMORY,
  nextOf,
  nodeOf,
  optionalOf,
  prepareConfigurations,
  REPLACED,
  release,
  releaseAll,
  replaced,
  setChosen,
  setExpanded,
  setLink,
  setMasks,
  setNode,
  setPlace,
  setReadsNow,
  setWorkAfter,
  stateOf,
  weighAmong,
  workAfter,
} from './configurations.ts';
import { none, prepareCounts } from './counts.ts';
import {
  DISCARD,
  emit,
  endWith,
  furthest,
  furthestParent,
  INVALID,
  OUT_OF_MEMORY,
  OUT_OF_STATES,
  outcome,
  PLACE,
  pass,
  prepareFrontier,
  RUNNING,
  reachBy,
  restDone,
  setFurthestParent,
  takeWaiting,
  VALID,
  waiting,
} from './frontier.ts';
import { lastWaiting, nextWaiting, prepareQueue, waitingAt } from './queue.ts';
import { fitting, look } from './sight.ts';
import { addNode, keep, newNodeOf, numberKept, prepareTrail, sweep, wantsSweep } from './trail.ts';
import { know, next, outOfMemory, outOfStates } from './transitions.ts';
import {
  at,
  classCount,
  completionBit,
  completionCount,
  completionKind,
  completionOp,
  moveTo,
  openClasses,
  pending,
  pendingOverwrites,
  pendingReads,
} from './window.ts';

/** So many configurations of one completion are few. */
const FEW: i32 = 8;

let waveWidth: i32 = 0;

/** Configurations at the present completion: to be expanded, and all that are kept. */
let work: usize = 0;
let members: usize = 0;
/**
 * How many of them are in no table: as long as they are few, they are looked through one by one.
 * -1: all are in the table.
 */
let loose: i32 = 0;
let taken: i32 = 0;

export let steps: i64 = 0;
export let configurations: i64 = 0;

/** What is asked of a search that cannot even begin must not be told of the one before. */
export function forgetSearch(): void {
  steps = 0;
  configurations = 0;
  prepareFrontier(false);
}

/**
 * `width`: how many configurations of a completion are expanded before those that got further;
 * 0: all of them, so that nothing needs to be remembered of completions that were passed.
 */
export function prepareSearch(ruleMask: i32, width: i32, starts: i32, isStretch: bool): bool {
  waveWidth = width;
  work = 0;
  members = 0;
  loose = width > 0 ? -1 : 0;
  taken = 0;
  prepareChoices(ruleMask);
  prepareFrontier(width > 0);
  if (!prepareQueue(width > 0) || !prepareCounts(classCount) || !prepareTrail()) return false;
  if (!prepareConfigurations()) return false;
  setReadsNow(pendingReads);
  beginIn(starts, isStretch);
  return outcome == RUNNING || outcome == VALID;
}

/**
 * In any of so many states. In a stretch, whatever is in flight may have been done before: that is at
 * least as good as anything that could be here, so that what it cannot get past nothing does.
 */
function beginIn(starts: i32, isStretch: bool): void {
  if (!know(starts - 1)) endWith(OUT_OF_STATES);
  const reads = isStretch ? pendingReads : 0;
  const others = isStretch ? pending & ~pendingReads : 0;
  for (let state = 0; state < starts && outcome == RUNNING; state++)
    emit(state, reads, others, 0, none, false, DISCARD);
}

/** Expands up to so many configurations. */
export function search(budget: i32): i32 {
  const end = steps + budget;
  while (outcome == RUNNING && steps < end) {
    if (wantsSweep() && !sweepTrail()) return OUT_OF_MEMORY;
    if (waveWidth == 0) while (waitingAt(at) != 0) arrive();
    else while (work == 0 && taken < waveWidth && waitingAt(at) != 0) arrive();
    if (outcome != RUNNING) break;
    if (work != 0) {
      const c = work;
      work = workAfter(c);
      taken++;
      if (loose != 1 || waiting != 0 || !walk(c, end)) {
        steps++;
        expand(c);
      }
      if (outOfStates) endWith(OUT_OF_STATES);
      if (outOfMemory) endWith(OUT_OF_MEMORY);
    } else if (!goOn()) {
      if (!tabulate(0)) endWith(OUT_OF_MEMORY);
      else endWith(furthest == completionCount ? VALID : INVALID);
    }
  }
  return outcome;
}

/**
 * Goes on from the only configuration there is, as long as there is one choice, to place the operation
 * that completes next: where clients seldom overlap that is most of the way. False: not one step.
 */
function walk(c: usize, end: i64): bool {
  if (optionalOf(c) != 0) return false;
  let state = stateOf(c);
  let done = doneOf(c);
  let node = -1;
  let landed = at;
  while (steps < end && openClasses == 0) {
    const bit = completionBit(at);
    if ((pending & ~pendingReads & ~done) != bit) break;
    const to = next(state, completionKind(at));
    if (to < 0) break;
    if (node < 0) node = nodeWithChoice(c);
    if (node >= 0) node = addNode(node, (completionOp(at) << 2) | PLACE, at);
    steps++;
    state = to;
    landed = pass(state, done | bit, 0);
    done = restDone;
    reachBy(landed, node);
    if (outcome != RUNNING || landed == completionCount) return true;
    moveTo(landed);
    done |= fitting(look(state));
    configurations++;
  }
  if (node < 0) return false;
  setReadsNow(pendingReads);
  setPlace(c, landed, state);
  setMasks(c, done, 0, 0);
  normalize(c);
  setNode(c, node);
  setChosen(c, DISCARD, landed);
  toWork(c);
  return true;
}

/** To the next completion where somebody waits; false: there is none. */
function goOn(): bool {
  if (waiting == 0) return false;
  if (loose >= 0) releaseAll(members);
  else if (waveWidth == 0) forget(members);
  if (waveWidth == 0) loose = 0;
  members = 0;
  taken = 0;
  if (waveWidth == 0)
    do moveTo(at + 1);
    while (waitingAt(at) == 0);
  else moveTo(onwards());
  setReadsNow(pendingReads);
  return true;
}

/** The next completion where somebody waits, or behind the last one that. */
function onwards(): i32 {
  const e = nextWaiting(at + 1, furthest);
  return e < 0 ? lastWaiting(furthest) : e;
}

/** Takes one that waits, and keeps it unless one as good was here. */
function arrive(): void {
  const c = takeWaiting(at);
  normalize(c);
  const fixed = pending & ~pendingReads & ~pendingOverwrites;
  const found = loose < 0 ? admit(c, fixed) : weighAmong(members, c, fixed);
  if (found == NO_MEMORY) endWith(OUT_OF_MEMORY);
  else if (found == KNOWN) release(c);
  else if (found == NEW) {
    configurations++;
    setLink(c, members);
    members = c;
    toWork(c);
    if (loose >= 0 && ++loose > FEW && !tabulate(fixed)) endWith(OUT_OF_MEMORY);
  } else if (found == REPLACED) {
    release(c);
    if (isExpanded(replaced)) toWork(replaced);
  }
}

/** From now on they are found by their hashes. */
function tabulate(fixed: u64): bool {
  if (loose < 0) return true;
  loose = -1;
  for (let c = members; c != 0; c = linkOf(c)) if (!add(c, fixed)) return false;
  return true;
}

function toWork(c: usize): void {
  setExpanded(c, false);
  setWorkAfter(c, work);
  work = c;
}

/** What is here and still of use, one after another: behind `c`, or 0 for the first. */
function hereAfter(c: usize): usize {
  if (waveWidth == 0) return c == 0 ? members : linkOf(c);
  return c == 0 ? work : workAfter(c);
}

function sweepTrail(): bool {
  keep(furthestParent);
  for (let c = hereAfter(0); c != 0; c = hereAfter(c)) keep(nodeOf(c));
  // Nobody waits where a search that does not go back has been.
  const from = waveWidth == 0 ? at : 0;
  for (let e = nextWaiting(from, furthest); e >= 0; e = nextWaiting(e + 1, furthest))
    for (let c = waitingAt(e); c != 0; c = nextOf(c)) keep(nodeOf(c));
  if (!numberKept()) return false;
  setFurthestParent(newNodeOf(furthestParent));
  for (let c = hereAfter(0); c != 0; c = hereAfter(c)) setNode(c, newNodeOf(nodeOf(c)));
  for (let e = nextWaiting(from, furthest); e >= 0; e = nextWaiting(e + 1, furthest))
    for (let c = waitingAt(e); c != 0; c = nextOf(c)) setNode(c, newNodeOf(nodeOf(c)));
  sweep();
  return true;
}
