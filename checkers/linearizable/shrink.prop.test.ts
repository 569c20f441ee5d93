import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { recheckCertificate } from '../certificates/recheck.ts';
import { type Interval, keyHistories } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { bruteForceOrder } from '../testkit/brute-force.ts';
import { randomOf } from '../testkit/context.ts';
import { historyOfIntervals } from '../testkit/interval-history.ts';
import { knownHistory } from '../testkit/known-history.ts';
import { historyOfKnown } from '../testkit/known-history-forms.ts';
import { MODEL_CASES, type ModelCase } from '../testkit/model-cases.ts';
import { smallHistory } from '../testkit/model-histories.ts';
import { noOrderAnomaly } from './explain-search.ts';
import { decide } from './portfolio.ts';
import { type Core, shrink } from './shrink.ts';
import { findOrder, type SearchBudget } from './wgl.ts';

const budget: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 24,
  steps: 1e6,
};

interface Wrong {
  readonly ops: readonly Interval[];
  readonly core: Core;
}

/** Histories of the model that have no order, and what remains of each. */
function wrongOnes({ model, draw }: ModelCase, seeds: number): Wrong[] {
  const found: Wrong[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const random = randomOf(seed);
    const options = { operations: 7, processes: random.int(2, 4), wrong: random.int(1, 2) };
    const ops = smallHistory(random, model, draw, options);
    const search = findOrder(ops, model, budget);
    if (search.result === 'invalid')
      found.push({ ops, core: shrink(ops, model, search.upTo, budget) });
  }
  return found;
}

/** By trial of all orders: is what happened between two moments possible by itself? */
function isPossible(
  ops: readonly Interval[],
  model: Model,
  { kept, from, upTo }: Pick<Core, 'kept' | 'from' | 'upTo'>,
): boolean {
  const seen = kept.flatMap((at): Interval[] => {
    const op = ops[at] as Interval;
    if (op.start > upTo || op.end < from) return [];
    if (op.start >= from && op.end <= upTo) return [op];
    return [{ ...op, end: Infinity, call: { ...op.call, outcome: 'indefinite' } }];
  });
  const starts = from < 0 ? [model.init] : (model.starts?.(seen.map(({ call }) => call)) ?? []);
  return starts.some((init) => bruteForceOrder(seen, { ...model, init }));
}

test.for(MODEL_CASES)('$model.name: what remains is impossible, and nothing more can go', (one) => {
  const { model } = one;
  const wrong = wrongOnes(one, 60);
  expect(wrong.length).toBeGreaterThan(8);
  for (const { ops, core } of wrong) {
    expect(core.minimal).toBe(true);
    expect(isPossible(ops, model, core)).toBe(false);
    const { kept, from, upTo } = core;
    const moments = kept.flatMap((at) => [ops[at]?.start ?? 0, ops[at]?.end ?? 0]);
    const earlier = Math.max(-1, ...moments.filter((moment) => moment < upTo));
    expect(isPossible(ops, model, { ...core, upTo: earlier })).toBe(true);
    if (model.starts !== undefined)
      for (const later of kept.map((at) => ops[at]?.start ?? 0).slice(1))
        if (later > from) expect(isPossible(ops, model, { ...core, from: later })).toBe(true);
    const calls = kept.map((at) => {
      const { call, start, end } = ops[at] as Interval;
      const isWhole = start >= from && end <= upTo;
      return isWhole ? call : ({ ...call, outcome: 'indefinite' } as const);
    });
    for (const [at, removable] of model.removable(calls).entries())
      if (removable)
        expect(isPossible(ops, model, { ...core, kept: kept.toSpliced(at, 1) })).toBe(true);
  }
});

/** The state after an order, or why it does not work. */
function replayed(ops: readonly Interval[], model: Model, order: readonly number[]): JsonValue {
  let state = model.init;
  for (const at of order) {
    const stepped = model.step(state, (ops[at] as Interval).call);
    if (!('state' in stepped)) return { wrong: stepped.inconsistent };
    ({ state } = stepped);
  }
  return state;
}

test.for(MODEL_CASES)('$model.name: each way it tells is legal, and fails as it says', (one) => {
  const { model } = one;
  let told = 0;
  for (const { ops, core } of wrongOnes(one, 60)) {
    const { impasse, from, upTo } = core;
    // What was cut in two may have its effect at any time.
    const seen = ops.map((op): Interval => {
      if (op.start >= from && op.end <= upTo) return op;
      return { ...op, end: Infinity, call: { ...op.call, outcome: 'indefinite' } };
    });
    expect(impasse?.ways.length).toBeGreaterThan(0);
    const blocked = ops[impasse?.blocked ?? -1] as Interval;
    expect(blocked.end).toBeLessThanOrEqual(upTo);
    for (const { order, why, state: held, others } of impasse?.ways ?? []) {
      for (const [place, at] of order.entries())
        for (const later of order.slice(place + 1))
          expect(seen[later]?.end).toBeGreaterThan(ops[at]?.start ?? 0);
      if (from >= 0) continue;
      told++;
      const state = replayed(seen, model, order);
      expect(state).toEqual(held);
      expect(model.step(state, blocked.call)).toEqual({ inconsistent: why });
      for (const other of others) {
        expect(order).not.toContain(other.op);
        const next = (seen[other.op] as Interval).call;
        expect(model.step(state, next)).toEqual({ inconsistent: other.why });
      }
    }
  }
  expect(told).toBeGreaterThan(1);
});

test.for(MODEL_CASES)('$model.name: the anomaly holds in a second opinion', (one) => {
  const { model } = one;
  for (const { ops } of wrongOnes(one, 30)) {
    const history = historyOfIntervals(ops, 'x');
    const [key] = keyHistories(history, model, ['linearizable']);
    if (key === undefined) throw new Error('the history has a key');
    const search = findOrder(key.ops, model, budget);
    if (search.result !== 'invalid') throw new Error('the history has an order');
    const core = shrink(key.ops, model, search.upTo, budget);
    const anomaly = noOrderAnomaly(key, core, model);
    const { explanation } = anomaly;
    const opinion = recheckCertificate(anomaly, history, model);
    expect({ explanation, opinion }).toEqual({ explanation, opinion: true });
    expect(explanation).not.toMatch(/undefined|NaN|Infinity|\[object| {2}/);
    expect(explanation).toMatch(/does not fit/);
  }
});

test('a long history is cut down from its end, without a look at all of it', () => {
  const model = MODEL_CASES[0]?.model as Model;
  const ops: Interval[] = [];
  const add = (f: string, input: JsonValue, output: JsonValue): void => {
    const start = 2 * ops.length;
    ops.push({ start, end: start + 1, call: { f, input, output, outcome: 'ok' } });
  };
  for (let round = 0; round < 5000; round++) {
    add('write', round % 5, null);
    add('read', null, round % 5);
  }
  add('read', null, 3);
  const search = findOrder(ops, model, { ...budget, memoryBytes: 2 ** 28 });
  expect(search.result).toBe('invalid');
  let looks = 0;
  const clock = {
    now: () => {
      looks++;
      return nanos(0);
    },
  };
  const core = shrink(ops, model, 2 * ops.length, { ...budget, clock });
  expect(core.kept).toEqual([9999, 10_000]);
  expect(core.minimal).toBe(true);
  expect(looks).toBeLessThan(200);
});

test('where sixty clients are served at once it takes few steps for all beginnings together', () => {
  const violation = { kind: 'too-few-writes', at: 0.5 } as const;
  const shape = { operations: 1000, clients: 60, violation };
  const random = Random.stream(seedFrom(3), 'known');
  const history = historyOfKnown(knownHistory(random, shape));
  const [key] = keyHistories(history, register, ['linearizable']);
  const ops = key?.ops ?? [];
  const found = decide(ops, register, budget);
  if (found.result !== 'invalid') throw new Error('the history has an order');
  const core = shrink(ops, register, found.upTo, { ...budget, steps: 4e6 });
  expect(core.minimal).toBe(true);
  expect(core.kept.length).toBeLessThan(150);
  // There were too many ways to try them all, so one of them is told.
  expect(core.impasse).toBeUndefined();
  expect(core.furthest.length).toBeGreaterThan(0);
  expect(core.blocked).toBeDefined();
  expect(core.ends?.length).toBeGreaterThan(0);
});

test('without time it keeps too much, and says so', () => {
  const [one] = MODEL_CASES;
  const [wrong] = wrongOnes(one as ModelCase, 40);
  const ops = wrong?.ops ?? [];
  let now = 0;
  const clock = { now: () => nanos((now += 20e9)) };
  const core = shrink(ops, (one as ModelCase).model, Infinity, {
    ...budget,
    clock,
    deadline: nanos(100e9),
  });
  expect(core.minimal).toBe(false);
  expect(isPossible(ops, (one as ModelCase).model, core)).toBe(false);
});
