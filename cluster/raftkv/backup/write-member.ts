/** The disk of a member that never ran: as if it had compacted its log right after its start. */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Bytes } from '../bytes.ts';
import { decodeConfigData } from '../server/command.ts';
import type { Bootstrap } from '../server/identity.ts';
import { Members } from '../server/members.ts';
import { DB, writeBuckets } from '../storage/backend-file.ts';
import { BEGINNING, type Position } from '../storage/record.ts';
import type { Buckets, BucketWriter, Disk } from '../storage/types.ts';
import { writeSegment } from '../storage/wal.ts';

/**
 * A member of a cluster that starts with `buckets`, in which there are no members yet. The disk must
 * be empty. The log comes last and whole, and without a log no member starts. Durable when it
 * resolves.
 */
export async function writeMember(
  disk: Disk,
  { identity, hardState, entries }: Bootstrap,
  buckets: Buckets,
): Promise<void> {
  const all = new Map([...buckets].map(([name, items]) => [name, new Map(items)]));
  const members = new Members(new Map(), writerTo(all));
  for (const { payload } of entries) {
    invariant(payload.kind === 'config', 'a cluster starts with its members');
    members.apply(decodeConfigData(payload.data));
  }
  const last = entries.at(-1);
  invariant(last?.payload.kind === 'config', 'a cluster has a member');
  const { index, term, payload } = last;
  const db = await writeBackend(disk, all, index);
  const marker = { meta: { index, term, config: payload.config }, db, isInstalled: false };
  const segment = { sequence: 1, identity, hardState, marker, lastIndex: index };
  await writeSegment(disk, segment, BEGINNING.chain, []);
}

async function writeBackend(disk: Disk, buckets: Buckets, applied: number): Promise<Position> {
  await using file = await disk.open(DB);
  const end = writeBuckets(file, buckets, applied);
  await file.sync();
  return end;
}

function writerTo(buckets: Map<string, Map<string, Bytes>>): BucketWriter {
  return {
    put: (bucket, key, value) => {
      const items = buckets.get(bucket) ?? new Map<string, Bytes>();
      buckets.set(bucket, items.set(key, value));
    },
    delete: (bucket, key) => {
      buckets.get(bucket)?.delete(key);
    },
  };
}
