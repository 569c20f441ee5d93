import { describe, expect, test } from 'vitest';
import { ALL, got, keys, put, type TestStore, testStore, toldBy } from './fixtures.ts';
import type { Watch, WatchRequest } from './types.ts';

function open(found: TestStore, request: Partial<WatchRequest> = {}, wake = () => {}): Watch {
  const range = request.key === undefined ? ALL : { key: request.key };
  const plain = { ...range, startRevision: 0, prevKv: false, noPut: false, noDelete: false };
  return found.store.watches.open({ ...plain, ...request }, wake);
}

function twice({ store }: TestStore): void {
  got(store.txn({ compare: [], success: [put('a', '1'), put('b', '1')], failure: [] }));
}

describe('where a watch starts', () => {
  test('from now on, when it says nothing', () => {
    const found = testStore();
    found.put('a', '1');
    using watch = open(found);
    expect([watch.position, watch.pull(10)]).toEqual([3, undefined]);
    found.put('a', '2');
    expect(toldBy(watch.pull(10))).toEqual(['3 PUT a=2']);
  });

  test('in the past: history first, then what comes, without a seam', () => {
    const found = testStore();
    for (const value of ['1', '2', '3']) found.put('a', value);
    using watch = open(found, { startRevision: 3 });
    found.put('a', '4');
    expect(toldBy(watch.pull(10))).toEqual(['3 PUT a=2', '4 PUT a=3', '5 PUT a=4']);
    expect([watch.position, watch.pull(10)]).toEqual([6, undefined]);
  });

  test('in the future: nothing before that revision (etcd #20221)', () => {
    const found = testStore();
    let woken = 0;
    using watch = open(found, { startRevision: 4 }, () => woken++);
    found.put('a', '1');
    found.put('a', '2');
    expect([watch.position, watch.pull(10), woken]).toEqual([4, undefined, 0]);
    found.put('a', '3');
    expect([toldBy(watch.pull(10)), woken]).toEqual([['4 PUT a=3'], 1]);
  });
});

describe('what a watch tells', () => {
  test('only of its keys', () => {
    const found = testStore();
    using one = open(found, keys('b'));
    using prefix = open(found, keys('b', 'c'));
    using from = open(found, keys('b', '\0'));
    for (const key of ['a', 'b', 'bb', 'c']) found.put(key, '');
    expect(toldBy(one.pull(10))).toEqual(['3 PUT b=']);
    expect(toldBy(prefix.pull(10))).toEqual(['3 PUT b=', '4 PUT bb=']);
    expect(toldBy(from.pull(10))).toEqual(['3 PUT b=', '4 PUT bb=', '5 PUT c=']);
  });

  test('a deletion says key and revision, and nothing else', () => {
    const found = testStore();
    found.put('a', '1');
    using watch = open(found);
    found.del('a');
    expect(watch.pull(10)).toMatchObject({
      revision: 3,
      events: [{ kv: { modRevision: 3, createRevision: 0, version: 0, lease: '0' } }],
    });
  });

  test('filters leave puts or deletions out', () => {
    const found = testStore();
    using noPut = open(found, { noPut: true });
    using noDelete = open(found, { noDelete: true });
    found.put('a', '1');
    found.del('a');
    expect(toldBy(noPut.pull(10))).toEqual(['3 DELETE a']);
    expect(toldBy(noDelete.pull(10))).toEqual(['2 PUT a=1']);
  });

  test('prevKv is the key before, and absent when it was created', () => {
    const found = testStore();
    using watch = open(found, { prevKv: true });
    found.put('a', '1');
    found.put('a', '2');
    found.del('a');
    found.put('a', '3');
    expect(toldBy(watch.pull(10))).toEqual([
      '2 PUT a=1',
      '3 PUT a=2 was 1',
      '4 DELETE a was 2',
      '5 PUT a=3',
    ]);
  });

  test('prevKv is absent when it is compacted', () => {
    const found = testStore();
    for (const value of ['1', '2', '3']) found.put('a', value);
    got(found.store.compact(3));
    using watch = open(found, { prevKv: true, startRevision: 3 });
    expect(toldBy(watch.pull(10))).toEqual(['3 PUT a=2', '4 PUT a=3 was 2']);
  });
});

describe('pulling', () => {
  test('never splits a revision, and goes on where it was', () => {
    const found = testStore();
    using watch = open(found);
    for (let i = 0; i < 3; i++) twice(found);
    expect(toldBy(watch.pull(1))).toEqual(['2 PUT a=1', '2 PUT b=1']);
    expect(watch.position).toBe(3);
    expect(toldBy(watch.pull(3))).toHaveLength(4);
    expect([watch.pull(3), watch.position]).toEqual([undefined, 5]);
  });

  test('the position moves over revisions that do not concern the watch', () => {
    const found = testStore();
    using watch = open(found, keys('b'));
    found.put('a', '1');
    expect(watch.position).toBe(3);
    using late = open(found, { ...keys('b'), startRevision: 1 });
    expect([late.position, late.pull(10), late.position]).toEqual([1, undefined, 3]);
  });
});

describe('waking', () => {
  test('a watch is woken once, until it is pulled', () => {
    const found = testStore();
    let woken = 0;
    using watch = open(found, keys('a'), () => woken++);
    found.put('a', '1');
    found.put('a', '2');
    expect(woken).toBe(1);
    watch.pull(1);
    found.put('a', '3');
    expect(woken).toBe(2);
  });

  test('only when a change concerns it, and once for a revision of many', () => {
    const found = testStore();
    const woken: string[] = [];
    using _a = open(found, keys('a'), () => woken.push('a'));
    using _all = open(found, { noPut: true }, () => woken.push('deletions'));
    using _range = open(found, keys('a', 'z'), () => woken.push('range'));
    found.put('x', '1');
    expect(woken.splice(0)).toEqual(['range']);
    using _late = open(found, {}, () => woken.push('late'));
    twice(found);
    expect(woken).toEqual(['a', 'late']);
  });

  test('a wake may pull, close and open watches', () => {
    const found = testStore();
    const seen: string[] = [];
    const watch = open(found, keys('a'), () => {
      seen.push(...toldBy(watch.pull(10)));
      watch[Symbol.dispose]();
      other[Symbol.dispose]();
      open(found, keys('a'));
    });
    const other = open(found, keys('a'), () => seen.push('other'));
    found.put('a', '1');
    found.put('a', '2');
    expect([seen, found.store.watches.size]).toEqual([['2 PUT a=1'], 1]);
  });

  test('a watch that was closed is never heard of again', () => {
    const found = testStore();
    let woken = 0;
    const watch = open(found, { startRevision: 1 }, () => woken++);
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    found.put('a', '1');
    expect([woken, watch.pull(10), found.store.watches.size]).toEqual([0, undefined, 0]);
  });
});

describe('compaction', () => {
  test('what lies before it is reported once, not skipped', () => {
    const found = testStore();
    for (const value of ['1', '2', '3']) found.put('a', value);
    got(found.store.compact(4));
    using watch = open(found, { startRevision: 3 });
    expect(watch.pull(10)).toEqual({ type: 'compacted', compactRevision: 4 });
    found.put('a', '4');
    expect(watch.pull(10)).toBeUndefined();
  });

  test('a slow watch is told when a compaction overtakes it', () => {
    const found = testStore();
    using watch = open(found);
    for (const value of ['1', '2', '3']) found.put('a', value);
    watch.pull(1);
    got(found.store.compact(4));
    expect(watch.pull(10)).toEqual({ type: 'compacted', compactRevision: 4 });
  });

  test('a deletion at its very revision is still told (etcd #19179)', () => {
    const found = testStore();
    found.put('a', '1');
    found.del('a');
    got(found.store.compact(3));
    using watch = open(found, { startRevision: 3 });
    expect(toldBy(watch.pull(10))).toEqual(['3 DELETE a']);
  });

  test('it does not overtake a watch that just had nothing to say', () => {
    const found = testStore();
    using watch = open(found, keys('quiet'));
    for (const value of ['1', '2', '3']) found.put('a', value);
    got(found.store.compact(4));
    found.put('quiet', '1');
    expect(toldBy(watch.pull(10))).toEqual(['5 PUT quiet=1']);
  });
});
