import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { MODEL_CASES } from '../testkit/model-cases.ts';
import { smallHistory } from '../testkit/model-histories.ts';
import { isPossible, parseProblem, problemText } from '../testkit/register-problems.ts';
import { Engine } from './engine.ts';
import { firstDisagreement, randomProblem } from './engine-fuzz.ts';
import { decide } from './portfolio.ts';
import { findOrder, type SearchBudget } from './wgl.ts';

const budget: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e7,
};

test('agrees with the oracle on small histories, whatever rules it uses', () => {
  const random = Random.stream(seedFrom(20), 'engine');
  expect(firstDisagreement(random, 30_000, new Engine())).toBeUndefined();
});

test('the small histories are of both sorts', () => {
  const random = Random.stream(seedFrom(21), 'engine');
  const valid = Array.from({ length: 2000 }, () => isPossible(randomProblem(random)));
  const share = valid.filter(Boolean).length / valid.length;
  expect(share).toBeGreaterThan(0.4);
  expect(share).toBeLessThan(0.9);
});

test.for(MODEL_CASES)('decides $model.name as the plain search does', ({ model, draw }) => {
  const random = Random.stream(seedFrom(22), model.name);
  for (let at = 0; at < 300; at++) {
    const ops = smallHistory(random, model, draw, {
      operations: random.int(2, 14),
      processes: random.int(1, 6),
      wrong: random.int(0, 2),
    });
    const plain = findOrder(ops, model, budget);
    const { result, ...rest } = decide(ops, model, budget);
    expect(result).toBe(plain.result);
    // Both name the first completion that no order gets past.
    if (plain.result === 'invalid') expect(rest).toMatchObject({ upTo: plain.upTo });
  }
});

test('problems are written and read alike', () => {
  const text = 'r3[0,1] w2[2,9] c10[3,-] f02[4,5] up[6,7] down[8,10]';
  expect(problemText(parseProblem(text))).toBe(text);
});
