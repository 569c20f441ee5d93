import { describe, expect, test } from 'vitest';
import { FAILURES, failed } from '../failures.ts';
import { got, keys, put, testStore, text, toldBy } from './fixtures.ts';

function attached(found: ReturnType<typeof testStore>, id: string): string[] | undefined {
  return found.store.leases.get(id)?.keys.map(text);
}

describe('granting', () => {
  test('a lease has its TTL and no keys, and makes no revision', () => {
    const { store } = testStore();
    got(store.leases.grant('7', 60));
    expect(store.leases.get('7')).toEqual({ ttlSeconds: 60, keys: [] });
    expect(store.revision).toBe(1);
  });

  test('an id is granted once, and 0 never', () => {
    const { leases } = testStore().store;
    got(leases.grant('7', 60));
    expect(leases.grant('7', 60)).toEqual(failed(FAILURES.leaseExists));
    expect(leases.grant('0', 60)).toEqual(failed(FAILURES.leaseNotFound));
  });

  test('a TTL above 9,000,000,000 s is refused first of all', () => {
    const { leases } = testStore().store;
    got(leases.grant('7', 9_000_000_000));
    expect(leases.grant('7', 9_000_000_001)).toEqual(failed(FAILURES.leaseTtlTooLarge));
  });

  test('the list is in the order of numbers, negative ones and 64-bit ones too', () => {
    const { leases } = testStore().store;
    for (const id of ['10', '9', '-3', '9223372036854775807', '9223372036854775806'])
      got(leases.grant(id, 60));
    expect(leases.list()).toEqual(['-3', '9', '10', '9223372036854775806', '9223372036854775807']);
  });
});

describe('keys on leases', () => {
  test('hang on the lease of their newest version alone', () => {
    const found = testStore();
    got(found.store.leases.grant('7', 60));
    got(found.store.leases.grant('8', 60));
    found.put('b', '1', '7');
    found.put('a', '1', '7');
    expect(attached(found, '7')).toEqual(['a', 'b']);
    found.put('a', '2', '8');
    expect([attached(found, '7'), attached(found, '8')]).toEqual([['b'], ['a']]);
    found.put('a', '3');
    found.del('b');
    expect([attached(found, '7'), attached(found, '8')]).toEqual([[], []]);
  });

  test('a put on a lease that is not there is refused', () => {
    const { store } = testStore();
    const request = { ...keys('a'), value: new Uint8Array(0), lease: '7' };
    expect(store.put(request)).toEqual(failed(FAILURES.leaseNotFound));
  });
});

describe('revoking', () => {
  test('deletes the keys in one revision, in their order, and watches see it', () => {
    const { store, put: set, all } = testStore();
    got(store.leases.grant('7', 60));
    for (const key of ['c', 'a', 'b']) set(key, key, '7');
    set('d', 'd');
    using watch = store.watches.open(
      { ...keys('a', 'z'), startRevision: 0, prevKv: true, noPut: false, noDelete: false },
      () => undefined,
    );
    expect(got(store.leases.revoke('7'))).toEqual({ revision: 6 });
    expect(toldBy(watch.pull(10))).toEqual([
      '6 DELETE a was a',
      '6 DELETE b was b',
      '6 DELETE c was c',
    ]);
    expect(all()).toEqual(['d=d 5/5/1']);
    expect(store.leases.list()).toEqual([]);
  });

  test('without keys makes no revision', () => {
    const { store } = testStore();
    got(store.leases.grant('7', 60));
    expect(got(store.leases.revoke('7'))).toEqual({ revision: 1 });
  });

  test('what is not there is refused, and so a second time', () => {
    const { leases } = testStore().store;
    got(leases.grant('7', 60));
    got(leases.revoke('7'));
    expect(leases.revoke('7')).toEqual(failed(FAILURES.leaseNotFound));
  });

  test('spares a key that was deleted and put again without the lease', () => {
    const { store, all } = testStore();
    got(store.leases.grant('7', 60));
    got(store.put({ ...keys('a'), value: new Uint8Array(0), lease: '7' }));
    const change = { compare: [], failure: [] };
    got(store.txn({ ...change, success: [{ type: 'delete-range', request: keys('a') }] }));
    got(store.txn({ ...change, success: [put('a', '2')] }));
    got(store.leases.revoke('7'));
    expect(all()).toEqual(['a=2 4/4/1']);
  });
});
