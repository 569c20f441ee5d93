/** The port `Disk` on a folder of real files (Linux). */
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  openSync,
  writevSync,
} from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HarnessError, systemCodeOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Bytes } from '../bytes.ts';
import type { Disk, DiskFile } from './types.ts';

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);
const truncateTo = promisify(ftruncate);

/** What the kernel takes in one call (IOV_MAX of Linux). */
const MAX_CHUNKS = 1_024;
/** Of one read or write: Linux does less than 2 GiB, and Node takes a larger length for an error. */
const MAX_BYTES = 1_073_741_824;

/**
 * Creates the folder, and keeps others out of it until it is disposed of. Throws `store-failed`
 * when another process has it, and whatever the file system throws.
 */
export async function openFileDisk(dir: string): Promise<Disk & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  await mkdir(dir, { recursive: true });
  await syncFolder(dirname(dir));
  opened.use(await lockFolder(dir));
  const folder = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  opened.defer(() => {
    closeSync(folder);
  });
  const owned = opened.move();
  return {
    list: async () => (await readdir(dir)).toSorted(),
    read: (name) => readIfThere(join(dir, name)),
    open: (name) => openFile(dir, name, folder),
    rename: async (from, to) => {
      await rename(join(dir, from), join(dir, to));
      await syncAll(folder);
    },
    remove: async (name) => {
      if (await unlinkIfThere(join(dir, name))) await syncAll(folder);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function readIfThere(path: string): Promise<Bytes | undefined> {
  try {
    return await readWhole(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** All that it has when it is opened: Node's `readFile` refuses what is longer than 2 GiB. */
export async function readWhole(path: string, maxBytes: number = MAX_BYTES): Promise<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, Math.min(maxBytes, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** A file that was just created can be lost with its name, unless its folder is synced. */
async function syncFolder(path: string): Promise<void> {
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await syncAll(folder);
  } finally {
    closeSync(folder);
  }
}

async function openFile(dir: string, name: string, folder: number): Promise<DiskFile> {
  const file = openSync(join(dir, name), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    // Whether this call created it is not known; one more sync at an open does no harm.
    await syncAll(folder);
    return new RealFile(name, file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

class RealFile implements DiskFile {
  readonly name: string;
  readonly #file: number;
  #size: number;
  #isClosed = false;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(name: string, file: number) {
    this.name = name;
    this.#file = file;
    this.#size = fstatSync(file).size;
  }

  get size(): number {
    return this.#size;
  }

  append(chunks: readonly Bytes[]): void {
    invariant(!this.#isClosed, `${this.name} is closed`);
    this.#size += writeAll(chunks, this.#size, (some, at) => writevSync(this.#file, some, at));
  }

  sync(): Promise<void> {
    return this.#track(() => syncData(this.#file));
  }

  truncate(size: number): Promise<void> {
    return this.#track(async () => {
      await truncateTo(this.#file, size);
      this.#size = size;
    });
  }

  /** The number of a closed file may be given to another one while a call is on its way to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled(this.#inFlight);
    closeSync(this.#file);
  }

  async #track(work: () => Promise<void>): Promise<void> {
    invariant(!this.#isClosed, `${this.name} is closed`);
    const running = work();
    this.#inFlight.add(running);
    try {
      await running;
    } finally {
      this.#inFlight.delete(running);
    }
  }
}

/**
 * Writes all of it at `position` and gives its length: the kernel may take less than it is given,
 * and says how much.
 */
export function writeAll(
  chunks: readonly Bytes[],
  position: number,
  write: (chunks: readonly Bytes[], position: number) => number,
  maxBytes: number = MAX_BYTES,
): number {
  let left = chunks.filter((chunk) => chunk.length > 0);
  let done = 0;
  while (left.length > 0) {
    const written = write(atMost(left, maxBytes), position + done);
    done += written;
    left = after(left, written);
  }
  return done;
}

/** So much of the chunks as one call takes. */
function atMost(chunks: readonly Bytes[], maxBytes: number): Bytes[] {
  const some: Bytes[] = [];
  let room = maxBytes;
  for (const chunk of chunks) {
    if (room === 0 || some.length === MAX_CHUNKS) break;
    const part = chunk.subarray(0, room);
    some.push(part);
    room -= part.length;
  }
  return some;
}

/** What is left of the chunks after so many bytes. */
function after(chunks: readonly Bytes[], bytes: number): Bytes[] {
  let skip = bytes;
  let index = 0;
  for (const chunk of chunks) {
    if (skip < chunk.length) break;
    skip -= chunk.length;
    index++;
  }
  const rest = chunks.slice(index);
  const first = rest[0];
  if (first !== undefined && skip > 0) rest[0] = first.subarray(skip);
  return rest;
}

/**
 * An abstract socket (unix(7)), named by what the folder is, not by how it is called: the kernel
 * drops it when its holder ends, however it ends.
 */
async function lockFolder(dir: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(dir);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(systemCodeOf(error) === 'EADDRINUSE' ? inUse(dir) : error);
    });
    server.listen({ path: `\0schism-raftkv-${dev}-${ino}`, exclusive: true }, resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function inUse(dir: string): HarnessError {
  return new HarnessError(
    'store-failed',
    `the data folder ${dir} is in use by another process; end that one, or use another folder`,
  );
}
