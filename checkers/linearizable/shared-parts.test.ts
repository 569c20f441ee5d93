import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import { loadEngine } from './engine-module.ts';
import { historyColumns } from './history-columns.ts';
import { partitionOf } from './partition.ts';
import { isBusy, outcomeAt, sharedColumn, shareParts, takeParts } from './shared-parts.ts';

const BUDGET = { clock: { now: () => nanos(0) }, deadline: nanos(1), memoryBytes: 2 ** 26 };

const HISTORY = parseHistory(`
  0 invoke write x 1; 0 ok; 0 invoke write x 1; 0 ok; 0 invoke read x; 0 ok read x 1
  0 invoke write y 1; 0 ok; 0 invoke write y 1; 0 ok; 0 invoke read y; 0 ok read y _
  0 invoke write z 1; 0 ok; 0 invoke write z 1; 0 ok; 0 invoke read z; 0 ok read z 1`);

test('whoever comes takes what is left, and finds what came of the rest', () => {
  const columns = historyColumns(HISTORY);
  const shared = shareParts(partitionOf(columns, Uint8Array.of(1, 1, 1)), loadEngine());
  const round = {
    keys: sharedColumn([2, 1, 0]),
    steps: Float64Array.of(1000, 1000, 0),
    taken: sharedColumn([0]),
  };
  expect(takeParts(shared, round, BUDGET, nanos(0))).toBe(false);
  expect(outcomeAt(shared, 2)).toBeUndefined();
  expect(takeParts(shared, round, BUDGET)).toBe(true);
  expect(outcomeAt(shared, 2)).toMatchObject({ result: 'valid' });
  expect(outcomeAt(shared, 1)).toMatchObject({ result: 'invalid', blocked: 2 });
  expect(outcomeAt(shared, 0)).toMatchObject({ result: 'unknown', reason: 'steps', steps: 0 });
  expect(takeParts(shared, round, BUDGET)).toBe(true);
});

test('what a thread had when it ended has no outcome', () => {
  const shared = shareParts(partitionOf(historyColumns(HISTORY), Uint8Array.of(1, 1, 1)), {});
  const round = { keys: sharedColumn([1]), steps: Float64Array.of(1), taken: sharedColumn([0]) };
  const clock = {
    now: () => {
      if (isBusy(shared, 1)) throw new Error('the thread ends');
      return nanos(0);
    },
  };
  expect(() => takeParts(shared, round, { ...BUDGET, clock })).toThrow('the thread ends');
  expect(isBusy(shared, 1)).toBe(true);
  expect(outcomeAt(shared, 1)).toBeUndefined();
});
