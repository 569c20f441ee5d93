import { expect, test, vi } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { register } from '../models/register.ts';
import { hardProblem } from '../testkit/register-problems.ts';
import { Engine } from './engine.ts';
import { decide, race } from './portfolio.ts';

const chance = (): Random => Random.stream(seedFrom(5), 'portfolio');
const LOOKS = 300;
/** A step takes some microseconds, so that this many take far less than a tenth of a second. */
const STEPS_A_LOOK = 2000;

test('a busy search looks at the clock again within a bounded number of steps', () => {
  const problem = hardProblem(chance());
  let looks = 0;
  const clock = { now: () => nanos(looks++) };
  const limits = { clock, memoryBytes: 2 ** 28, steps: Infinity };
  const found = race(problem, { ...limits, deadline: nanos(LOOKS) });
  expect(found).toMatchObject({ result: 'unknown', reason: 'time' });
  expect(looks).toBeGreaterThan(LOOKS);
  expect(found.steps).toBeGreaterThan(0);
  expect(found.steps).toBeLessThanOrEqual(looks * STEPS_A_LOOK);
});

test('where steps are slow it looks after fewer of them', () => {
  const problem = hardProblem(chance());
  let looks = 0;
  // Every slice seems to take a second.
  const clock = { now: () => nanos(1e9 * looks++) };
  const limits = { clock, memoryBytes: 2 ** 28, steps: Infinity };
  const found = race(problem, { ...limits, deadline: nanos(1e9 * LOOKS) });
  expect(found).toMatchObject({ result: 'unknown', reason: 'time' });
  expect(found.steps).toBeGreaterThan(0);
  expect(found.steps).toBeLessThan(4 * LOOKS);
});

test('no more steps are taken than it may', () => {
  const clock = { now: () => nanos(0) };
  const limits = { clock, memoryBytes: 2 ** 28, deadline: nanos(1) };
  const found = race(hardProblem(chance()), { ...limits, steps: 5000 });
  expect(found).toMatchObject({ result: 'unknown', reason: 'steps', steps: 5000 });
});

test('however long it is cut off at, one look more is one slice more', () => {
  const problem = hardProblem(chance());
  const stepsUntil = (deadline: number): number => {
    let looks = 0;
    const clock = { now: () => nanos(looks++) };
    const limits = { clock, memoryBytes: 2 ** 28, steps: Infinity };
    return race(problem, { ...limits, deadline: nanos(deadline) }, 'verdict').steps;
  };
  const steps = Array.from({ length: LOOKS / 3 }, (_, at) => stepsUntil(at + 1));
  const slices = steps.slice(1).map((count, at) => count - (steps[at] as number));
  expect(Math.max(...slices)).toBe(STEPS_A_LOOK);
  // Every search begins with a short one, and when one stands still so does a stretch.
  expect(slices.filter((count) => count === 64)).toHaveLength(3);
});

test.for([
  [3, 'b', 'valid'],
  [3, 'c', 'invalid'],
  // More than the engine has room for.
  [80, 'b', 'valid'],
  [80, 'c', 'invalid'],
] as const)('%i reads of %s at once, from any of two states, are %s', ([count, seen, expected]) => {
  const call = { f: 'read', input: null, output: seen, outcome: 'ok' } as const;
  const ops = Array.from({ length: count }, (_, at) => ({ call, start: at, end: 2 * count - at }));
  const budget = { clock: { now: () => nanos(0) }, deadline: nanos(1) };
  const limits = { ...budget, memoryBytes: 2 ** 24, steps: 1e6 };
  expect(decide(ops, register, limits, ['a', 'b']).result).toBe(expected);
});

test('searches and stretches together have no more memory than there is', () => {
  using start = vi.spyOn(Engine.prototype, 'start');
  const clock = { now: () => nanos(0) };
  const limits = { clock, deadline: nanos(1), steps: 100_000 };
  race(hardProblem(chance()), { ...limits, memoryBytes: 2 ** 28 });
  const shares = new Map(
    start.mock.calls.map(([, options], at) => [start.mock.contexts[at], options.memoryBytes]),
  );
  expect(shares.size).toBe(3);
  const sum = [...shares.values()].reduce((total, bytes) => total + bytes, 0);
  expect(sum).toBeLessThanOrEqual(2 ** 28);
  expect(sum).toBeGreaterThan(0.99 * 2 ** 28);
});

test('what does not fit is unknown for want of memory, whatever its engine did before', () => {
  const call = { f: 'write', input: 1, output: null, outcome: 'ok' } as const;
  const ops = Array.from({ length: 20_000 }, (_, at) => ({ call, start: 2 * at, end: 2 * at + 1 }));
  const budget = { clock: { now: () => nanos(0) }, deadline: nanos(1), steps: 1e6 };
  for (const wanted of ['valid', 'memory', 'valid'] as const) {
    const memoryBytes = wanted === 'memory' ? 300_000 : 2 ** 28;
    const found = decide(ops, register, { ...budget, memoryBytes });
    if (wanted === 'valid') expect(found).toMatchObject({ result: 'valid' });
    else
      expect(found).toMatchObject({ result: 'unknown', reason: 'memory', steps: 0, furthest: [] });
  }
});

test('a dash that goes astray leaves the others their share of the steps', () => {
  const problem = hardProblem(chance());
  const limits = { clock: { now: () => nanos(0) }, deadline: nanos(1), memoryBytes: 2 ** 28 };
  using run = vi.spyOn(Engine.prototype, 'run');
  using start = vi.spyOn(Engine.prototype, 'start');
  race(problem, { ...limits, steps: 20 * problem.kinds.length + 100_000 });
  const isDash = start.mock.calls.map(([, options]) => options.isDash === true);
  expect(isDash[0]).toBe(true);
  expect(isDash.slice(1)).not.toContain(true);
  expect(start.mock.calls.length).toBeGreaterThan(2);
  expect(run.mock.calls.length).toBeGreaterThan(20);
});
