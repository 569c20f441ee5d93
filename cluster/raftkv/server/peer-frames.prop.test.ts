import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, MalformedBytes } from '../bytes.ts';
import {
  type Body,
  bodyLength,
  FIRST_KIND,
  FRAME_BYTES_MAX,
  FrameReader,
  frameOf,
  PartWriter,
} from './peer-frames.ts';

interface Plain {
  readonly kind: number;
  readonly content: string;
}

const kind = fc.integer({ min: FIRST_KIND, max: 255 });
const piece: fc.Arbitrary<Bytes> = fc.uint8Array({ maxLength: 200 });
const shortBody: fc.Arbitrary<Body> = fc.record({
  kind,
  pieces: fc.array(piece, { maxLength: 3 }),
});
/** Of one to four parts. */
const longBody: fc.Arbitrary<Body> = fc
  .record({
    kind,
    lengths: fc.array(fc.integer({ min: 0, max: FRAME_BYTES_MAX }), { minLength: 1, maxLength: 4 }),
    fill: fc.nat({ max: 255 }),
  })
  .map((drawn) => ({
    kind: drawn.kind,
    pieces: drawn.lengths.map((length, at) => Buffer.alloc(length, drawn.fill + at)),
  }));

function plain({ kind: number, pieces }: Body): Plain {
  return { kind: number, content: Buffer.concat(pieces).toString('latin1') };
}

function parts(body: Body): Buffer[] {
  const writer = new PartWriter(body);
  const frames: Buffer[] = [];
  while (!writer.isDone) frames.push(writer.next());
  return frames;
}

function read(reader: FrameReader, chunks: readonly Buffer[]): Plain[] {
  return chunks.flatMap((chunk) =>
    [...reader.push(chunk)].map((body) => ({
      kind: body.kind,
      content: body.content.toString('latin1'),
    })),
  );
}

/** Cuts at the places that `cuts` say, in thousandths. */
function cutUp(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => Math.floor((cut * stream.length) / 1000));
  const sorted = [0, ...places.toSorted((a, b) => a - b), stream.length];
  return sorted.slice(1).map((end, at) => stream.subarray(sorted[at], end));
}

const cuts = fc.array(fc.nat({ max: 1000 }), { maxLength: 20 });

describe('frames', () => {
  it('give back the bodies in order, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(shortBody, { maxLength: 20 }), cuts, (bodies, places) => {
        const stream = Buffer.concat(bodies.map(frameOf));
        expect(read(new FrameReader(), cutUp(stream, places))).toEqual(bodies.map(plain));
      }),
    );
  });

  it('arrive also byte by byte', () => {
    const bodies = [
      { kind: 5, pieces: [Buffer.from('first')] },
      { kind: 6, pieces: [] },
      { kind: 7, pieces: [Buffer.from('the '), Buffer.from('last')] },
    ];
    const stream = Buffer.concat(bodies.map(frameOf));
    const bytewise = [...stream].map((byte) => Buffer.of(byte));
    expect(read(new FrameReader(), bytewise)).toEqual(bodies.map(plain));
  });

  it('let short bodies pass between the parts of a long one', () => {
    fc.assert(
      fc.property(longBody, shortBody, cuts, (long, short, places) => {
        const frames = parts(long);
        const stream = Buffer.concat(frames.flatMap((frame) => [frameOf(short), frame]));
        const arrived = read(new FrameReader(), cutUp(stream, places));
        expect(arrived).toEqual([...frames.map(() => plain(short)), plain(long)]);
      }),
      { numRuns: 30 },
    );
  });

  it('are never longer than the limit', () => {
    fc.assert(
      fc.property(longBody, (body) => {
        for (const frame of parts(body)) expect(frame.length).toBeLessThanOrEqual(8 + 65_536);
        expect(parts(body)).toHaveLength(Math.ceil(bodyLength(body) / (FRAME_BYTES_MAX - 1)));
      }),
      { numRuns: 30 },
    );
    const justTooLong = { kind: 9, pieces: [Buffer.alloc(FRAME_BYTES_MAX)] };
    expect(() => frameOf(justTooLong)).toThrow('65537');
  });

  it('never give another body when a byte is damaged', () => {
    fc.assert(
      fc.property(
        fc.array(shortBody, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bodies, at, flips) => {
          const stream = Buffer.concat(bodies.map(frameOf));
          const place = at % stream.length;
          stream[place] = (stream[place] ?? 0) ^ flips;
          const arrived: Plain[] = [];
          let problem: unknown;
          try {
            for (const body of new FrameReader().push(stream))
              arrived.push({ kind: body.kind, content: body.content.toString('latin1') });
          } catch (error) {
            problem = error;
          }
          // A longer length waits for more, or is too long; all else is a wrong checksum.
          expect(problem === undefined || problem instanceof MalformedBytes).toBe(true);
          expect(arrived.length).toBeLessThan(bodies.length);
          expect(arrived).toEqual(bodies.slice(0, arrived.length).map(plain));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are refused by their length alone, before anything is kept for them', () => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(FRAME_BYTES_MAX + 1, 0);
    expect(() => read(new FrameReader(), [header])).toThrow('too long');
    expect(() => read(new FrameReader(), [Buffer.from('GET / HTTP/1.1\r\n')])).toThrow('too long');
  });

  it('are refused when empty, or when parts make no body', () => {
    expect(() => read(new FrameReader(), [Buffer.alloc(8)])).toThrow('empty');
    const partOfPart = parts({ kind: 0, pieces: [Buffer.from('x')] });
    expect(() => read(new FrameReader(), partOfPart)).toThrow('parts of nothing');
  });

  it('are refused when all parts together are over the limit', () => {
    const frames = parts({ kind: 9, pieces: [Buffer.alloc(3 * FRAME_BYTES_MAX)] });
    expect(frames).toHaveLength(4);
    const reader = new FrameReader(2 * FRAME_BYTES_MAX);
    expect(read(reader, frames.slice(0, 2))).toEqual([]);
    expect(() => read(reader, frames.slice(2, 3))).toThrow('too long in all its parts');
  });
});
