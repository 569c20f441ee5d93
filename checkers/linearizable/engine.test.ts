import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { type Interval, keyHistories } from '../key-history.ts';
import { fifoQueue } from '../models/fifo-queue.ts';
import type { Call } from '../models/model.ts';
import { register } from '../models/register.ts';
import { historyOfIntervals } from '../testkit/interval-history.ts';
import { parseProblem } from '../testkit/register-problems.ts';
import { Engine } from './engine.ts';
import { judgeKeys } from './judge.ts';
import { decide } from './portfolio.ts';

const BUDGET = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 28,
  steps: Infinity,
};

/** More kinds than the table of transitions has room for of a single state. */
const PAIRS = 33_000;

/** One after the other; each second one answers with what the one before it sent. */
function inPairs(send: string, take: string): Interval[] {
  const ops: Interval[] = [];
  const add = (call: Pick<Call, 'f' | 'input' | 'output'>): void => {
    const start = 2 * ops.length;
    ops.push({ call: { ...call, outcome: 'ok' }, start, end: start + 1 });
  };
  for (let value = 1; value <= PAIRS; value++) {
    add({ f: send, input: value, output: null });
    add({ f: take, input: null, output: value });
  }
  return ops;
}

test('a queue of many values has an order', () => {
  const ops = inPairs('enqueue', 'dequeue');
  expect(decide(ops, fifoQueue, BUDGET).result).toBe('valid');
  const [first, second] = [ops[1] as Interval, ops[3] as Interval];
  const wrong = ops.with(1, { ...first, call: second.call });
  expect(decide(wrong, fifoQueue, BUDGET)).toMatchObject({ result: 'invalid', upTo: first.end });
});

test('a register of many values, of which one comes back, has an order', () => {
  const ops = inPairs('write', 'read');
  const start = 2 * ops.length;
  const again = { call: (ops[0] as Interval).call, start, end: start + 1 };
  const keys = keyHistories(historyOfIntervals([...ops, again], 'x'), register, ['linearizable']);
  const [judged] = judgeKeys(keys, { ...BUDGET, model: register });
  expect(judged).toMatchObject({ result: 'valid' });
  expect(judged?.steps).toBeGreaterThan(0);
});

test.for([
  [false, false, 'invalid'],
  [true, false, 'gave-up'],
  [true, true, 'gave-up'],
] as const)(
  'a search that cannot begin tells nothing of the one before: %j, %j',
  ([dashed, isDash, end]) => {
    const engine = new Engine();
    const problem = parseProblem('w1[0,1] w2[2,3] r1[4,5]');
    engine.start(problem, { memoryBytes: 2 ** 24, isDash: dashed });
    expect(engine.run(100)).toBe(end);
    expect(engine.steps).toBeGreaterThan(0);
    expect(engine.start(problem, { memoryBytes: 2 ** 10, isDash })).toBe('memory');
    expect(engine.run(100)).toBe('memory');
    const { steps, configurations, concurrency, passed } = engine;
    expect({ steps, configurations, concurrency, passed }).toEqual({
      steps: 0,
      configurations: 0,
      concurrency: 0,
      passed: 0,
    });
    expect(engine.blocked()).toBeUndefined();
    expect(engine.trail()).toHaveLength(0);
    expect(engine.deadEnds(9)).toEqual([]);
  },
);

test('however little memory there is, a dash tells nothing of the one before', () => {
  const engine = new Engine();
  const problem = parseProblem('w1[0,1] w2[2,3] r2[4,5]');
  const outcomes = new Set<string>();
  for (let memoryBytes = 2 ** 10; memoryBytes < 2 ** 20; memoryBytes += 2 ** 11) {
    engine.start(problem, { memoryBytes: 2 ** 24, isDash: true });
    expect(engine.run(100)).toBe('valid');
    expect(engine.trail()).not.toHaveLength(0);
    outcomes.add(engine.start(problem, { memoryBytes, isDash: true }));
    expect([engine.steps, engine.trail()?.length]).toEqual([0, 0]);
  }
  expect([...outcomes]).toEqual(['memory', 'running']);
});

test.for([
  ['r2[0,1] w1[2,3] r1[4,5]', 1, 'invalid'],
  ['r2[0,1] w1[2,3] r1[4,5]', 3, 'valid'],
  ['r2[0,1] w1[2,3] r2[4,5]', 4, 'invalid'],
  ['r2[0,1] r1[2,3] w3[4,5]', 4, 'invalid'],
  // What is in flight at the first completion was not done before, unlike in a stretch.
  ['w1[0,3] r2[1,2] r2[4,5]', 4, 'invalid'],
] as const)('%s from any of %i states is %s', ([text, starts, expected]) => {
  const engine = new Engine();
  engine.start({ ...parseProblem(text), starts }, { memoryBytes: 2 ** 24 });
  expect(engine.run(100)).toBe(expected);
});
