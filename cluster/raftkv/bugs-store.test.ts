/** The planted bugs of the store: the same calls with the bug and without. */
import { describe, expect, test } from 'vitest';
import { BUG_NAMES, BUGS, type Bug, type Bugs, isBug, NO_BUGS, parseBugs } from './bugs.ts';
import { ALL, bytes, got, keys, MemoryBuckets, shown, toldBy } from './mvcc/fixtures.ts';
import { createStore, restoreStore } from './mvcc/store.ts';
import type { Store } from './mvcc/types.ts';

interface Calls {
  readonly bug: Bug;
  readonly shows: string;
  readonly play: (bugs: Bugs) => unknown;
  readonly wrong: unknown;
  readonly right: unknown;
}

function put(store: Store, key: string, value: string): void {
  got(store.put({ key: bytes(key), value: bytes(value) }));
}

const content = (store: Store): string[] => got(store.range(ALL)).kvs.map(shown);

function compactOverOld(bugs: Bugs): unknown {
  const store = createStore(new MemoryBuckets(), bugs);
  put(store, 'old', '1');
  put(store, 'new', '2');
  put(store, 'new', '3');
  got(store.compact(4));
  return content(store);
}

function overtakeWatch(bugs: Bugs): unknown {
  const store = createStore(new MemoryBuckets(), bugs);
  for (let n = 1; n <= 5; n++) put(store, 'k', `${n}`);
  const request = { ...keys('k'), startRevision: 2, prevKv: false, noPut: false, noDelete: false };
  using watch = store.watches.open(request, () => undefined);
  expect(toldBy(watch.pull(1))).toEqual(['2 PUT k=1']);
  got(store.compact(5));
  const next = watch.pull(9);
  return next?.type === 'events' ? toldBy(next) : next;
}

function restart(bugs: Bugs): unknown {
  const buckets = new MemoryBuckets();
  const store = createStore(buckets, bugs);
  put(store, 'a', '1');
  put(store, 'b', '2');
  got(store.deleteRange(keys('b')));
  got(store.compact(4));
  const before = got(store.hash(0)).hash;
  const restored = restoreStore(buckets.contents, buckets, bugs);
  const revision = restored.revision;
  put(restored, 'c', '3');
  const again = restoreStore(buckets.contents, buckets, bugs);
  return { before: typeof before, revision, content: content(again) };
}

const CALLS: readonly Calls[] = [
  {
    bug: 'compact-live',
    shows: 'a key that was not changed for long is gone',
    play: compactOverOld,
    wrong: ['new=3 3/4/2'],
    right: ['new=3 3/4/2', 'old=1 2/2/1'],
  },
  {
    bug: 'watch-gap',
    shows: 'events are left out, and nobody says so',
    play: overtakeWatch,
    wrong: ['5 PUT k=4', '6 PUT k=5'],
    right: { type: 'compacted', compactRevision: 5 },
  },
  {
    bug: 'compaction-restart',
    shows: 'a revision is given to a second change',
    play: restart,
    wrong: { before: 'number', revision: 2, content: ['a=1 2/2/1', 'c=3 3/3/1'] },
    right: { before: 'number', revision: 4, content: ['a=1 2/2/1', 'c=3 5/5/1'] },
  },
];

describe.each(CALLS)('$bug', ({ bug, shows, play, wrong, right }) => {
  test(`it shows: ${shows}`, () => expect(play(new Set([bug]))).toEqual(wrong));
  test('without it the same calls do no harm', () => expect(play(NO_BUGS)).toEqual(right));
});

describe('the list of bugs', () => {
  test('names are taken alone or several at once', () => {
    expect(parseBugs('txn-race')).toEqual(new Set(['txn-race']));
    expect(parseBugs('txn-race, watch-gap')).toEqual(new Set(['txn-race', 'watch-gap']));
    for (const name of BUG_NAMES) expect(isBug(name)).toBe(true);
    expect(isBug('toString')).toBe(false);
  });

  test('an unknown one is refused with the nearest and with all there are', () => {
    expect(() => parseBugs('txn-race,watch-cap')).toThrow(
      /no bug 'watch-cap' \(did you mean 'watch-gap'\?\); it has: stale-leader-read, .*lock-no-recheck$/,
    );
    expect(() => parseBugs('')).toThrow(/no bug ''; it has/);
  });

  test('each says what it is, in one line', () => {
    for (const info of Object.values(BUGS))
      for (const text of Object.values(info)) expect(text).toMatch(/^\S[^\n]{2,120}$/);
  });
});
