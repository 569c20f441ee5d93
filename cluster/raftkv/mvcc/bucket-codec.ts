/** How the store lies in a backend: names of buckets, their keys and their values. */
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import type { KeyValue, LeaseId } from './types.ts';

/** Versions by revision. */
export const KEY_BUCKET = 'key';
/** TTLs by lease id. What hangs on a lease is told by the versions. */
export const LEASE_BUCKET = 'lease';
/** Two numbers, under the names below. */
export const META_BUCKET = 'meta';

/**
 * The current revision must not be recomputed from the keys: a compaction that drops the newest
 * tombstone would turn it back (etcd #17780).
 */
export const REVISION_NAME = 'revision';
export const COMPACT_REVISION_NAME = 'compact-revision';

// 14 hexadecimal digits hold every safe integer.
const REVISION_DIGITS = 14;
const SUB_DIGITS = 6;

/** Of fixed width, so that the order of texts is the order of changes. */
export function versionName(revision: number, sub: number): string {
  const main = revision.toString(16).padStart(REVISION_DIGITS, '0');
  return `${main}.${sub.toString(16).padStart(SUB_DIGITS, '0')}`;
}

/** The inverse of the second part of `versionName`. */
export function subOf(name: string): number {
  const sub = Number.parseInt(name.slice(REVISION_DIGITS + 1), 16);
  if (!Number.isSafeInteger(sub)) throw new MalformedBytes('not the name of a version');
  return sub;
}

export function encodeVersion(kv: KeyValue): Bytes {
  return new ByteWriter()
    .bytes(kv.key)
    .bytes(kv.value)
    .number(kv.createRevision)
    .number(kv.modRevision)
    .number(kv.version)
    .text(kv.lease)
    .done();
}

/** Copies what it takes, so that the file it came from need not stay in memory. */
export function decodeVersion(bytes: Bytes): KeyValue {
  const reader = new ByteReader(bytes);
  const kv: KeyValue = {
    key: new Uint8Array(reader.bytes()),
    value: new Uint8Array(reader.bytes()),
    createRevision: reader.number(),
    modRevision: reader.number(),
    version: reader.number(),
    lease: reader.text(),
  };
  reader.end();
  return kv;
}

export function encodeNumber(value: number): Bytes {
  return new ByteWriter().number(value).done();
}

export function decodeNumber(bytes: Bytes): number {
  const reader = new ByteReader(bytes);
  const value = reader.number();
  reader.end();
  return value;
}

/** Ids are signed, and have no fixed width: neither texts nor floats order them. */
export function compareLeaseIds(a: LeaseId, b: LeaseId): number {
  if (a === b) return 0;
  return BigInt(a) < BigInt(b) ? -1 : 1;
}
