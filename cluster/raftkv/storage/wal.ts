/**
 * The write-ahead log: segments `wal-0000000000000001` and so on, of which only the last is
 * written to. A segment appears whole, by a rename, with how everything was when it began; so
 * earlier ones can be removed once the log starts after all their entries.
 */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Bytes } from '../bytes.ts';
import type { HardState } from '../raft/types.ts';
import { BEGINNING, frame, type Position } from './record.ts';
import type { Disk, DiskFile, Identity } from './types.ts';
import {
  encodeMarker,
  encodeMeta,
  encodeSave,
  KIND,
  kindOf,
  type LogWrite,
  lastIndexAfter,
  type SegmentMeta,
  type StartMarker,
} from './wal-records.ts';

/** A segment that is not whole yet; forgotten at the next start. */
export const INCOMING_SEGMENT = 'wal.incoming';

const SEGMENT_NAME = /^wal-(\d{16})$/;

export function segmentName(sequence: number): string {
  return `wal-${String(sequence).padStart(16, '0')}`;
}

/** Undefined: not a segment's name. */
export function sequenceOf(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A segment that is not written to any more. */
export interface ClosedSegment {
  readonly sequence: number;
  /** Of the log when it was closed: once the log starts there, the segment is not needed. */
  readonly lastIndex: number;
}

/** Where a log stands: what there is to know to write on. */
export interface WalState {
  readonly identity: Identity;
  readonly hardState: HardState;
  readonly marker: StartMarker;
  readonly lastIndex: number;
  readonly closed: readonly ClosedSegment[];
  readonly sequence: number;
  /** The end of the last segment, of which everything is synced. */
  readonly end: Position;
}

/** One call at a time. Errors are the disk's; after one it must not be used any more. */
export class Wal implements AsyncDisposable {
  readonly #disk: Disk;
  readonly #segmentBytes: number;
  readonly #identity: Identity;
  #hardState: HardState;
  #marker: StartMarker;
  #lastIndex: number;
  #closed: readonly ClosedSegment[];
  #sequence: number;
  #end: Position;
  #synced: number;
  #file: DiskFile;

  constructor(disk: Disk, segmentBytes: number, file: DiskFile, state: WalState) {
    invariant(file.size === state.end.offset, `${file.name} does not end where it was read to`);
    this.#disk = disk;
    this.#segmentBytes = segmentBytes;
    this.#identity = state.identity;
    this.#hardState = state.hardState;
    this.#marker = state.marker;
    this.#lastIndex = state.lastIndex;
    this.#closed = state.closed;
    this.#sequence = state.sequence;
    this.#end = state.end;
    this.#synced = state.end.offset;
    this.#file = file;
  }

  get marker(): StartMarker {
    return this.#marker;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** One record, one append; survives the process when it resolves. */
  async append(write: LogWrite): Promise<void> {
    const { entries, hardState } = write;
    const last = lastIndexAfter(entries, this.#lastIndex, this.#marker.meta.index);
    if (entries.length === 0 && hardState === undefined) return;
    await this.#cutIfLong();
    this.#write(KIND.save, encodeSave(write));
    this.#lastIndex = last;
    if (hardState !== undefined) this.#hardState = hardState;
  }

  /** Durable when it resolves. */
  async mark(marker: StartMarker): Promise<void> {
    await this.#cutIfLong();
    this.#write(kindOf(marker), encodeMarker(marker));
    await this.sync();
    this.#marker = marker;
    if (!marker.isInstalled || marker.isRewritten === true) return;
    const lastIndex = marker.meta.index;
    this.#lastIndex = lastIndex;
    // Whatever they held, it is not of this log any more.
    this.#closed = this.#closed.map(({ sequence }) => ({ sequence, lastIndex }));
  }

  async sync(): Promise<void> {
    const { offset } = this.#end;
    if (offset === this.#synced) return;
    await this.#file.sync();
    this.#synced = offset;
  }

  /** Removes segments that hold nothing after the log's start, the oldest first. */
  async removeOld(): Promise<void> {
    for (const segment of this.#closed) {
      if (segment.lastIndex > this.#marker.meta.index) return;
      await this.#disk.remove(segmentName(segment.sequence));
      this.#closed = this.#closed.slice(1);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  #write(kind: number, body: Bytes): void {
    const framed = frame(kind, body, this.#end, this.#synced);
    this.#file.append(framed.chunks);
    this.#end = framed.next;
  }

  /** Only the last segment may have a torn tail: the one before is synced first. */
  async #cutIfLong(): Promise<void> {
    if (this.#end.offset < this.#segmentBytes) return;
    await this.sync();
    const sequence = this.#sequence + 1;
    const meta = {
      sequence,
      identity: this.#identity,
      hardState: this.#hardState,
      marker: this.#marker,
      lastIndex: this.#lastIndex,
    };
    const end = await writeSegment(this.#disk, meta, this.#end.chain, []);
    const file = await this.#disk.open(segmentName(sequence));
    await this.#file[Symbol.asyncDispose]();
    this.#file = file;
    this.#closed = [...this.#closed, { sequence: this.#sequence, lastIndex: this.#lastIndex }];
    this.#sequence = sequence;
    this.#end = end;
    this.#synced = end.offset;
  }
}

/**
 * Makes a segment, all of it durable when it resolves, or nothing. `chain` is that of the segment
 * before, so that a record missing at the end of that one is found.
 */
export async function writeSegment(
  disk: Disk,
  meta: SegmentMeta,
  chain: number,
  writes: readonly LogWrite[],
): Promise<Position> {
  await disk.remove(INCOMING_SEGMENT);
  let end: Position = { ...BEGINNING, chain };
  {
    await using file = await disk.open(INCOMING_SEGMENT);
    const records = [
      { kind: KIND.meta, body: encodeMeta(meta) },
      ...writes.map((write) => ({ kind: KIND.save, body: encodeSave(write) })),
    ];
    for (const { kind, body } of records) {
      const framed = frame(kind, body, end, 0);
      file.append(framed.chunks);
      end = framed.next;
    }
    await file.sync();
  }
  await disk.rename(INCOMING_SEGMENT, segmentName(meta.sequence));
  return end;
}
