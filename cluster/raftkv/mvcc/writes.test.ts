import { describe, expect, test } from 'vitest';
import { FAILURES, failed } from '../failures.ts';
import { bytes, got, keys, shown, testStore } from './fixtures.ts';

describe('put', () => {
  test('the first revision is 1, and every put makes the next', () => {
    const { store, put } = testStore();
    expect(store.revision).toBe(1);
    expect([put('a', '1'), put('b', '1'), put('a', '1')]).toEqual([2, 3, 4]);
  });

  test('a version counts the changes since the key was created', () => {
    const { put, del, all } = testStore();
    put('a', '1');
    put('a', '2');
    expect(all()).toEqual(['a=2 2/3/2']);
    del('a');
    put('a', '3');
    expect(all()).toEqual(['a=3 5/5/1']);
  });

  test('prevKv is what was there, and is absent of a new key', () => {
    const { store } = testStore();
    const request = { key: bytes('a'), value: bytes('1'), prevKv: true };
    expect(got(store.put(request))).toEqual({ revision: 2 });
    const { prevKv } = got(store.put({ ...request, value: bytes('2') }));
    expect(prevKv === undefined ? '' : shown(prevKv)).toBe('a=1 2/2/1');
  });

  test('ignoreValue keeps the value, ignoreLease the lease', () => {
    const { store, put, all } = testStore();
    got(store.leases.grant('7', 60));
    put('a', '1', '7');
    got(store.put({ key: bytes('a'), value: bytes('2'), ignoreLease: true }));
    expect(all()).toEqual(['a=2 2/3/2 @7']);
    got(store.put({ key: bytes('a'), value: bytes(''), ignoreValue: true }));
    expect(all()).toEqual(['a=2 2/4/3']);
  });

  test.each(['ignoreValue', 'ignoreLease'])('%s needs the key', (flag) => {
    const { store } = testStore();
    const request = { key: bytes('a'), value: bytes(''), [flag]: true };
    expect(store.put(request)).toEqual(failed(FAILURES.keyNotFound));
    expect(store.revision).toBe(1);
  });

  test('a lease that is not there is refused before a key that is not', () => {
    const { store } = testStore();
    const request = { key: bytes('a'), value: bytes(''), lease: '7', ignoreValue: true };
    expect(store.put(request)).toEqual(failed(FAILURES.leaseNotFound));
  });

  test('the store keeps its own copy of what it is given', () => {
    const { store, all } = testStore();
    const value = bytes('1');
    got(store.put({ key: bytes('a'), value }));
    value.set(bytes('2'));
    expect(all()).toEqual(['a=1 2/2/1']);
  });
});

describe('delete', () => {
  test('what deletes nothing makes no revision', () => {
    const { store, put } = testStore();
    put('a', '1');
    expect(got(store.deleteRange(keys('b')))).toEqual({ revision: 2, deleted: 0, prevKvs: [] });
    expect(store.revision).toBe(2);
  });

  test('a range is deleted in one revision', () => {
    const { store, put, all } = testStore();
    for (const key of ['a', 'b', 'c']) put(key, key);
    const result = got(store.deleteRange({ ...keys('a', 'c'), prevKv: true }));
    expect(result).toMatchObject({ revision: 5, deleted: 2 });
    expect(result.prevKvs.map(shown)).toEqual(['a=a 2/2/1', 'b=b 3/3/1']);
    expect(all()).toEqual(['c=c 4/4/1']);
  });

  test('a deleted key is not deleted again', () => {
    const { put, del } = testStore();
    put('a', '1');
    expect([del('a'), del('a')]).toEqual([3, 3]);
  });
});

describe('size in use', () => {
  test('grows with every version and shrinks by a compaction', () => {
    const { store, put } = testStore();
    for (let i = 0; i < 100; i++) put('a', 'x'.repeat(1000));
    expect(store.sizeInUse).toBeGreaterThan(100_000);
    got(store.compact(store.revision));
    expect(store.sizeInUse).toBeGreaterThan(1000);
    expect(store.sizeInUse).toBeLessThan(2000);
  });
});
