import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../harness/core/invariant.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { contents, memberWith, metaAt, snapshotAt } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { openStorage } from './storage.ts';
import type { Disk } from './types.ts';

describe('the backend', () => {
  it('gives what was put and not deleted, and counts what is pending', async () => {
    const { backend } = await memberWith(new MemoryDisk(), 3);
    backend.put('key', 'a', Buffer.from('1'));
    backend.put('lease', 'a', Buffer.from('2'));
    backend.put('key', 'b', Buffer.from('3'));
    expect(backend).toMatchObject({ pending: 3, applied: 0, size: 0 });
    expect(await contents(backend)).toEqual([]);
    backend.commit(1);
    backend.delete('key', 'b');
    backend.delete('key', 'never there');
    backend.put('key', 'a', Buffer.from('4'));
    backend.commit(3);
    expect(backend).toMatchObject({ pending: 0, applied: 3 });
    expect(await contents(backend)).toEqual(['key/a=4', 'lease/a=2']);
  });

  it('keeps every byte of a key and a value', async () => {
    const disk = new MemoryDisk();
    const { backend } = await memberWith(disk, 1);
    const all = Buffer.from([...Array(256).keys()]);
    backend.put('key', all.toString('latin1'), all);
    backend.put('key', '', Buffer.alloc(0));
    backend.commit(1);
    const again = await openStorage(disk.crash());
    const bucket = (await again.backend.load()).get('key');
    expect([...(bucket?.keys() ?? [])]).toEqual([all.toString('latin1'), '']);
    expect(all.equals(bucket?.get(all.toString('latin1')) ?? Buffer.alloc(0))).toBe(true);
  });

  it('copies what it is given', async () => {
    const { backend } = await memberWith(new MemoryDisk(), 1);
    const value = Buffer.from('before');
    backend.put('key', 'a', value);
    value.write('after!');
    backend.commit(1);
    expect(await contents(backend)).toEqual(['key/a=before']);
  });

  it('keeps the applied index of a commit without changes', async () => {
    const disk = new MemoryDisk();
    const { backend } = await memberWith(disk, 3);
    backend.commit(3);
    expect((await openStorage(disk.crash())).backend.applied).toBe(3);
  });

  it('is never applied backwards', async () => {
    const { backend } = await memberWith(new MemoryDisk(), 3);
    backend.commit(3);
    expect(() => {
      backend.commit(2);
    }).toThrow(InvariantError);
  });

  it('hands out a snapshot of the last commit, without what is pending', async () => {
    const { backend } = await memberWith(new MemoryDisk(), 3);
    backend.put('key', 'a', Buffer.from('1'));
    backend.commit(2);
    const asked = backend.snapshot();
    backend.put('key', 'a', Buffer.from('2'));
    backend.commit(3);
    const { applied, data } = await asked;
    expect(applied).toBe(2);
    const other = await memberWith(new MemoryDisk(), 1);
    await other.install({ meta: metaAt(2, 1), data });
    expect(await contents(other.backend)).toEqual(['key/a=1']);
  });

  it('hands out whole batches of one file, however long the disk takes to read', async () => {
    const memory = new MemoryDisk();
    let release = (): void => {};
    let gate = Promise.resolve();
    const slow: Disk = {
      list: () => memory.list(),
      open: (name) => memory.open(name),
      rename: (from, to) => memory.rename(from, to),
      remove: (name) => memory.remove(name),
      read: async (name) => {
        await gate;
        return memory.read(name);
      },
    };
    const storage = await memberWith(slow, 3);
    const { backend } = storage;
    backend.put('key', 'a', Buffer.from('1'));
    backend.commit(2);
    const { size } = backend;
    const close = (): void => {
      gate = new Promise((resolve) => {
        release = resolve;
      });
    };
    close();
    const grown = backend.snapshot();
    backend.commit(3);
    release();
    expect(await grown).toMatchObject({ applied: 2, data: { length: size } });
    close();
    const replaced = backend.snapshot();
    const data = await snapshotAt(9, 'leader');
    await storage.install({ meta: metaAt(9, 1), data });
    release();
    expect(await replaced).toMatchObject({ applied: 9, data });
  });

  it('hands out nothing that changed on the disk', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    storage.backend.put('key', 'a', Buffer.from('1'));
    storage.backend.commit(2);
    const file = await disk.open('db');
    await file.truncate(storage.backend.size - 1);
    await expect(storage.backend.snapshot()).rejects.toThrow('db is damaged at byte 0');
  });

  it('syncs again what was committed while a sync was under way', async () => {
    const disk = new MemoryDisk();
    const { backend } = await memberWith(disk, 3);
    backend.commit(1);
    const synced = backend.sync();
    backend.commit(2);
    await synced;
    expect(disk.syncedSize('db')).toBeLessThan(backend.size);
    await backend.sync();
    expect(disk.syncedSize('db')).toBe(backend.size);
  });

  it('survives a power failure up to its last sync, and is whole batches after that', async () => {
    const random = Random.stream(seedFrom(7), 'power');
    const applied = new Set<number>();
    for (let round = 0; round < 60; round++) {
      const disk = new MemoryDisk();
      const { backend } = await memberWith(disk, 9);
      for (let index = 1; index <= 9; index++) {
        backend.put('key', 'a', Buffer.alloc(300, `${index}`));
        backend.put('key', 'b', Buffer.alloc(300, `${index}`));
        backend.commit(index);
        if (index === 3) await backend.sync();
      }
      const again = await openStorage(disk.powerFailure(random));
      const bucket = (await again.backend.load()).get('key');
      const found = again.backend.applied;
      expect(found).toBeGreaterThanOrEqual(3);
      expect(bucket?.get('a')).toEqual(Buffer.alloc(300, `${found}`));
      expect(bucket?.get('b')).toEqual(Buffer.alloc(300, `${found}`));
      applied.add(found);
    }
    expect(applied.size).toBeGreaterThan(3);
  });
});
