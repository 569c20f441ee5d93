/**
 * The backend over the file `db`: a chain of batches, each with the index of the log that it is
 * applied up to. What was not synced may be lost: the log has it, and it is applied again.
 */
import { messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import { damaged, type Fuse } from './damage.ts';
import { BEGINNING, frame, type Position, type Reading, readRecord } from './record.ts';
import type { Backend, BackendCopy, Buckets, Disk, DiskFile, Rewritten } from './types.ts';

export const DB = 'db';
/** A leader's snapshot that is not installed yet. */
export const INCOMING_DB = 'db.incoming';
/** What the backend holds, written anew, while that is under way. */
export const REWRITTEN_DB = 'db.rewritten';

const BATCH = 16;
const PUT = 1;
const DELETE = 2;
/** The applied index is the end of a batch, at a fixed place: it is known only at the commit. */
const APPLIED_BYTES = 6;
/** Of one batch of a file that is written anew: what has to be in memory at once. */
const REWRITTEN_BATCH_BYTES = 1_048_576;

/** How far a backend's bytes are intact. */
export interface BatchesFound {
  readonly end: Position;
  /** Of the last intact batch; 0: there is none. */
  readonly applied: number;
  /** One of the batches, or the beginning, ends exactly at the place that was looked for. */
  readonly hasPlace: boolean;
  /** Why it is not intact after `end`; undefined: it ends there. */
  readonly damage: string | undefined;
}

export function readBatches(
  bytes: Buffer,
  place: Position,
  each: (body: Buffer, offset: number) => void = () => {},
): BatchesFound {
  let at = BEGINNING;
  let applied = 0;
  let hasPlace = isSame(at, place);
  for (;;) {
    const read = readRecord(bytes, at);
    if (read.type !== 'record') return { end: at, applied, hasPlace, damage: damageOf(read) };
    if (read.kind !== BATCH || read.body.length < APPLIED_BYTES)
      return { end: at, applied, hasPlace, damage: `a record of kind ${read.kind} is no batch` };
    each(read.body.subarray(0, -APPLIED_BYTES), at.offset);
    applied = read.body.readUIntBE(read.body.length - APPLIED_BYTES, APPLIED_BYTES);
    at = read.next;
    hasPlace ||= isSame(at, place);
  }
}

function damageOf(read: Exclude<Reading, { type: 'record' }>): string | undefined {
  if (read.type === 'corrupt') return read.seen;
  return read.type === 'torn' ? 'a batch is not complete' : undefined;
}

function isSame(a: Position, b: Position): boolean {
  return a.offset === b.offset && a.chain === b.chain;
}

export function asBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Owned by a `Storage`, which disposes of it. */
export class FileBackend implements Backend, AsyncDisposable {
  readonly #disk: Disk;
  readonly #fuse: Fuse;
  #file: DiskFile;
  #end: Position;
  #synced: number;
  #applied: number;
  #batch = new ByteWriter();
  #pending = 0;
  readonly #bugs: Bugs;
  /** With `consistent-index`: data whose index is on disk already. */
  #late = new ByteWriter();
  /** How often the file was replaced by another. */
  #replacements = 0;
  /** While the name may already be that of another file. */
  #replacing: Promise<void> | undefined;

  /** `file` ends at `end`; what it holds up to `synced` is durable. */
  constructor(
    disk: Disk,
    fuse: Fuse,
    file: DiskFile,
    found: { readonly end: Position; readonly applied: number; readonly synced: number },
    bugs: Bugs = NO_BUGS,
  ) {
    invariant(file.size === found.end.offset, `${file.name} does not end where it was read to`);
    this.#disk = disk;
    this.#fuse = fuse;
    this.#file = file;
    this.#end = found.end;
    this.#applied = found.applied;
    this.#synced = found.synced;
    this.#bugs = bugs;
  }

  get applied(): number {
    return this.#applied;
  }

  get pending(): number {
    return this.#pending;
  }

  get size(): number {
    return this.#end.offset;
  }

  get pendingBytes(): number {
    return this.#batch.length;
  }

  get replacements(): number {
    return this.#replacements;
  }

  /** Of the last commit. */
  get end(): Position {
    return this.#end;
  }

  put(bucket: string, key: string, value: Bytes): void {
    this.#batch.byte(PUT).text(bucket).latin1(key).bytes(value);
    this.#pending++;
  }

  delete(bucket: string, key: string): void {
    this.#batch.byte(DELETE).text(bucket).latin1(key);
    this.#pending++;
  }

  commit(applied: number): void {
    invariant(applied >= this.#applied, `commit ${applied} comes after ${this.#applied}`);
    this.#fuse.run(() => {
      const batch = this.#batch;
      // Breaks: an applied index is written together with what was applied.
      if (this.#bugs.has('consistent-index')) {
        this.#write(this.#late, applied);
        this.#late = batch;
      } else this.#write(batch, applied);
      this.#forgetPending();
    });
  }

  sync(): Promise<void> {
    return this.#fuse.guard(async () => {
      this.#writeLate();
      const file = this.#file;
      const { offset } = this.#end;
      if (offset === this.#synced) return;
      await file.sync();
      if (file === this.#file) this.#synced = Math.max(this.#synced, offset);
    });
  }

  load(): Promise<Buckets> {
    return this.#fuse.guard(async () => {
      const buckets = new Map<string, Map<string, Bytes>>();
      await this.#readBack((body) => {
        foldBatch(body, buckets);
      });
      return buckets;
    });
  }

  snapshot(): Promise<BackendCopy> {
    return this.#fuse.guard(async () => {
      this.#writeLate();
      const { applied, data, end } = await this.#readBack(() => {});
      return { applied, data, end };
    });
  }

  /** `INCOMING_DB`, synced up to `end`, takes the file's place; what is pending was of the old one. */
  replace(end: Position, applied: number): Promise<void> {
    return this.#replaceBy(end, applied, () => this.#forgetPending());
  }

  /** Writes what is committed into `file`, which is empty, and syncs it. */
  rewriteTo(file: DiskFile): Promise<Rewritten> {
    return this.#fuse.guard(async () => {
      this.#writeLate();
      const buckets = new Map<string, Map<string, Bytes>>();
      const { applied, replacements } = await this.#readBack((body) => {
        foldBatch(body, buckets);
      });
      const end = writeBuckets(file, buckets, applied);
      await file.sync();
      return { replacements, end, applied };
    });
  }

  /** As `replace`, but the new file holds what the old one does: what is pending follows it. */
  rewritten(end: Position, applied: number): Promise<void> {
    return this.#replaceBy(end, applied, () => {});
  }

  async #replaceBy(end: Position, applied: number, before: () => void): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#replacing = done.promise;
    try {
      await this.#disk.rename(INCOMING_DB, DB);
      const old = this.#file;
      this.#file = await this.#disk.open(DB);
      before();
      this.#end = end;
      this.#synced = end.offset;
      this.#applied = applied;
      this.#replacements++;
      this.#late = new ByteWriter();
      await old[Symbol.asyncDispose]();
    } finally {
      this.#replacing = undefined;
      done.resolve();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  #write(batch: ByteWriter, applied: number): void {
    writeApplied(batch, applied);
    const framed = frame(BATCH, batch.done(), this.#end, this.#synced);
    this.#file.append(framed.chunks);
    this.#end = framed.next;
    this.#applied = applied;
  }

  /** Without a crash nothing is missing, in snapshots least of all. */
  #writeLate(): void {
    if (this.#late.length === 0) return;
    this.#write(this.#late, this.#applied);
    this.#late = new ByteWriter();
  }

  #forgetPending(): void {
    this.#batch = new ByteWriter();
    this.#pending = 0;
  }

  /** From the disk, up to the last commit, every batch checked: it may have changed since. */
  async #readBack(
    each: (body: Buffer) => void,
  ): Promise<BackendCopy & { readonly replacements: number }> {
    for (;;) {
      const end = this.#end;
      const applied = this.#applied;
      const replacements = this.#replacements;
      const bytes = asBuffer((await this.#disk.read(DB)) ?? Buffer.alloc(0));
      // It may be another file that has the name now.
      await this.#replacing;
      if (replacements !== this.#replacements) continue;
      const data = bytes.subarray(0, end.offset);
      const found = readBatches(data, end, (body, offset) => {
        explained(offset, () => {
          each(body);
        });
      });
      if (!found.hasPlace)
        throw damaged(DB, found.end.offset, found.damage ?? `it should have ${end.offset} bytes`);
      return { applied, data, end, replacements };
    }
  }
}

function writeApplied(writer: ByteWriter, applied: number): void {
  const bytes = Buffer.alloc(APPLIED_BYTES);
  bytes.writeUIntBE(applied, 0, APPLIED_BYTES);
  for (const byte of bytes) writer.byte(byte);
}

/**
 * Into a file that is empty; gives its end. Only the last batch says up to where all is applied: a
 * file that ends before it is found to be incomplete, wherever it is cut.
 */
export function writeBuckets(file: DiskFile, buckets: Buckets, applied: number): Position {
  let end = BEGINNING;
  let batch = new ByteWriter();
  const write = (upTo: number): void => {
    writeApplied(batch, upTo);
    const framed = frame(BATCH, batch.done(), end, 0);
    file.append(framed.chunks);
    end = framed.next;
    batch = new ByteWriter();
  };
  for (const [name, items] of buckets) {
    for (const [key, value] of items) {
      batch.byte(PUT).text(name).latin1(key).bytes(value);
      if (batch.length >= REWRITTEN_BATCH_BYTES) write(0);
    }
  }
  write(applied);
  return end;
}

/** Does to `buckets` what the batch says. Throws `MalformedBytes`. */
export function foldBatch(body: Buffer, buckets: Map<string, Map<string, Bytes>>): void {
  const reader = new ByteReader(body);
  while (!reader.isAtEnd) {
    const operation = reader.byte();
    const name = reader.text();
    const key = reader.bytes().toString('latin1');
    let bucket = buckets.get(name);
    if (bucket === undefined) {
      bucket = new Map();
      buckets.set(name, bucket);
    }
    if (operation === PUT) bucket.set(key, reader.bytes());
    else if (operation === DELETE) bucket.delete(key);
    else throw new MalformedBytes(`no operation of a batch has the number ${operation}`);
  }
}

function explained(offset: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof MalformedBytes) throw damaged(DB, offset, messageOf(error));
    throw error;
  }
}
