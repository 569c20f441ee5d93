/**
 * The search. A configuration waits at the first completion whose operation has not yet found its
 * place (just-in-time linearization, Lowe 2017). To get past, operations in flight are placed one
 * after another, that operation last.
 */
import { expand, prepareChoices, RULE_N, rules } from './choices.ts';
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
  replaced,
  setExpanded,
  setLink,
  setMasks,
  setNode,
  setReadsNow,
  setWorkAfter,
  stateOf,
  workAfter,
} from './configurations.ts';
import { none, prepareCounts } from './counts.ts';
import {
  DISCARD,
  emit,
  endWith,
  furthest,
  furthestNode,
  INVALID,
  OUT_OF_MEMORY,
  OUT_OF_STATES,
  outcome,
  prepareFrontier,
  RUNNING,
  setFurthestNode,
  VALID,
} from './frontier.ts';
import { lastWaiting, nextWaiting, prepareQueue, setWaiting, waitingAt } from './queue.ts';
import { fitting, keeping, look } from './sight.ts';
import { keep, newNodeOf, numberKept, prepareTrail, sweep, wantsSweep } from './trail.ts';
import { outOfMemory, outOfStates } from './transitions.ts';
import {
  at,
  classCount,
  completionBit,
  moveTo,
  pending,
  pendingOverwrites,
  pendingReads,
} from './window.ts';

let waveWidth: i32 = 0;

/** Configurations at the present completion: to be expanded, and all that are kept. */
let work: usize = 0;
let members: usize = 0;
/** The first one that arrived, as long as none is there to compare it with. */
let sole: usize = 0;
let taken: i32 = 0;

export let steps: i64 = 0;
export let configurations: i64 = 0;

/**
 * `width`: how many configurations of a completion are expanded before those that got further;
 * 0: all of them, so that nothing needs to be remembered of completions that were passed.
 */
export function prepareSearch(ruleMask: i32, width: i32): bool {
  waveWidth = width;
  work = 0;
  members = 0;
  sole = 0;
  taken = 0;
  steps = 0;
  configurations = 0;
  prepareChoices(ruleMask);
  prepareFrontier();
  if (!prepareQueue(width > 0) || !prepareCounts(classCount) || !prepareTrail()) return false;
  if (!prepareConfigurations()) return false;
  setReadsNow(pendingReads);
  emit(0, 0, 0, 0, none, false, DISCARD);
  return outcome == RUNNING || outcome == VALID;
}

/** Expands up to so many configurations. */
export function run(budget: i32): i32 {
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
      steps++;
      expand(c);
      if (outOfStates) endWith(OUT_OF_STATES);
      if (outOfMemory) endWith(OUT_OF_MEMORY);
    } else if (!goOn()) {
      if (sole != 0) add(sole, 0);
      endWith(INVALID);
    }
  }
  return outcome;
}

/** To the next completion where somebody waits; false: there is none. */
function goOn(): bool {
  let e = nextWaiting(at + 1, furthest);
  if (e < 0 && waveWidth > 0) e = lastWaiting(furthest);
  if (e < 0) return false;
  if (sole != 0) release(sole);
  else if (waveWidth == 0) forget(members);
  sole = 0;
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
  const sight = look(stateOf(c));
  const done = doneOf(c) | fitting(sight);
  let optional = optionalOf(c);
  if ((rules & RULE_N) != 0) optional |= keeping(sight) & ~completionBit(at);
  optional &= ~done;
  // Without an overwrite that may be hidden there is nothing that a read could have seen.
  const credit = (optional & pendingOverwrites) == 0 ? 0 : creditOf(c) & ~done;
  setMasks(c, done, optional, credit);
  if (members == 0 && waveWidth == 0) {
    configurations++;
    setLink(c, 0);
    members = c;
    sole = c;
    toWork(c);
    return;
  }
  const fixed = pending & ~pendingReads & ~pendingOverwrites;
  if (sole != 0 && !add(sole, fixed)) endWith(OUT_OF_MEMORY);
  sole = 0;
  const found = admit(c, fixed);
  if (found == NO_MEMORY) endWith(OUT_OF_MEMORY);
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

/** What is here and still of use, one after another: behind `c`, or 0 for the first. */
function hereAfter(c: usize): usize {
  if (waveWidth == 0) return c == 0 ? members : linkOf(c);
  return c == 0 ? work : workAfter(c);
}

function sweepTrail(): bool {
  keep(furthestNode);
  for (let c = hereAfter(0); c != 0; c = hereAfter(c)) keep(nodeOf(c));
  for (let e = nextWaiting(0, furthest); e >= 0; e = nextWaiting(e + 1, furthest))
    for (let c = waitingAt(e); c != 0; c = nextOf(c)) keep(nodeOf(c));
  if (!numberKept()) return false;
  setFurthestNode(newNodeOf(furthestNode));
  for (let c = hereAfter(0); c != 0; c = hereAfter(c)) setNode(c, newNodeOf(nodeOf(c)));
  for (let e = nextWaiting(0, furthest); e >= 0; e = nextWaiting(e + 1, furthest))
    for (let c = waitingAt(e); c != 0; c = nextOf(c)) setNode(c, newNodeOf(nodeOf(c)));
  sweep();
  return true;
}
