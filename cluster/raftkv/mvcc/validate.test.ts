import { describe, expect, test } from 'vitest';
import { FAILURES } from '../failures.ts';
import { bytes, del, keys, put, range } from './fixtures.ts';
import type { RangeRequest, RequestOp, TxnRequest } from './types.ts';
import { checkDelete, checkPut, checkRange, checkTxn } from './validate.ts';

const MAX_OPS = 8;

function txn(part: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...part };
}

function inner(part: Partial<TxnRequest>): RequestOp {
  return { type: 'txn', request: txn(part) };
}

function checked(success: readonly RequestOp[]): string | undefined {
  return checkTxn(txn({ success }), MAX_OPS)?.message;
}

const duplicate = FAILURES.duplicateKey.message;

describe('single requests', () => {
  test('a key must be given', () => {
    expect(checkRange(keys(''))).toBe(FAILURES.emptyKey);
    expect(checkDelete(keys(''))).toBe(FAILURES.emptyKey);
    expect(checkPut({ ...keys(''), value: bytes('') })).toBe(FAILURES.emptyKey);
    expect(checkRange(keys('a'))).toBeUndefined();
    expect(checkDelete(keys('a'))).toBeUndefined();
    expect(checkPut({ ...keys('a'), value: bytes('') })).toBeUndefined();
  });

  test('a sort option must be one', () => {
    const wrong = { ...keys('a'), sortOrder: 'UPWARDS' } as unknown as RangeRequest;
    expect(checkRange(wrong)).toBe(FAILURES.badSortOption);
    expect(checkRange({ ...keys('a'), sortOrder: 'DESCEND', sortTarget: 'MOD' })).toBeUndefined();
  });

  test('what is ignored must not be given', () => {
    const request = { ...keys('a'), value: bytes('1'), lease: '7' };
    expect(checkPut({ ...request, ignoreValue: true })).toBe(FAILURES.valueProvided);
    expect(checkPut({ ...request, ignoreLease: true })).toBe(FAILURES.leaseProvided);
    expect(checkPut({ ...request, ignoreLease: true, lease: '0' })).toBeUndefined();
    expect(checkPut({ ...request, ignoreValue: true, value: bytes('') })).toBeUndefined();
  });
});

describe('transactions', () => {
  test('compares and branches are bounded one by one', () => {
    const reads = Array.from({ length: MAX_OPS }, () => range('a'));
    expect(checkTxn(txn({ success: reads, failure: reads }), MAX_OPS)).toBeUndefined();
    expect(checked([...reads, range('a')])).toBe(FAILURES.tooManyOps.message);
  });

  test('inner ones have what the outer leaves', () => {
    const reads = Array.from({ length: MAX_OPS - 1 }, () => range('a'));
    expect(checked([inner({ success: reads })])).toBeUndefined();
    expect(checked([range('a'), inner({ success: reads })])).toBe(FAILURES.tooManyOps.message);
  });

  test('every part is looked at, in inner ones too', () => {
    const empty = FAILURES.emptyKey.message;
    expect(checked([put('a', '1'), range('')])).toBe(empty);
    expect(checked([inner({ failure: [del('')] })])).toBe(empty);
    const compare = { ...keys(''), target: 'VERSION', result: 'EQUAL', number: 0 } as const;
    expect(checkTxn(txn({ compare: [compare] }), MAX_OPS)?.message).toBe(empty);
  });

  test.each<[string, RequestOp[], boolean]>([
    ['a key put twice', [put('a', '1'), put('a', '2')], true],
    ['different keys', [put('a', '1'), put('b', '2')], false],
    ['a key put and deleted', [put('a', '1'), del('a')], true],
    ['a key put within a deleted range', [del('a', 'c'), put('b', '1')], true],
    ['a key put at the end of a deleted range', [del('a', 'c'), put('c', '1')], false],
    ['a range deleted twice', [del('a', 'c'), del('b', 'd')], false],
    ['a read of what is put', [put('a', '1'), range('a')], false],
    ['put outside and inside', [inner({ success: [put('a', '1')] }), put('a', '2')], true],
    ['put inside, deleted outside', [inner({ failure: [put('a', '1')] }), del('a')], true],
    ['deleted inside, put outside', [inner({ success: [del('a')] }), put('a', '1')], true],
    [
      'put in either branch of one inner transaction',
      [inner({ success: [put('a', '1')], failure: [put('a', '2')] })],
      false,
    ],
    [
      'put in two inner transactions',
      [inner({ success: [put('a', '1')] }), inner({ failure: [put('a', '2')] })],
      true,
    ],
    ['deep within', [inner({ success: [inner({ failure: [put('a', '1'), del('a')] })] })], true],
    [
      'deleted in an earlier inner transaction, put in a later',
      [inner({ success: [del('a')] }), inner({ success: [put('a', '1')] })],
      true,
    ],
    [
      'put in an earlier, deleted in a later: etcd does not see it',
      [inner({ success: [put('a', '1')] }), inner({ success: [del('a')] })],
      false,
    ],
    [
      'put within a deletion without end: etcd does not see it',
      [put('b', '1'), del('a', '\0')],
      false,
    ],
  ])('%s', (_, ops, isRefused) => {
    expect(checked(ops)).toBe(isRefused ? duplicate : undefined);
    expect(checkTxn(txn({ failure: ops }), MAX_OPS)?.message).toBe(
      isRefused ? duplicate : undefined,
    );
  });

  test('branches of the outer transaction may write the same', () => {
    const both = txn({ success: [put('a', '1')], failure: [put('a', '2')] });
    expect(checkTxn(both, MAX_OPS)).toBeUndefined();
  });
});
