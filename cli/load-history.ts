/** Histories of any format from files and from standard input, compressed or not. */
import { isUtf8, constants as limits } from 'node:buffer';
import { createWriteStream } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { HarnessError, messageOf } from '../harness/core/errors.ts';
import type { Format, Imported, ReadOptions } from '../harness/history/formats/format.ts';
import { guessFormat, importHistory } from '../harness/history/formats/import.ts';
import { readHistory } from '../harness/history/jsonl.ts';

/** How to read a history file. */
export interface HistoryFormat extends ReadOptions {
  readonly format: Format;
}

export interface Loaded extends Imported {
  /** A file of ours that ends in the middle, as after a crash. */
  readonly torn: boolean;
}

/** Enough to see which format a file has. */
const BEGINNING_BYTES = 1 << 16;

/** Throws `bad-input` for what cannot be read, with the place where there is one. */
export async function loadHistory(
  path: string,
  format: HistoryFormat = { format: 'jsonl' },
): Promise<Loaded> {
  const isNamedAsItIs = path.endsWith('.gz') === (await isCompressed(path));
  if (format.format === 'jsonl' && isNamedAsItIs && format.name === undefined)
    return { ...(await readHistory(path)), notes: [] };
  const text = textOf(path, await plainBytes(path));
  return { ...importHistory(text, format.format, { name: path, ...format }), torn: false };
}

/** The format of a file, by its beginning. Throws `bad-input` where it looks like none. */
export async function formatOf(path: string, name: string = path): Promise<Format> {
  const begin = await beginning(path);
  let bytes = begin;
  try {
    if (isGzip(begin)) bytes = gunzipSync(begin, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw damaged(name, error);
  }
  return guessFormat(bytes.toString('utf8', 0, BEGINNING_BYTES), name);
}

/** Standard input as a file, since it is read more than once; gone when disposed. */
export async function spooled(
  input: AsyncIterable<Uint8Array>,
): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-stdin-'));
  const dispose = (): Promise<void> => rm(dir, { recursive: true, force: true });
  const path = join(dir, 'stdin');
  try {
    await pipeline(Readable.from(input), createWriteStream(path));
  } catch (error) {
    await dispose();
    throw new HarnessError('bad-input', `standard input broke off: ${messageOf(error)}`);
  }
  return { path, [Symbol.asyncDispose]: dispose };
}

async function isCompressed(path: string): Promise<boolean> {
  return isGzip(await beginning(path, 2));
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function beginning(path: string, length: number = BEGINNING_BYTES): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
}

async function plainBytes(path: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
  if (!isGzip(bytes)) return bytes;
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
    throw damaged(path, error);
  }
}

function textOf(path: string, bytes: Buffer): string {
  if (bytes.length > limits.MAX_STRING_LENGTH)
    throw unreadable(path, `${bytes.length} bytes are too many to read at once; split it by key`);
  if (!isUtf8(bytes)) throw unreadable(path, 'there are bytes that are not UTF-8; convert it');
  return bytes.toString('utf8');
}

function damaged(path: string, error: unknown): HarnessError {
  const what = `the compressed data is damaged or cut short (${messageOf(error)})`;
  return unreadable(path, `${what}; use another copy`, error);
}

function unreadable(path: string, what: string, cause?: unknown): HarnessError {
  return new HarnessError('bad-input', `${path}: ${what}`, { cause });
}
