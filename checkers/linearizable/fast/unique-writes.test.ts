import { expect, test } from 'vitest';
import { parseHistory } from '../../../harness/history/notation.ts';
import { keyHistories } from '../../key-history.ts';
import { register } from '../../models/register.ts';
import { columnsOf } from '../columns.ts';
import { type UniqueWrites, uniqueWrites } from './unique-writes.ts';

function judged(text: string): UniqueWrites {
  return uniqueWrites(columnsOf(keyHistories(parseHistory(text), register, ['linearizable'])));
}

test('orders the blocks, each with its reads and what was taken from it', () => {
  const { verdicts, order } = judged(`
    0 invoke write x 1; 1 invoke write x 2; 2 invoke cas x 2>3; 3 invoke read x
    0 ok; 1 ok; 2 ok; 3 ok read x 1; 3 invoke read x; 3 ok read x 3`);
  expect(verdicts).toEqual(['valid']);
  expect(order(0)).toEqual([0, 3, 1, 2, 4]);
});

test('an unknown outcome counts exactly if somebody needs what it put', () => {
  const { verdicts, order } = judged(`
    0 invoke write x 1; 0 info err=timeout?; 1 invoke write x 2; 1 info err=timeout?
    2 invoke cas x 1>3; 2 info err=timeout?; 3 invoke cas x 3>4; 3 info err=timeout?
    4 invoke read x; 4 ok read x 3`);
  expect(verdicts).toEqual(['valid']);
  expect(order(0)).toEqual([0, 2, 4]);
});

test('says nothing of a key with a value that was written twice, and judges the others', () => {
  const { verdicts, conflicts } = judged(`
    0 invoke write x 1; 0 ok; 0 invoke write y 1; 0 ok; 0 invoke write x 1; 0 ok
    1 invoke read y; 1 ok read y 2; 1 invoke write z _; 1 ok`);
  expect(verdicts).toEqual(['other', 'invalid', 'other']);
  expect(conflicts.map(({ key }) => key)).toEqual([1]);
});

test('says nothing where a refusal does not say what it saw', () => {
  const { verdicts } = judged(
    '0 invoke write x 1; 0 ok; 1 invoke cas x 1>2; 1 fail err=cas-mismatch!; 2 invoke read y; 2 ok read y',
  );
  expect(verdicts).toEqual(['other', 'valid']);
});

test('does not go round for ever where values come again', () => {
  const { verdicts, order } = judged(`
    0 invoke write x 1; 0 ok; 0 invoke cas x 1>2; 0 ok; 0 invoke cas x 2>1; 0 ok
    0 invoke write y 1; 0 ok; 1 invoke cas y 1>2; 1 info err=timeout?; 2 invoke cas y 2>1; 2 info err=timeout?
    3 invoke read y; 3 ok read y 2`);
  expect(verdicts).toEqual(['other', 'other']);
  expect(order(0)).toEqual([]);
});

test.for([
  [
    'no-source',
    [0],
    [],
    'nobody put 7',
    '1 invoke read x; 1 ok read x 7; 0 invoke write x 1; 0 ok',
  ],
  [
    'no-source',
    [0],
    [],
    'a refusal by what it expected',
    '1 invoke cas x 7>1; 1 fail err=cas-mismatch! seen=7',
  ],
  [
    'no-source',
    [0],
    [1],
    'an unknown cas that happened had nothing to take',
    '0 invoke cas x 7>1; 0 info err=timeout?; 1 invoke read x; 1 ok read x 1',
  ],
  [
    'circle',
    [1, 0],
    [],
    'each takes what the other put',
    '0 invoke cas x 1>2; 1 invoke cas x 2>1; 0 ok; 1 ok',
  ],
  [
    'two-winners',
    [0, 1],
    [],
    'both took what was there at first',
    '0 invoke cas x _>1; 1 invoke cas x _>2; 0 ok; 1 ok',
  ],
  [
    'too-early',
    [0, 1],
    [],
    'a read before its write',
    '0 invoke read x; 0 ok read x 1; 0 invoke write x 1; 0 ok',
  ],
  [
    'overlap',
    [0, 2, 1, 2],
    [],
    'a stale read',
    '0 invoke write x 1; 0 ok; 0 invoke write x 2; 0 ok; 1 invoke read x; 1 ok read x 1',
  ],
  [
    'overlap',
    [0, 1],
    [],
    'absent after a write',
    '0 invoke write x 1; 0 ok; 1 invoke read x; 1 ok read x',
  ],
] as const)('%s of %s, by %s: %s', ([kind, ops, proofs, , text]) => {
  const { verdicts, conflicts } = judged(text);
  expect(verdicts).toEqual(['invalid']);
  expect(conflicts[0]?.kind).toBe(kind);
  expect(new Set(conflicts[0]?.ops)).toEqual(new Set(ops));
  expect(conflicts[0]?.proofs).toEqual(proofs);
});
