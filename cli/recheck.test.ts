import { expect, test } from 'vitest';
import { nanos } from '../harness/core/units.ts';
import { historyOf } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { Anomaly } from '../harness/protocols/checker.ts';
import { failRun } from '../reports/testing/fixture-result.ts';
import { recheckClaims } from './recheck.ts';

/** `write 1` and `write 2` one after the other, then a read of what is given. */
function history(read: number): ReturnType<typeof historyOf> {
  const entry = (index: number, type: Op['type'], f: string, value: number | null): Op => ({
    index,
    time: nanos(index * 1e6),
    type,
    process: Math.floor(index / 2),
    f,
    key: 'k',
    value,
    phase: 'main',
  });
  return historyOf([
    entry(0, 'invoke', 'write', 1),
    entry(1, 'ok', 'write', 1),
    entry(2, 'invoke', 'write', 2),
    entry(3, 'ok', 'write', 2),
    entry(4, 'invoke', 'read', null),
    entry(5, 'ok', 'read', read),
  ]);
}

const STALE: Anomaly = {
  kind: 'stale-read',
  key: 'k',
  ops: [0, 1, 2, 3, 4, 5],
  certificate: { older: 0, newer: 2, read: 4 },
  explanation: '',
};

function answers(anomalies: readonly Anomaly[], read = 1): readonly string[] {
  const { result } = failRun();
  const [check] = result.checks;
  if (check === undefined) throw new Error('no check');
  const checks = [{ ...check, verdict: 'invalid' as const, anomalies }];
  const claims = recheckClaims({ ...result, checks }, history(read));
  return claims.map(({ answer, anomaly, why = '' }) => `${anomaly.kind}: ${answer} ${why}`.trim());
}

test('a claim that the history bears out holds, and one that it does not is refuted', () => {
  expect(answers([STALE])).toEqual(['stale-read: holds']);
  expect(answers([STALE], 2)).toEqual(['stale-read: refuted the newer write was of another value']);
  expect(answers([{ ...STALE, ops: [99] }])).toEqual([
    'stale-read: refuted the history has no entry 99',
  ]);
});

test('a claim that nobody else can judge is not tried', () => {
  expect(answers([{ ...STALE, kind: 'made-up' }])[0]).toMatch(/^made-up: untried/);
});

test('a certificate of any shape refutes itself, and nothing breaks', () => {
  const shapes = [{ older: {}, newer: [], read: 'x' }, { model: 'no-such-model' }, {}];
  const found = answers(shapes.map((certificate) => ({ ...STALE, certificate })));
  expect(found.map((answer) => answer.split(' ')[1])).toEqual(['refuted', 'refuted', 'refuted']);
});

test('one of each kind is tried before any is repeated; of very many only the first', () => {
  const many = Array.from({ length: 3 }, () => STALE);
  expect(
    answers([...many, { ...STALE, kind: 'made-up' }]).map((each) => each.split(':')[0]),
  ).toEqual(['stale-read', 'made-up', 'stale-read', 'stale-read']);
});
