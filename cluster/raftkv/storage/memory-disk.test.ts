import { describe, expect, it } from 'vitest';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { MemoryDisk } from './memory-disk.ts';

async function half(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await using file = await disk.open('f');
  file.append([Buffer.alloc(600, 'a')]);
  await file.sync();
  file.append([Buffer.alloc(1_000, 'b'), Buffer.alloc(1_000, 'c')]);
  return disk;
}

async function text(disk: MemoryDisk, name = 'f'): Promise<string> {
  return Buffer.from((await disk.read(name)) ?? []).toString('latin1');
}

const WHOLE = 'a'.repeat(600) + 'b'.repeat(1_000) + 'c'.repeat(1_000);

describe('a disk in memory', () => {
  it('keeps everything when the process is killed, and still knows what is synced', async () => {
    const disk = (await half()).crash();
    expect(await text(disk)).toBe(WHOLE);
    expect(disk.syncedSize('f')).toBe(600);
  });

  it('keeps what is synced when the power fails, and of the rest what a disk may', async () => {
    const random = Random.stream(seedFrom(1), 'disk');
    const seen = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const disk = (await half()).powerFailure(random);
      const found = await text(disk);
      expect(found.startsWith('a'.repeat(600))).toBe(true);
      for (let at = 600; at < found.length; at++)
        if (found[at] !== WHOLE[at]) expect(found[at]).toBe('\0');
      expect(disk.syncedSize('f')).toBe(found.length);
      seen.add(`${found.length} ${found.includes('\0')}`);
    }
    expect(seen).toContain('600 false');
    expect(seen).toContain('2600 false');
    expect(seen).toContain('2600 true');
    expect(seen.size).toBeGreaterThan(20);
  });

  it('flips one bit', async () => {
    const before = await half();
    const after = before.flipBit('f', 8 * 599 + 1);
    expect(await text(after)).toBe(`${'a'.repeat(599)}c${WHOLE.slice(600)}`);
  });

  it('is dead, with its files, after a crash', async () => {
    const disk = await half();
    const file = await disk.open('f');
    disk.crash();
    expect(() => {
      file.append([Buffer.from('x')]);
    }).toThrow('a life before');
    await expect(file.sync()).rejects.toThrow('a life before');
    await expect(disk.read('f')).rejects.toThrow('a life before');
    await expect(disk.list()).rejects.toThrow('a life before');
  });

  it('fails when it is told to, and may have written a part', async () => {
    const disk = new MemoryDisk();
    const file = await disk.open('f');
    disk.failAfter({ after: 1, code: 'ENOSPC', written: 0.5 });
    file.append([Buffer.from('1234')]);
    expect(() => {
      file.append([Buffer.from('56'), Buffer.from('78')]);
    }).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    await expect(file.sync()).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(disk.remove('f')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await text(disk)).toBe('123456');
  });

  it('lets an open file live on under its new name', async () => {
    const disk = new MemoryDisk();
    const file = await disk.open('old');
    await disk.rename('old', 'new');
    file.append([Buffer.from('more')]);
    expect(await disk.list()).toEqual(['new']);
    expect(await text(disk, 'new')).toBe('more');
    await expect(disk.rename('old', 'new')).rejects.toMatchObject({ code: 'ENOENT' });
    await disk.remove('new');
    expect(await disk.read('new')).toBeUndefined();
  });
});
