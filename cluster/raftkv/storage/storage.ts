/**
 * What a member keeps on its disk: the log that raft writes ahead, and the backend that the state
 * machine writes behind. All recovery after a crash is here: first everything is read and judged,
 * and only what can be trusted is then repaired.
 */
import { HarnessError } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import type { Entry, HardState, SnapshotMeta } from '../raft/types.ts';
import {
  asBuffer,
  type BatchesFound,
  DB,
  FileBackend,
  INCOMING_DB,
  REWRITTEN_DB,
  readBatches,
} from './backend-file.ts';
import { damaged, Fuse } from './damage.ts';
import { BEGINNING, type Position } from './record.ts';
import type { Backend, Disk, Identity, Recovered, Rewritten, Storage } from './types.ts';
import { INCOMING_SEGMENT, segmentName, Wal, type WalState, writeSegment } from './wal.ts';
import { FIRST_MARKER, lastIndexAfter, type StartMarker } from './wal-records.ts';
import { readWal, type WalFound } from './wal-recovery.ts';

const MIB = 1_048_576;

export interface StorageOptions {
  /** A segment of the log that is longer is not written to any more. */
  readonly segmentBytes?: number;
  /** Planted; absent: none. */
  readonly bugs?: Bugs;
}

/**
 * Finishes or forgets what a crash interrupted. Throws `store-failed`, with file and offset, when
 * what had been promised is not there any more; then nothing is changed.
 */
export async function openStorage(disk: Disk, options: StorageOptions = {}): Promise<Storage> {
  const segmentBytes = options.segmentBytes ?? 16 * MIB;
  const bugs = options.bugs ?? NO_BUGS;
  const fuse = new Fuse();
  const found = await readWal(disk);
  await using opened = new AsyncDisposableStack();
  if (found === undefined) {
    await assertEmpty(disk);
    await removeTemporary(disk);
    const file = opened.use(await disk.open(DB));
    const empty = { end: BEGINNING, applied: 0, synced: 0 };
    const backend = new FileBackend(disk, fuse, file, empty, bugs);
    opened.move();
    return new FileStorage({ disk, segmentBytes, fuse, backend, wal: undefined }, undefined);
  }
  const db = await judgeBackend(disk, found);
  const repairs = [...cutText(segmentName(found.state.sequence), found.tornBytes), ...db.repairs];
  const wal = opened.use(await openWal(disk, segmentBytes, found));
  const backend = opened.use(await openBackend(disk, fuse, db, found.image.marker, bugs));
  // Only now: until the rename in `openBackend`, one of them may be what the log speaks of.
  await removeTemporary(disk);
  await wal.removeOld();
  opened.move();
  const recovered = recoveredFrom(found, repairs);
  return new FileStorage({ disk, segmentBytes, fuse, backend, wal }, recovered);
}

/** A log is never removed whole: a backend without one has lost it. */
async function assertEmpty(disk: Disk): Promise<void> {
  const size = (await disk.read(DB))?.length ?? 0;
  if (size > 0) throw damaged(DB, 0, `it has ${size} bytes, but there is no log beside it`);
}

async function removeTemporary(disk: Disk): Promise<void> {
  for (const name of [INCOMING_SEGMENT, INCOMING_DB, REWRITTEN_DB]) await disk.remove(name);
}

interface BackendJudged {
  readonly found: BatchesFound;
  /** The rename of an install is still to be done. */
  readonly isIncoming: boolean;
  readonly repairs: readonly string[];
}

/** Whether the backend is the one that the log knows, and which of two files it is. */
async function judgeBackend(disk: Disk, { image }: WalFound): Promise<BackendJudged> {
  const { marker, lastIndex } = image;
  const db = await readFile(disk, DB, marker.db);
  const name =
    !db.found.hasPlace && marker.isInstalled && (await isThere(disk, INCOMING_DB))
      ? INCOMING_DB
      : DB;
  const { found, size } = name === DB ? db : await readFile(disk, name, marker.db);
  // An install that was done and damaged since, and a later one that never came so far.
  if (!found.hasPlace && db.found.damage !== undefined)
    throw damaged(DB, db.found.end.offset, lost(db.found, marker.db));
  if (!found.hasPlace) throw damaged(name, found.end.offset, lost(found, marker.db));
  const end = found.end.offset;
  if (found.applied < marker.meta.index)
    throw damaged(
      name,
      end,
      `it is applied up to ${found.applied}, but the log starts after ${marker.meta.index}`,
    );
  if (found.applied > lastIndex)
    throw damaged(
      name,
      end,
      `it is applied up to ${found.applied}, but the log ends at ${lastIndex}`,
    );
  return { found, isIncoming: name === INCOMING_DB, repairs: cutText(name, size - end) };
}

interface BackendRead {
  readonly found: BatchesFound;
  readonly size: number;
}

async function readFile(disk: Disk, name: string, place: Position): Promise<BackendRead> {
  const bytes = asBuffer((await disk.read(name)) ?? new Uint8Array());
  return { found: readBatches(bytes, place), size: bytes.length };
}

async function isThere(disk: Disk, name: string): Promise<boolean> {
  return (await disk.list()).includes(name);
}

function lost(found: BatchesFound, place: Position): string {
  const promised = `the log says that it was synced up to byte ${place.offset}`;
  if (found.end.offset >= place.offset) return `${promised}, with other contents`;
  return `${found.damage ?? 'it ends here'}, but ${promised}`;
}

function cutText(file: string, bytes: number): readonly string[] {
  return bytes === 0
    ? []
    : [`${file} had ${bytes} bytes at its end that were never synced as a whole; cut off`];
}

/**
 * Writes anew what is read, without a torn tail: durable when it resolves. A process that was killed
 * may have written without syncing, and all that is read is taken for durable. To sync it now is not
 * enough: where a sync failed, Linux counts those pages as written, and no later one writes them.
 */
async function writeAnew(disk: Disk, name: string, bytes: Bytes): Promise<void> {
  await disk.remove(INCOMING_SEGMENT);
  {
    await using file = await disk.open(INCOMING_SEGMENT);
    file.append([bytes]);
    await file.sync();
  }
  await disk.rename(INCOMING_SEGMENT, name);
}

async function openWal(disk: Disk, segmentBytes: number, found: WalFound): Promise<Wal> {
  const { state } = found;
  const name = segmentName(state.sequence);
  const bytes = await disk.read(name);
  invariant(bytes !== undefined, `${name} was read a moment ago`);
  await writeAnew(disk, name, bytes.subarray(0, state.end.offset));
  return new Wal(disk, segmentBytes, await disk.open(name), state);
}

async function openBackend(
  disk: Disk,
  fuse: Fuse,
  { found, isIncoming }: BackendJudged,
  marker: StartMarker,
  bugs: Bugs,
): Promise<FileBackend> {
  // A rewrite may come out as the very bytes that are there: then it is the other file that was synced.
  const isUnsure = !isIncoming && (await isThere(disk, INCOMING_DB));
  if (isIncoming) await disk.rename(INCOMING_DB, DB);
  const { end, applied } = found;
  const synced = marker.db.offset;
  const bytes = (await disk.read(DB)) ?? new Uint8Array();
  if (isUnsure || bytes.length > synced) await writeAnew(disk, DB, bytes.subarray(0, end.offset));
  const file = await disk.open(DB);
  return new FileBackend(disk, fuse, file, { end, applied, synced: end.offset }, bugs);
}

function recoveredFrom({ image }: WalFound, repairs: readonly string[]): Recovered {
  const { identity, entries, marker } = image;
  const snapshot = marker.meta;
  return { identity, snapshot, entries, repairs, hardState: reached(image.hardState, snapshot) };
}

/**
 * A crash between an install and the save that follows it leaves a hard state from before the
 * snapshot. In the snapshot's term this member has voted for nobody: it never wrote that term.
 */
function reached(hardState: HardState, snapshot: SnapshotMeta): HardState {
  const isBehind = hardState.term < snapshot.term;
  return {
    term: isBehind ? snapshot.term : hardState.term,
    vote: isBehind ? null : hardState.vote,
    commit: Math.max(hardState.commit, snapshot.index),
  };
}

interface Parts {
  readonly disk: Disk;
  readonly segmentBytes: number;
  readonly fuse: Fuse;
  readonly backend: FileBackend;
  /** Undefined: to be bootstrapped. */
  readonly wal: Wal | undefined;
}

class FileStorage implements Storage {
  #recovered: Recovered | undefined;
  readonly #disk: Disk;
  readonly #segmentBytes: number;
  readonly #fuse: Fuse;
  readonly #backend: FileBackend;
  #wal: Wal | undefined;
  #isPersisting = false;
  #isCompacting = false;
  /** Whoever writes to the log waits for this first. */
  #turn: Promise<unknown> | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(parts: Parts, recovered: Recovered | undefined) {
    this.#recovered = recovered;
    this.#disk = parts.disk;
    this.#segmentBytes = parts.segmentBytes;
    this.#fuse = parts.fuse;
    this.#backend = parts.backend;
    this.#wal = parts.wal;
  }

  get recovered(): Recovered | undefined {
    return this.#recovered;
  }

  get backend(): Backend {
    return this.#backend;
  }

  bootstrap(identity: Identity, hardState: HardState, entries: readonly Entry[]): Promise<void> {
    return this.#persist(async () => {
      invariant(this.#wal === undefined, 'a folder is bootstrapped once');
      const lastIndex = lastIndexAfter(entries, 0, 0);
      const marker = FIRST_MARKER;
      const meta = { sequence: 1, identity, hardState, marker, lastIndex: 0 };
      const writes = entries.length > 0 ? [{ entries }] : [];
      const end = await writeSegment(this.#disk, meta, BEGINNING.chain, writes);
      const at = { lastIndex, closed: [], sequence: 1, end };
      const state: WalState = { identity, hardState, marker, ...at };
      const file = await this.#disk.open(segmentName(1));
      this.#wal = new Wal(this.#disk, this.#segmentBytes, file, state);
    });
  }

  save(write: {
    readonly entries: readonly Entry[];
    readonly hardState?: HardState;
    readonly mustSync: boolean;
  }): Promise<void> {
    return this.#persist(async () => {
      const wal = this.#opened();
      await wal.append(write);
      if (write.mustSync) await wal.sync();
    });
  }

  async install(snapshot: { readonly meta: SnapshotMeta; readonly data: Bytes }): Promise<void> {
    const { meta, data } = snapshot;
    const { end } = assertUsable(data, meta);
    await this.#persist(async () => {
      const wal = this.#opened();
      invariant(!this.#isCompacting, 'a snapshot must not be installed while the log is compacted');
      invariant(
        meta.index > wal.marker.meta.index && meta.index >= this.#backend.applied,
        `a snapshot at ${meta.index} is older than what this member has applied`,
      );
      await this.#disk.remove(INCOMING_DB);
      {
        await using file = await this.#disk.open(INCOMING_DB);
        file.append([data]);
        await file.sync();
      }
      // From here on a restart finishes it; up to here it forgets it.
      await wal.mark({ meta, db: end, isInstalled: true });
      await this.#backend.replace(end, meta.index);
      this.#forgetRecovered();
      await wal.removeOld();
    });
  }

  compact(start: SnapshotMeta): Promise<void> {
    return this.#whole(() => this.#compact(start));
  }

  async #compact(start: SnapshotMeta): Promise<void> {
    const wal = this.#opened();
    const db = this.#backend.end;
    invariant(!this.#isCompacting, 'only one compaction may be under way');
    invariant(
      start.index <= this.#backend.applied && start.index <= wal.lastIndex,
      `the log cannot start after ${start.index}: that is not applied`,
    );
    invariant(start.index >= wal.marker.meta.index, 'a log cannot start earlier than it does');
    this.#isCompacting = true;
    try {
      await this.#backend.sync();
      await this.#inTurn(async () => {
        await wal.mark({ meta: start, db, isInstalled: false });
        this.#forgetRecovered();
        await wal.removeOld();
      });
    } finally {
      this.#isCompacting = false;
    }
  }

  rewrite(): Promise<Rewritten> {
    return this.#whole(() =>
      this.#fuse.guard(async () => {
        await this.#disk.remove(REWRITTEN_DB);
        await using file = await this.#disk.open(REWRITTEN_DB);
        return await this.#backend.rewriteTo(file);
      }),
    );
  }

  async adopt({ replacements, end, applied }: Rewritten): Promise<boolean> {
    let isAdopted = false;
    await this.#persist(async () => {
      const backend = this.#backend;
      if (replacements !== backend.replacements) {
        await this.#disk.remove(REWRITTEN_DB);
        return;
      }
      const wal = this.#opened();
      invariant(!this.#isCompacting, 'a backend must not be replaced while the log is compacted');
      invariant(applied === backend.applied, 'nothing is committed while a backend is rewritten');
      await this.#disk.rename(REWRITTEN_DB, INCOMING_DB);
      // From here on a restart finishes it; up to here it forgets it.
      await wal.mark({ meta: wal.marker.meta, db: end, isInstalled: true, isRewritten: true });
      await backend.rewritten(end, applied);
      isAdopted = true;
    });
    return isAdopted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    await using closing = new AsyncDisposableStack();
    closing.use(this.#backend);
    closing.use(this.#wal);
  }

  /** They are views of whole segments: nobody needs them once the log starts elsewhere. */
  #forgetRecovered(): void {
    if (this.#recovered !== undefined) this.#recovered = { ...this.#recovered, entries: [] };
  }

  #opened(): Wal {
    invariant(this.#wal !== undefined, 'an empty folder must be bootstrapped first');
    return this.#wal;
  }

  /** Raft hands out one `Persist` at a time; a second one would be written in unknown order. */
  #persist(work: () => Promise<void>): Promise<void> {
    return this.#whole(async () => {
      invariant(!this.#isPersisting, 'only one persist may be in flight');
      this.#isPersisting = true;
      try {
        await this.#inTurn(work);
      } finally {
        this.#isPersisting = false;
      }
    });
  }

  /** What has begun is finished before the files are closed. */
  async #whole<T>(work: () => Promise<T>): Promise<T> {
    this.#fuse.check();
    invariant(!this.#isClosed, 'the storage is closed');
    const running = work();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    while (this.#turn !== undefined) await this.#turn;
    const running = this.#fuse.guard(work);
    // Whoever waits for its turn does not care how the one before ended.
    const turn = running.then(nothing, nothing);
    this.#turn = turn;
    try {
      await running;
    } finally {
      if (this.#turn === turn) this.#turn = undefined;
    }
  }
}

function nothing(): void {}

/** Another member sent it: what it holds is looked at before anything here is given up for it. */
function assertUsable(data: Bytes, meta: SnapshotMeta): BatchesFound {
  const found = readBatches(asBuffer(data), BEGINNING);
  const seen =
    found.damage ??
    (found.applied === meta.index
      ? undefined
      : `it is applied up to ${found.applied} instead of ${meta.index}`);
  if (seen === undefined) return found;
  throw new HarnessError(
    'store-failed',
    `a snapshot at ${meta.index} cannot be installed: at byte ${found.end.offset}, ${seen}`,
  );
}
