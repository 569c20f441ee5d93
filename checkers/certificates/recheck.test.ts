import { expect, test } from 'vitest';
import { parseHistory } from '../../harness/history/notation.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { recheckCertificate } from './recheck.ts';

const HISTORY = `
  0 invoke write x 1 @n1; 0 ok rev=2
  0 invoke write x 2 @n1; 0 ok rev=3
  1 invoke read x @n2; 1 ok read x 2 mod=3 rev=3
  1 invoke read x @n2; 1 ok read x 1 mod=2 rev=2`;

function recheck(
  kind: string,
  certificate: Anomaly['certificate'],
  text: string = HISTORY,
): true | string {
  const ops = [0, 1, 2, 3, 4, 5, 6, 7];
  return recheckCertificate(
    { kind, key: 'x', ops, certificate, explanation: '' },
    parseHistory(text),
  );
}

test('true claims hold', () => {
  expect(recheck('stale-read', { older: 0, newer: 2, read: 6 })).toBe(true);
  expect(
    recheck('stale-read', { by: 'revision', newer: 2, read: 6, revision: 3, modRevision: 2 }),
  ).toBe(true);
  expect(recheck('backwards-read', { by: 'modRevision', first: 4, second: 6 })).toBe(true);
  expect(recheck('backwards-read', { by: 'revision', first: 4, second: 6 })).toBe(true);
  const byValue = { by: 'value', first: 4, second: 6, firstWrite: 2, secondWrite: 0 };
  expect(recheck('backwards-read', byValue)).toBe(true);
});

test.for<readonly [string, Anomaly['certificate'], string]>([
  ['stale-read', { older: 0, newer: 2, read: 4 }, 'the newer write was of another value'],
  ['stale-read', { older: 2, newer: 0, read: 6 }, 'the newer write was of another value'],
  ['stale-read', { older: null, newer: 2, read: 6 }, 'the older operation shows the value read'],
  ['stale-read', { older: 0, newer: 3, read: 6 }, 'newer: entry 3 is not the invocation'],
  ['stale-read', { older: 0, newer: 99, read: 6 }, 'newer: the history has no entry 99'],
  [
    'stale-read',
    { by: 'revision', newer: 2, read: 4, revision: 3, modRevision: 3 },
    'the read shows an older revision',
  ],
  ['backwards-read', { by: 'revision', first: 6, second: 4 }, 'the first ended before'],
  ['two-values-at-one-revision', { revision: 3, one: 2, other: 4 }, 'they have different values'],
  ['not-linearizable', { operations: [2, 4], from: -1, upTo: 7 }, 'some order'],
  ['not-linearizable', { operations: [6], from: -1, upTo: 7 }, 'leaves out operations that matter'],
  ['not-linearizable', { operations: [0, 1], from: -1, upTo: 7 }, 'not of this key'],
  ['made-up', {}, 'no second opinion'],
])('%s %j: %s', ([kind, certificate, claim]) => {
  expect(recheck(kind, certificate)).toContain(claim);
});

test.for<readonly [text: string, at: readonly [number, number], claim: string]>([
  ['1 ok read y 5 mod=2', [0, 2], 'true'],
  ['1 ok read y 5 mod=3', [0, 2], 'both name this revision'],
  ['1 ok read y _ mod=2', [0, 2], 'both keys held something'],
  ['1 fail err=timeout?', [0, 2], 'both were answered'],
  ['1 ok read y 5 mod=2', [0, 0], 'they are of two keys'],
  ['1 ok read y 5 mod=2; 2 invoke txn - 1', [0, 2], 'changes more than one key'],
])('two-keys-at-one-revision, %s: %s', ([end, [one, other], claim]) => {
  const history = parseHistory(`0 invoke write x 1; 0 ok rev=2; 1 invoke read y; ${end}`);
  const kind = 'two-keys-at-one-revision';
  const certificate = { revision: 2, one, other };
  const anomaly = { kind, ops: [0, 1, 2, 3], certificate, explanation: '' };
  expect(String(recheckCertificate(anomaly, history))).toContain(claim);
});

test('a second source of the value spoils a claim that needs there to be one', () => {
  const text = HISTORY.replace('1 invoke read', '9 invoke write x 1; 1 invoke read');
  const at = { older: 0, newer: 2, read: 7 };
  expect(recheck('stale-read', at, text)).toBe('the value read appeared only once');
});

test('a claim must be among the operations that it shows', () => {
  const anomaly = {
    kind: 'stale-read',
    key: 'x',
    ops: [0, 1, 2, 3],
    certificate: { older: 0, newer: 2, read: 6 },
    explanation: '',
  };
  const history = parseHistory(HISTORY);
  expect(recheckCertificate(anomaly, history)).toBe('read is not among the operations');
  const wrong = { ...anomaly, ops: [0, 1, 1000] };
  expect(recheckCertificate(wrong, history)).toBe('the history has no entry 1000');
});
