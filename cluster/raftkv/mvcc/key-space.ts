/** All versions of all keys, by key and by revision. */
import { invariant } from '../../../harness/core/invariant.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import {
  COMPACT_REVISION_NAME,
  decodeNumber,
  decodeVersion,
  encodeNumber,
  encodeVersion,
  KEY_BUCKET,
  META_BUCKET,
  REVISION_NAME,
  subOf,
  versionName,
} from './bucket-codec.ts';
import { isTombstone, type KeyHistory, tombstone, trim, type Version } from './key-history.ts';
import { compareTexts, keyText, type Span } from './keys.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { KeyValue, LeaseId } from './types.ts';

/** What a version costs beside its key and value, roughly. */
const VERSION_OVERHEAD = 40;

/**
 * A change is made of `put`s and `remove`s, which are visible at once to whoever reads at
 * `visible`, and becomes one revision by `commit`. Writes through to the buckets.
 */
export class KeySpace {
  readonly bugs: Bugs;
  readonly #writer: BucketWriter;
  readonly #byKey = new Map<string, KeyHistory>();
  readonly #sorted = new SortedKeys<KeyHistory>();
  /** At `i`, in order, what changed in revision `compactRevision + i`: what watches read. */
  readonly #log: Version[][] = [];
  /** What will be the next revision. */
  #pending: Version[] = [];
  /** etcd's first revision is 1, though nothing changes in it. */
  #revision = 1;
  #compactRevision = 0;
  #size = 0;

  constructor(writer: BucketWriter, bugs: Bugs = NO_BUGS) {
    this.bugs = bugs;
    this.#writer = writer;
    this.#log.push([], []);
  }

  /** From what another space wrote. Throws `MalformedBytes` when it was not that. */
  static restore(buckets: Buckets, writer: BucketWriter, bugs: Bugs = NO_BUGS): KeySpace {
    const space = new KeySpace(writer, bugs);
    const meta = buckets.get(META_BUCKET);
    const revision = meta?.get(REVISION_NAME);
    const compactRevision = meta?.get(COMPACT_REVISION_NAME);
    if (revision !== undefined) space.#revision = decodeNumber(revision);
    if (compactRevision !== undefined) space.#compactRevision = decodeNumber(compactRevision);
    // Breaks: the revision never goes back, whatever a compaction has removed.
    if (bugs.has('compaction-restart')) {
      space.#revision = newestRevision(buckets);
      space.#compactRevision = Math.min(space.#compactRevision, space.#revision);
    }
    space.#log.length = 0;
    for (let at = space.#compactRevision; at <= space.#revision; at++) space.#log.push([]);

    const versions = [...(buckets.get(KEY_BUCKET) ?? [])];
    versions.sort(([a], [b]) => compareTexts(a, b));
    for (const [name, value] of versions) {
      const kv = decodeVersion(value);
      const history = space.#historyOf(kv.key);
      const version = space.#add(history, { ...kv, key: history.key }, subOf(name));
      if (kv.modRevision < space.#compactRevision) continue;
      space.changesOf(kv.modRevision).push(version);
    }
    return space;
  }

  get revision(): number {
    return this.#revision;
  }

  get compactRevision(): number {
    return this.#compactRevision;
  }

  get sizeInUse(): number {
    return this.#size;
  }

  /** The revision that shows everything, also what is not committed yet. */
  get visible(): number {
    return this.#revision + (this.#pending.length > 0 ? 1 : 0);
  }

  get(text: string): KeyHistory | undefined {
    return this.#byKey.get(text);
  }

  /** In the order of keys; also of keys that are deleted by now. */
  histories(span: Span): readonly KeyHistory[] {
    if (span.only === undefined) return this.#sorted.between(span.from, span.to);
    const history = this.#byKey.get(span.only);
    return history === undefined ? [] : [history];
  }

  /** From `compactRevision` to `revision`. */
  changesOf(revision: number): Version[] {
    const changes = this.#log[revision - this.#compactRevision];
    invariant(changes !== undefined, `revision ${revision} is not in the log`);
    return changes;
  }

  put(key: Bytes, value: Bytes, lease: LeaseId): void {
    const history = this.#historyOf(key);
    const before = history.versions.at(-1)?.kv;
    const revision = this.#revision + 1;
    const isNew = before === undefined || isTombstone(before);
    this.#append(history, {
      key: history.key,
      // A copy: the caller's bytes are a view of a whole message.
      value: new Uint8Array(value),
      createRevision: isNew ? revision : before.createRevision,
      modRevision: revision,
      version: isNew ? 1 : before.version + 1,
      lease,
    });
  }

  /** The key must exist. */
  remove(history: KeyHistory): void {
    this.#append(history, tombstone(history.key, this.#revision + 1));
  }

  /** Makes what is pending one revision, and returns it; empty: there was nothing. */
  commit(): readonly Version[] {
    const changes = this.#pending;
    if (changes.length === 0) return changes;
    this.#pending = [];
    this.#revision++;
    this.#log.push(changes);
    this.#writer.put(META_BUCKET, REVISION_NAME, encodeNumber(this.#revision));
    return changes;
  }

  /** Forgets what lies before `revision`, which must be above `compactRevision`. */
  compact(revision: number): void {
    // What a compaction can remove either changed since the last one, or was replaced since.
    const touched = new Set<KeyHistory>();
    for (let at = this.#compactRevision; at <= revision; at++)
      for (const { history } of this.changesOf(at)) touched.add(history);
    for (const history of touched) {
      for (const { kv, sub } of trim(history, revision, this.bugs)) {
        this.#size -= sizeOf(kv);
        this.#writer.delete(KEY_BUCKET, versionName(kv.modRevision, sub));
      }
      if (history.versions.length > 0) continue;
      this.#byKey.delete(history.text);
      this.#sorted.remove(history.text);
    }
    this.#log.splice(0, revision - this.#compactRevision);
    if (this.bugs.has('compaction-restart'))
      this.#log[0] = this.changesOf(this.#compactRevision).filter(isThere);
    this.#compactRevision = revision;
    this.#writer.put(META_BUCKET, COMPACT_REVISION_NAME, encodeNumber(revision));
  }

  /** All versions kept, in the order of their changes, up to `revision`. */
  versionsUpTo(revision: number): readonly Version[] {
    const old = this.#sorted.between('', undefined).flatMap(({ versions }) => {
      const first = versions[0];
      return first !== undefined && first.kv.modRevision < this.#compactRevision ? [first] : [];
    });
    old.sort((a, b) => a.kv.modRevision - b.kv.modRevision || a.sub - b.sub);
    return [old, ...this.#log.slice(0, revision - this.#compactRevision + 1)].flat();
  }

  #append(history: KeyHistory, kv: KeyValue): void {
    const sub = this.#pending.length;
    this.#pending.push(this.#add(history, kv, sub));
    this.#writer.put(KEY_BUCKET, versionName(kv.modRevision, sub), encodeVersion(kv));
  }

  #add(history: KeyHistory, kv: KeyValue, sub: number): Version {
    const version: Version = { kv, sub, history };
    history.versions.push(version);
    this.#size += sizeOf(kv);
    return version;
  }

  #historyOf(key: Bytes): KeyHistory {
    const text = keyText(key);
    const found = this.#byKey.get(text);
    if (found !== undefined) return found;
    const history: KeyHistory = { text, key: new Uint8Array(key), versions: [] };
    this.#byKey.set(text, history);
    this.#sorted.add(history);
    return history;
  }
}

function isThere(version: Version): boolean {
  return version.history.versions.includes(version);
}

/** Of the keys' versions that are left; 1: there is none. */
function newestRevision(buckets: Buckets): number {
  let newest = 1;
  for (const value of buckets.get(KEY_BUCKET)?.values() ?? [])
    newest = Math.max(newest, decodeVersion(value).modRevision);
  return newest;
}

function sizeOf(kv: KeyValue): number {
  return kv.key.length + kv.value.length + VERSION_OVERHEAD;
}
