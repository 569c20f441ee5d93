import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../harness/core/json.ts';
import { nanos } from '../harness/core/units.ts';
import { type History, historyOf } from '../harness/history/history.ts';
import type { CompletionType, Op } from '../harness/history/op.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import { fatesOf } from './fates.ts';

function historyAfter(
  ...calls: readonly (readonly [
    f: string,
    given: JsonValue,
    type: CompletionType,
    got?: JsonValue,
  ])[]
): History {
  return historyOf(
    calls.flatMap(([f, given, type, got], at): Op[] => {
      const base = { process: at, f, key: 'k', phase: 'main' } as const;
      return [
        { ...base, index: 2 * at, time: nanos(2000 * at), type: 'invoke', value: given },
        { ...base, index: 2 * at + 1, time: nanos(2000 * at + 1000), type, value: got ?? given },
      ];
    }),
  );
}

function checks(kind: string, newer: number): readonly CheckResult[] {
  const anomaly = { kind, ops: [], certificate: { newer }, explanation: '' };
  return [{ checker: 'c', verdict: 'invalid', anomalies: [anomaly], covered: '', details: {} }];
}

describe('what became of writes', () => {
  const history = historyAfter(
    ['write', 1, 'ok'],
    ['write', 2, 'ok'],
    ['write', 3, 'info'],
    ['write', 4, 'info'],
    ['write', 5, 'fail'],
    ['cas', [1, 6], 'info'],
    ['read', null, 'ok', 3],
    ['cas', [6, 7], 'ok'],
    ['write', 8, 'info'],
    ['write', 8, 'info'],
    ['read', null, 'ok', 8],
  );

  test('lost is what a check names, recovered what was found though nobody was told', () => {
    const fates = fatesOf({ checks: checks('lost-write', 2) }, history);
    expect(fates.map(({ index, fate }) => [index, fate])).toEqual([
      [0, 'acknowledged'],
      [2, 'lost'],
      [4, 'recovered'],
      [6, 'unknown'],
      [10, 'recovered'],
      [14, 'acknowledged'],
      // Of two that put the same value nobody knows which was found.
      [16, 'unknown'],
      [18, 'unknown'],
    ]);
  });

  test('is not asked where no check names a loss', () => {
    expect(fatesOf({ checks: checks('stale-read', 2) }, history)).toEqual([]);
  });
});
