import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { bruteForceLinearizable } from '../testkit/brute-force.ts';
import { checkContext, provenKinds, randomOf } from '../testkit/context.ts';
import { simulate } from '../testkit/simulate.ts';
import { linearizable } from './checker.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const checker = linearizable({});

function check(history: History): Promise<CheckResult> {
  return checker.check(history, checkContext());
}

/** Histories of any kind, half of them wrong. */
const anything = fc
  .tuple(
    seeds,
    fc.integer({ min: 2, max: 7 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 7 }),
  )
  .map(([seed, operations, processes, values]) =>
    arbitraryHistory(randomOf(seed), { operations, processes, values }),
  );

/** Histories of a correct register. */
const correct = fc
  .tuple(seeds, fc.constantFrom<'unique' | number>('unique', 2, 4))
  .map(([seed, values]) =>
    simulate(randomOf(seed), { operations: 40, clients: 4, values, info: 0.05, fail: 0.05 }),
  );

/** Entries with new indices; times kept. */
function renumbered(ops: readonly Op[]): Op[] {
  return ops.map((op, index) => ({ ...op, index }));
}

test('accuses exactly the wrong ones, and every accusation holds in a second opinion', async () => {
  const kinds = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(anything, async (ops) => {
      const history = historyOf(ops);
      const result = await check(history);
      expect(result.verdict === 'invalid').toBe(!bruteForceLinearizable(history, 'k0'));
      expect(result.anomalies.length > 0).toBe(result.verdict === 'invalid');
      for (const kind of provenKinds(result, history)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }),
    { numRuns: 12_000 },
  );
  // The others are too rare among these to be counted on.
  expect([...kinds.keys()]).toEqual(
    expect.arrayContaining([
      'future-read',
      'lost-write',
      'non-monotonic-read',
      'not-linearizable',
      'phantom-read',
      'read-of-failed-write',
      'refused-matching-cas',
      'split-brain-cas',
      'stale-read',
    ]),
  );
});

test('names of processes, moments and values do not matter', async () => {
  const value = (one: JsonValue): JsonValue => {
    if (Array.isArray(one)) return (one as readonly JsonValue[]).map(value);
    return one === null ? null : `v${JSON.stringify(one)}`;
  };
  await fc.assert(
    fc.asyncProperty(anything, fc.integer({ min: 0, max: 1e12 }), async (ops, shift) => {
      const changed = ops.map((op) => ({
        ...op,
        process: 1000 - Number(op.process),
        time: nanos(op.time * 3 + shift),
        value: value(op.value),
        ...(op.seen !== undefined && { seen: value(op.seen) }),
      }));
      const [before, after] = [await check(historyOf(ops)), await check(historyOf(changed))];
      expect(after.verdict).toBe(before.verdict);
      expect(after.anomalies.map(({ kind, ops: at }) => [kind, at])).toEqual(
        before.anomalies.map(({ kind, ops: at }) => [kind, at]),
      );
    }),
    { numRuns: 1500 },
  );
});

test('a correct history stays correct without one of its reads', async () => {
  await fc.assert(
    fc.asyncProperty(correct, seeds, async (ops, seed) => {
      const reads = ops.filter(({ f, type }) => f === 'read' && type === 'ok');
      if (reads.length === 0) return;
      const dropped = randomOf(seed).pick(reads);
      const invoke = ops.findLast(
        ({ process, index }) => process === dropped.process && index < dropped.index,
      );
      const rest = renumbered(ops.filter((op) => op !== dropped && op !== invoke));
      expect((await check(historyOf(rest))).verdict).not.toBe('invalid');
    }),
    { numRuns: 500 },
  );
});

test('a correct history stays correct with one more operation that never ends', async () => {
  await fc.assert(
    fc.asyncProperty(correct, seeds, async (ops, seed) => {
      const random = randomOf(seed);
      const at = random.int(0, ops.length);
      const more: Op = {
        index: at,
        time: ops[Math.max(0, at - 1)]?.time ?? nanos(0),
        process: 9999,
        type: 'invoke',
        key: 'k0',
        phase: 'main',
        ...random.pick([
          { f: 'read', value: null },
          { f: 'write', value: 1 },
          { f: 'cas', value: [1, 2] },
        ]),
      };
      const longer = renumbered([...ops.slice(0, at), more, ...ops.slice(at)]);
      expect((await check(historyOf(longer))).verdict).toBe('valid');
    }),
    { numRuns: 500 },
  );
});

test('every beginning of a correct history is correct', async () => {
  await fc.assert(
    fc.asyncProperty(correct, fc.float({ min: 0, max: 1, noNaN: true }), async (ops, share) => {
      const begun = historyOf(ops.slice(0, Math.floor(ops.length * share)));
      expect((await check(begun)).verdict).not.toBe('invalid');
    }),
    { numRuns: 300 },
  );
});

test('longer wrong histories: one answer changed in a small domain, cut down and proven', async () => {
  const sizes: number[] = [];
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const random = randomOf(seed);
      const ops = simulate(random, { operations: 150, clients: 4, values: 3, info: 0.02 });
      const read = random.pick(ops.filter(({ f, type }) => f === 'read' && type === 'ok'));
      const history = historyOf(
        ops.map((op) => (op === read ? { ...op, value: random.int(0, 2) } : op)),
      );
      const result = await check(history);
      expect(result.verdict).not.toBe('unknown');
      if (result.verdict === 'valid') return;
      provenKinds(result, history);
      sizes.push(result.anomalies[0]?.ops.length ?? 0);
    }),
    { numRuns: 400 },
  );
  expect(sizes.length).toBeGreaterThan(50);
  expect(sizes.toSorted((a, b) => a - b)[Math.floor(sizes.length / 2)]).toBeLessThan(25);
});
