import { expect, test } from 'vitest';
import { register } from '../../models/register.ts';
import { bruteForceOrder } from '../../testkit/brute-force.ts';
import {
  repeatedProblem,
  uniqueProblem,
  uniqueSmall,
  uniqueStoreProblem,
} from '../../testkit/fast-laws.ts';
import { columnsOf } from '../columns.ts';
import { uniqueWrites } from './unique-writes.ts';

function* seeds(count: number): Generator<number> {
  for (let seed = 0; seed < count; seed++) yield seed;
}

test('agrees with the trial of all orders, with a witness or a conflict for each', () => {
  for (const seed of seeds(8000)) expect(uniqueProblem(seed), `seed ${seed}`).toBeUndefined();
});

test('says nothing wrong where values come again or a refusal does not say what it saw', () => {
  for (const seed of seeds(4000)) expect(repeatedProblem(seed), `seed ${seed}`).toBeUndefined();
});

test('the small histories are of both sorts, and wrong in every way', () => {
  const kinds = new Map<string, number>();
  for (const seed of seeds(4000)) {
    const { verdicts, conflicts } = uniqueWrites(columnsOf([{ key: 'x', ops: uniqueSmall(seed) }]));
    const kind = conflicts[0]?.kind ?? verdicts[0] ?? 'valid';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const all = ['circle', 'no-source', 'overlap', 'too-early', 'two-winners', 'valid'];
  expect([...kinds.keys()].toSorted()).toEqual(all);
  expect(Math.min(...kinds.values())).toBeGreaterThan(15);
});

test('agrees with the search on longer histories of several keys', () => {
  for (const seed of seeds(400)) expect(uniqueStoreProblem(seed), `seed ${seed}`).toBeUndefined();
});

test('a change of one moment, value or outcome is judged as the trial of all orders judges it', () => {
  let changed = 0;
  for (const seed of seeds(150)) {
    const ops = uniqueSmall(seed);
    for (const [at, op] of ops.entries()) {
      if (op.call.outcome === 'indefinite') continue;
      const later = ops.map((one) => (one === op ? { ...op, start: op.end - 0.5 } : one));
      const sooner = ops.map((one) => (one === op ? { ...op, end: op.start + 0.5 } : one));
      const lost = ops.map((one) =>
        one === op && op.call.f === 'write'
          ? { ...op, end: Infinity, call: { ...op.call, outcome: 'indefinite' as const } }
          : one,
      );
      for (const variant of [later, sooner, lost]) {
        const expected = bruteForceOrder(variant, register) ? 'valid' : 'invalid';
        const { verdicts } = uniqueWrites(columnsOf([{ key: 'x', ops: variant }]));
        expect(verdicts, `seed ${seed}, operation ${at}`).toEqual([expected]);
        changed++;
      }
    }
  }
  expect(changed).toBeGreaterThan(1000);
});
