/** A backend that is written anew: what it holds by then, and what a crash leaves of it. */
import { describe, expect, test } from 'vitest';
import { realClock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { contents, memberWith, metaAt, snapshotAt } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { BEGINNING, readRecord } from './record.ts';
import { openStorage } from './storage.ts';
import type { Disk, Storage } from './types.ts';

const FULL = Buffer.alloc(400_000, 'x');

/** Of which only `a` and `b` are left. */
async function wasteful(disk: Disk): Promise<Storage> {
  const storage = await memberWith(disk, 9);
  const { backend } = storage;
  for (let index = 1; index <= 5; index++) {
    backend.put('key', 'a', Buffer.from(`${index}`));
    backend.put('key', `gone-${index}`, FULL);
    backend.commit(index);
  }
  for (let index = 1; index <= 5; index++) backend.delete('key', `gone-${index}`);
  backend.put('other', 'b', Buffer.from('kept'));
  backend.commit(6);
  return storage;
}

const KEPT = ['key/a=5', 'other/b=kept'];

async function defragment(storage: Storage): Promise<boolean> {
  return storage.adopt(await storage.rewrite());
}

describe('a backend that is written anew', () => {
  test('holds the same in less space, and is durable', async () => {
    const disk = new MemoryDisk();
    const storage = await wasteful(disk);
    expect(await defragment(storage)).toBe(true);
    expect(storage.backend.size).toBeLessThan(200);
    expect(storage.backend.applied).toBe(6);
    expect(disk.syncedSize('db')).toBe(storage.backend.size);
    const found = await openStorage(disk.crash());
    expect(await contents(found.backend)).toEqual(KEPT);
    expect(found.recovered?.entries.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(found.recovered?.repairs).toEqual([]);
  });

  test('takes what was pending into its next batch', async () => {
    const disk = new MemoryDisk();
    const storage = await wasteful(disk);
    const { backend } = storage;
    backend.put('key', 'late', Buffer.from('1'));
    expect(backend.pendingBytes).toBeGreaterThan(5);
    expect(await defragment(storage)).toBe(true);
    expect(await contents(backend)).toEqual(KEPT);
    backend.commit(7);
    expect(await contents(backend)).toEqual(['key/a=5', 'key/late=1', 'other/b=kept']);
    const found = await openStorage(disk.crash());
    expect(await contents(found.backend)).toEqual(['key/a=5', 'key/late=1', 'other/b=kept']);
    expect(found.backend.applied).toBe(7);
  });

  test('can be written anew again, compacted and replaced after that', async () => {
    const disk = new MemoryDisk();
    const storage = await wasteful(disk);
    expect([await defragment(storage), await defragment(storage)]).toEqual([true, true]);
    await storage.compact(metaAt(4, 1));
    await storage.install({ meta: metaAt(20, 1), data: await snapshotAt(20, 'leader') });
    expect(await defragment(storage)).toBe(true);
    const found = await openStorage(disk.crash());
    expect(await contents(found.backend)).toEqual(['key/from=leader']);
    expect(found.recovered?.snapshot.index).toBe(20);
  });

  test('is finished by the next start when only its name was missing', async () => {
    const disk = new MemoryDisk();
    const storage = await wasteful(disk);
    const rewritten = await storage.rewrite();
    // Its temporary name, the mark in the log, the sync of that: the last rename fails.
    disk.failAfter({ after: 3, code: 'EIO' });
    await expect(storage.adopt(rewritten)).rejects.toThrow('a fault of the disk');
    const after = disk.crash();
    expect(await after.list()).toEqual(['db', 'db.incoming', 'wal-0000000000000001']);
    const found = await openStorage(after);
    expect(await after.list()).toEqual(['db', 'wal-0000000000000001']);
    expect(found.backend.size).toBeLessThan(200);
    expect(await contents(found.backend)).toEqual(KEPT);
  });

  test('is durable after a crash, even if it came out as the very bytes that were there', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 9);
    storage.backend.put('key', 'a', Buffer.from('5'));
    storage.backend.commit(5);
    const rewritten = await storage.rewrite();
    // Its temporary name, the mark in the log: the sync of that fails.
    disk.failAfter({ after: 2, code: 'EIO' });
    await expect(storage.adopt(rewritten)).rejects.toThrow('a fault of the disk');
    const after = disk.crash();
    expect(await after.list()).toEqual(['db', 'db.incoming', 'wal-0000000000000001']);
    expect(after.syncedSize('db')).toBe(0);
    const found = await openStorage(after);
    expect(await contents(found.backend)).toEqual(['key/a=5']);
    expect(after.sizeOf('db')).toBe(rewritten.end.offset);
    expect(after.syncedSize('db')).toBe(rewritten.end.offset);
  });

  test('is given up when a snapshot took the place of what it was made from', async () => {
    const disk = new MemoryDisk();
    const storage = await wasteful(disk);
    const rewritten = await storage.rewrite();
    await storage.install({ meta: metaAt(20, 1), data: await snapshotAt(20, 'leader') });
    expect(await storage.adopt(rewritten)).toBe(false);
    expect(await disk.list()).toEqual(['db', 'wal-0000000000000001']);
    expect(await contents(storage.backend)).toEqual(['key/from=leader']);
  });

  test('never mixes two files up for who reads while one takes the place of the other', async () => {
    const memory = new MemoryDisk();
    let renamed = Promise.withResolvers<void>();
    let finish = Promise.withResolvers<void>();
    const slow: Disk = {
      list: () => memory.list(),
      open: (name) => memory.open(name),
      read: (name) => memory.read(name),
      remove: (name) => memory.remove(name),
      rename: async (from, to) => {
        await memory.rename(from, to);
        if (to !== 'db') return;
        renamed.resolve();
        await finish.promise;
      },
    };
    const storage = await wasteful(slow);
    const { backend } = storage;
    /** Asks for a copy just when the name is that of the new file, and nobody was told yet. */
    const copyDuring = async (replacing: Promise<unknown>): Promise<unknown> => {
      await renamed.promise;
      const copied = backend.snapshot();
      // However fast the disk is: the whole file is read by then.
      await memory.read('db');
      await realClock().turn();
      finish.resolve();
      await replacing;
      return await copied;
    };
    const copy = await copyDuring(defragment(storage));
    expect(copy).toMatchObject({ applied: 6, data: { length: backend.size } });
    renamed = Promise.withResolvers();
    finish = Promise.withResolvers();
    const data = await snapshotAt(20, 'leader');
    const other = await copyDuring(storage.install({ meta: metaAt(20, 1), data }));
    expect(other).toMatchObject({ applied: 20, data: { length: data.length } });
  });

  test('is whole or refused, wherever what is sent of it ends', async () => {
    const storage = await memberWith(new MemoryDisk(), 9);
    const { backend } = storage;
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) backend.put('key', key, FULL);
    backend.commit(3);
    expect(await defragment(storage)).toBe(true);
    const { data } = await backend.snapshot();
    const whole = Buffer.from(data);
    const ends: number[] = [];
    for (let at = BEGINNING; ; ) {
      const read = readRecord(whole, at);
      if (read.type !== 'record') break;
      at = read.next;
      ends.push(at.offset);
    }
    expect(ends).toHaveLength(3);
    for (const end of ends.slice(0, -1)) {
      const other = await memberWith(new MemoryDisk(), 1);
      const install = other.install({ meta: metaAt(3, 1), data: whole.subarray(0, end) });
      const failure = await install.catch(messageOf);
      expect(failure).toContain('it is applied up to 0 instead of 3');
    }
    const other = await memberWith(new MemoryDisk(), 1);
    await other.install({ meta: metaAt(3, 1), data: whole });
    expect(await contents(other.backend)).toEqual(await contents(backend));
  });
});
