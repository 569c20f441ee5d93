import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { historyOf } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { ReadModesDetails } from '../harness/protocols/details.ts';
import { readModes } from './read-modes.ts';
import { checkContext, provenKinds, randomOf } from './testkit/context.ts';
import { simulate } from './testkit/simulate.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const STRICT = { linearizable: 'linearizable', serializable: 'linearizable' } as const;

function staleOf(result: CheckResult): number[] {
  return (result.details as unknown as ReadModesDetails).modes.map(({ stale }) => stale);
}

function store(seed: number, revisions: boolean, lag: number): Op[] {
  return simulate(randomOf(seed), {
    operations: 120,
    clients: 6,
    keys: 2,
    info: 0.03,
    fail: 0.03,
    serializable: 0.5,
    lag,
    revisions,
  });
}

test('a correct store with lagging local reads keeps both promises', async () => {
  let stale = 0;
  await fc.assert(
    fc.asyncProperty(seeds, fc.boolean(), async (seed, revisions) => {
      const result = await readModes().check(historyOf(store(seed, revisions, 6)), checkContext());
      expect(result.anomalies).toEqual([]);
      expect(result.verdict).toBe('valid');
      const [linearizable = 0, serializable = 0] = staleOf(result);
      expect(linearizable).toBe(0);
      stale += serializable;
    }),
    { numRuns: 300 },
  );
  expect(stale).toBeGreaterThan(300);
});

test('a store that does not lag keeps even the stronger promise', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const history = historyOf(store(seed, true, 0));
      const result = await readModes().check(history, checkContext({ promises: STRICT }));
      expect(result.verdict).toBe('valid');
    }),
    { numRuns: 200 },
  );
});

test('the stronger promise is broken exactly where the search or a revision says so', async () => {
  let invalid = 0;
  await fc.assert(
    fc.asyncProperty(seeds, fc.boolean(), async (seed, revisions) => {
      const history = historyOf(store(seed, revisions, 6));
      const result = await readModes().check(history, checkContext({ promises: STRICT }));
      provenKinds(result, history);
      const [, serializable = 0] = staleOf(result);
      expect(serializable > 0 && result.verdict !== 'invalid').toBe(false);
      if (result.verdict === 'invalid') invalid++;
    }),
    { numRuns: 200 },
  );
  expect(invalid).toBeGreaterThan(100);
});

test('a change that carries the revision of another key is named, whatever was promised', async () => {
  let broken = 0;
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const ops = store(seed, true, 6);
      const changes = ops.filter(
        ({ type, f, server }) => type === 'ok' && f === 'write' && server?.revision !== undefined,
      );
      const [one] = changes;
      const other = changes.find(({ key }) => key !== one?.key);
      if (one?.server === undefined || other === undefined) return;
      const server = { ...other.server, ...one.server };
      const history = historyOf(ops.map((op) => (op === other ? { ...op, server } : op)));
      const result = await readModes().check(history, checkContext());
      expect(provenKinds(result, history)).toContain('two-keys-at-one-revision');
      broken++;
    }),
    { numRuns: 100 },
  );
  expect(broken).toBeGreaterThan(80);
});
