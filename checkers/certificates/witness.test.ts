import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { historyOf } from '../../harness/history/history.ts';
import { type KeyOp, keyHistories } from '../key-history.ts';
import { findOrder } from '../linearizable/wgl.ts';
import { register } from '../models/register.ts';
import { randomOf } from '../testkit/context.ts';
import { simulate } from '../testkit/simulate.ts';
import { witnessProblem } from './witness.ts';

const budget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e6,
};

function witnessed(seed: number): { readonly ops: readonly KeyOp[]; readonly order: number[] } {
  const history = historyOf(simulate(randomOf(seed), { operations: 40, info: 0.1 }));
  const [key] = keyHistories(history, register, ['linearizable']);
  const ops = key?.ops ?? [];
  const found = findOrder(ops, register, budget);
  return { ops, order: found.result === 'valid' ? [...found.order] : [] };
}

test('accepts the orders that the search finds', () => {
  for (let seed = 0; seed < 50; seed++) {
    const { ops, order } = witnessed(seed);
    expect(order.length).toBeGreaterThan(20);
    expect(witnessProblem(ops, register, order)).toBeUndefined();
  }
});

test('sees what is missing, there twice, or not of this history', () => {
  const { ops, order } = witnessed(1);
  const done = order.findIndex((at) => ops[at]?.call.f === 'read');
  const dropped = order.toSpliced(done, 1);
  expect(witnessProblem(ops, register, dropped)).toBe(`operation ${order[done]} is missing`);
  const twice = order.toSpliced(done, 0, order[done] ?? 0);
  expect(witnessProblem(ops, register, twice)).toContain('not once');
  expect(witnessProblem(ops, register, [...order, ops.length])).toContain('not there');
});

test('sees steps that the model does not allow, and an order against time', () => {
  const [write, read] = [
    { f: 'write', input: 1, output: 1, outcome: 'ok' },
    { f: 'read', input: null, output: 1, outcome: 'ok' },
  ] as const;
  const ops = [
    { call: write, start: 0, end: 2 },
    { call: read, start: 1, end: 3 },
  ];
  expect(witnessProblem(ops, register, [0, 1])).toBeUndefined();
  expect(witnessProblem(ops, register, [1, 0])).toContain('the register held absent, not 1');
  const late = [
    { call: write, start: 4, end: 5 },
    { call: read, start: 1, end: 3 },
  ];
  expect(witnessProblem(late, register, [0, 1])).toContain('had ended when one before it began');
});
