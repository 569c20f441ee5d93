import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { BucketWriter } from '../storage/types.ts';
import { backupOf, readBackup } from './backup-file.ts';
import { backendOf, backupFileOf, fileOf, flipped, OWNER, textsOf } from './testing.ts';

const small = (writer: BucketWriter): void => writer.put('b', 'k', Buffer.from('v'));
const long = (writer: BucketWriter): void => writer.put('b', 'long', Buffer.alloc(100_000, 7));

/** Those of the numbers below `end` that are not refused as they should be. */
function taken(end: number, read: (at: number) => unknown): number[] {
  return Array.from({ length: end }, (_, at) => at).filter((at) => {
    try {
      read(at);
      return true;
    } catch (error) {
      return !(error instanceof HarnessError && error.code === 'bad-input');
    }
  });
}

describe('the file of a backup', () => {
  test('is the backend, whose it is, and the hash of both, aligned as etcdctl wants it', async () => {
    const backend = await backendOf([small, long]);
    const backup = backupOf(backend, OWNER);
    const file = await fileOf(backup);
    expect(file.length).toBe(backup.size + 32);
    expect(backup.size % 512).toBe(0);
    expect(file.subarray(0, backend.data.length).equals(backend.data)).toBe(true);
    const hash = createHash('sha256').update(file.subarray(0, backup.size)).digest();
    expect(file.subarray(backup.size).equals(hash)).toBe(true);
    const read = readBackup(file, false);
    expect(read.owner).toEqual(OWNER);
    expect(read.sha256).toBe(hash.toString('hex'));
    expect(textsOf(read.buckets)).toEqual([
      'b/k=76',
      `b/long=${Buffer.alloc(100_000, 7).toString('hex')}`,
    ]);
  });

  test('comes in pieces of limited length, the hash apart', async () => {
    const { pieces } = backupOf(await backendOf([long]), OWNER);
    const lengths: number[] = [];
    for await (const piece of pieces) lengths.push(piece.length);
    expect(Math.max(...lengths)).toBe(32 * 1_024);
    expect(lengths.at(-1)).toBe(32);
  });

  test('every change of one bit is seen, also of the hash', async () => {
    const file = await backupFileOf([small]);
    expect(taken(8 * file.length, (bit) => readBackup(flipped(file, bit), false))).toEqual([]);
  });

  test('without the hash every change of what it is the hash of is seen, too', async () => {
    const file = await backupFileOf([small]);
    const bits = 8 * (file.length - 32);
    expect(taken(bits, (bit) => readBackup(flipped(file, bit), true))).toEqual([]);
  });

  test('wherever it is cut off, it is refused', async () => {
    const file = await backupFileOf([small, small]);
    expect(taken(file.length, (to) => readBackup(file.subarray(0, to), false))).toEqual([]);
  });

  test('what follows it is refused', async () => {
    const file = Buffer.concat([await backupFileOf([small]), Buffer.alloc(512)]);
    for (const skip of [true, false])
      expect(() => readBackup(file, skip)).toThrow(/goes on after its end/);
  });
});

describe('a copy of the file of a member', () => {
  test('has no hash, and is taken by those who say so', async () => {
    const { data } = await backendOf([small, long]);
    expect(() => readBackup(data, false)).toThrow(/no hash at its end; --skip-hash-check/);
    expect(readBackup(data, true)).toMatchObject({ owner: undefined });
  });

  test('is refused when its last batch is not complete', async () => {
    const { data } = await backendOf([small, small]);
    const cut = data.subarray(0, data.length - 1);
    expect(() => readBackup(cut, true)).toThrow(/at byte \d+, a batch is not complete/);
  });

  test('is refused when it is empty, or another file', () => {
    expect(() => readBackup(Buffer.alloc(0), true)).toThrow(/it is empty/);
    expect(() => readBackup(Buffer.from('SQLite format 3'), true)).toThrow(/holds nothing/);
  });
});

test('what is intact and is no store is refused, with its place', async () => {
  const nonsense = (writer: BucketWriter): void => writer.put('key', 'x', Buffer.from('nonsense'));
  const file = await backupFileOf([nonsense]);
  expect(() => readBackup(file, false)).toThrow(/is no backup/);
});
