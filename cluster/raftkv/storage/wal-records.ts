/** The records of the write-ahead log as bytes, and what a log amounts to, record by record. */
import { invariant } from '../../../harness/core/invariant.ts';
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import type { Entry, HardState, SnapshotMeta } from '../raft/types.ts';
import {
  decodeEntry,
  decodeHardState,
  decodeSnapshotMeta,
  encodeEntry,
  encodeHardState,
  encodeSnapshotMeta,
} from './entry-codec.ts';
import { BEGINNING, type Position } from './record.ts';
import type { Identity } from './types.ts';

/** Changes when older programs could not read the log. */
const FORMAT = 1;

export const KIND = {
  /** The first of each segment. */
  meta: 1,
  /** One `save`: entries and the hard state, all or nothing. */
  save: 2,
  /** The log starts later from now on. */
  start: 3,
  /** As `start`, and the backend is another file. */
  install: 4,
  /** The log stays as it is, and the backend is another file. */
  rewrite: 5,
} as const;

/** Where the log starts, and what the backend holds for certain. */
export interface StartMarker {
  readonly meta: SnapshotMeta;
  /** The backend was synced up to here, and had committed `meta.index` or more. */
  readonly db: Position;
  /**
   * It is another file than before: until the rename is done, that file has its temporary name.
   * When the next segment begins, it is done.
   */
  readonly isInstalled: boolean;
  /** Of another file: it holds what the one before held, so the log goes on; absent: it does not. */
  readonly isRewritten?: boolean;
}

export const FIRST_MARKER: StartMarker = {
  meta: { index: 0, term: 0, config: { voters: [], learners: [] } },
  db: BEGINNING,
  isInstalled: false,
};

/** How things were when a segment began: the segments before it can be forgotten. */
export interface SegmentMeta {
  readonly sequence: number;
  readonly identity: Identity;
  readonly hardState: HardState;
  readonly marker: StartMarker;
  readonly lastIndex: number;
}

export interface LogWrite {
  readonly entries: readonly Entry[];
  readonly hardState?: HardState;
}

/** What the records so far amount to. */
export interface LogImage {
  readonly identity: Identity;
  hardState: HardState;
  marker: StartMarker;
  /** Without gap up to `lastIndex`; those in segments that were removed are missing. */
  entries: Entry[];
  lastIndex: number;
}

export function encodeMeta(meta: SegmentMeta): Bytes {
  const writer = new ByteWriter();
  writer.number(FORMAT).number(meta.sequence);
  writer.text(meta.identity.member).text(meta.identity.cluster);
  encodeHardState(writer, meta.hardState);
  writeMarker(writer, meta.marker);
  return writer.number(meta.lastIndex).done();
}

/** Throws `MalformedBytes`. */
export function decodeMeta(body: Bytes): SegmentMeta {
  const reader = new ByteReader(body);
  const format = reader.number();
  if (format !== FORMAT)
    throw new MalformedBytes(`has format ${format}, and this program knows ${FORMAT} only`);
  const sequence = reader.number();
  const member = reader.text();
  const identity = { member, cluster: reader.text() };
  const hardState = decodeHardState(reader);
  const marker = readMarker(reader);
  const lastIndex = reader.number();
  reader.end();
  return { sequence, identity, hardState, marker: { ...marker, isInstalled: false }, lastIndex };
}

export function encodeSave({ entries, hardState }: LogWrite): Bytes {
  const writer = new ByteWriter();
  writer.byte(hardState === undefined ? 0 : 1);
  if (hardState !== undefined) encodeHardState(writer, hardState);
  writer.list(entries, (entry) => {
    encodeEntry(writer, entry);
  });
  return writer.done();
}

function decodeSave(body: Bytes): LogWrite {
  const reader = new ByteReader(body);
  const hardState = readFlag(reader) ? decodeHardState(reader) : undefined;
  const entries = reader.list(() => decodeEntry(reader));
  reader.end();
  return hardState === undefined ? { entries } : { entries, hardState };
}

export function encodeMarker(marker: StartMarker): Bytes {
  const writer = new ByteWriter();
  writeMarker(writer, marker);
  return writer.done();
}

export function kindOf({ isInstalled, isRewritten }: StartMarker): number {
  if (!isInstalled) return KIND.start;
  return isRewritten === true ? KIND.rewrite : KIND.install;
}

function writeMarker(writer: ByteWriter, { meta, db }: StartMarker): void {
  encodeSnapshotMeta(writer, meta);
  writer.number(db.offset).number(db.chain);
}

function readMarker(reader: ByteReader): Omit<StartMarker, 'isInstalled'> {
  const meta = decodeSnapshotMeta(reader);
  const offset = reader.number();
  return { meta, db: { offset, chain: reader.number() } };
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.byte();
  if (flag > 1) throw new MalformedBytes(`has ${flag} where only 0 or 1 can be`);
  return flag === 1;
}

/** What the first segment that is left begins with. */
export function imageOf(meta: SegmentMeta): LogImage {
  const { identity, hardState, marker, lastIndex } = meta;
  return { identity, hardState, marker, lastIndex, entries: [] };
}

/** Adds a record, which is not a `meta`. Throws `MalformedBytes` when it cannot follow. */
export function addRecord(image: LogImage, kind: number, body: Bytes): void {
  switch (kind) {
    case KIND.save: {
      const { entries, hardState } = decodeSave(body);
      for (const entry of entries) addEntry(image, entry);
      if (hardState !== undefined) image.hardState = hardState;
      return;
    }
    case KIND.start:
    case KIND.install:
    case KIND.rewrite: {
      const reader = new ByteReader(body);
      const found = { ...readMarker(reader), isInstalled: kind !== KIND.start };
      const marker = kind === KIND.rewrite ? { ...found, isRewritten: true } : found;
      reader.end();
      addMarker(image, marker);
      return;
    }
    default:
      throw new MalformedBytes(`no kind of record has the number ${kind}`);
  }
}

/** An entry replaces what the log holds at its index and after (§5.3). */
function addEntry(image: LogImage, entry: Entry): void {
  const { index } = entry;
  if (index > image.lastIndex + 1 || index <= image.marker.meta.index)
    throw new MalformedBytes(
      `entry ${index} cannot be added to a log from ${image.marker.meta.index + 1} ` +
        `to ${image.lastIndex}`,
    );
  const first = image.lastIndex + 1 - image.entries.length;
  image.entries.length = Math.max(0, index - first);
  image.entries.push(entry);
  image.lastIndex = index;
}

function addMarker(image: LogImage, marker: StartMarker): void {
  const { index } = marker.meta;
  if (index < image.marker.meta.index)
    throw new MalformedBytes(`the log cannot start at ${index}, before where it started`);
  if (marker.isInstalled && marker.isRewritten !== true) {
    image.entries = [];
    image.lastIndex = index;
  } else {
    if (index > image.lastIndex)
      throw new MalformedBytes(`the log cannot start at ${index}, after ${image.lastIndex}`);
    const first = image.lastIndex + 1 - image.entries.length;
    image.entries = image.entries.slice(Math.max(0, index + 1 - first));
  }
  image.marker = marker;
}

/** What a write makes of the last index; an `invariant`, since nobody should ask for a gap. */
export function lastIndexAfter(
  entries: readonly Entry[],
  lastIndex: number,
  startIndex: number,
): number {
  let last = lastIndex;
  for (const [at, { index }] of entries.entries()) {
    const mayReplace = at === 0 && index > startIndex && index <= lastIndex;
    invariant(
      mayReplace || index === last + 1,
      `entry ${index} cannot be added to a log from ${startIndex + 1} to ${last}`,
    );
    last = index;
  }
  return last;
}
