/**
 * The search in a hurry: one choice after another, back only where none is left, and nothing is
 * remembered but the last turns. It costs little where there is an order nearly straight ahead, and
 * proves nothing where it finds none: then it gives up.
 */
import { allocate } from './arena.ts';
import {
  aim,
  discard,
  hide,
  hideable,
  mayDiscard,
  normalize,
  place,
  placeable,
  prepareChoices,
} from './choices.ts';
import {
  completionOf,
  creditOf,
  doneOf,
  isFresh,
  optionalOf,
  RECORD_BYTES,
  stateOf,
} from './configurations.ts';
import { none, prepareCounts } from './counts.ts';
import {
  DISCARD,
  emit,
  endWith,
  furthest,
  GAVE_UP,
  hasTurned,
  OUT_OF_MEMORY,
  OUT_OF_STATES,
  outcome,
  prepareFrontier,
  RUNNING,
  setTurn,
  VALID,
} from './frontier.ts';
import { eraseTo, lineLength, prepareLine } from './line.ts';
import { outOfMemory, outOfStates } from './transitions.ts';
import { completionBit, completionCount, moveTo } from './window.ts';

/*
 * A turn is a configuration with the choices that were not yet made there: slots to place, slots to
 * hide, whether to discard, and how long the line was.
 */
const TURN_BYTES: i32 = RECORD_BYTES + 24;
/** So many of the last turns are remembered. */
const TURNS: i32 = 1 << 10;
/** Of so many places it is remembered that they led nowhere; more where there are more operations. */
const SEEN_MIN: i32 = 1 << 8;
const SEEN_MAX: i32 = 1 << 12;
/** It gives up after so many steps that led no further; sooner where it has hardly begun. */
const STANDSTILL_MIN: i32 = 1 << 10;
const STANDSTILL_MAX: i32 = 1 << 14;
/** And after so many for each operation: those that come after it must have their share. */
const STEPS_AN_OPERATION: i32 = 6;

/** A ring of addresses. The last turn is at `top`; the first one that is remembered at `bottom`. */
let ring: usize = 0;
let top: i32 = 0;
let bottom: i32 = 0;
/** A turn that nobody uses. */
let spare: usize = 0;
/** Hashes. */
let seen: usize = 0;
let seenMask: u64 = 0;
/** How far it got, and when. */
let gotTo: i32 = 0;
let gotThere: i64 = 0;

export let turns: i64 = 0;

export function prepareDash(rules: i32): bool {
  prepareChoices(rules);
  ring = allocate(TURNS << 2);
  const records = allocate((TURNS + 1) * TURN_BYTES);
  let places = SEEN_MIN;
  while (places < completionCount && places < SEEN_MAX) places <<= 1;
  seen = allocate(places << 3);
  seenMask = <u64>places - 1;
  if (ring == 0 || records == 0 || seen == 0) return false;
  if (!prepareCounts(0) || !prepareLine(completionCount)) return false;
  for (let i = 0; i < TURNS; i++) store<usize>(placeOf(i), records + i * TURN_BYTES);
  spare = records + TURNS * TURN_BYTES;
  begin();
  return true;
}

/** What is asked of a dash that cannot even begin must not be told of the one before. */
export function forgetDash(): void {
  turns = 0;
  gotThere = 0;
  eraseTo(0);
}

function begin(): void {
  forgetDash();
  top = 0;
  bottom = 0;
  prepareFrontier(true);
  memory.fill(seen, 0, (<usize>(seenMask + 1)) << 3);
  moveTo(0);
  const first = turnAt(0);
  setTurn(first);
  emit(0, 0, 0, 0, none, false, DISCARD);
  gotTo = furthest;
  if (outcome != RUNNING) return;
  moveTo(completionOf(first));
  normalize(first);
  arrive(first);
}

/** Does once more what led furthest, if it did anything since. */
export function dashToFurthest(): void {
  const until = gotThere;
  if (outcome == VALID || turns == until) return;
  const result = outcome;
  begin();
  dash(<i32>until);
  endWith(result);
}

function placeOf(i: i32): usize {
  return ring + ((<usize>(i & (TURNS - 1))) << 2);
}
function turnAt(i: i32): usize {
  return load<usize>(placeOf(i));
}
function slotsToPlace(c: usize): u64 {
  return load<u64>(c, RECORD_BYTES);
}
function setSlotsToPlace(c: usize, slots: u64): void {
  store<u64>(c, slots, RECORD_BYTES);
}
function slotsToHide(c: usize): u64 {
  return load<u64>(c, RECORD_BYTES + 8);
}
function setSlotsToHide(c: usize, slots: u64): void {
  store<u64>(c, slots, RECORD_BYTES + 8);
}
function wantsDiscard(c: usize): bool {
  return load<i32>(c, RECORD_BYTES + 16) != 0;
}
function setWantsDiscard(c: usize, wants: bool): void {
  store<i32>(c, wants ? 1 : 0, RECORD_BYTES + 16);
}
function lengthAt(c: usize): i32 {
  return load<i32>(c, RECORD_BYTES + 20);
}
function setLengthAt(c: usize, length: i32): void {
  store<i32>(c, length, RECORD_BYTES + 20);
}

/** Says what can be done there; nothing of it was yet. */
function arrive(c: usize): void {
  aim();
  setSlotsToPlace(c, placeable(c));
  setSlotsToHide(c, hideable(c));
  setWantsDiscard(c, mayDiscard(c));
  setLengthAt(c, lineLength);
}

/** Makes up to so many choices. */
export function dash(budget: i32): i32 {
  const end = turns + budget;
  while (outcome == RUNNING && turns < end) {
    turns++;
    const c = turnAt(top);
    setTurn(spare);
    choose(c);
    if (outOfStates) endWith(OUT_OF_STATES);
    if (outOfMemory) endWith(OUT_OF_MEMORY);
    if (outcome != RUNNING) break;
    if (hasTurned) goOn(c);
    else if (isSpent(c)) goBack();
    if (furthest > gotTo) {
      gotTo = furthest;
      gotThere = turns;
    } else if (isTired()) endWith(GAVE_UP);
  }
  return outcome;
}

function isTired(): bool {
  const patience = min(STANDSTILL_MIN + (gotTo << 1), STANDSTILL_MAX);
  return (
    turns - gotThere > patience ||
    turns > <i64>completionCount * STEPS_AN_OPERATION + STANDSTILL_MAX
  );
}

/** The next choice. */
function choose(c: usize): void {
  const places = slotsToPlace(c);
  const target = completionBit(completionOf(c));
  if ((places & target) != 0) {
    setSlotsToPlace(c, places & ~target);
    place(c, <i32>ctz<u64>(target));
  } else if (wantsDiscard(c)) {
    setWantsDiscard(c, false);
    discard(c);
  } else if (places != 0) {
    setSlotsToPlace(c, places & (places - 1));
    place(c, <i32>ctz<u64>(places));
  } else {
    const hides = slotsToHide(c);
    if (hides == 0) return;
    setSlotsToHide(c, hides & (hides - 1));
    hide(c, <i32>ctz<u64>(hides));
  }
}

function isSpent(c: usize): bool {
  return (slotsToPlace(c) | slotsToHide(c)) == 0 && !wantsDiscard(c);
}

/** To what was just made, which takes the place of where it comes from if nothing is left there. */
function goOn(c: usize): void {
  const to = spare;
  moveTo(completionOf(to));
  normalize(to);
  arrive(to);
  if (isFork(to) && wasHere(to)) {
    if (isSpent(c)) goBack();
    else returnTo(c);
    return;
  }
  if (isSpent(c)) spare = c;
  else {
    top++;
    spare = turnAt(top);
    if (top - bottom == TURNS) bottom++;
  }
  store<usize>(placeOf(top), to);
}

/** Whether there is more than one choice left: elsewhere it costs more to remember than to be there again. */
function isFork(c: usize): bool {
  const slots = slotsToPlace(c);
  return (slots & (slots - 1)) != 0 || slotsToHide(c) != 0 || (wantsDiscard(c) && slots != 0);
}

function goBack(): void {
  if (top == bottom) {
    endWith(GAVE_UP);
    return;
  }
  top--;
  returnTo(turnAt(top));
}

function returnTo(c: usize): void {
  moveTo(completionOf(c));
  aim();
  eraseTo(lengthAt(c));
}

/** Whether something like it was here lately, as far as a hash can tell: a dash may be wrong about that. */
function wasHere(c: usize): bool {
  let h = (doneOf(c) * 0x9e3779b97f4a7c15) ^ <u64>completionOf(c);
  h = (h ^ (h >> 32)) * 0xbf58476d1ce4e5b9 + optionalOf(c);
  h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15 + creditOf(c);
  h = (h ^ (h >> 32)) * 0xbf58476d1ce4e5b9 + (((<u64>stateOf(c)) << 1) | <u64>isFresh(c));
  h ^= h >> 32;
  const place = seen + ((<usize>(h & seenMask)) << 3);
  if (load<u64>(place) == h) return true;
  store<u64>(place, h);
  return false;
}
