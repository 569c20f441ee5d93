import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { parseProblem, registerProblem } from '../testkit/register-problems.ts';
import { Engine } from './engine.ts';
import type { Problem } from './problem.ts';
import { overdrawn, Refinement } from './refinement.ts';

const MEMORY = { memoryBytes: 2 ** 26 };

function decided(problem: Problem, { stepsAtOnce = 100 } = {}): Refinement {
  const search = new Refinement(new Engine(), problem, MEMORY);
  while (search.progress === 'running') search.run(stepsAtOnce);
  return search;
}

/** Two may have written 2, which is seen at three moments with another write between each two. */
const SEEN = 'w2[0,-] w2[1,-] w1[2,3] r2[4,5] w1[6,7] r2[8,9] w1[10,11] ';
const TWICE = `${SEEN} w3[12,-]`;
const THRICE = `${SEEN} r2[12,13] w3[14,-]`;

test('what was seen as often as it can have been written has an order', () => {
  expect(decided(parseProblem(TWICE)).progress).toBe('valid');
});

test('what was seen once more has none, and the last sighting is named', () => {
  const search = decided(parseProblem(THRICE));
  expect(search.progress).toBe('invalid');
  expect(search.blocked()).toBe(7);
});

test('one that was invoked later is no help', () => {
  const late = 'w2[0,-] w1[1,2] r2[3,4] w1[5,6] r2[7,8] w2[9,-] r1[10,11]';
  const search = decided(parseProblem(late));
  expect(search.progress).toBe('invalid');
  expect(search.blocked()).toBe(4);
});

test('an order that uses what there is overdraws nothing', () => {
  const problem = parseProblem(THRICE);
  const engine = new Engine();
  const groups = new Int32Array(problem.flags.length).fill(-1);
  engine.start(problem, { ...MEMORY, groups });
  expect(engine.run(1000)).toBe('valid');
  const trail = engine.trail() ?? new Int32Array();
  // In problems as text with four values, the kind of w2.
  expect(overdrawn(problem, trail)).toEqual([6]);
  engine.start(parseProblem(TWICE), MEMORY);
  expect(engine.run(1000)).toBe('valid');
  expect(overdrawn(parseProblem(TWICE), engine.trail() ?? new Int32Array())).toEqual([]);
});

test('an order is not lost by looking for a shorter impossible beginning without end', () => {
  const search = new Refinement(new Engine(), parseProblem(THRICE), MEMORY);
  for (let at = 0; at < 10_000 && search.progress === 'running'; at++) search.run(1);
  expect(search.progress).toBe('invalid');
});

test('it takes far fewer steps than to count everything', () => {
  const problem = registerProblem(Random.stream(seedFrom(3), 'refinement'), {
    operations: 500,
    processes: 8,
    values: 4,
    unfinished: 0.1,
    lies: 0,
    weights: [2, 2, 2, 0],
  });
  const search = decided(problem);
  expect(search.progress).toBe('valid');
  const exact = new Refinement(new Engine(), problem, MEMORY, true);
  exact.run(10 * search.steps);
  expect(exact.progress).toBe('running');
});

test('to look at an order on the way changes neither verdict nor the completion none gets past', () => {
  const random = Random.stream(seedFrom(8), 'looks');
  const seen = { valid: 0, invalid: 0, sooner: 0 };
  for (let at = 0; at < 12; at++) {
    const problem = registerProblem(random, {
      operations: 1600,
      processes: 6,
      values: 4,
      unfinished: 0.05,
      lies: at % 2 === 0 ? 0 : 0.005,
      weights: [2, 2, 2, 0],
    });
    // It is looked at only when the search is interrupted.
    const looked = decided(problem);
    const whole = decided(problem, { stepsAtOnce: 1e6 });
    expect(looked.blocked()).toBe(whole.blocked());
    const { progress } = looked;
    expect(progress).toBe(whole.progress);
    if (progress === 'valid' || progress === 'invalid') seen[progress]++;
    if (looked.steps !== whole.steps) seen.sooner++;
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
});
