import { expect, test } from 'vitest';
import { parseHistory } from '../../../harness/history/notation.ts';
import { keyHistories } from '../../key-history.ts';
import { register } from '../../models/register.ts';
import { columnsOf } from '../columns.ts';
import { type RevisionWitness, revisionWitness } from './revision-witness.ts';

function judged(text: string): RevisionWitness & { readonly rows?: number[] } {
  const keys = keyHistories(parseHistory(text), register, ['linearizable']);
  const found = revisionWitness(columnsOf(keys, 'call'));
  return found.holds ? { ...found, rows: [...found.order] } : found;
}

test('puts changes of all keys in order of revision, and reads behind what they saw', () => {
  const found = judged(`
    0 invoke write x 1; 1 invoke write y 1; 2 invoke read x; 3 invoke cas x 5>6
    1 ok rev=7; 0 ok rev=8; 2 ok read x rev=7 mod=0; 3 fail err=cas-mismatch! seen=1 rev=8
    4 invoke cas y 1>2; 4 ok rev=900000; 5 invoke read y; 5 ok read y 2 rev=900001
    5 invoke cas y 1>3; 5 fail err=cas-mismatch! rev=900001`);
  expect(found).toMatchObject({ holds: true, rows: [1, 2, 0, 3, 4, 5, 6] });
});

test('puts in an unknown change just before the first who needs it, and no other', () => {
  const found = judged(`
    0 invoke write x 1; 0 info err=timeout?; 1 invoke cas x 1>2; 1 info err=timeout?
    2 invoke write x 9; 2 info err=timeout?; 3 invoke write y 1; 3 ok rev=3
    4 invoke read x; 4 ok read x 2 rev=6; 4 invoke read x; 4 ok read x 2 rev=6`);
  expect(found).toMatchObject({ holds: true, rows: [3, 0, 1, 4, 5] });
});

test.for([
  ['no-revision', 1, undefined, '0 invoke write x 1; 0 ok rev=2; 0 invoke write x 2; 0 ok'],
  ['same-revision', 1, 0, '0 invoke write x 1; 0 ok rev=2; 0 invoke write y 2; 0 ok rev=2'],
  ['real-time', 0, 1, '0 invoke write x 1; 0 ok rev=3; 0 invoke write y 2; 0 ok rev=2'],
  [
    'value',
    2,
    undefined,
    '0 invoke write x 1; 0 ok rev=2; 0 invoke write x 2; 0 ok rev=3; 1 invoke read x; 1 ok read x 1 rev=3',
  ],
  [
    'value',
    1,
    undefined,
    '0 invoke write x 1; 0 ok rev=2; 1 invoke cas x 1>3; 1 fail err=cas-mismatch! rev=2',
  ],
  ['value', 0, undefined, '1 invoke read x; 1 ok read x 1 rev=3'],
  [
    'real-time',
    0,
    1,
    '1 invoke read x; 1 ok read x 1 rev=3; 0 invoke write x 1; 0 info err=timeout?',
  ],
] as const)('%s at %i, because of %s', ([why, row, other, text]) => {
  const expected =
    other === undefined ? { holds: false, why, row } : { holds: false, why, row, other };
  expect(judged(text)).toEqual(expected);
});

test('nothing at all is in order', () => {
  expect(revisionWitness(columnsOf([], 'call')).holds).toBe(true);
});

test('asks for operations in order of invocation', () => {
  const text =
    '0 invoke write x 1; 1 invoke write y 1; 0 ok rev=2; 1 ok rev=3; 0 invoke write x 2; 0 ok rev=4';
  const columns = columnsOf(keyHistories(parseHistory(text), register, ['linearizable']), 'key');
  const reversed = { ...columns, call: columns.call.toReversed() };
  expect(() => revisionWitness(reversed)).toThrow('in order of invocation');
});
