/** Backups for tests. */
import { got } from '../bugs-testing.ts';
import type { Bytes } from '../bytes.ts';
import type { Backup } from '../server/api.ts';
import { type MemoryCluster, urlOf } from '../server/testing.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { openStorage } from '../storage/storage.ts';
import type { BackendCopy, Buckets, BucketWriter, Identity } from '../storage/types.ts';
import { backupOf } from './backup-file.ts';
import type { RestorePlan } from './restore.ts';

export const OWNER: Identity = { member: 'a1', cluster: 'c0ffee' };

/** Of a cluster of three. */
export const PLAN: RestorePlan = {
  name: 'n1',
  initialCluster: ['n1', 'n2', 'n3'].map((name) => ({ name, peerUrls: [`http://${name}:2380`] })),
  token: 'new',
};

/** The file that it makes. */
export async function fileOf({ pieces }: Backup): Promise<Buffer> {
  const chunks: Bytes[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return Buffer.concat(chunks);
}

/** A backend of which each of `batches` is one commit. */
export async function backendOf(
  batches: readonly ((writer: BucketWriter) => void)[],
): Promise<BackendCopy> {
  await using storage = await openStorage(new MemoryDisk());
  for (const [at, write] of batches.entries()) {
    write(storage.backend);
    storage.backend.commit(at + 1);
  }
  return await storage.backend.snapshot();
}

/** The file of a backup of such a backend. */
export async function backupFileOf(
  batches: readonly ((writer: BucketWriter) => void)[],
): Promise<Buffer> {
  return fileOf(backupOf(await backendOf(batches), OWNER));
}

/** The file of a backup of a running member. */
export async function backupFileFrom(cluster: MemoryCluster, name: string): Promise<Buffer> {
  return fileOf(got(await cluster.node(name).api.snapshot()));
}

export function memberAt(name: string): RestorePlan['initialCluster'][number] {
  return { name, peerUrls: [urlOf(name)] };
}

export function flipped(file: Buffer, bit: number): Buffer {
  const changed = Buffer.from(file);
  const at = Math.floor(bit / 8);
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
  return changed;
}

/** `bucket/key=value`, sorted. */
export function textsOf(buckets: Buckets): string[] {
  return [...buckets]
    .flatMap(([bucket, items]) =>
      [...items].map(([key, value]) => `${bucket}/${key}=${Buffer.from(value).toString('hex')}`),
    )
    .toSorted();
}
