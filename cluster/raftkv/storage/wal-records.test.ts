import { describe, expect, it } from 'vitest';
import { ByteWriter, MalformedBytes } from '../bytes.ts';
import { command, IDENTITY, metaAt } from './fixtures.ts';
import { BEGINNING } from './record.ts';
import {
  addRecord,
  decodeMeta,
  encodeMarker,
  encodeMeta,
  encodeSave,
  imageOf,
  KIND,
  type LogImage,
  type SegmentMeta,
} from './wal-records.ts';

const META: SegmentMeta = {
  sequence: 3,
  identity: IDENTITY,
  hardState: { term: 4, vote: 'b2', commit: 11 },
  marker: { meta: metaAt(10, 3), db: { offset: 700, chain: 0xdeadbeef }, isInstalled: false },
  lastIndex: 12,
};

/** A log from 11 to 14, of which 11 and 12 are in a segment that was removed. */
function image(): LogImage {
  const found = imageOf(META);
  addRecord(found, KIND.save, encodeSave({ entries: [command(13, 4), command(14, 4)] }));
  return found;
}

function indexes({ entries }: LogImage): number[] {
  return entries.map(({ index }) => index);
}

describe('the first record of a segment', () => {
  it('comes back as it was', () => {
    expect(decodeMeta(encodeMeta(META))).toEqual(META);
  });

  it('of a format that is not known is refused', () => {
    const body = new ByteWriter().number(2).number(1).done();
    expect(() => decodeMeta(body)).toThrow('has format 2, and this program knows 1 only');
  });
});

describe('a log', () => {
  it('takes entries after its end, and in place of others', () => {
    const found = image();
    expect(indexes(found)).toEqual([13, 14]);
    addRecord(found, KIND.save, encodeSave({ entries: [command(14, 5), command(15, 5)] }));
    expect(found.entries).toEqual([command(13, 4), command(14, 5), command(15, 5)]);
    addRecord(found, KIND.save, encodeSave({ entries: [command(11, 6)] }));
    expect(found.entries).toEqual([command(11, 6)]);
    expect(found.lastIndex).toBe(11);
  });

  it('takes no entry beyond its end, or from before its start', () => {
    for (const index of [10, 16])
      expect(() => {
        addRecord(image(), KIND.save, encodeSave({ entries: [command(index, 4)] }));
      }).toThrow(`entry ${index} cannot be added to a log from 11 to 14`);
  });

  it('starts later by a marker, and is empty after an install', () => {
    const found = image();
    const marker = { meta: metaAt(13, 4), db: BEGINNING, isInstalled: false };
    addRecord(found, KIND.start, encodeMarker(marker));
    expect(indexes(found)).toEqual([14]);
    expect(found.marker).toEqual(marker);
    addRecord(found, KIND.install, encodeMarker({ ...marker, meta: metaAt(14, 4) }));
    expect(indexes(found)).toEqual([]);
    expect(found.marker).toMatchObject({ meta: { index: 14 }, isInstalled: true });
  });

  it('never starts earlier, or after its end', () => {
    for (const index of [9, 15])
      expect(() => {
        const marker = { meta: metaAt(index, 3), db: BEGINNING, isInstalled: false };
        addRecord(image(), KIND.start, encodeMarker(marker));
      }).toThrow(MalformedBytes);
  });

  it('takes the newest hard state, and keeps it when there is none', () => {
    const found = image();
    expect(found.hardState).toEqual(META.hardState);
    const hardState = { term: 9, vote: null, commit: 14 };
    addRecord(found, KIND.save, encodeSave({ entries: [], hardState }));
    expect(found.hardState).toEqual(hardState);
  });

  it('refuses records of an unknown kind, and those that hold more than they should', () => {
    expect(() => {
      addRecord(image(), 99, Buffer.alloc(0));
    }).toThrow('no kind of record has the number 99');
    const long = Buffer.concat([encodeSave({ entries: [] }), Buffer.from([0])]);
    expect(() => {
      addRecord(image(), KIND.save, long);
    }).toThrow(MalformedBytes);
  });
});
