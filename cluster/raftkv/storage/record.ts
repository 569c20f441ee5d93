/**
 * How both files frame what they hold: records in a chain, so that a changed bit, a missing record
 * and an exchanged one are all found, and are told apart from a tail that was never finished.
 *
 * A record is a header, a body and a last byte. The header has a checksum of its own, seeded by its
 * place in the file: a length that changed is found before it is believed. It names the checksum of
 * the header before it, which makes the chain, and that of its body.
 */
import { crc32 } from 'node:zlib';
import type { Bytes } from '../bytes.ts';

/** A place between two records: how many bytes are before it, and what the chain is there. */
export interface Position {
  readonly offset: number;
  /** The checksum of the last record's header. */
  readonly chain: number;
}

export const BEGINNING: Position = { offset: 0, chain: 0 };

export type Reading =
  | {
      readonly type: 'record';
      readonly kind: number;
      /** A view, not a copy. */
      readonly body: Buffer;
      readonly next: Position;
    }
  /** The file ends here, between two records. */
  | { readonly type: 'end' }
  /** What follows was being written when the machine or the process ended; it was never synced. */
  | { readonly type: 'torn' }
  /** Something changed what was written. */
  | { readonly type: 'corrupt'; readonly seen: string };

/** What a disk writes whole or not at all. */
export const SECTOR = 512;

/**
 * The first and last byte of a header, and the last of a record. Never zero, and by more than one
 * bit, so that a sector which was lost (zeros) is never mistaken for a changed bit.
 */
const MARK = 0xb7;

const AT = { kind: 1, length: 2, previous: 6, body: 10, sparse: 14, synced: 18, own: 24, mark: 28 };
export const HEADER_BYTES = 29;
/** What a record takes beside its body. */
export const FRAME_BYTES: number = HEADER_BYTES + 1;
const TRAILER: Bytes = Uint8Array.of(MARK);

export interface Framed {
  readonly chunks: readonly Bytes[];
  readonly next: Position;
}

/**
 * A record to be appended at `at`; `kind` is less than 256. `synced` says how much of the file was
 * durable by then: should the file be damaged below, then what was lost had been promised.
 */
export function frame(kind: number, body: Bytes, at: Position, synced: number): Framed {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header[0] = MARK;
  header[AT.kind] = kind;
  header.writeUInt32LE(body.length, AT.length);
  header.writeUInt32LE(at.chain, AT.previous);
  header.writeUInt32LE(crc32(body, at.chain), AT.body);
  header.writeUInt32LE(sparseSectors(body, at.offset + HEADER_BYTES), AT.sparse);
  header.writeUIntLE(synced, AT.synced, 6);
  const own = checksum(header, at.offset);
  header.writeUInt32LE(own, AT.own);
  header[AT.mark] = MARK;
  return {
    chunks: [header, body, TRAILER],
    next: { offset: at.offset + FRAME_BYTES + body.length, chain: own },
  };
}

interface Header {
  readonly kind: number;
  readonly length: number;
  readonly previous: number;
  readonly body: number;
  readonly sparse: number;
  readonly synced: number;
  readonly own: number;
}

/** What is at `at`, given that everything before it is intact. */
export function readRecord(bytes: Buffer, at: Position): Reading {
  const { offset } = at;
  if (offset === bytes.length) return { type: 'end' };
  if (offset + HEADER_BYTES > bytes.length) return { type: 'torn' };
  const header = headerAt(bytes, offset);
  if (header === undefined)
    return isLost(bytes, offset, offset + HEADER_BYTES)
      ? tornUnlessPromised(bytes, offset)
      : corrupt('the header of a record does not have its checksum');
  if (header.previous !== at.chain)
    return corrupt(`a record follows ${hex(header.previous)}, but ${hex(at.chain)} is before it`);
  const bodyAt = offset + HEADER_BYTES;
  const bodyEnd = bodyAt + header.length;
  if (bodyEnd + 1 > bytes.length) return { type: 'torn' };
  const body = bytes.subarray(bodyAt, bodyEnd);
  const found = crc32(body, at.chain);
  if (found === header.body && bytes[bodyEnd] === MARK)
    return { type: 'record', kind: header.kind, body, next: next(bodyEnd + 1, header.own) };
  if (lostSectors(bytes, offset, bodyEnd + 1) > header.sparse)
    return tornUnlessPromised(bytes, offset);
  return corrupt(`a record has the checksum ${hex(found)} instead of ${hex(header.body)}`);
}

/** What the first record of a file says that it follows; undefined: there is no such record. */
export function firstFollows(bytes: Buffer): number | undefined {
  return headerAt(bytes, 0)?.previous;
}

function next(offset: number, chain: number): Position {
  return { offset, chain };
}

function corrupt(seen: string): Reading {
  return { type: 'corrupt', seen };
}

function hex(checksumValue: number): string {
  return checksumValue.toString(16).padStart(8, '0');
}

/** The offset is its seed: what looks like a header elsewhere, inside of a value, is none. */
function checksum(header: Buffer, offset: number): number {
  return crc32(header.subarray(0, AT.own), offset % 2 ** 32);
}

function headerAt(bytes: Buffer, offset: number): Header | undefined {
  if (bytes[offset] !== MARK || bytes[offset + AT.mark] !== MARK) return undefined;
  const header = bytes.subarray(offset, offset + HEADER_BYTES);
  const own = header.readUInt32LE(AT.own);
  if (own !== checksum(header, offset)) return undefined;
  return {
    kind: header.readUInt8(AT.kind),
    length: header.readUInt32LE(AT.length),
    previous: header.readUInt32LE(AT.previous),
    body: header.readUInt32LE(AT.body),
    sparse: header.readUInt32LE(AT.sparse),
    synced: header.readUIntLE(AT.synced, 6),
    own,
  };
}

/**
 * A power failure may keep a later sector and lose an earlier one, so that intact records can
 * follow a torn one. But one that was written after the torn one was synced proves a damage.
 */
function tornUnlessPromised(bytes: Buffer, offset: number): Reading {
  for (let at = offset + 1; at + HEADER_BYTES <= bytes.length; at++) {
    const header = headerAt(bytes, at);
    if (header !== undefined && header.synced > offset)
      return corrupt(`zeros where a record was, which the record at byte ${at} says was synced`);
  }
  return { type: 'torn' };
}

/** Whether a sector's part from `from` on was lost, of one that holds a byte before `to`. */
function isLost(bytes: Buffer, from: number, to: number): boolean {
  if (isZero(bytes, from, Math.min(sectorAfter(from), bytes.length))) return true;
  return lostSectors(bytes, from, to, bytes.length) > 0;
}

/** Sectors of zeros that begin after `from` and before `to`; of the last one, up to `end`. */
function lostSectors(bytes: Buffer, from: number, to: number, end: number = to): number {
  let count = 0;
  for (let at = sectorAfter(from); at < to; at += SECTOR)
    if (isZero(bytes, at, Math.min(at + SECTOR, end))) count++;
  return count;
}

function sectorAfter(offset: number): number {
  return offset - (offset % SECTOR) + SECTOR;
}

function isZero(bytes: Bytes, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * Whole sectors of a body, placed at `offset`, that are zeros by nature, or one changed bit away
 * from it. Sectors that hold a byte of the frame never are.
 */
function sparseSectors(body: Bytes, offset: number): number {
  let count = 0;
  const first = (SECTOR - (offset % SECTOR)) % SECTOR;
  for (let at = first; at + SECTOR <= body.length; at += SECTOR)
    if (hasOneBitAtMost(body, at, at + SECTOR)) count++;
  return count;
}

function hasOneBitAtMost(bytes: Bytes, from: number, to: number): boolean {
  let bits = 0;
  for (let at = from; at < to; at++) {
    const value = bytes[at] ?? 0;
    if (value === 0) continue;
    if (bits > 0 || (value & (value - 1)) !== 0) return false;
    bits++;
  }
  return true;
}
