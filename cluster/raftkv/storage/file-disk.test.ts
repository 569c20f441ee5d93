import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileDisk, readWhole, writeAll } from './file-disk.ts';
import { command, contents, entryTexts, IDENTITY, metaAt, snapshotAt } from './fixtures.ts';
import { openStorage } from './storage.ts';

let parent: string;
let dir: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'schism-disk-'));
  dir = join(parent, 'a', 'b');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('a folder', () => {
  it('is created, and appends, reads, renames and removes files', async () => {
    await using disk = await openFileDisk(dir);
    expect(await disk.list()).toEqual([]);
    expect(await disk.read('f')).toBeUndefined();
    {
      await using file = await disk.open('f');
      file.append([Buffer.from('one '), Buffer.alloc(0), Buffer.from('two')]);
      file.append([]);
      await file.sync();
      expect(file).toMatchObject({ name: 'f', size: 7 });
    }
    {
      await using again = await disk.open('f');
      expect(again.size).toBe(7);
      await again.truncate(4);
      again.append([Buffer.from('three')]);
    }
    await disk.open('e').then((file) => file[Symbol.asyncDispose]());
    expect(await disk.list()).toEqual(['e', 'f']);
    await disk.rename('f', 'e');
    expect(Buffer.from((await disk.read('e')) ?? []).toString()).toBe('one three');
    await disk.remove('e');
    await disk.remove('e');
    expect(await disk.list()).toEqual([]);
  });

  it('belongs to one at a time, by whatever name, and is free afterwards', async () => {
    {
      await using _disk = await openFileDisk(dir);
      await symlink(dir, join(parent, 'alias'));
      await expect(openFileDisk(join(parent, 'alias'))).rejects.toMatchObject({
        code: 'store-failed',
        message: expect.stringContaining('is in use by another process'),
      });
      await using _other = await openFileDisk(join(parent, 'other'));
    }
    await using again = await openFileDisk(dir);
    expect(await again.list()).toEqual([]);
  });

  it('that cannot be one is refused, and nothing is left locked', async () => {
    await writeFile(join(parent, 'a'), 'a file');
    await expect(openFileDisk(dir)).rejects.toMatchObject({ code: 'ENOTDIR' });
    await rm(join(parent, 'a'));
    await using disk = await openFileDisk(dir);
    expect((await stat(dir)).isDirectory()).toBe(true);
    expect(await disk.list()).toEqual([]);
  });

  it('waits at the close for a sync under way, and takes nothing after', async () => {
    await using disk = await openFileDisk(dir);
    const file = await disk.open('f');
    file.append([Buffer.alloc(100_000)]);
    const synced = file.sync();
    await file[Symbol.asyncDispose]();
    await synced;
    await file[Symbol.asyncDispose]();
    expect(() => {
      file.append([Buffer.from('x')]);
    }).toThrow('f is closed');
    await expect(file.sync()).rejects.toThrow('f is closed');
  });

  it('holds a storage, which finds everything again', async () => {
    {
      await using disk = await openFileDisk(dir);
      await using storage = await openStorage(disk, { segmentBytes: 400 });
      await storage.bootstrap(IDENTITY, { term: 1, vote: null, commit: 0 }, []);
      for (let index = 1; index <= 20; index++)
        await storage.save({ entries: [command(index, 1)], mustSync: true });
      await storage.install({ meta: metaAt(30, 2), data: await snapshotAt(30, 'leader') });
      await storage.save({ entries: [command(31, 2), command(32, 2)], mustSync: true });
      storage.backend.put('key', 'own', Buffer.from('1'));
      storage.backend.commit(31);
      await storage.compact(metaAt(31, 2));
    }
    await using disk = await openFileDisk(dir);
    await using storage = await openStorage(disk);
    expect(storage.recovered).toMatchObject({ identity: IDENTITY, snapshot: metaAt(31, 2) });
    expect(entryTexts(storage.recovered?.entries ?? [])).toEqual(['32@2 command 32']);
    expect(await contents(storage.backend)).toEqual(['key/from=leader', 'key/own=1']);
  });
});

describe('writing all of it', () => {
  it('goes on where the kernel stopped, at any byte of any chunk', () => {
    const chunks = ['ab', '', 'cde', 'f'].map((part) => Buffer.from(part));
    for (const most of [1, 2, 3, 4, 5, 6]) {
      const file = Buffer.alloc(16, '.');
      const done = writeAll(chunks, 3, (some, at) => {
        const bytes = Buffer.concat(some).subarray(0, most);
        bytes.copy(file, at);
        return bytes.length;
      });
      expect(done).toBe(6);
      expect(file.toString()).toBe('...abcdef.......');
    }
  });

  it('hands the kernel no more bytes at once than Node can count', () => {
    const chunks = ['ab', 'cdefg', 'h'].map((part) => Buffer.from(part));
    const calls: string[] = [];
    const write = (some: readonly Uint8Array[], at: number): number => {
      calls.push(`${Buffer.concat(some).toString()} at ${at}`);
      return Buffer.concat(some).length;
    };
    expect(writeAll(chunks, 5, write, 3)).toBe(8);
    expect(calls).toEqual(['abc at 5', 'def at 8', 'gh at 11']);
  });

  it('hands the kernel no more chunks at once than it takes', () => {
    const chunks = Array.from({ length: 3_000 }, () => Buffer.from('x'));
    const counts: number[] = [];
    writeAll(chunks, 0, (some) => {
      counts.push(some.length);
      return some.length;
    });
    expect(counts).toEqual([1_024, 1_024, 952]);
  });
});

describe('reading a whole file', () => {
  it('goes on until its end, in as many reads as it takes', async () => {
    const path = join(parent, 'file');
    await writeFile(path, 'abcdefgh');
    for (const most of [1, 3, 8, 9])
      expect((await readWhole(path, most)).toString()).toBe('abcdefgh');
    await writeFile(path, '');
    expect(await readWhole(path)).toHaveLength(0);
    await expect(readWhole(parent)).rejects.toThrow('EISDIR');
  });
});
