/** Histories as files: `history.jsonl` while a run records, `history.jsonl.gz` afterwards. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify, TextDecoder } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import { HarnessError, messageOf, systemCodeOf } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import { LIMITS } from '../core/limits.ts';
import { badLine, decodeHeader, decodeLine } from './codec.ts';
import { type History, HistoryBuilder } from './history.ts';
import type { Op } from './op.ts';
import { WellFormed } from './well-formed.ts';

export interface ReadResult {
  readonly history: History;
  /** The file ends in the middle, as after a crash; `history` is all that came before. */
  readonly torn: boolean;
}

/**
 * Reads `.jsonl` or `.jsonl.gz`. A file that was cut short is read as far as it goes. Throws
 * `bad-input`, with file and line, for whatever else is not a well-formed history.
 */
export async function readHistory(path: string): Promise<ReadResult> {
  const lines = new Lines(path);
  const bytes = path.endsWith('.gz') ? inflated(path) : plain(path);
  try {
    for await (const chunk of bytes) lines.add(chunk);
  } catch (error) {
    if (!(error instanceof CutShort)) throw readError(error, path);
    lines.torn = true;
  }
  return lines.end();
}

/** The compressed file ends before its end. */
class CutShort extends Error {
  override readonly name = 'CutShort';
}

function readError(error: unknown, path: string): unknown {
  if (error instanceof HarnessError) return error;
  const code = systemCodeOf(error);
  if (code === undefined) return error;
  const what =
    code === 'ENOENT'
      ? 'there is no such history'
      : code.startsWith('Z_')
        ? `the compressed data is damaged (${messageOf(error)}); use another copy`
        : messageOf(error);
  return new HarnessError('bad-input', `${path}: ${what}`, { cause: error });
}

function plain(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 1 << 18 });
}

/**
 * The inflated bytes; throws `CutShort` after the last of them if the file ends early. Chunks are
 * taken as they appear, because a stream that fails throws away what it still holds.
 */
async function* inflated(path: string): AsyncGenerator<Buffer, void, undefined> {
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  let ready: Buffer[] = [];
  let failure: unknown;
  gunzip.on('data', (chunk: Buffer) => {
    ready.push(chunk);
  });
  gunzip.on('error', (error) => {
    failure = error;
  });
  const take = (): Buffer[] => {
    const taken = ready;
    ready = [];
    return taken;
  };
  /** Resolves when `data` was taken, or everything has come out, or the stream has failed. */
  const push = (data: Buffer | undefined): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        gunzip.off('error', done);
        resolve();
      };
      gunzip.once('error', done);
      if (data === undefined) gunzip.once('end', done).end();
      else gunzip.write(data, done);
    });
  let size = 0;
  try {
    for await (const compressed of plain(path)) {
      size += compressed.length;
      await push(compressed);
      yield* take();
      if (failure !== undefined) break;
    }
    if (failure === undefined) await push(undefined);
    yield* take();
  } finally {
    gunzip.destroy();
  }
  const isCut = systemCodeOf(failure) === 'Z_BUF_ERROR' || (await isCutBetweenMembers(path, size));
  if (isCut) throw new CutShort();
  if (failure !== undefined) throw failure;
  if (gunzip.bytesWritten < size)
    throw new HarnessError(
      'bad-input',
      `${path}: the compressed data is damaged at byte ${gunzip.bytesWritten}; use another copy`,
    );
}

/** A cut between two members leaves a sound file; only the index knows that there was more. */
async function isCutBetweenMembers(path: string, size: number): Promise<boolean> {
  let index: string;
  try {
    index = await readFile(indexOf(path), 'utf8');
  } catch {
    return false;
  }
  const last = /\{"offset":(\d+),[^\n]*\n$/.exec(index);
  return last !== null && Number(last[1]) >= size;
}

/** `history.idx` beside `history.jsonl` and `history.jsonl.gz`. */
function indexOf(path: string): string {
  return path.replace(/\.jsonl(\.gz)?$/, '.idx');
}

/** Cuts bytes into lines and lines into entries. */
class Lines {
  torn = false;
  readonly #file: string;
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { fatal: true });
  readonly #builder: HistoryBuilder = new HistoryBuilder();
  readonly #wellFormed: WellFormed = new WellFormed();
  /** The line that is not yet complete. */
  #rest = '';
  /** Of the next complete line, from 1. */
  #line = 1;

  constructor(file: string) {
    this.#file = file;
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + this.#decode(chunk)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    if (this.#rest.length > LIMITS.historyLineBytesMax)
      throw this.#bad(`the line is longer than ${LIMITS.historyLineBytesMax} bytes`);
  }

  #decode(chunk: Buffer): string {
    try {
      return this.#decoder.decode(chunk, { stream: true });
    } catch {
      throw this.#bad('there are bytes here or soon after that are not UTF-8');
    }
  }

  #take(line: string): void {
    if (this.#line === 1) decodeHeader(line, this.#place());
    else this.#add(decodeLine(line, this.#place()));
    this.#line++;
  }

  #add(op: Op): void {
    const problem = this.#wellFormed.problem(op);
    if (problem !== undefined) throw this.#bad(problem);
    this.#builder.add(op);
  }

  end(): ReadResult {
    if (this.#rest !== '') {
      // Without an end of line it may be whole or torn; only what parses is whole.
      if (isJson(this.#rest)) this.#take(this.#rest);
      else this.torn = true;
    }
    if (this.#line === 1)
      throw this.#bad(
        'there is no header line',
        'the run ended before it recorded anything, or this is not a history',
      );
    return { history: this.#builder.build(), torn: this.torn };
  }

  #place(): { readonly file: string; readonly line: number } {
    return { file: this.#file, line: this.#line };
  }

  #bad(what: string, advice?: string): HarnessError {
    return badLine(this.#place(), what, advice);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Plain bytes of one gzip member: a reader can seek to each, and a cut file loses only its last. */
const MEMBER_BYTES = 4 * 1024 * 1024;

/** One line of `history.idx`: where a member begins, and its first entry. */
export interface MemberStart {
  readonly offset: number;
  readonly i: number;
  readonly t: number;
}

/**
 * Replaces a finished `history.jsonl` by `history.jsonl.gz`, with `history.idx` beside it; returns
 * the new path. The plain file goes only when both are safely on disk. Throws `store-failed`.
 */
export async function compressHistory(path: string): Promise<string> {
  invariant(path.endsWith('.jsonl'), `compressHistory: ${path} is not a .jsonl file`);
  const target = `${path}.gz`;
  const index = indexOf(path);
  try {
    const starts = await writeMembers(path, `${target}.tmp`);
    await writeLines(starts, `${index}.tmp`);
    await rename(`${index}.tmp`, index);
    await rename(`${target}.tmp`, target);
    await syncFolder(dirname(path));
    await rm(path);
  } catch (error) {
    await Promise.all([rm(`${target}.tmp`, { force: true }), rm(`${index}.tmp`, { force: true })]);
    if (error instanceof HarnessError) throw error;
    throw new HarnessError(
      'store-failed',
      `${path} could not be compressed and stays as it is: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return target;
}

const deflate = promisify<Buffer, { level: number }, Buffer>(gzip);

async function writeMembers(from: string, to: string): Promise<MemberStart[]> {
  await using source = await open(from, 'r');
  await using file = await open(to, 'w');
  const starts: MemberStart[] = [];
  let offset = 0;
  for await (const member of members(source)) {
    starts.push({ offset, ...firstEntry(member, from) });
    const compressed = await deflate(member, { level: 6 });
    await file.appendFile(compressed);
    offset += compressed.length;
  }
  await file.sync();
  return starts;
}

/** Whole lines, about `MEMBER_BYTES` at a time. */
async function* members(source: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(MEMBER_BYTES));
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const end = bytesRead === 0 ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
    if (end > 0) yield bytes.subarray(0, end);
    if (bytesRead === 0) return;
    rest = bytes.subarray(end);
  }
}

/** The first entry of a member, which begins with the header or with an entry as we encode it. */
function firstEntry(member: Buffer, file: string): { readonly i: number; readonly t: number } {
  const beginning = member.toString('latin1', 0, 64);
  if (beginning.startsWith('{"schism"')) return { i: 0, t: 0 };
  const match = /^\{"i":(\d+),"t":(\d+),/.exec(beginning);
  if (match === null)
    throw new HarnessError('bad-input', `${file}: no entry begins with '${beginning}'`);
  return { i: Number(match[1]), t: Number(match[2]) };
}

async function writeLines(lines: readonly MemberStart[], path: string): Promise<void> {
  await using file = await open(path, 'w');
  await file.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await file.sync();
}

/** Makes renames survive a power failure; some systems cannot open folders, and need not. */
async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL'].includes(systemCodeOf(error) ?? '')) throw error;
  }
}
