/** What is kept of one key: its versions, oldest first. */
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import { type KeyValue, NO_LEASE } from './types.ts';

/** One change of one key. Of a deletion, the tombstone, `kv` has `version` 0. */
export interface Version {
  /** `kv.modRevision` is the revision of the change. */
  readonly kv: KeyValue;
  /** Its place, from 0, among the changes of its revision. */
  readonly sub: number;
  readonly history: KeyHistory;
}

export interface KeyHistory {
  readonly text: string;
  readonly key: Bytes;
  /** Ordered by revision and `sub`; only those still kept. */
  readonly versions: Version[];
}

export const NO_VALUE: Bytes = new Uint8Array(0);

/** How a deletion is kept, and what an event says of it. */
export function tombstone(key: Bytes, revision: number): KeyValue {
  return {
    key,
    value: NO_VALUE,
    createRevision: 0,
    modRevision: revision,
    version: 0,
    lease: NO_LEASE,
  };
}

export function isTombstone(kv: KeyValue): boolean {
  return kv.version === 0;
}

/** The index of the first version of `revision` or later. */
function firstFrom(versions: readonly Version[], revision: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle]?.kv.modRevision ?? 0) < revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The key as it was at the end of `revision`; undefined when it did not exist then. */
export function valueAt(history: KeyHistory, revision: number): KeyValue | undefined {
  const { versions } = history;
  const newest = versions[versions.length - 1];
  const found =
    newest !== undefined && newest.kv.modRevision <= revision
      ? newest
      : versions[firstFrom(versions, revision + 1) - 1];
  return found === undefined || isTombstone(found.kv) ? undefined : found.kv;
}

/**
 * Takes out what a compaction at `revision` does not keep, and returns it. Kept are all changes of
 * `revision` and later, deletions too: a watch may still start there (etcd #19179). From before,
 * the one version that is still the key's value at `revision` is kept.
 */
export function trim(history: KeyHistory, revision: number, bugs: Bugs = NO_BUGS): Version[] {
  const { versions } = history;
  const later = firstFrom(versions, revision);
  const before = versions[later - 1];
  const isChangedThen = versions[later]?.kv.modRevision === revision;
  // Breaks: what a key is at the compacted revision stays readable.
  const isKept = !bugs.has('compact-live');
  const isValueThen = isKept && before !== undefined && !isChangedThen && !isTombstone(before.kv);
  // Breaks: a watch may still start at the compacted revision, and must see what it deleted.
  if (bugs.has('compaction-restart') && isChangedThen && versions[later]?.kv.version === 0)
    return versions.splice(0, later + 1);
  return versions.splice(0, isValueThen ? later - 1 : later);
}
