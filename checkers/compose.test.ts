import { expect, test } from 'vitest';
import { historyOf } from '../harness/history/history.ts';
import type { Checker, CheckResult } from '../harness/protocols/checker.ts';
import { checkAll, mergeVerdicts } from './compose.ts';
import { checkContext } from './testkit/context.ts';

function fixed(name: string, verdict: CheckResult['verdict']): Checker {
  const result: CheckResult = { checker: name, verdict, anomalies: [], covered: 'x', details: {} };
  return { name, check: () => Promise.resolve(result) };
}

test('a checker that throws is unknown and costs the others nothing', async () => {
  const throwing: Checker = {
    name: 'broken',
    check: () => {
      throw new TypeError('no such\nthing');
    },
  };
  const rejecting: Checker = { name: 'late', check: () => Promise.reject(new Error('too late')) };
  const seen: string[] = [];
  const checkers = [fixed('a', 'valid'), throwing, rejecting, fixed('b', 'invalid')];
  const results = await checkAll(checkers, historyOf([]), checkContext(), {
    onResult: ({ checker }) => seen.push(checker),
  });
  expect(results.map(({ checker, verdict }) => [checker, verdict])).toEqual([
    ['a', 'valid'],
    ['broken', 'unknown'],
    ['late', 'unknown'],
    ['b', 'invalid'],
  ]);
  expect(results[1]?.reason).toContain('no such thing');
  expect(results[1]?.details).toEqual({ error: 'TypeError: no such thing' });
  expect(seen).toEqual(['a', 'broken', 'late', 'b']);
});

test('a violation decides, then doubt', () => {
  expect(mergeVerdicts(['valid', 'unknown', 'invalid'])).toBe('invalid');
  expect(mergeVerdicts(['valid', 'unknown'])).toBe('unknown');
  expect(mergeVerdicts(['valid', 'valid'])).toBe('valid');
  expect(mergeVerdicts([])).toBe('unknown');
});
