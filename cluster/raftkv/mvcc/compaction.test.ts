import { describe, expect, test } from 'vitest';
import { FAILURES, failed } from '../failures.ts';
import { got, keys, shown, type TestStore, testStore } from './fixtures.ts';
import { restoreStore } from './store.ts';

function namesOfVersions({ buckets }: TestStore): number[] {
  const names = [...(buckets.contents.get('key')?.keys() ?? [])].toSorted();
  return names.map((name) => Number.parseInt(name, 16));
}

describe('compaction', () => {
  test('keeps what a read at its revision needs, and all that came after', () => {
    const found = testStore();
    const { store, put, del, all } = found;
    put('a', '1'); // 2
    put('a', '2'); // 3
    put('gone', '1'); // 4
    del('gone'); // 5
    put('b', '1'); // 6
    put('a', '3'); // 7
    const before = all(6);
    expect(got(store.compact(6))).toEqual({ revision: 7 });
    expect(all(6)).toEqual(before);
    expect(all()).toEqual(['a=3 2/7/3', 'b=1 6/6/1']);
    expect(namesOfVersions(found)).toEqual([3, 6, 7]);
  });

  test('keeps a deletion at its very revision, for watches, until the next compaction', () => {
    const found = testStore();
    const { store, put, del } = found;
    put('a', '1');
    del('a');
    got(store.compact(3));
    expect(namesOfVersions(found)).toEqual([3]);
    put('b', '1');
    got(store.compact(4));
    expect(namesOfVersions(found)).toEqual([4]);
    expect(store.range({ ...keys('a'), revision: 4 })).toMatchObject({ value: { count: 0 } });
  });

  test('at or below the last one it is refused, and so in the future', () => {
    const { store, put } = testStore();
    put('a', '1');
    put('a', '2');
    got(store.compact(2));
    expect(store.compact(2)).toEqual(failed(FAILURES.compacted));
    expect(store.compact(1)).toEqual(failed(FAILURES.compacted));
    expect(store.compact(4)).toEqual(failed(FAILURES.futureRevision));
    expect(store.compactRevision).toBe(2);
  });

  test('a key goes on counting versions after its past is gone', () => {
    const { store, put, all } = testStore();
    for (const value of ['1', '2', '3']) put('a', value);
    got(store.compact(4));
    put('a', '4');
    expect(all()).toEqual(['a=4 2/5/4']);
  });

  test('the revision stays after a restart, though the newest change was compacted (etcd #17780)', () => {
    const { store, buckets, put, del } = testStore();
    put('a', '1');
    del('a');
    got(store.compact(3));
    buckets.delete('key', [...(buckets.contents.get('key')?.keys() ?? [])][0] ?? '');
    const restored = restoreStore(buckets.contents, buckets);
    expect([restored.revision, restored.compactRevision]).toEqual([3, 3]);
  });
});

describe('a restored store', () => {
  test('is the same in keys, revisions, leases, size, hash and past', () => {
    const { store, buckets, put, del, all } = testStore();
    got(store.leases.grant('7', 60));
    got(store.leases.grant('-8', 5));
    for (const key of ['a', 'b', 'c']) put(key, `${key}1`, '7');
    del('b');
    put('c', 'c2');
    got(store.compact(4));
    put('a', 'a2', '-8');

    const restored = restoreStore(buckets.contents, buckets);
    expect(got(restored.range(keys('\0', '\0'))).kvs.map(shown)).toEqual(all());
    for (const revision of [4, 5, 6]) {
      const request = { ...keys('\0', '\0'), revision };
      expect(restored.range(request)).toEqual(store.range(request));
    }
    expect(restored.leases.list()).toEqual(['-8', '7']);
    for (const id of ['7', '-8']) expect(restored.leases.get(id)).toEqual(store.leases.get(id));
    expect(restored.hash(0)).toEqual(store.hash(0));
    expect(restored.sizeInUse).toBe(store.sizeInUse);
    expect(restored.compactRevision).toBe(4);
  });

  test('of nothing is an empty one', () => {
    const { store, buckets } = testStore();
    const restored = restoreStore(buckets.contents, buckets);
    expect([restored.revision, restored.hash(0)]).toEqual([1, store.hash(0)]);
  });

  test('of bytes that are no version is refused', () => {
    const { buckets, put } = testStore();
    put('a', '1');
    const [name = ''] = [...(buckets.contents.get('key')?.keys() ?? [])];
    buckets.put('key', name, new Uint8Array([200, 1]));
    expect(() => restoreStore(buckets.contents, buckets)).toThrow('ended too early');
  });
});

describe('the hash', () => {
  test('of an old revision stays when later ones are written', () => {
    const { store, put } = testStore();
    put('a', '1');
    const { hash } = got(store.hash(0));
    put('a', '2');
    expect(got(store.hash(2))).toEqual({ hash, compactRevision: 0, revision: 3 });
    expect(got(store.hash(0)).hash).not.toBe(hash);
  });

  test('tells values, leases and deletions apart', () => {
    const hashes = [
      (found: TestStore) => found.put('a', '1'),
      (found: TestStore) => found.put('a', '2'),
      (found: TestStore) => found.put('b', '1'),
      (found: TestStore) => found.put('a', '1', '7'),
      (found: TestStore) => found.del('x'),
    ].map((write) => {
      const found = testStore();
      got(found.store.leases.grant('7', 60));
      found.put('x', '');
      write(found);
      return got(found.store.hash(0)).hash;
    });
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('is refused of the future and of what is compacted', () => {
    const { store, put } = testStore();
    put('a', '1');
    put('a', '2');
    got(store.compact(3));
    expect(store.hash(4)).toEqual(failed(FAILURES.futureRevision));
    expect(store.hash(2)).toEqual(failed(FAILURES.compacted));
    expect(got(store.hash(3)).compactRevision).toBe(3);
  });
});
