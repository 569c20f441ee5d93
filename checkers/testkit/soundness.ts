/**
 * What the verdicts are worth, on random histories of any model: small ones against the trial of
 * all orders, larger ones against the plain search. What is said to have an order must have the one
 * that is shown; what is said to have none must be proven by certificates that hold.
 */

import type { JsonValue } from '../../harness/core/json.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { recheckCertificate } from '../certificates/recheck.ts';
import { witnessProblem } from '../certificates/witness.ts';
import { checkHistory } from '../check-history.ts';
import type { Interval } from '../key-history.ts';
import { decide } from '../linearizable/portfolio.ts';
import { findOrder, type Search, type SearchBudget } from '../linearizable/wgl.ts';
import type { Call, Model, Stepped } from '../models/model.ts';
import { bruteForceOrder } from './brute-force.ts';
import { historyOfIntervals } from './interval-history.ts';
import type { ModelCase } from './model-cases.ts';
import { smallHistory } from './model-histories.ts';

export interface Sounding {
  /** `undecided`: one of the two came to no answer within its steps, so nothing was compared. */
  readonly expected: 'valid' | 'invalid' | 'undecided';
  /** What was said wrongly, with the operations that it was said of; absent: nothing. */
  readonly problem?: string;
}

const SEARCH: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 50_000,
};

const LARGE_MAX = 60;
/** One state of it is the set of all queues that there may be by then. */
const LARGE_MAX_OF: Readonly<Record<string, number>> = { 'unordered-queue': 25 };

/** So many different steps of a model that grows, such as a queue, need too much memory. */
const MODEL_STEPS = 20_000;

/** Two to seven operations: correct, with one or two answers changed, or all of them at random. */
export function soundSmall({ model, draw }: ModelCase, seed: number): Sounding {
  const random = Random.stream(seedFrom(seed), `small ${model.name}`);
  const operations = random.int(2, 7);
  const wrong = random.pick([0, 1, 1, 2, 3 * operations]);
  const options = { operations, processes: random.int(1, 5), wrong };
  const ops = smallHistory(random, model, draw, options);
  const expected = bruteForceOrder(ops, model) ? 'valid' : 'invalid';
  const found = decide(ops, model, SEARCH);
  const problem = verdictProblem(ops, model, expected, found) ?? storyProblem(ops, model, expected);
  return said(ops, expected, problem);
}

/** 20 to 60 operations, or as many as the model bears, of up to six clients. */
export function soundLarge({ model, draw }: ModelCase, seed: number): Sounding {
  const random = Random.stream(seedFrom(seed), `large ${model.name}`);
  const operations = random.int(20, LARGE_MAX_OF[model.name] ?? LARGE_MAX);
  const processes = random.int(2, 6);
  const wrong = random.pick([0, 0, 1, 2, 4]);
  const ops = smallHistory(random, model, draw, { operations, processes, wrong });
  try {
    const plain = findOrder(ops, bounded(model), SEARCH);
    const found = decide(ops, bounded(model), SEARCH);
    if (plain.result === 'unknown' || found.result === 'unknown') return { expected: 'undecided' };
    const upTo = plain.result === 'invalid' ? plain.upTo : undefined;
    return said(ops, plain.result, verdictProblem(ops, model, plain.result, found, upTo));
  } catch (error) {
    if (error === TOO_MUCH) return { expected: 'undecided' };
    throw error;
  }
}

const TOO_MUCH = new Error('the model was asked for too many steps');

function bounded(model: Model): Model {
  let left = MODEL_STEPS;
  const step = (state: JsonValue, call: Call): Stepped => {
    if (left-- === 0) throw TOO_MUCH;
    return model.step(state, call);
  };
  return { ...model, step };
}

function said(ops: readonly Interval[], expected: Sounding['expected'], fault?: string): Sounding {
  return fault === undefined ? { expected } : { expected, problem: `${fault}: ${textOf(ops)}` };
}

/** Of the searches; `upTo`: the first completion that no order gets past. */
function verdictProblem(
  ops: readonly Interval[],
  model: Model,
  expected: string,
  found: Search,
  upTo?: number,
): string | undefined {
  if (found.result !== expected) return `the search says ${found.result}, not ${expected}`;
  if (found.result === 'valid') {
    const fault = witnessProblem(ops, model, found.order);
    return fault === undefined ? undefined : `its order is none: ${fault}`;
  }
  if (upTo === undefined || found.result === 'unknown' || found.upTo === upTo) return undefined;
  return `it says that orders end at ${found.upTo}, not ${upTo}`;
}

/** Of all that a user sees: the shortcuts of the model included, and the reasons that are given. */
function storyProblem(
  ops: readonly Interval[],
  model: Model,
  expected: string,
): string | undefined {
  const history = historyOfIntervals(ops, 'x');
  const { verdict, anomalies } = checkHistory(history, { model });
  const isWrong = expected === 'invalid';
  // A history in which nobody was told anything is not called valid either.
  if ((verdict === 'invalid') !== isWrong) return `the check says ${verdict}`;
  if (isWrong && anomalies.length === 0) return 'the check gives no reason';
  for (const anomaly of anomalies) {
    const opinion = recheckCertificate(anomaly, history, model);
    if (opinion !== true) return `${anomaly.kind} does not hold: ${opinion}`;
  }
  return undefined;
}

function textOf(ops: readonly Interval[]): string {
  return ops
    .map(({ call, start, end }) => JSON.stringify([call, start, end === Infinity ? null : end]))
    .join(' ');
}
