/** Every bit of a small folder is changed, one at a time: nothing wrong may be taken for right. */
import { describe, expect, it } from 'vitest';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import {
  command,
  contents,
  entryTexts,
  IDENTITY,
  memberWith,
  metaAt,
  snapshotAt,
} from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { openStorage } from './storage.ts';

type Files = ReadonlyMap<string, Buffer>;

async function filesOf(disk: MemoryDisk): Promise<Files> {
  const next = disk.crash();
  const files = new Map<string, Buffer>();
  for (const name of await next.list()) files.set(name, Buffer.from((await next.read(name)) ?? []));
  return files;
}

/** Some segments; values of zeros, also in the last record; a backend of which a part is synced. */
async function folder(): Promise<{ files: Files; synced: number }> {
  const disk = new MemoryDisk();
  const storage = await memberWith(disk, 12, 500);
  storage.backend.put('key', 'a', Buffer.from('one'));
  storage.backend.commit(6);
  storage.backend.put('key', 'zeros', Buffer.alloc(1_100));
  storage.backend.commit(9);
  const synced = storage.backend.size;
  await storage.compact(metaAt(6, 1));
  storage.backend.put('key', 'a', Buffer.from('two'));
  storage.backend.commit(11);
  storage.backend.delete('key', 'zeros');
  storage.backend.commit(12);
  const hardState = { term: 2, vote: 'b2', commit: 12 };
  const entries = [command(13, 2, Buffer.alloc(1_300)), command(14, 2, 'last')];
  await storage.save({ entries, hardState, mustSync: true });
  return { files: await filesOf(disk), synced };
}

async function state(files: Files): Promise<{ text: string; repairs: readonly string[] }> {
  const storage = await openStorage(new MemoryDisk(files), { segmentBytes: 500 });
  const { entries, identity, hardState, snapshot, repairs = [] } = storage.recovered ?? {};
  const log = { log: entryTexts(entries ?? []), identity, hardState, snapshot };
  const { applied } = storage.backend;
  const text = JSON.stringify({ ...log, applied, db: await contents(storage.backend) });
  return { text, repairs };
}

interface Flipped {
  readonly name: string;
  readonly byte: number;
  /** What `openStorage` threw; undefined: it opened. */
  readonly refusal: unknown;
  readonly text: string;
  readonly repairs: readonly string[];
}

async function flip(files: Files, name: string, each: (flipped: Flipped) => void): Promise<void> {
  const bytes = files.get(name) ?? Buffer.alloc(0);
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const byte = bit >> 3;
    const changed = Buffer.from(bytes);
    changed[byte] = (changed[byte] ?? 0) ^ (1 << (bit % 8));
    const found = await state(new Map([...files, [name, changed]])).then(
      (opened) => ({ ...opened, refusal: undefined }),
      (refusal: unknown) => ({ text: '', repairs: [], refusal }),
    );
    each({ name, byte, ...found });
  }
}

function expectRefusal({ name, byte, refusal }: Flipped): void {
  // Not `expect` for each: there are tens of thousands of them.
  const message =
    refusal instanceof HarnessError ? refusal.message : `not refused: ${messageOf(refusal)}`;
  const [, file, offset] = /^(\S+) is damaged at byte (\d+): .*member remove/.exec(message) ?? [];
  if (file !== name || Number(offset) > byte)
    expect.fail(`byte ${byte} of ${name} was changed: ${message}`);
}

describe('a changed bit', () => {
  it('anywhere in the log is refused, with file and offset', async () => {
    const { files } = await folder();
    const segments = [...files.keys()].filter((name) => name.startsWith('wal-'));
    expect(segments.length).toBeGreaterThan(1);
    let count = 0;
    for (const name of segments)
      await flip(files, name, (flipped) => {
        expectRefusal(flipped);
        count++;
      });
    expect(count).toBeGreaterThan(10_000);
  });

  it('in what is synced of the backend is refused; beyond, the log is used instead', async () => {
    const { files, synced } = await folder();
    const size = files.get('db')?.length ?? 0;
    expect(synced).toBeGreaterThan(1_000);
    expect(size).toBeGreaterThan(synced);
    const right = new Map<string, number>();
    for (const cut of [synced, size - 1]) {
      const shorter = new Map([
        ...files,
        ['db', (files.get('db') ?? Buffer.alloc(0)).subarray(0, cut)],
      ]);
      right.set((await state(shorter)).text, cut);
    }
    expect(right.size).toBe(2);
    await flip(files, 'db', (flipped) => {
      if (flipped.byte < synced) {
        expectRefusal(flipped);
        return;
      }
      const isRight = right.has(flipped.text) && /^db had \d+ bytes/.test(flipped.repairs[0] ?? '');
      if (!isRight) expect.fail(`byte ${flipped.byte} of db: ${flipped.text}`);
    });
  });

  it('in a snapshot that is half installed is refused', async () => {
    const disk = new MemoryDisk();
    const storage = await memberWith(disk, 3);
    const install = { meta: metaAt(9, 3), data: await snapshotAt(9, 'leader') };
    // Remove, create, append, sync, the marker's append and sync; then the rename fails.
    disk.failAfter({ after: 6, code: 'EIO' });
    await expect(storage.install(install)).rejects.toThrow('EIO');
    const files = await filesOf(disk);
    expect([...files.keys()]).toContain('db.incoming');
    expect((await state(files)).text).toContain('leader');
    await flip(files, 'db.incoming', expectRefusal);
  });

  it('does not stop a member from opening when no bit is changed', async () => {
    const { files } = await folder();
    const { text, repairs } = await state(files);
    expect(repairs).toEqual([]);
    expect(JSON.parse(text)).toMatchObject({ identity: IDENTITY, applied: 12, db: ['key/a=two'] });
  });
});
