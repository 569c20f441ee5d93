import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { registerProblem } from '../testkit/register-problems.ts';
import { race } from './portfolio.ts';
import type { Problem } from './problem.ts';

/** More than any search can decide: everybody asks at once, and few values are seen often. */
function hardProblem(): Problem {
  return registerProblem(Random.stream(seedFrom(5), 'portfolio'), {
    operations: 3000,
    processes: 60,
    values: 4,
    unfinished: 0,
    lies: 0.01,
    weights: [1, 1, 6, 0],
  });
}

const LOOKS = 300;
/** A step takes some microseconds, so that this many take far less than a tenth of a second. */
const STEPS_A_LOOK = 2000;

test('a busy search looks at the clock again within a bounded number of steps', () => {
  const problem = hardProblem();
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
  const problem = hardProblem();
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
  const found = race(hardProblem(), { ...limits, steps: 5000 });
  expect(found).toMatchObject({ result: 'unknown', reason: 'steps', steps: 5000 });
});
