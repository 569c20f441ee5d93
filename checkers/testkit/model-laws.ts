/**
 * What every model promises, as tests that look for a call or a history that breaks it. Each takes
 * one seed and returns what it found, or undefined.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import { nanos } from '../../harness/core/units.ts';
import type { Interval } from '../key-history.ts';
import { findOrder, type SearchBudget } from '../linearizable/wgl.ts';
import type { Call, Model } from '../models/model.ts';
import { bruteForceOrder } from './brute-force.ts';
import { randomOf } from './context.ts';
import type { ModelCase } from './model-cases.ts';
import { type Draw, reachableStates, smallHistory } from './model-histories.ts';

export type Law = (seed: number, { model, draw }: ModelCase) => string | undefined;

const SEARCH: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 24,
  steps: 1e6,
};

/** A step is the same every time, changes nothing that it is given, and leads to plain JSON. */
export const stepsArePure: Law = (seed, { model, draw }) =>
  eachStep(seed, model, draw, (state, call) => {
    const first = model.step(deepFrozen(state), deepFrozen(call));
    if (text(first) !== text(model.step(state, call))) return 'it differs the second time';
    if (!('state' in first)) return first.inconsistent === '' ? 'it gives no reason' : undefined;
    return isPlain(first.state) ? undefined : `${text(first.state)} is not plain JSON`;
  });

/** What is read-only changes no state in which it is legal. */
export const readsChangeNothing: Law = (seed, { model, draw }) =>
  eachStep(seed, model, draw, (state, call) => {
    const stepped = model.step(state, call);
    const changes = 'state' in stepped && text(stepped.state) !== text(state);
    return model.readOnly(call) && changes ? 'it is read-only and changes the state' : undefined;
  });

/** What overwrites is legal everywhere, and leads to the same state from anywhere. */
export const overwritesAreBlind: Law = (seed, { model, draw }) => {
  const random = randomOf(seed);
  const states = reachableStates(random, model, draw);
  const call = draw(random);
  if (model.overwrites?.(call) !== true) return undefined;
  const after = new Set(states.map((state) => text(model.step(state, call))));
  const [first = ''] = after;
  const isBlind = after.size === 1 && first.startsWith('{"state"');
  return isBlind ? undefined : `${text(call)} leads to ${[...after].join(', ')}`;
};

/** Without any of what may be left out, a history that has an order still has one. */
export const removalsKeepOrders: Law = (seed, { model, draw }) => {
  const random = randomOf(seed);
  const ops = arbitrary(seed, model, draw);
  const removable = model.removable(ops.map(({ call }) => call));
  const share = random.pick([0.3, 0.6, 1]);
  const rest = ops.filter((_, at) => removable[at] !== true || !random.chance(share));
  if (rest.length === ops.length || !bruteForceOrder(ops, model)) return undefined;
  return bruteForceOrder(rest, model) ? undefined : `${text(ops)} has an order, ${text(rest)} none`;
};

/** Of the states to start from, one allows what any real state allows. */
export const startsStandForAll: Law = (seed, { model, draw }) => {
  const states = reachableStates(randomOf(seed), model, draw);
  const init = randomOf(seed).pick(states);
  const ops = arbitrary(seed, { ...model, init }, draw);
  const starts = model.starts?.(ops.map(({ call }) => call));
  if (starts === undefined || !bruteForceOrder(ops, { ...model, init })) return undefined;
  const isFound = starts.some((start) => bruteForceOrder(ops, { ...model, init: start }));
  return isFound ? undefined : `${text(ops)} has an order from ${text(init)} only`;
};

/** The search agrees with the trial of all orders. */
export const searchAgrees: Law = (seed, { model, draw }) => {
  const ops = arbitrary(seed, model, draw);
  const expected = bruteForceOrder(ops, model) ? 'valid' : 'invalid';
  const { result } = findOrder(ops, model, SEARCH);
  return result === expected ? undefined : `${text(ops)} is ${expected}, found ${result}`;
};

/** Two to six operations, half of the time with a few that were changed. */
export function arbitrary(seed: number, model: Model, draw: Draw): Interval[] {
  const random = randomOf(seed);
  const operations = random.int(2, 6);
  const wrong = random.pick([0, 0, 1, 2]);
  return smallHistory(random, model, draw, { operations, processes: random.int(1, 4), wrong });
}

function eachStep(
  seed: number,
  model: Model,
  draw: Draw,
  problem: (state: JsonValue, call: Call) => string | undefined,
): string | undefined {
  const random = randomOf(seed);
  for (const state of reachableStates(random, model, draw)) {
    const call = draw(random);
    const found = problem(state, call);
    if (found !== undefined) return `${text(call)} in ${text(state)}: ${found}`;
  }
  return undefined;
}

function text(value: unknown): string {
  return JSON.stringify(value);
}

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null)
    return value === null || typeof value === 'string' || typeof value === 'boolean';
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFrozen(part);
    Object.freeze(value);
  }
  return value;
}
