import { describe, expect, it } from 'vitest';
import type { Bytes } from '../bytes.ts';
import {
  BEGINNING,
  FRAME_BYTES,
  frame,
  HEADER_BYTES,
  type Position,
  readRecord,
  SECTOR,
} from './record.ts';

interface Written {
  readonly bytes: Buffer;
  /** Where each record begins, and the end. */
  readonly places: readonly Position[];
}

/** `synced[i]`: what was durable when record i was written; as a rule everything before it. */
function write(bodies: readonly Bytes[], synced?: readonly number[]): Written {
  const chunks: Bytes[] = [];
  const places: Position[] = [BEGINNING];
  let at = BEGINNING;
  for (const [index, body] of bodies.entries()) {
    const framed = frame(index + 1, body, at, synced?.[index] ?? at.offset);
    chunks.push(...framed.chunks);
    at = framed.next;
    places.push(at);
  }
  return { bytes: Buffer.concat(chunks), places };
}

/** What reading from the beginning ends with, and after how many records. */
function readAll(bytes: Buffer): { count: number; offset: number; end: string; seen: string } {
  let at = BEGINNING;
  for (let count = 0; ; count++) {
    const read = readRecord(bytes, at);
    if (read.type !== 'record') {
      const seen = read.type === 'corrupt' ? read.seen : '';
      return { count, offset: at.offset, end: read.type, seen };
    }
    expect(read.kind).toBe(count + 1);
    at = read.next;
  }
}

function zeroed(bytes: Buffer, from: number, to: number): Buffer {
  return Buffer.from(bytes).fill(0, from, to);
}

const SMALL = ['one', '', 'three'].map((text) => Buffer.from(text));
const text = (length: number): Buffer => Buffer.alloc(length, 'abcdefg');

describe('reading records', () => {
  it('gives what was written, in order, and then the end', () => {
    const { bytes, places } = write(SMALL);
    const bodies = SMALL.map((_, index) => {
      const read = readRecord(bytes, places[index] ?? BEGINNING);
      return read.type === 'record' ? read.body.toString() : read.type;
    });
    expect(bodies).toEqual(['one', '', 'three']);
    expect(bytes.length).toBe(3 * FRAME_BYTES + 8);
    expect(readAll(bytes)).toMatchObject({ count: 3, end: 'end' });
  });

  it('finds every changed bit, and never takes it for a torn tail', () => {
    const oneBit = Buffer.alloc(1_700);
    oneBit[700] = 16;
    const zeros = Buffer.alloc(1_200);
    // What is last matters: nothing follows that could say that it was synced.
    for (const bodies of [
      [...SMALL, text(700)],
      [Buffer.alloc(600, 1), zeros],
      [zeros, oneBit],
    ]) {
      const { bytes } = write(bodies);
      for (let bit = 0; bit < 8 * bytes.length; bit++) {
        const changed = Buffer.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit % 8));
        const { end, offset } = readAll(changed);
        if (end !== 'corrupt' || offset > bit >> 3) expect.fail(`bit ${bit}: ${end} at ${offset}`);
      }
    }
  });

  it('finds a record that is missing, and two that are exchanged', () => {
    const { bytes, places } = write([text(5), text(5), text(5)]);
    const part = (index: number): Buffer =>
      bytes.subarray(places[index]?.offset, places[index + 1]?.offset);
    expect(readAll(Buffer.concat([part(0), part(2)]))).toMatchObject({ count: 1, end: 'corrupt' });
    expect(readAll(Buffer.concat([part(1), part(0), part(2)]))).toMatchObject({
      count: 0,
      end: 'corrupt',
    });
  });

  it('finds a record of the same place in another file', () => {
    const one = write([text(5), text(9)]);
    const other = write([Buffer.from('other'), text(9)]);
    const at = one.places[1]?.offset ?? 0;
    const mixed = Buffer.concat([one.bytes.subarray(0, at), other.bytes.subarray(at)]);
    expect(readAll(mixed)).toMatchObject({ count: 1, end: 'corrupt' });
    expect(readAll(mixed).seen).toContain('is before it');
  });
});

describe('a torn tail', () => {
  it('is a file that ends within its last record, wherever', () => {
    const { bytes, places } = write([text(40), text(1_300)]);
    const last = places[1]?.offset ?? 0;
    for (let size = last + 1; size < bytes.length; size++)
      expect(readAll(bytes.subarray(0, size))).toMatchObject({
        count: 1,
        offset: last,
        end: 'torn',
      });
    expect(readAll(bytes.subarray(0, last))).toMatchObject({ count: 1, end: 'end' });
  });

  it('is a last record of which a sector was lost, wherever it begins', () => {
    for (let before = 0; before < SECTOR; before += 7) {
      const { bytes, places } = write([text(before), text(1_300)]);
      const last = places[1]?.offset ?? 0;
      for (let sector = last - (last % SECTOR); sector < bytes.length; sector += SECTOR) {
        const from = Math.max(sector, last);
        const lost = zeroed(bytes, from, Math.min(sector + SECTOR, bytes.length));
        expect(readAll(lost)).toMatchObject({ count: 1, offset: last, end: 'torn' });
      }
    }
  });

  it('is a lost sector among values that are zeros themselves', () => {
    const body = Buffer.concat([Buffer.alloc(2_000), text(900), Buffer.alloc(2_000)]);
    const { bytes } = write([body]);
    expect(readAll(zeroed(bytes, 4 * SECTOR, 5 * SECTOR))).toMatchObject({ count: 0, end: 'torn' });
  });

  it('may have intact records after it, when nothing of it was synced by then', () => {
    const { bytes, places } = write([text(40), text(1_300), text(3)], [0, 70, 70]);
    const lost = zeroed(bytes, SECTOR, 2 * SECTOR);
    expect(readAll(lost)).toMatchObject({ count: 1, offset: places[1]?.offset, end: 'torn' });
  });

  it('is none when a later record says that it was synced', () => {
    const { bytes, places } = write([text(40), text(1_300), text(3)]);
    const lost = zeroed(bytes, SECTOR, 2 * SECTOR);
    const found = readAll(lost);
    expect(found).toMatchObject({ count: 1, end: 'corrupt' });
    expect(found.seen).toContain(`the record at byte ${places[2]?.offset} says was synced`);
  });

  it('is none when what says so is only a value that looks like a record', () => {
    const liar = write([text(1), text(1), text(1)]).bytes;
    const body = Buffer.concat([text(1_500 - HEADER_BYTES), liar]);
    const { bytes } = write([body]);
    expect(readAll(zeroed(bytes, SECTOR, 2 * SECTOR))).toMatchObject({ count: 0, end: 'torn' });
  });

  it('is a file that grew without any of its contents', () => {
    const { bytes, places } = write([text(40)]);
    const grown = Buffer.concat([bytes, Buffer.alloc(3_000)]);
    expect(readAll(grown)).toMatchObject({ count: 1, offset: places[1]?.offset, end: 'torn' });
  });
});
