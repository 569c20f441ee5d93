import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { historyOf } from '../../harness/history/history.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import { keyHistories } from '../key-history.ts';
import { register } from '../models/register.ts';
import { randomOf } from '../testkit/context.ts';
import { type SimulateOptions, simulate } from '../testkit/simulate.ts';
import { createMemo } from './memo.ts';
import { findOrder, type Search, type SearchBudget } from './wgl.ts';

const budget: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e9,
};

function search(text: string, limits: Partial<SearchBudget> = {}): Search {
  const [key] = keyHistories(parseHistory(text), register, ['linearizable']);
  return findOrder(key?.ops ?? [], register, { ...budget, ...limits });
}

test('gives the order that it found, without what that order does not need', () => {
  const found = search(`
    0 invoke write x 1; 1 invoke write x 2; 2 invoke write x 9
    3 invoke read x; 0 ok; 1 ok; 3 ok read x 2
    3 invoke read x; 3 ok read x 1`);
  expect(found).toMatchObject({ result: 'valid', order: [1, 3, 0, 4] });
});

test('says up to where nothing works, and how far one can get', () => {
  const found = search(`
    0 invoke write x 1; 0 ok; 1 invoke read x; 1 ok read x 1
    2 invoke read x; 2 ok read x 5; 0 invoke write x 5; 0 ok`);
  expect(found).toMatchObject({ result: 'invalid', upTo: 5, furthest: [0, 1] });
});

test('looks at the clock before the first step', () => {
  const late = search('0 invoke write x 1; 0 ok', { deadline: nanos(0) });
  expect(late).toMatchObject({ result: 'unknown', reason: 'time' });
});

function load(options: Partial<SimulateOptions>, seed: number): { ops: number; steps: number } {
  const history = historyOf(simulate(randomOf(seed), { clients: 10, ...options }));
  let [ops, steps] = [0, 0];
  for (const key of keyHistories(history, register, ['linearizable'])) {
    const found = findOrder(key.ops, register, budget);
    expect(found.result).toBe('valid');
    ops += key.ops.length;
    steps += found.steps;
  }
  return { ops, steps };
}

test('usual loads take a few steps for each operation', () => {
  const unique = load({ operations: 30_000, keys: 64, info: 0.01 }, 1);
  expect(unique.steps / unique.ops).toBeLessThan(3);
  const few = load({ operations: 200 * 32, keys: 32, values: 5, info: 0.02 }, 2);
  expect(few.steps / few.ops).toBeLessThan(10);
});

test('a memo holds what was added and nothing else, however often it grows', () => {
  const random = randomOf(3);
  const memo = createMemo(2 ** 26);
  const known = new Set<string>();
  const words = new Int32Array(8);
  for (let round = 0; round < 30_000; round++) {
    const length = random.int(0, 6);
    for (let at = 0; at < length; at++) words[at] = random.int(-3, 3);
    const text = words.slice(0, length).join();
    const isNew = !known.has(`${length}:${text}`);
    known.add(`${length}:${text}`);
    expect(memo.add(words, length)).toBe(isNew ? 'new' : 'seen');
  }
  expect(memo.size).toBe(known.size);
});

test('a memo stops before it takes more memory than it may', () => {
  const limit = 2 ** 16;
  const memo = createMemo(limit);
  const words = new Int32Array(3);
  let answer = 'new';
  for (let at = 0; answer !== 'full'; at++) {
    words[0] = at;
    answer = memo.add(words, 3);
    expect(memo.bytes).toBeLessThanOrEqual(limit);
  }
  expect(memo.size).toBeGreaterThan(1000);
});
