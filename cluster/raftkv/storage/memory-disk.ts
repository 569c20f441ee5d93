/**
 * A disk in memory that knows what is only written and what is synced, so that a test, or the
 * simulator, can end the process, cut the power, or change a bit.
 */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { Bytes } from '../bytes.ts';
import { SECTOR } from './record.ts';
import type { Disk, DiskFile } from './types.ts';

const FIRST_CAPACITY = 4_096;

/** What a name leads to; survives a rename while it is open. */
interface Content {
  buffer: Buffer;
  size: number;
  /** This much survives a power failure, but for the gaps. */
  synced: number;
  /** Written, forgotten by a failed sync, and no later sync writes it: what is read shows nothing. */
  gaps: { from: number; to: number }[];
  /** Syncs under way, with how much each is to make durable. */
  readonly syncing: Set<{ upTo: number }>;
}

/** A sync that takes time: ends with one of these two. */
export interface PendingSync {
  /** What was written when it began is durable now; what came later is not. */
  done(): void;
  /** As on Linux: those pages count as clean, so that a later sync that succeeds leaves them out. */
  failed(): void;
}

/** A file of a `MemoryDisk`. */
export interface MemoryFile extends DiskFile {
  beginSync(): PendingSync;
}

export interface DiskFault {
  /** Calls that change something and still succeed; the one after them fails, and all after it. */
  readonly after: number;
  /** Such as `ENOSPC` or `EIO`. */
  readonly code: string;
  /** Of a failing append: this part of it is written, from 0 to 1. */
  readonly written?: number;
}

/**
 * Operations on names are durable at once, as the port demands. `crash`, `powerFailure` and
 * `flipBit` give a new disk; the old one and its open files are dead and throw.
 */
export class MemoryDisk implements Disk {
  readonly #files: Map<string, Content>;
  #isDead = false;
  #fault: DiskFault | undefined;
  #changes = 0;

  constructor(files: ReadonlyMap<string, Bytes> = new Map()) {
    this.#files = new Map([...files].map(([name, bytes]) => [name, contentOf(bytes)]));
  }

  /** Calls so far that change something. */
  get changes(): number {
    return this.#changes;
  }

  /** From now on; the calls before do not count. */
  failAfter(fault: DiskFault): void {
    this.#fault = { ...fault, after: this.#changes + fault.after };
  }

  /** How much of the file survives a power failure for certain. */
  syncedSize(name: string): number {
    return this.#files.get(name)?.synced ?? 0;
  }

  /** Undefined: there is no such file. */
  sizeOf(name: string): number | undefined {
    return this.#files.get(name)?.size;
  }

  /** The process ends (kill -9): what was written stays, synced or not. */
  crash(): MemoryDisk {
    return this.#successor(({ buffer, size, synced, gaps }) => ({
      ...contentOf(buffer.subarray(0, size)),
      synced,
      gaps: [...gaps],
    }));
  }

  /**
   * The machine ends: what was synced stays; of the rest of each file nothing, everything, a part
   * from its beginning, or some sectors, zeros in place of the others.
   */
  powerFailure(random: Random): MemoryDisk {
    return this.#successor((content) => contentOf(survivor(content, random)));
  }

  /** Bit 0 is the lowest of the first byte. The file is synced as much as it was. */
  flipBit(name: string, bit: number): MemoryDisk {
    const successor = this.crash();
    successor.flipBitInPlace(name, bit);
    return successor;
  }

  /** The same under a running process, whose open files stay alive. */
  flipBitInPlace(name: string, bit: number): void {
    const content = this.#files.get(name);
    const at = Math.floor(bit / 8);
    invariant(content !== undefined && at < content.size, `${name} has no bit ${bit}`);
    content.buffer[at] = (content.buffer[at] ?? 0) ^ (1 << (bit % 8));
  }

  async list(): Promise<readonly string[]> {
    this.#assertAlive();
    return [...this.#files.keys()].toSorted();
  }

  async read(name: string): Promise<Bytes | undefined> {
    this.#assertAlive();
    const content = this.#files.get(name);
    return content === undefined
      ? undefined
      : Buffer.from(content.buffer.subarray(0, content.size));
  }

  async open(name: string): Promise<MemoryFile> {
    this.#assertAlive();
    let content = this.#files.get(name);
    if (content === undefined) {
      this.#change();
      content = contentOf(Buffer.alloc(0));
      this.#files.set(name, content);
    }
    return this.#handle(name, content);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#change();
    const content = this.#files.get(from);
    if (content === undefined) throw systemError('ENOENT', `rename ${from}`);
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  async remove(name: string): Promise<void> {
    this.#change();
    this.#files.delete(name);
  }

  #handle(name: string, content: Content): MemoryFile {
    let isClosed = false;
    const assertOpen = (): void => {
      if (isClosed) invariant(false, `${name} is closed`);
      this.#assertAlive();
    };
    return {
      name,
      get size() {
        return content.size;
      },
      append: (chunks) => {
        assertOpen();
        this.#append(name, content, chunks);
      },
      sync: async () => {
        assertOpen();
        this.#change();
        beginSync(content).done();
      },
      beginSync: () => {
        assertOpen();
        return beginSync(content);
      },
      truncate: async (size) => {
        assertOpen();
        this.#change();
        invariant(size <= content.size, `${name} is shorter than ${size} bytes`);
        cut(content, size);
      },
      [Symbol.asyncDispose]: async () => {
        isClosed = true;
      },
    };
  }

  #append(name: string, content: Content, chunks: readonly Bytes[]): void {
    try {
      this.#change();
    } catch (error) {
      const bytes = Buffer.concat(chunks);
      const part = this.#fault?.written ?? 0;
      write(content, bytes.subarray(0, Math.floor(bytes.length * part)));
      throw error;
    }
    for (const chunk of chunks) write(content, chunk);
    if (content.synced > content.size) invariant(false, `${name}: more is synced than written`);
  }

  #change(): void {
    this.#assertAlive();
    if (this.#fault !== undefined && this.#changes >= this.#fault.after)
      throw systemError(this.#fault.code, 'a fault of the disk');
    this.#changes++;
  }

  #assertAlive(): void {
    if (this.#isDead) throw systemError('EIO', 'this disk is of a life before');
  }

  #successor(survive: (content: Content) => Content): MemoryDisk {
    this.#isDead = true;
    const successor = new MemoryDisk();
    for (const [name, content] of this.#files) successor.#files.set(name, survive(content));
    return successor;
  }
}

/** As if it had been there, and synced, before. */
function contentOf(bytes: Bytes): Content {
  const size = bytes.length;
  return { buffer: Buffer.from(bytes), size, synced: size, gaps: [], syncing: new Set() };
}

function beginSync(content: Content): PendingSync {
  const pending = { upTo: content.size };
  content.syncing.add(pending);
  return {
    done: () => {
      content.syncing.delete(pending);
      content.synced = Math.max(content.synced, pending.upTo);
    },
    failed: () => {
      content.syncing.delete(pending);
      if (pending.upTo > content.synced)
        content.gaps.push({ from: content.synced, to: pending.upTo });
    },
  };
}

/** What is written in place of the rest is new: no sync that is under way knows of it. */
function cut(content: Content, size: number): void {
  content.size = size;
  content.synced = Math.min(content.synced, size);
  for (const pending of content.syncing) pending.upTo = Math.min(pending.upTo, size);
  content.gaps = content.gaps.flatMap(({ from, to }) =>
    from < size ? [{ from, to: Math.min(to, size) }] : [],
  );
}

function write(content: Content, bytes: Bytes): void {
  const needed = content.size + bytes.length;
  if (needed > content.buffer.length) {
    const grown = Buffer.alloc(Math.max(needed, 2 * content.buffer.length, FIRST_CAPACITY));
    content.buffer.copy(grown, 0, 0, content.size);
    content.buffer = grown;
  }
  content.buffer.set(bytes, content.size);
  content.size = needed;
}

function survivor({ buffer, size, synced, gaps }: Content, random: Random): Bytes {
  const end = random.pick([synced, size, random.int(synced, size)]);
  const bytes = Buffer.from(buffer.subarray(0, end));
  for (const { from, to } of gaps) bytes.fill(0, Math.min(from, end), Math.min(to, end));
  if (random.chance(0.5)) return bytes;
  for (let at = synced - (synced % SECTOR); at < end; at += SECTOR)
    if (random.chance(0.5)) bytes.fill(0, Math.max(at, synced), Math.min(at + SECTOR, end));
  return bytes;
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
