import { describe, expect, it } from 'vitest';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import { InvariantError } from '../../../harness/core/invariant.ts';
import type { Entry } from '../raft/types.ts';
import {
  command,
  contents,
  entryTexts,
  IDENTITY,
  memberWith,
  metaAt,
  snapshotAt,
  VOTERS,
} from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { BEGINNING, readRecord } from './record.ts';
import { openStorage } from './storage.ts';
import type { Recovered, Storage } from './types.ts';

const SEGMENT = 300;

async function reopened(disk: MemoryDisk): Promise<{ storage: Storage; recovered: Recovered }> {
  const storage = await openStorage(disk, { segmentBytes: SEGMENT });
  const { recovered } = storage;
  if (recovered === undefined) throw new Error('nothing was recovered');
  return { storage, recovered };
}

async function recover(disk: MemoryDisk): Promise<Recovered> {
  return (await reopened(disk)).recovered;
}

function indexes({ entries }: Recovered): number[] {
  return entries.map(({ index }) => index);
}

describe('a new member', () => {
  it('finds nothing in an empty folder', async () => {
    const storage = await openStorage(new MemoryDisk());
    expect(storage.recovered).toBeUndefined();
    expect(storage.backend.applied).toBe(0);
    expect(await contents(storage.backend)).toEqual([]);
  });

  it('finds after a crash what it was bootstrapped with', async () => {
    const disk = new MemoryDisk();
    const storage = await openStorage(disk);
    const config = { voters: VOTERS, learners: ['d4'] };
    const entries: Entry[] = [
      { index: 1, term: 1, payload: { kind: 'config', config, data: Buffer.from('addresses') } },
      { index: 2, term: 1, payload: { kind: 'none' } },
    ];
    await storage.bootstrap(IDENTITY, { term: 1, vote: null, commit: 2 }, entries);
    const recovered = await recover(disk.crash());
    expect(recovered).toMatchObject({
      identity: IDENTITY,
      hardState: { term: 1, vote: null, commit: 2 },
      snapshot: { index: 0, term: 0, config: { voters: [], learners: [] } },
      repairs: [],
    });
    expect(recovered.entries).toEqual(entries);
  });

  it('is new again, or whole, wherever its bootstrap was interrupted', async () => {
    for (let after = 0; ; after++) {
      const disk = new MemoryDisk();
      const storage = await openStorage(disk);
      disk.failAfter({ after, code: 'EIO', written: 0.5 });
      const hardState = { term: 1, vote: null, commit: 1 };
      const done = await storage.bootstrap(IDENTITY, hardState, [command(1, 1)]).then(
        () => true,
        () => false,
      );
      const next = disk.crash();
      const { recovered } = await openStorage(next);
      if (recovered === undefined) expect(await next.list()).toEqual(['db']);
      if (done || recovered !== undefined) expect(recovered).toMatchObject({ hardState });
      if (done) return;
    }
  });

  it('is not taken for a new one when its log was emptied', async () => {
    const disk = new MemoryDisk();
    await memberWith(disk, 0);
    const name = 'wal-0000000000000001';
    const bytes = Buffer.from((await disk.read(name)) ?? []);
    for (let size = 0; size < bytes.length; size++) {
      const cut = new MemoryDisk(new Map([[name, bytes.subarray(0, size)]]));
      await expect(openStorage(cut)).rejects.toThrow('its first record is missing');
    }
  });

  it('is refused when there is a backend but no log', async () => {
    const disk = new MemoryDisk(new Map([['db', Buffer.from('something')]]));
    await expect(openStorage(disk)).rejects.toThrow('there is no log beside it');
  });
});

describe('the log', () => {
  it('survives a power failure as far as it was synced', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    await storage.save({
      entries: [command(4, 2)],
      hardState: { term: 2, vote: 'b2', commit: 3 },
      mustSync: true,
    });
    const recovered = await recover(disk.crash());
    expect(entryTexts(recovered.entries)).toEqual([
      '1@1 command 1',
      '2@1 command 2',
      '3@1 command 3',
      '4@2 command 4',
    ]);
    expect(recovered.hardState).toEqual({ term: 2, vote: 'b2', commit: 3 });
  });

  it('takes back a suffix that an entry replaces', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 5);
    await storage.save({ entries: [command(3, 2, 'new')], mustSync: true });
    expect(entryTexts((await recover(disk.crash())).entries)).toEqual([
      '1@1 command 1',
      '2@1 command 2',
      '3@2 command new',
    ]);
  });

  it('takes back a suffix that is in segments which are gone', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 40, SEGMENT);
    storage.backend.commit(20);
    await storage.compact(metaAt(20, 1));
    await storage.save({ entries: [command(21, 2)], mustSync: true });
    const recovered = await recover(disk.crash());
    expect(indexes(recovered)).toEqual([21]);
    expect(recovered.snapshot).toEqual(metaAt(20, 1));
  });

  it('refuses a gap, and an entry before its start', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 5);
    storage.backend.commit(3);
    await storage.compact(metaAt(3, 1));
    const save = (entries: readonly Entry[]): Promise<void> =>
      storage.save({ entries, mustSync: true });
    await expect(save([command(7, 1)])).rejects.toThrow(InvariantError);
    await expect(save([command(3, 1)])).rejects.toThrow(InvariantError);
    await expect(save([command(6, 1), command(8, 1)])).rejects.toThrow(InvariantError);
    await save([command(6, 1)]);
    expect(indexes(await recover(disk.crash()))).toEqual([4, 5, 6]);
  });

  it('is one append and one sync a save', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 1);
    const before = disk.changes;
    const hardState = { term: 1, vote: 'a1', commit: 1 };
    await storage.save({ entries: [command(2, 1), command(3, 1)], hardState, mustSync: true });
    expect(disk.changes - before).toBe(2);
    await storage.save({ entries: [], hardState, mustSync: false });
    expect(disk.changes - before).toBe(3);
    await storage.save({ entries: [], mustSync: false });
    expect(disk.changes - before).toBe(3);
  });

  it('loses nothing written when the process is killed and the power fails later', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 1);
    await storage.save({ entries: [command(2, 1)], mustSync: false });
    const killed = disk.crash();
    expect(indexes(await recover(killed))).toEqual([1, 2]);
    const name = 'wal-0000000000000001';
    expect(killed.syncedSize(name)).toBe((await killed.read(name))?.length);
  });

  it('opens when a power failure kept the second of two saves, neither synced', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 1);
    for (const index of [2, 3])
      await storage.save({ entries: [command(index, 1, 'x'.repeat(1_200))], mustSync: false });
    const name = 'wal-0000000000000001';
    const bytes = Buffer.from((await disk.read(name)) ?? []);
    bytes.fill(0, 512, 1_024);
    const recovered = await recover(new MemoryDisk(new Map([[name, bytes]])));
    expect(indexes(recovered)).toEqual([1]);
    expect(recovered.repairs).toHaveLength(1);
  });

  it('refuses to open when it lost the first of two saves that were synced', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 1);
    for (const index of [2, 3])
      await storage.save({ entries: [command(index, 1, 'x'.repeat(1_200))], mustSync: true });
    const name = 'wal-0000000000000001';
    const bytes = Buffer.from((await disk.read(name)) ?? []);
    bytes.fill(0, 512, 1_024);
    await expect(recover(new MemoryDisk(new Map([[name, bytes]])))).rejects.toThrow('was synced');
  });

  it('cuts a torn tail off and says so', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 2);
    disk.failAfter({ after: 0, code: 'ENOSPC', written: 0.5 });
    await expect(
      storage.save({ entries: [command(3, 1, 'a longer value')], mustSync: true }),
    ).rejects.toMatchObject({ code: 'ENOSPC' });
    const { storage: next, recovered } = await reopened(disk.crash());
    expect(indexes(recovered)).toEqual([1, 2]);
    expect(recovered.repairs).toHaveLength(1);
    expect(recovered.repairs[0]).toMatch(/^wal-0000000000000001 had \d+ bytes at its end/);
    await next.save({ entries: [command(3, 1)], mustSync: true });
  });
});

describe('segments', () => {
  const segments = async (disk: MemoryDisk): Promise<readonly string[]> =>
    (await disk.list()).filter((name) => name.startsWith('wal-'));

  it('that hold nothing after the start are removed, and the rest is all there', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 60, SEGMENT);
    const before = (await segments(disk)).length;
    storage.backend.commit(50);
    await storage.compact(metaAt(45, 1));
    expect((await segments(disk)).length).toBeLessThan(before);
    const recovered = await recover(disk.crash());
    expect(indexes(recovered)).toEqual([...Array(15).keys()].map((n) => 46 + n));
    expect(recovered).toMatchObject({ identity: IDENTITY, hardState: { term: 1, vote: 'a1' } });
  });

  it('are refused when one in the middle, or one that is needed, is missing', async () => {
    for (const missing of [0, 2]) {
      const disk = new MemoryDisk();
      await memberWith(disk, 60, SEGMENT);
      await disk.remove((await segments(disk))[missing] ?? '');
      await expect(recover(disk.crash())).rejects.toThrow(/missing.*member remove/);
    }
  });

  it('are refused when one but the last ends early, even between two records', async () => {
    const whole = new MemoryDisk();
    await memberWith(whole, 20, SEGMENT);
    const disk = whole.crash();
    const [first = '', ...others] = await segments(disk);
    const bytes = Buffer.from((await disk.read(first)) ?? []);
    // After a whole record only the segment that follows knows that something is missing.
    const ends = new Set<number>();
    for (let at = BEGINNING; ; ) {
      const read = readRecord(bytes, at);
      if (read.type !== 'record') break;
      at = read.next;
      ends.add(at.offset);
    }
    expect(ends.size).toBeGreaterThan(3);
    for (let size = 0; size < bytes.length; size++) {
      const files = new Map([[first, bytes.subarray(0, size)]]);
      for (const name of others) files.set(name, Buffer.from((await disk.read(name)) ?? []));
      const refusal = await recover(new MemoryDisk(files)).catch(messageOf);
      expect(refusal).toContain(ends.has(size) ? 'is before it' : `${first} is damaged at byte`);
    }
  });

  it('are refused when two exchanged their names', async () => {
    const disk = new MemoryDisk();
    await memberWith(disk, 60, SEGMENT);
    const [, second = '', third = ''] = await segments(disk);
    await disk.rename(second, 'aside');
    await disk.rename(third, second);
    await disk.rename('aside', third);
    await expect(recover(disk.crash())).rejects.toBeInstanceOf(HarnessError);
  });
});

describe('an install', () => {
  it('replaces the backend and the whole log', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 30, SEGMENT);
    storage.backend.put('key', 'old', Buffer.from('old'));
    storage.backend.commit(10);
    storage.backend.put('key', 'pending', Buffer.from('old'));
    await storage.install({ meta: metaAt(20, 4), data: await snapshotAt(20, 'leader') });
    expect(storage.backend).toMatchObject({ applied: 20, pending: 0 });
    const changes = disk.changes;
    await storage.backend.sync();
    expect(disk.changes).toBe(changes);
    expect(await contents(storage.backend)).toEqual(['key/from=leader']);
    await storage.save({ entries: [command(21, 4)], mustSync: true });
    const { storage: next, recovered } = await reopened(disk.crash());
    expect(indexes(recovered)).toEqual([21]);
    expect(recovered.snapshot).toEqual(metaAt(20, 4));
    expect(await contents(next.backend)).toEqual(['key/from=leader']);
    expect((await disk.crash().list()).filter((name) => name.startsWith('wal-'))).toHaveLength(1);
  });

  it('brings the hard state up to the snapshot when the save after it never came', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    await storage.install({ meta: metaAt(20, 4), data: await snapshotAt(20, 'leader') });
    const { hardState } = await recover(disk.crash());
    expect(hardState).toEqual({ term: 4, vote: null, commit: 20 });
  });

  it('is all or nothing wherever it was interrupted', async () => {
    const data = await snapshotAt(20, 'leader');
    const seen = new Set<string>();
    for (let after = 0; ; after++) {
      const disk = new MemoryDisk();
      const storage = await memberWith(disk, 12, SEGMENT);
      storage.backend.put('key', 'from', Buffer.from('self'));
      storage.backend.commit(10);
      disk.failAfter({ after, code: 'EIO', written: 0.7 });
      const done = await storage.install({ meta: metaAt(20, 4), data }).then(
        () => true,
        () => false,
      );
      const { storage: next, recovered } = await reopened(disk.crash());
      const state = `${recovered.snapshot.index} ${(await contents(next.backend)).join()}`;
      seen.add(state);
      expect(next.backend.applied).toBe(recovered.snapshot.index === 20 ? 20 : 10);
      expect(indexes(recovered)).toHaveLength(recovered.snapshot.index === 20 ? 0 : 12);
      if (!done) continue;
      expect(state).toBe('20 key/from=leader');
      break;
    }
    expect([...seen]).toEqual(['0 key/from=self', '20 key/from=leader']);
  });

  it('leaves everything as it is when the snapshot is damaged or of another index', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    const data = Buffer.from(await snapshotAt(20, 'leader'));
    const damaged = Buffer.from(data);
    damaged[40] = 0;
    for (const wrong of [damaged, data.subarray(0, -1)])
      await expect(storage.install({ meta: metaAt(20, 4), data: wrong })).rejects.toThrow(
        'cannot be installed: at byte 0',
      );
    await expect(storage.install({ meta: metaAt(21, 4), data })).rejects.toThrow(
      'applied up to 20 instead of 21',
    );
    await storage.save({ entries: [command(4, 1)], mustSync: true });
    expect(indexes(await recover(disk.crash()))).toEqual([1, 2, 3, 4]);
  });
});

describe('log and backend', () => {
  it('are refused when the backend is shorter than a compaction had synced', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 5);
    storage.backend.put('key', 'a', Buffer.from('1'));
    storage.backend.commit(4);
    await storage.compact(metaAt(3, 1));
    await disk.remove('db');
    await expect(recover(disk.crash())).rejects.toThrow(
      /^db is damaged at byte 0: it ends here, but the log says .* up to byte \d+; remove/,
    );
  });

  it('are refused when the backend is of another member', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 5);
    storage.backend.put('key', 'a', Buffer.from('1'));
    storage.backend.commit(4);
    await storage.compact(metaAt(3, 1));
    const killed = disk.crash();
    const files = new Map<string, Uint8Array>([['db', await snapshotAt(4, 'b'.repeat(90))]]);
    const log = 'wal-0000000000000001';
    files.set(log, (await killed.read(log)) ?? new Uint8Array());
    await expect(recover(new MemoryDisk(files))).rejects.toThrow('with other contents');
  });

  it('are refused when the backend is ahead of the log', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 5);
    storage.backend.commit(6);
    await expect(recover(disk.crash())).rejects.toThrow('applied up to 6, but the log ends at 5');
  });

  it('need the log again when the backend loses a batch that nobody had synced', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 5);
    storage.backend.put('key', 'a', Buffer.from('1'));
    storage.backend.commit(2);
    await storage.compact(metaAt(2, 1));
    disk.failAfter({ after: 0, code: 'EIO', written: 0.5 });
    storage.backend.put('key', 'a', Buffer.from('2'));
    expect(() => {
      storage.backend.commit(5);
    }).toThrow('EIO');
    const { storage: next, recovered } = await reopened(disk.crash());
    expect(next.backend.applied).toBe(2);
    expect(await contents(next.backend)).toEqual(['key/a=1']);
    expect(indexes(recovered)).toEqual([3, 4, 5]);
    expect(recovered.repairs[0]).toMatch(/^db had \d+ bytes/);
  });
});

describe('a storage', () => {
  it('fails with the same error for ever once the disk has failed', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    disk.failAfter({ after: 1, code: 'EIO' });
    const error = await storage.save({ entries: [command(4, 1)], mustSync: true }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'EIO' });
    await expect(storage.save({ entries: [], mustSync: true })).rejects.toBe(error);
    await expect(storage.compact(metaAt(0, 0))).rejects.toBe(error);
    await expect(storage.backend.load()).rejects.toBe(error);
    await expect(storage.backend.sync()).rejects.toBe(error);
    await expect(storage.backend.snapshot()).rejects.toBe(error);
    expect(() => {
      storage.backend.commit(1);
    }).toThrow('EIO');
  });

  it('takes one save at a time, and lets a compaction wait for it', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    storage.backend.commit(2);
    const first = storage.save({ entries: [command(4, 1)], mustSync: true });
    const second = storage.save({ entries: [command(5, 1)], mustSync: true });
    const compacted = storage.compact(metaAt(2, 1));
    await expect(second).rejects.toThrow(InvariantError);
    await first;
    await compacted;
    expect(indexes(await recover(disk.crash()))).toEqual([3, 4]);
  });

  it('leaves files of others alone, and removes its own unfinished ones', async () => {
    const disk = new MemoryDisk();
    await memberWith(disk, 1);
    for (const name of ['notes.txt', 'wal-1', 'db.incoming', 'wal.incoming']) await disk.open(name);
    const next = disk.crash();
    await recover(next);
    expect(await next.list()).toEqual(['db', 'notes.txt', 'wal-0000000000000001', 'wal-1']);
  });

  it('writes nothing when it is closed, and waits for what is under way', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 1);
    storage.backend.commit(1);
    const saved = storage.save({ entries: [command(2, 1)], mustSync: true });
    const compacted = storage.compact(metaAt(1, 1));
    await storage[Symbol.asyncDispose]();
    await saved;
    await compacted;
    const before = disk.changes;
    await storage[Symbol.asyncDispose]();
    await expect(storage.save({ entries: [], mustSync: true })).rejects.toThrow('is closed');
    expect(disk.changes).toBe(before);
    expect(indexes(await recover(disk.crash()))).toEqual([2]);
  });
});
