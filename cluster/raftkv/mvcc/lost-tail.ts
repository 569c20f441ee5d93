/** For the planted bug `snapshot-tail` only. */
import type { Bytes } from '../bytes.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import {
  COMPACT_REVISION_NAME,
  decodeNumber,
  decodeVersion,
  encodeNumber,
  KEY_BUCKET,
  META_BUCKET,
  REVISION_NAME,
} from './bucket-codec.ts';

/** Revisions. */
const TAIL = 10;

/**
 * A store without the newest of its revisions, as if they had never been made: in what is returned,
 * and in what `writer` writes. The compacted one and those before it stay.
 */
export function withoutTail(buckets: Buckets, writer: BucketWriter): Buckets {
  const meta = new Map(buckets.get(META_BUCKET));
  const revision = numberOr(meta.get(REVISION_NAME), 1);
  const kept = Math.max(1, numberOr(meta.get(COMPACT_REVISION_NAME), 0), revision - TAIL);
  const versions = new Map(buckets.get(KEY_BUCKET));
  for (const [name, value] of versions) {
    if (decodeVersion(value).modRevision <= kept) continue;
    versions.delete(name);
    writer.delete(KEY_BUCKET, name);
  }
  meta.set(REVISION_NAME, encodeNumber(kept));
  writer.put(META_BUCKET, REVISION_NAME, encodeNumber(kept));
  return new Map([...buckets, [META_BUCKET, meta], [KEY_BUCKET, versions]]);
}

function numberOr(bytes: Bytes | undefined, absent: number): number {
  return bytes === undefined ? absent : decodeNumber(bytes);
}
