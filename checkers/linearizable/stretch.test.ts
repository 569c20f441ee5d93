import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { register } from '../models/register.ts';
import { type KnownOptions, knownHistory } from '../testkit/known-history.ts';
import { historyOfKnown } from '../testkit/known-history-forms.ts';
import { registerProblem as drawnProblem, parseProblem } from '../testkit/register-problems.ts';
import { Engine } from './engine.ts';
import { randomProblem } from './engine-fuzz.ts';
import { historyColumns } from './history-columns.ts';
import { columnsOfPart, partitionOf } from './partition.ts';
import { type Raced, race } from './portfolio.ts';
import type { Problem } from './problem.ts';
import { Refinement } from './refinement.ts';
import { registerProblem } from './register-problem.ts';
import { isImpossibleBy } from './stretch.ts';

const MEMORY = { memoryBytes: 2 ** 26, steps: Infinity };
const BUDGET = { ...MEMORY, clock: { now: () => nanos(0) }, deadline: nanos(1) };

/** A long history of one register. */
function known(options: Partial<KnownOptions>): Problem {
  const random = Random.stream(seedFrom(11), 'stretch');
  const shape = { operations: 20_000, keys: 1, values: 5, spread: 'in-turn', ...options } as const;
  const history = historyOfKnown(knownHistory(random, shape));
  const columns = historyColumns(history, ['linearizable'], register.init);
  const parts = partitionOf(columns, new Uint8Array(1).fill(1));
  return registerProblem(columnsOfPart(parts, 0), parts.values[0] as number);
}

/** By the wide search alone. */
function blockedOf(problem: Problem): number | undefined {
  const search = new Refinement(new Engine(), problem, MEMORY, true);
  while (search.progress === 'running') search.run(1e6);
  return search.blocked();
}

function raced(problem: Problem): Raced {
  return race(problem, BUDGET, 'verdict');
}

test('a value that was there long ago is impossible whatever came before', () => {
  const problem = parseProblem('w1[0,1] w2[2,3] w3[4,5] r3[6,7] w4[8,9] r4[10,11] r2[12,13]');
  const found = isImpossibleBy(problem, 6, new Engine(), { ...MEMORY, sizes: [3] });
  expect(found.isImpossible).toBe(true);
});

test('what is in flight when a stretch begins may take effect in it, or have done so', () => {
  const sizes = { ...MEMORY, sizes: [3] };
  const late = parseProblem('w2[0,11] w3[1,2] w4[3,4] r4[5,6] r2[7,8] r2[9,10]');
  expect(isImpossibleBy(late, 5, new Engine(), sizes).isImpossible).toBe(false);
  const early = parseProblem('w2[0,11] w3[1,2] w4[3,4] r2[5,6] r2[7,8] r2[9,10]');
  expect(isImpossibleBy(early, 5, new Engine(), sizes).isImpossible).toBe(false);
});

test('stretches of small histories show many violations, and never one that is none', () => {
  const random = Random.stream(seedFrom(12), 'stretch');
  const engine = new Engine();
  let [shown, invalid] = [0, 0];
  for (let at = 0; at < 800; at++) {
    const problem = randomProblem(random);
    const blocked = blockedOf(problem);
    if (blocked === undefined) continue;
    invalid++;
    const { isImpossible } = isImpossibleBy(problem, blocked, engine, { ...MEMORY, sizes: [2, 4] });
    if (isImpossible) shown++;
  }
  expect(invalid).toBeGreaterThan(150);
  expect(shown / invalid).toBeGreaterThan(0.1);
});

test.for([10, 20, 30])(
  'with %i clients a stale read is found in fewer steps than an order',
  (clients) => {
    const valid = raced(known({ clients }));
    const problem = known({ clients, violation: { kind: 'stale-read', at: 0.5 } });
    const invalid = raced(problem);
    expect(valid.result).toBe('valid');
    expect(invalid).toMatchObject({ result: 'invalid', blocked: blockedOf(problem) });
    expect(invalid.steps).toBeLessThan(valid.steps);
  },
);

test('without a stretch that shows it, the whole is searched for a violation', () => {
  const problem = known({ clients: 20, violation: { kind: 'too-few-writes', at: 0.5 } });
  const { states: _, ...unknown } = problem;
  const blocked = blockedOf(problem);
  expect(raced(unknown)).toMatchObject({ result: 'invalid', blocked });
  expect(raced(problem)).toMatchObject({ result: 'invalid', blocked });
});

test('with too many states no stretch is tried', () => {
  const options = { processes: 4, values: 600, unfinished: 0, lies: 0.1, weights: [1, 1, 0, 0] };
  const problem = drawnProblem(Random.stream(seedFrom(13), 'stretch'), {
    operations: 100,
    ...options,
  });
  const found = isImpossibleBy(problem, 90, new Engine(), MEMORY);
  expect(found).toEqual({ isImpossible: false, steps: 0 });
});
