/** One number over all that is kept, so that members can be compared. */
import { crc32 } from 'node:zlib';
import { encodeNumber, encodeVersion, versionName } from './bucket-codec.ts';
import type { KeySpace } from './key-space.ts';

/**
 * CRC-32 over the compact revision and every kept version up to `revision`, in the order of
 * changes, with its place, key, value, lease and counters: two members that applied the same log
 * up to the same compaction agree.
 */
export function hashUpTo(space: KeySpace, revision: number): number {
  let hash = crc32(encodeNumber(space.compactRevision));
  for (const { kv, sub } of space.versionsUpTo(revision))
    hash = crc32(encodeVersion(kv), crc32(versionName(kv.modRevision, sub), hash));
  return hash;
}
