/** What the tests of this folder share. */
import type { Bytes } from '../bytes.ts';
import type { Entry, SnapshotMeta } from '../raft/types.ts';
import { MemoryDisk } from './memory-disk.ts';
import { openStorage } from './storage.ts';
import type { Backend, Disk, Identity, Storage } from './types.ts';

export const IDENTITY: Identity = { member: 'a1', cluster: 'c0ffee' };
export const VOTERS: readonly string[] = ['a1', 'b2', 'c3'];

export function command(index: number, term: number, data: Bytes | string = `${index}`): Entry {
  return { index, term, payload: { kind: 'command', data: Buffer.from(data) } };
}

export function metaAt(index: number, term: number): SnapshotMeta {
  return { index, term, config: { voters: VOTERS, learners: [] } };
}

/** As texts, so that tests can compare and print them. */
export function entryTexts(entries: readonly Entry[]): string[] {
  return entries.map(({ index, term, payload }) => {
    const rest = payload.kind === 'command' ? Buffer.from(payload.data).toString('latin1') : '';
    return `${index}@${term} ${payload.kind} ${rest}`;
  });
}

/** `bucket/key=value`, sorted. */
export async function contents(backend: Backend): Promise<string[]> {
  const buckets = await backend.load();
  return [...buckets]
    .flatMap(([bucket, items]) =>
      [...items].map(([key, value]) => `${bucket}/${key}=${Buffer.from(value).toString('latin1')}`),
    )
    .toSorted();
}

/** A backend's bytes as another member would send them. */
export async function snapshotAt(index: number, value: string): Promise<Bytes> {
  await using storage = await openStorage(new MemoryDisk());
  storage.backend.put('key', 'from', Buffer.from(value));
  storage.backend.commit(index);
  return (await storage.backend.snapshot()).data;
}

/** A member of which `count` entries of term 1 are durable, and nothing is applied. */
export async function memberWith(
  disk: Disk,
  count: number,
  segmentBytes = 1_000_000,
): Promise<Storage> {
  const storage = await openStorage(disk, { segmentBytes });
  const hardState = { term: 1, vote: 'a1', commit: 0 };
  await storage.bootstrap(IDENTITY, hardState, []);
  for (let index = 1; index <= count; index++)
    await storage.save({ entries: [command(index, 1)], mustSync: true });
  return storage;
}
