/** What was written before a sync that failed is read as if it were there, and lost with the power. */
import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { command, contents, entryTexts, memberWith, metaAt } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { openStorage } from './storage.ts';
import type { Disk, Storage } from './types.ts';

/** The same disk, on which syncs fail while `fails` says so. */
function flaky(disk: MemoryDisk, fails: () => boolean): Disk {
  return {
    list: () => disk.list(),
    read: (name) => disk.read(name),
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    open: async (name) => {
      const file = await disk.open(name);
      const sync = async (): Promise<void> => {
        if (!fails()) return file.sync();
        file.beginSync().failed();
        throw Object.assign(new Error('EIO: sync'), { code: 'EIO' });
      };
      return {
        name,
        get size() {
          return file.size;
        },
        append: (chunks) => file.append(chunks),
        sync,
        truncate: (size) => file.truncate(size),
        [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
      };
    },
  };
}

/** What a member of three entries leaves that ended because `work` met a sync that failed. */
async function leftBy(work: (storage: Storage) => Promise<void>): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  let isFailing = false;
  const storage = await memberWith(
    flaky(disk, () => isFailing),
    3,
  );
  isFailing = true;
  await expect(work(storage)).rejects.toThrow('EIO');
  return disk.crash();
}

function powerFailure(disk: MemoryDisk, seed: number): MemoryDisk {
  return disk.powerFailure(Random.stream(seedFrom(seed), 'power'));
}

const SEEDS = 20;

test('what the log was read to hold survives a power failure, with what is saved after it', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const disk = await leftBy((storage) =>
      storage.save({ entries: [command(4, 1)], mustSync: true }),
    );
    const again = await openStorage(disk);
    const read = entryTexts(again.recovered?.entries ?? []);
    expect(read).toHaveLength(4);
    await again.save({ entries: [command(5, 1)], mustSync: true });
    const { recovered } = await openStorage(powerFailure(disk, seed));
    expect(entryTexts(recovered?.entries ?? [])).toEqual([...read, '5@1 command 5']);
  }
});

test('what the backend was read to hold survives it, once a log that starts later relies on it', async () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const disk = await leftBy(async ({ backend }) => {
      backend.put('key', 'a', Buffer.from('1'));
      backend.commit(2);
      await backend.sync();
    });
    const again = await openStorage(disk);
    expect(again.backend.applied).toBe(2);
    again.backend.put('key', 'b', Buffer.from('2'));
    again.backend.commit(3);
    await again.compact(metaAt(3, 1));
    const { backend } = await openStorage(powerFailure(disk, seed));
    expect(await contents(backend)).toEqual(['key/a=1', 'key/b=2']);
  }
});
