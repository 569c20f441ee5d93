import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { historyOf } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { keyHistories } from '../key-history.ts';
import { register } from '../models/register.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { bruteForceLinearizable } from '../testkit/brute-force.ts';
import { simulate } from '../testkit/simulate.ts';
import { findOrder, type Search, type SearchBudget } from './wgl.ts';

const budget: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e7,
};

function search(ops: readonly Op[]): Search {
  const [key] = keyHistories(historyOf(ops), register, ['linearizable', 'serializable']);
  return findOrder(key?.ops ?? [], register, budget);
}

test('agrees with an oracle that tries every order, on small histories of any kind', () => {
  let [valid, invalid] = [0, 0];
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.integer({ min: 2, max: 7 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 3 }),
      (seed, operations, processes, values) => {
        const random = Random.stream(seedFrom(seed), 'arbitrary');
        const ops = arbitraryHistory(random, { operations, processes, values });
        const expected = bruteForceLinearizable(historyOf(ops), 'k0');
        expect(search(ops).result).toBe(expected ? 'valid' : 'invalid');
        if (expected) valid++;
        else invalid++;
      },
    ),
    { numRuns: 15_000 },
  );
  expect(valid).toBeGreaterThan(2000);
  expect(invalid).toBeGreaterThan(2000);
});

test('agrees with the oracle on nearly correct histories, where the wrong ones hide', () => {
  let invalid = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 1, max: 3 }), (seed, n) => {
      const random = Random.stream(seedFrom(seed), 'nearly');
      const ops = simulate(random, { operations: 8, clients: 4, values: n, info: 0.2, fail: 0.1 });
      const reads = ops.filter(({ f, type }) => f === 'read' && type === 'ok');
      const broken = reads.length === 0 ? undefined : random.pick(reads);
      const changed = ops.map((op) => (op === broken ? { ...op, value: random.int(0, n) } : op));
      const expected = bruteForceLinearizable(historyOf(changed), 'k0');
      expect(search(changed).result).toBe(expected ? 'valid' : 'invalid');
      if (!expected) invalid++;
    }),
    { numRuns: 6_000 },
  );
  expect(invalid).toBeGreaterThan(300);
});

test('never accuses a correct register', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.constantFrom<'unique' | number>('unique', 2, 5),
      (seed, values) => {
        const random = Random.stream(seedFrom(seed), 'correct');
        const ops = simulate(random, { operations: 120, clients: 6, values, info: 0.03 });
        expect(search(ops).result).toBe('valid');
      },
    ),
    { numRuns: 300 },
  );
});
