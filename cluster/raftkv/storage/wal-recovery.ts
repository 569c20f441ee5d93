/** Reads a write-ahead log after a crash, and changes nothing yet. */
import { MalformedBytes } from '../bytes.ts';
import { damaged } from './damage.ts';
import { BEGINNING, firstFollows, type Position, readRecord } from './record.ts';
import type { Disk } from './types.ts';
import { type ClosedSegment, segmentName, sequenceOf, type WalState } from './wal.ts';
import {
  addRecord,
  decodeMeta,
  imageOf,
  KIND,
  type LogImage,
  type SegmentMeta,
} from './wal-records.ts';

export interface WalFound {
  readonly image: LogImage;
  readonly state: WalState;
  /** Bytes after the end of the last segment, to be cut off. */
  readonly tornBytes: number;
}

interface Reading {
  image: LogImage | undefined;
  closed: readonly ClosedSegment[];
}

/**
 * Undefined: there is no log. Throws `store-failed` for anything but a torn tail of the last
 * segment.
 */
export async function readWal(disk: Disk): Promise<WalFound | undefined> {
  const sequences = (await disk.list())
    .flatMap((name) => sequenceOf(name) ?? [])
    .toSorted((a, b) => a - b);
  const reading: Reading = { image: undefined, closed: [] };
  let end: Position | undefined;
  let tornBytes = 0;
  for (const [at, sequence] of sequences.entries()) {
    const name = segmentName(sequence);
    const before = at > 0 ? sequences[at - 1] : undefined;
    if (before !== undefined) {
      if (sequence !== before + 1)
        throw damaged(name, 0, `the segment ${segmentName(sequence - 1)} before it is missing`);
      const last = { sequence: before, lastIndex: reading.image?.lastIndex ?? 0 };
      reading.closed = [...reading.closed, last];
    }
    const bytes = asBuffer((await disk.read(name)) ?? new Uint8Array());
    const isLast = at === sequences.length - 1;
    end = readSegment({ name, sequence, bytes, isLast, chain: end?.chain }, reading);
    tornBytes = bytes.length - end.offset;
  }
  const sequence = sequences.at(-1);
  const { image, closed } = reading;
  if (sequence === undefined || end === undefined || image === undefined) return undefined;
  assertComplete(image, sequences[0] ?? sequence);
  const { identity, hardState, marker, lastIndex } = image;
  const state = { identity, hardState, marker, lastIndex, closed, sequence, end };
  return { image, state, tornBytes };
}

interface Segment {
  readonly name: string;
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly isLast: boolean;
  /** Of the segment before; undefined: that one was removed. */
  readonly chain: number | undefined;
}

/** Gives where its intact part ends. */
function readSegment(segment: Segment, reading: Reading): Position {
  const { name, bytes, isLast } = segment;
  // The first segment that is left follows one that nobody can look at any more.
  const chain = segment.chain ?? (segment.sequence === 1 ? 0 : (firstFollows(bytes) ?? 0));
  let at: Position = { ...BEGINNING, chain };
  for (;;) {
    const read = readRecord(bytes, at);
    switch (read.type) {
      case 'corrupt':
        throw damaged(name, at.offset, read.seen);
      case 'end':
      case 'torn':
        // Each segment had its first record before it had its name.
        if (at.offset === 0) throw damaged(name, 0, 'its first record is missing');
        if (read.type === 'torn' && !isLast)
          throw damaged(name, at.offset, 'a record is not complete, though a segment follows');
        return at;
      case 'record':
        explained(name, at.offset, () => {
          if (at.offset === 0) begin(segment, decodeFirst(read.kind, read.body), reading);
          else follow(read.kind, read.body, reading);
        });
        at = read.next;
        break;
    }
  }
}

function decodeFirst(kind: number, body: Buffer): SegmentMeta {
  if (kind !== KIND.meta) throw new MalformedBytes(`begins with a record of kind ${kind}`);
  return decodeMeta(body);
}

function begin(segment: Segment, meta: SegmentMeta, reading: Reading): void {
  if (meta.sequence !== segment.sequence)
    throw new MalformedBytes(`this is segment ${meta.sequence} under the name of another`);
  const { image } = reading;
  if (image === undefined) {
    reading.image = imageOf(meta);
    return;
  }
  const agrees =
    meta.identity.member === image.identity.member &&
    meta.identity.cluster === image.identity.cluster &&
    meta.lastIndex === image.lastIndex &&
    meta.marker.meta.index === image.marker.meta.index;
  if (!agrees) throw new MalformedBytes('it does not go on where the segment before it ended');
}

function follow(kind: number, body: Buffer, reading: Reading): void {
  const { image } = reading;
  if (image === undefined) throw new MalformedBytes('a record comes before the first');
  addRecord(image, kind, body);
  if (kind === KIND.install) {
    reading.closed = reading.closed.map(({ sequence }) => ({
      sequence,
      lastIndex: image.lastIndex,
    }));
  }
}

/** What is intact and makes no sense is damage, too. */
function explained(name: string, offset: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof MalformedBytes) throw damaged(name, offset, error.message);
    throw error;
  }
}

/** The segments that were removed must have held nothing after the log's start. */
function assertComplete({ entries, lastIndex, marker }: LogImage, firstSequence: number): void {
  const missing = lastIndex - marker.meta.index - entries.length;
  if (missing > 0)
    throw damaged(
      segmentName(firstSequence),
      0,
      `the ${missing} entries after ${marker.meta.index} are in none of the segments: ` +
        'an earlier one is missing',
    );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
