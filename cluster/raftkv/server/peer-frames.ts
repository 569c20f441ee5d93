/**
 * What flows on a connection between members: frames, each with its length and a checksum.
 *
 *     u32 length of the body | u32 CRC-32 of the body | body: u8 kind, content
 *
 * A body that is too long for one frame travels in several of kind `part`, the last of kind
 * `last-part`, between which whole frames may be: a heartbeat does not wait for a snapshot.
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../../../harness/core/invariant.ts';
import { type Bytes, MalformedBytes } from '../bytes.ts';

const HEADER_BYTES = 8;
/** Of the body of one frame. */
export const FRAME_BYTES_MAX: number = 64 * 1024;
/**
 * Of a body put together from parts: more than any store that fits the memory of a test machine.
 * Nothing is reserved in advance, so that this is no invitation.
 */
export const BODY_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Numbers of the kinds of bodies; `PART` and `LAST_PART` are below all. */
const PART = 0;
const LAST_PART = 1;
export const FIRST_KIND = 2;

/** What is to be sent: a kind, from `FIRST_KIND` on, and its content in pieces. */
export interface Body {
  readonly kind: number;
  readonly pieces: readonly Bytes[];
}

/** Bytes of the body in a frame of its own. */
export function bodyLength(body: Body): number {
  return body.pieces.reduce((sum, piece) => sum + piece.length, 1);
}

/** One whole frame. The body must not be longer than `FRAME_BYTES_MAX`. */
export function frameOf({ kind, pieces }: Body): Buffer {
  const length = bodyLength({ kind, pieces });
  invariant(length <= FRAME_BYTES_MAX, `a frame of ${length} bytes`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32LE(length, 0);
  frame[HEADER_BYTES] = kind;
  let at = HEADER_BYTES + 1;
  for (const piece of pieces) {
    frame.set(piece, at);
    at += piece.length;
  }
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 4);
  return frame;
}

/** A long body on its way, frame by frame. */
export class PartWriter {
  readonly #pieces: readonly Bytes[];
  #left: number;
  #piece = 0;
  /** Within the current piece. */
  #at = 0;

  constructor(body: Body) {
    this.#pieces = [Buffer.of(body.kind), ...body.pieces];
    this.#left = bodyLength(body);
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  next(): Buffer {
    invariant(this.#left > 0, 'nothing left to send of this body');
    const length = Math.min(this.#left, FRAME_BYTES_MAX - 1);
    this.#left -= length;
    return frameOf({ kind: this.isDone ? LAST_PART : PART, pieces: this.#take(length) });
  }

  #take(length: number): Bytes[] {
    const taken: Bytes[] = [];
    let missing = length;
    while (missing > 0) {
      const piece = this.#pieces[this.#piece];
      invariant(piece !== undefined, 'the pieces of a body are shorter than their sum');
      const slice = piece.subarray(this.#at, this.#at + missing);
      taken.push(slice);
      missing -= slice.length;
      this.#at += slice.length;
      if (this.#at < piece.length) continue;
      this.#piece++;
      this.#at = 0;
    }
    return taken;
  }
}

/** A body that arrived whole. The content may be a view of the chunk it came in. */
export interface ReceivedBody {
  readonly kind: number;
  readonly content: Buffer;
}

/** Makes bodies of a stream of bytes. Once it has thrown, the stream is of no use any more. */
export class FrameReader {
  readonly #bodyBytesMax: number;
  /** What arrived and is not a frame yet: put together only when there is enough. */
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** Bytes that the frame being waited for has, header included; at first only its header's. */
  #needed: number = HEADER_BYTES;
  #parts: Buffer[] = [];
  #partBytes = 0;

  constructor(bodyBytesMax: number = BODY_BYTES_MAX) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** Bodies completed by `chunk`, in order. Throws `MalformedBytes` for damage and over limits. */
  *push(chunk: Buffer): Generator<ReceivedBody, void, undefined> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= this.#needed) {
      const all = this.#gather();
      const length = frameLength(all);
      if (all.length < HEADER_BYTES + length) {
        this.#needed = HEADER_BYTES + length;
        continue;
      }
      this.#keep(all.subarray(HEADER_BYTES + length));
      const body = this.#body(checked(all.subarray(0, HEADER_BYTES + length)));
      if (body !== undefined) yield body;
    }
  }

  #gather(): Buffer {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const all = Buffer.concat(this.#chunks, this.#buffered);
    this.#chunks = [all];
    return all;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
    this.#needed = HEADER_BYTES;
  }

  #body(body: Buffer): ReceivedBody | undefined {
    const kind = body[0];
    const content = body.subarray(1);
    if (kind === undefined) throw new MalformedBytes('an empty frame');
    if (kind > LAST_PART) return { kind, content };
    this.#partBytes += content.length;
    if (this.#partBytes > this.#bodyBytesMax) throw new MalformedBytes('too long in all its parts');
    this.#parts.push(content);
    if (kind === PART) return undefined;
    const whole = Buffer.concat(this.#parts, this.#partBytes);
    this.#parts = [];
    this.#partBytes = 0;
    const wholeKind = whole[0];
    if (wholeKind === undefined || wholeKind < FIRST_KIND)
      throw new MalformedBytes('parts of nothing');
    return { kind: wholeKind, content: whole.subarray(1) };
  }
}

function frameLength(bytes: Buffer): number {
  const length = bytes.readUInt32LE(0);
  if (length > FRAME_BYTES_MAX) throw new MalformedBytes('a frame is too long');
  return length;
}

/** The body, if it is what was sent. */
function checked(frame: Buffer): Buffer {
  const body = frame.subarray(HEADER_BYTES);
  if (crc32(body) !== frame.readUInt32LE(4)) throw new MalformedBytes('a checksum is wrong');
  return body;
}
