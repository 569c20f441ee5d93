/** A disk that takes its time. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { MemoryDisk } from '../storage/memory-disk.ts';
import type { Disk } from '../storage/types.ts';

/** So that a crash comes between any two operations. */
export function lateDisk(disk: MemoryDisk, clock: Clock, random: Random): Disk {
  const late = (): Promise<void> => sleep(clock, random.chance(0.1) ? random.int(1, 50) : 1);
  return {
    list: () => disk.list(),
    read: async (name) => {
      await late();
      return disk.read(name);
    },
    open: async (name) => {
      const file = await disk.open(name);
      return {
        name,
        get size() {
          return file.size;
        },
        append: (chunks) => file.append(chunks),
        sync: async () => {
          await late();
          await file.sync();
        },
        truncate: (size) => file.truncate(size),
        [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
      };
    },
    rename: async (from, to) => {
      await late();
      await disk.rename(from, to);
      // The name is another file's by now, and nobody was told.
      await late();
    },
    remove: async (name) => {
      await late();
      await disk.remove(name);
    },
  };
}
