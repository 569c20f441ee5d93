import { describe, expect, test } from 'vitest';
import { FAILURES, failed } from '../failures.ts';
import { bytes, del, got, keys, put, range, shown, testStore, toldBy } from './fixtures.ts';
import type { Compare, RequestOp, Store, TxnRequest } from './types.ts';

function txn(part: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...part };
}

function isTrue(store: Store, ...compare: Compare[]): boolean {
  return got(store.txn(txn({ compare }))).succeeded;
}

const missingLease: RequestOp = {
  type: 'put',
  request: { key: bytes('a'), value: bytes('9'), lease: '7' },
};

describe('compares', () => {
  const { store, put: set } = testStore();
  got(store.leases.grant('-5', 60));
  set('a', '1');
  set('a', '2', '-5');
  set('b', '3');
  const a = keys('a');
  const both = keys('a', 'c');
  const none = keys('x');

  test.each<[string, Compare, boolean]>([
    ['version 2', { ...a, target: 'VERSION', result: 'EQUAL', number: 2 }, true],
    ['version above 2', { ...a, target: 'VERSION', result: 'GREATER', number: 2 }, false],
    ['created before 3', { ...a, target: 'CREATE', result: 'LESS', number: 3 }, true],
    ['not changed in 3', { ...a, target: 'MOD', result: 'NOT_EQUAL', number: 3 }, false],
    ['value by bytes', { ...a, target: 'VALUE', result: 'GREATER', value: bytes('10') }, true],
    ['its lease', { ...a, target: 'LEASE', result: 'EQUAL', lease: '-5' }, true],
    ['leases are signed', { ...a, target: 'LEASE', result: 'LESS', lease: '0' }, true],
  ])('%s', (_, compare, expected) => {
    expect(isTrue(store, compare)).toBe(expected);
  });

  test('a key that is not there has only zeros', () => {
    for (const target of ['VERSION', 'CREATE', 'MOD'] as const)
      expect(isTrue(store, { ...none, target, result: 'EQUAL', number: 0 })).toBe(true);
    expect(isTrue(store, { ...none, target: 'LEASE', result: 'EQUAL', lease: '0' })).toBe(true);
  });

  test('a key that is not there has no value, not even another one', () => {
    const value = bytes('');
    expect(isTrue(store, { ...none, target: 'VALUE', result: 'EQUAL', value })).toBe(false);
    expect(isTrue(store, { ...none, target: 'VALUE', result: 'NOT_EQUAL', value })).toBe(false);
  });

  test('of a range all keys must satisfy it', () => {
    expect(isTrue(store, { ...both, target: 'MOD', result: 'GREATER', number: 2 })).toBe(true);
    expect(isTrue(store, { ...both, target: 'MOD', result: 'EQUAL', number: 3 })).toBe(false);
  });

  test('an empty range is like a key that is not there', () => {
    const empty = keys('x', 'z');
    expect(isTrue(store, { ...empty, target: 'VERSION', result: 'EQUAL', number: 0 })).toBe(true);
    expect(isTrue(store, { ...empty, target: 'VERSION', result: 'GREATER', number: 0 })).toBe(
      false,
    );
  });

  test('all compares must hold; none always do', () => {
    const yes: Compare = { ...a, target: 'VERSION', result: 'EQUAL', number: 2 };
    expect(isTrue(store, yes, { ...yes, number: 3 })).toBe(false);
    expect(isTrue(store)).toBe(true);
  });
});

describe('what a transaction does', () => {
  test('all its writes are one revision, ordered by their place in it', () => {
    const { store, put: set } = testStore();
    set('c', '0');
    using watch = store.watches.open(
      { ...keys('a', 'z'), startRevision: 3, prevKv: false, noPut: false, noDelete: false },
      () => undefined,
    );
    const result = got(store.txn(txn({ success: [put('b', '1'), del('c'), put('a', '2')] })));
    expect(result.revision).toBe(3);
    expect(toldBy(watch.pull(10))).toEqual(['3 PUT b=1', '3 DELETE c', '3 PUT a=2']);
  });

  test('its reads see its writes, and tell the revision that it will be', () => {
    const { store, put: set } = testStore();
    set('a', '0');
    const { responses } = got(
      store.txn(txn({ success: [range('a', 'c'), put('b', '1'), range('a', 'c')] })),
    );
    const reads = responses.flatMap((op) => (op.type === 'range' ? [op.result] : []));
    expect(reads.map(({ revision }) => revision)).toEqual([2, 3]);
    expect(reads.map(({ kvs }) => kvs.map(shown))).toEqual([
      ['a=0 2/2/1'],
      ['a=0 2/2/1', 'b=1 3/3/1'],
    ]);
  });

  test('one that only reads, or deletes nothing, makes no revision', () => {
    const { store } = testStore();
    expect(got(store.txn(txn({ success: [range('a'), del('a')] }))).revision).toBe(1);
    expect(store.revision).toBe(1);
  });

  test('the other branch runs when a compare does not hold', () => {
    const { store, all } = testStore();
    const compare: Compare[] = [{ ...keys('a'), target: 'VERSION', result: 'GREATER', number: 0 }];
    const request = txn({ compare, success: [put('a', 'old')], failure: [put('a', 'new')] });
    expect(got(store.txn(request)).succeeded).toBe(false);
    expect(all()).toEqual(['a=new 2/2/1']);
    expect(got(store.txn(request)).succeeded).toBe(true);
    expect(all()).toEqual(['a=old 2/3/2']);
  });
});

describe('transactions in transactions', () => {
  test('inner compares see the store as it was before all of it', () => {
    const { store } = testStore();
    const inner = txn({
      compare: [{ ...keys('a'), target: 'VERSION', result: 'GREATER', number: 0 }],
    });
    const { responses } = got(
      store.txn(txn({ success: [put('a', '1'), { type: 'txn', request: inner }] })),
    );
    expect(responses[1]).toEqual({
      type: 'txn',
      result: { revision: 0, succeeded: false, responses: [] },
    });
  });

  test('inner writes belong to the same revision', () => {
    const { store, all } = testStore();
    const inner = txn({ success: [put('b', '2'), range('a', 'c')] });
    const result = got(
      store.txn(txn({ success: [put('a', '1'), { type: 'txn', request: inner }] })),
    );
    expect(result.revision).toBe(2);
    expect(all()).toEqual(['a=1 2/2/1', 'b=2 2/2/1']);
  });

  test('a key put first and deleted later, which etcd lets pass, leaves both events', () => {
    const { store, all } = testStore();
    const inner = (op: RequestOp): RequestOp => ({ type: 'txn', request: txn({ success: [op] }) });
    got(store.txn(txn({ success: [inner(put('a', '1')), inner(del('a'))] })));
    expect(all()).toEqual([]);
    using watch = store.watches.open(
      { ...keys('a'), startRevision: 2, prevKv: true, noPut: false, noDelete: false },
      () => undefined,
    );
    expect(toldBy(watch.pull(10))).toEqual(['2 PUT a=1', '2 DELETE a']);
  });
});

describe('all or nothing', () => {
  const future: RequestOp = { type: 'range', request: { ...keys('a'), revision: 99 } };
  const keepsValue: RequestOp = {
    type: 'put',
    request: { key: bytes('x'), value: bytes(''), ignoreValue: true },
  };

  test.each([
    ['a future revision', future, FAILURES.futureRevision],
    ['a missing lease', missingLease, FAILURES.leaseNotFound],
    ['a key that is to keep its value and is not there', keepsValue, FAILURES.keyNotFound],
    [
      'one of these in an inner transaction',
      { type: 'txn', request: txn({ success: [future] }) } satisfies RequestOp,
      FAILURES.futureRevision,
    ],
  ])('%s refuses the whole', (_, op, failure) => {
    const { store, all } = testStore();
    expect(store.txn(txn({ success: [put('a', '1'), op] }))).toEqual(failed(failure));
    expect([store.revision, all()]).toEqual([1, []]);
  });

  test('a compacted revision refuses it too, and so does a negative one', () => {
    const { store, put: set } = testStore();
    set('a', '1');
    got(store.compact(2));
    for (const revision of [1, -1]) {
      const read: RequestOp = { type: 'range', request: { ...keys('a'), revision } };
      expect(store.txn(txn({ success: [read] }))).toEqual(failed(FAILURES.compacted));
    }
  });

  test('the branch that is not taken refuses nothing', () => {
    const { store } = testStore();
    expect(got(store.txn(txn({ failure: [future, missingLease] }))).succeeded).toBe(true);
  });

  test('puts are refused before ranges', () => {
    const { store } = testStore();
    const request = txn({ success: [future, missingLease] });
    expect(store.txn(request)).toEqual(failed(FAILURES.leaseNotFound));
  });
});
