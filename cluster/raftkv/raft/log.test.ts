import { describe, expect, test } from 'vitest';
import { RaftLog } from './log.ts';
import type { Configuration, Entry, SnapshotMeta } from './types.ts';

const NOBODY: Configuration = { voters: [], learners: [] };
const EMPTY: SnapshotMeta = { index: 0, term: 0, config: NOBODY };

function command(index: number, term: number, bytes = 1): Entry {
  return { index, term, payload: { kind: 'command', data: new Uint8Array(bytes) } };
}

/** Commands of these terms from `first` on. */
function entries(first: number, terms: readonly number[]): Entry[] {
  return terms.map((term, at) => command(first + at, term));
}

function logOf(terms: readonly number[], snapshot: SnapshotMeta = EMPTY): RaftLog {
  return new RaftLog({ snapshot, entries: entries(snapshot.index + 1, terms) });
}

describe('terms', () => {
  test('are known from the start of the log to its end', () => {
    const log = logOf([2, 3], { index: 10, term: 2, config: NOBODY });
    expect([9, 10, 11, 12, 13].map((index) => log.termAt(index))).toEqual([
      undefined,
      2,
      2,
      3,
      undefined,
    ]);
    expect([log.start, log.last, log.lastTerm]).toEqual([10, 12, 3]);
  });

  test('§5.4.1: the later last term wins, then the longer log', () => {
    const log = logOf([1, 1, 2]);
    expect(log.isUpToDate(1, 3)).toBe(true);
    expect(log.isUpToDate(3, 2)).toBe(true);
    expect(log.isUpToDate(2, 2)).toBe(false);
    expect(log.isUpToDate(9, 1)).toBe(false);
  });

  test('§5.3: where logs may agree is found by term', () => {
    const log = logOf([1, 1, 4, 4, 6]);
    expect(log.lastAtMost(5, 6)).toEqual({ index: 5, term: 6 });
    expect(log.lastAtMost(5, 5)).toEqual({ index: 4, term: 4 });
    expect(log.lastAtMost(4, 3)).toEqual({ index: 2, term: 1 });
    expect(log.lastAtMost(99, 3)).toEqual({ index: 2, term: 1 });
    expect(log.lastAtMost(5, 0)).toEqual({ index: 0, term: 0 });
  });

  test('nothing is said of what is before the start', () => {
    const log = logOf([5, 5], { index: 10, term: 4, config: NOBODY });
    expect(log.lastAtMost(11, 1)).toEqual({ index: 10, term: 4 });
    expect(log.lastAtMost(7, 5)).toEqual({ index: 7, term: 0 });
  });
});

describe('batches', () => {
  test('are bounded in entries', () => {
    const log = logOf([1, 1, 1, 1]);
    expect(log.batch(2, 2, 100).map(({ index }) => index)).toEqual([2, 3]);
    expect(log.batch(4, 2, 100).map(({ index }) => index)).toEqual([4]);
    expect(log.batch(5, 2, 100)).toEqual([]);
  });

  test('are bounded in bytes, but an entry that is larger goes alone', () => {
    const log = new RaftLog({
      snapshot: EMPTY,
      entries: [command(1, 1, 60), command(2, 1, 40), command(3, 1, 1), command(4, 1, 500)],
    });
    expect(log.batch(1, 10, 100).map(({ index }) => index)).toEqual([1, 2]);
    expect(log.batch(3, 10, 100).map(({ index }) => index)).toEqual([3]);
    expect(log.batch(4, 10, 100).map(({ index }) => index)).toEqual([4]);
  });
});

describe('what is on disk', () => {
  test('is what was restored, and what was written since', () => {
    const log = logOf([1, 1]);
    expect(log.stable).toBe(2);
    log.append(entries(3, [1, 1]));
    expect(log.takeUnwritten().map(({ index }) => index)).toEqual([3, 4]);
    expect(log.stable).toBe(2);
    log.append(entries(5, [1]));
    log.markStable();
    expect(log.stable).toBe(4);
    expect(log.takeUnwritten().map(({ index }) => index)).toEqual([5]);
  });

  test('does not hold what was truncated while it was being written', () => {
    const log = logOf([1, 1]);
    log.append(entries(3, [1, 1, 1]));
    log.takeUnwritten();
    log.truncateFrom(4);
    log.append(entries(4, [2, 2, 2]));
    log.markStable();
    expect(log.stable).toBe(3);
    expect(log.takeUnwritten().map(({ index, term }) => [index, term])).toEqual([
      [4, 2],
      [5, 2],
      [6, 2],
    ]);
    log.markStable();
    expect(log.stable).toBe(6);
  });

  test('goes back when stable entries are truncated', () => {
    const log = logOf([1, 1, 1]);
    log.truncateFrom(2);
    expect([log.stable, log.written, log.last]).toEqual([1, 1, 1]);
  });

  test('is the snapshot alone once the log restarts, whatever was being written', () => {
    const log = logOf([1]);
    log.append(entries(2, [1, 1]));
    log.takeUnwritten();
    log.restart({ index: 20, term: 3, config: { voters: ['1'], learners: [] } });
    log.append(entries(21, [3]));
    log.markStable();
    expect([log.start, log.stable, log.last]).toEqual([20, 20, 21]);
    expect(log.config).toEqual({ index: 20, config: { voters: ['1'], learners: [] } });
  });
});

describe('compaction', () => {
  test('keeps the term and the configuration of where the log starts then', () => {
    const config: Configuration = { voters: ['1', '2'], learners: [] };
    const log = logOf([1, 1]);
    log.append([
      { index: 3, term: 2, payload: { kind: 'config', config, data: new Uint8Array() } },
      command(4, 2),
      command(5, 2),
    ]);
    log.compact(4);
    expect([log.start, log.termAt(4), log.termAt(3), log.last]).toEqual([4, 2, undefined, 5]);
    expect(log.metaAt(4)).toEqual({ index: 4, term: 2, config });
    expect(log.slice(5, 5)).toEqual([command(5, 2)]);
    log.compact(2);
    expect(log.start).toBe(4);
    expect(() => log.metaAt(3)).toThrow('does not hold 3');
  });

  test('beyond the end, gaps and truncating what is compacted are our own bugs', () => {
    const log = logOf([1, 1]);
    expect(() => log.compact(3)).toThrow('cannot compact');
    expect(() => log.append(entries(4, [1]))).toThrow('entry 4 after 2');
    log.compact(2);
    expect(() => log.truncateFrom(2)).toThrow('cannot truncate');
  });
});
