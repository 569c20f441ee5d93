import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import { type Interval, keyHistories } from '../key-history.ts';
import { findOrder, type SearchBudget } from '../linearizable/wgl.ts';
import { bruteForceOrder } from '../testkit/brute-force.ts';
import { MODEL_CASES } from '../testkit/model-cases.ts';
import type { Model } from './model.ts';

const DATA = new URL('../testdata/models/', import.meta.url);

const budget: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e6,
};

interface Example {
  readonly name: string;
  readonly model: Model;
  readonly text: string;
  readonly expected: 'valid' | 'invalid';
}

const examples: readonly Example[] = (['valid', 'invalid'] as const).flatMap((expected) => {
  const folder = new URL(`${expected}/`, DATA);
  return readdirSync(folder).map((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const model = /# model ([\w-]+)/.exec(text)?.[1];
    const found = MODEL_CASES.find((one) => one.model.name === model);
    if (found === undefined) throw new Error(`${name} is of no model that is known`);
    return { name, model: found.model, text, expected };
  });
});

function partsOf({ text }: Example, model: Model): (readonly Interval[])[] {
  return keyHistories(parseHistory(text), model, ['linearizable']).map(({ ops }) => ops);
}

/** By the steps of the model alone. */
function judged(example: Example, model: Model): string {
  const isValid = partsOf(example, model).every((ops) => bruteForceOrder(ops, model));
  return isValid ? 'valid' : 'invalid';
}

test.for(examples)('$expected: $name', (example) => {
  const { model, expected } = example;
  const results = partsOf(example, model).map((ops) => findOrder(ops, model, budget).result);
  expect(results.find((result) => result !== 'valid') ?? 'valid').toBe(expected);
  expect(judged(example, model)).toBe(expected);
});

test.for(MODEL_CASES)('$model.name has examples of both sorts', ({ model }) => {
  const sorts = examples.filter((example) => example.model === model).map((one) => one.expected);
  expect(new Set(sorts)).toEqual(new Set(['valid', 'invalid']));
});

/** Steps that are wrong in ways that any model's can be. */
const WRONG_STEPS: Readonly<Record<string, (model: Model) => Model['step']>> = {
  'allows everything': (model) => (state, call) => {
    const stepped = model.step(state, call);
    return 'state' in stepped ? stepped : { state };
  },
  'changes nothing': (model) => (state, call) => {
    const stepped = model.step(state, call);
    return 'state' in stepped ? { state } : stepped;
  },
  'looks at no answer': (model) => (state, call) => {
    const blind = { ...call, outcome: 'indefinite' } as const;
    return call.outcome === 'ok' ? model.step(state, blind) : model.step(state, call);
  },
  'allows no change after the first': (model) => (state, call) => {
    const stepped = model.step(state, call);
    const isSecond = JSON.stringify(state) !== JSON.stringify(model.init);
    const changes = 'state' in stepped && JSON.stringify(stepped.state) !== JSON.stringify(state);
    return isSecond && changes ? { inconsistent: 'it was changed' } : stepped;
  },
};

/** The answers of these say nothing but that they happened. */
const SILENT = ['mutex', 'reentrant-lock', 'semaphore-2'];

test.for(
  MODEL_CASES.flatMap(({ model }) =>
    Object.entries(WRONG_STEPS)
      .filter(([wrong]) => wrong !== 'looks at no answer' || !SILENT.includes(model.name))
      .map(([wrong, mutate]) => ({ model, wrong, step: mutate(model) })),
  ),
)('the examples tell $model.name from one that $wrong', ({ model, step }) => {
  const mutant = { ...model, step };
  const own = examples.filter((example) => example.model === model);
  expect(own.some((example) => judged(example, mutant) !== example.expected)).toBe(true);
});
