import { describe, expect, test } from 'vitest';
import { FAILURES, failed } from '../failures.ts';
import { ALL, bytes, got, keys, shown, type TestStore, testStore, text } from './fixtures.ts';
import type { RangeRequest } from './types.ts';

function read({ store }: TestStore, request: Partial<RangeRequest>): string[] {
  const range = request.key === undefined ? ALL : { key: request.key };
  return got(store.range({ ...range, ...request })).kvs.map((kv) => text(kv.key));
}

/** a: version 3, b: the oldest change, c: the newest key; values the other way round. */
function threeKeys(): TestStore {
  const found = testStore();
  found.put('a', '9');
  found.put('b', '5');
  found.put('a', '8');
  found.put('c', '1');
  found.put('a', '7');
  return found;
}

describe('which keys', () => {
  const found = testStore();
  for (const key of ['a', 'a0', 'ab', 'b', '\xff', 'B']) found.put(key, key);

  test('a key alone is that key and not what begins with it', () => {
    expect(read(found, keys('a'))).toEqual(['a']);
  });

  test('an empty end, as it comes from the wire, is none', () => {
    expect(read(found, keys('a', ''))).toEqual(['a']);
  });

  test('a range ends before its end', () => {
    expect(read(found, keys('a', 'b'))).toEqual(['a', 'a0', 'ab']);
  });

  test('an end of one zero byte is no end, and keys are ordered by their bytes', () => {
    expect(read(found, keys('a0', '\0'))).toEqual(['a0', 'ab', 'b', '\xff']);
    expect(read(found, keys('\0', '\0'))).toEqual(['B', 'a', 'a0', 'ab', 'b', '\xff']);
  });

  test('an end before the key leaves nothing', () => {
    expect(got(found.store.range(keys('b', 'a')))).toMatchObject({ kvs: [], count: 0 });
  });
});

describe('which revision', () => {
  test('an older revision shows what was then, under the header of today', () => {
    const { store, put, del, all } = testStore();
    put('a', '1');
    put('a', '2');
    del('a');
    put('a', '3');
    expect([2, 3, 4, 5].map((revision) => all(revision))).toEqual([
      ['a=1 2/2/1'],
      ['a=2 2/3/2'],
      [],
      ['a=3 5/5/1'],
    ]);
    expect(got(store.range({ ...ALL, revision: 2 })).revision).toBe(5);
  });

  test('a future revision is refused, and so is one before the compaction', () => {
    const { store } = threeKeys();
    got(store.compact(4));
    expect(store.range({ ...ALL, revision: 7 })).toEqual(failed(FAILURES.futureRevision));
    expect(store.range({ ...ALL, revision: 3 })).toEqual(failed(FAILURES.compacted));
    expect(got(store.range({ ...ALL, revision: 4 })).count).toBe(2);
  });

  test('a negative revision is the newest', () => {
    expect(read(threeKeys(), { revision: -3 })).toEqual(['a', 'b', 'c']);
  });
});

describe('how many', () => {
  test('a limit says that there is more, and the count goes beyond it', () => {
    const { store } = threeKeys();
    expect(got(store.range({ ...ALL, limit: 2 }))).toMatchObject({ more: true, count: 3 });
    expect(got(store.range({ ...ALL, limit: 3 }))).toMatchObject({ more: false, count: 3 });
    expect(read(threeKeys(), { limit: 2 })).toEqual(['a', 'b']);
  });

  test('countOnly counts, whatever the limit', () => {
    const result = got(threeKeys().store.range({ ...ALL, limit: 1, countOnly: true }));
    expect(result).toEqual({ revision: 6, kvs: [], more: false, count: 3 });
  });

  test('keysOnly leaves the value out and nothing else', () => {
    const { store } = threeKeys();
    const [first] = got(store.range({ ...keys('a'), keysOnly: true })).kvs;
    expect(first === undefined ? '' : shown(first)).toBe('a= 2/6/3');
    expect(got(store.range(keys('a'))).kvs[0]?.value).toEqual(bytes('7'));
  });
});

describe('in which order', () => {
  test.each([
    ['KEY', 'NONE', ['a', 'b', 'c']],
    ['KEY', 'DESCEND', ['c', 'b', 'a']],
    ['VERSION', 'ASCEND', ['b', 'c', 'a']],
    ['VERSION', 'DESCEND', ['a', 'b', 'c']],
    ['CREATE', 'DESCEND', ['c', 'b', 'a']],
    ['MOD', 'ASCEND', ['b', 'c', 'a']],
    ['VALUE', 'ASCEND', ['c', 'b', 'a']],
    ['VALUE', 'NONE', ['c', 'b', 'a']],
  ] as const)('by %s, %s', (sortTarget, sortOrder, expected) => {
    expect(read(threeKeys(), { sortTarget, sortOrder })).toEqual(expected);
  });

  test('the limit cuts after sorting', () => {
    const found = threeKeys();
    expect(read(found, { sortTarget: 'MOD', sortOrder: 'DESCEND', limit: 1 })).toEqual(['a']);
  });

  test('a target without order sorts only the first keys up to the limit and one, as in etcd', () => {
    expect(read(threeKeys(), { sortTarget: 'VALUE', limit: 1 })).toEqual(['b']);
  });
});

describe('filters by revision', () => {
  test('bounds are included, and the count does not know of them', () => {
    const { store } = threeKeys();
    const filtered = got(store.range({ ...ALL, minModRevision: 5, maxModRevision: 6 }));
    expect(filtered.kvs.map((kv) => text(kv.key))).toEqual(['a', 'c']);
    expect(filtered.count).toBe(3);
    expect(read(threeKeys(), { minCreateRevision: 3, maxCreateRevision: 3 })).toEqual(['b']);
  });

  test('the limit cuts what passed the filter', () => {
    expect(read(threeKeys(), { minCreateRevision: 3, limit: 1 })).toEqual(['b']);
    expect(got(threeKeys().store.range({ ...ALL, minModRevision: 6, limit: 1 }))).toMatchObject({
      more: false,
    });
  });
});
