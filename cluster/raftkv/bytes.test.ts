import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../harness/core/invariant.ts';
import { ByteReader, ByteWriter, MalformedBytes } from './bytes.ts';

function roundTrip(value: number): number {
  return new ByteReader(new ByteWriter().number(value).done()).number();
}

describe('numbers', () => {
  it('come back, up to the largest safe one', () => {
    const values = [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 52];
    for (const value of [...values, Number.MAX_SAFE_INTEGER]) expect(roundTrip(value)).toBe(value);
  });

  it('below 128 take one byte', () => {
    expect([...new ByteWriter().number(127).done()]).toEqual([127]);
    expect([...new ByteWriter().number(128).done()]).toEqual([0x80, 1]);
  });

  it('that are negative, fractional or unsafe cannot be written', () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => new ByteWriter().number(value)).toThrow(InvariantError);
  });

  it('that are too large or never end cannot be read', () => {
    const tooLarge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    expect(() => new ByteReader(tooLarge).number()).toThrow(MalformedBytes);
    expect(() => new ByteReader(Buffer.from([0x80])).number()).toThrow(MalformedBytes);
  });
});

describe('a writer', () => {
  it('keeps what it has when it grows', () => {
    const writer = new ByteWriter();
    const large = Buffer.alloc(1_000, 7);
    writer.text('before').bytes(large).text('after');
    const reader = new ByteReader(writer.done());
    expect(reader.text()).toBe('before');
    expect(reader.bytes().equals(large)).toBe(true);
    expect(reader.text()).toBe('after');
    reader.end();
  });

  it('has room for the longest number wherever it stands', () => {
    for (let filled = 240; filled < 260; filled++) {
      const writer = new ByteWriter();
      for (let i = 0; i < filled; i++) writer.byte(1);
      writer.number(Number.MAX_SAFE_INTEGER);
      const reader = new ByteReader(writer.done());
      for (let i = 0; i < filled; i++) reader.byte();
      expect(reader.number()).toBe(Number.MAX_SAFE_INTEGER);
      expect(reader.isAtEnd).toBe(true);
    }
  });

  it('gives bytes that later writes do not change', () => {
    const writer = new ByteWriter().byte(1);
    const done = writer.done();
    writer.byte(2);
    expect([...done]).toEqual([1]);
    expect(writer.length).toBe(2);
  });

  it('counts bytes of a text, not characters', () => {
    const reader = new ByteReader(new ByteWriter().text('é✓').byte(9).done());
    expect(reader.text()).toBe('é✓');
    expect(reader.byte()).toBe(9);
  });
});

describe('texts', () => {
  it('are the same bytes whether short or long, plain or not', () => {
    const lengths = [0, 1, 47, 48, 49, 63, 64, 127, 128, 300];
    const texts = lengths.flatMap((length) => ['a'.repeat(length), `${'a'.repeat(length)}é`]);
    for (const text of texts) {
      const utf8 = new ByteWriter().bytes(Buffer.from(text, 'utf8')).done();
      expect(new ByteWriter().text(text).done().equals(utf8)).toBe(true);
      const latin1 = new ByteWriter().bytes(Buffer.from(text, 'latin1')).done();
      expect(new ByteWriter().latin1(text).done().equals(latin1)).toBe(true);
      expect(new ByteReader(utf8).text()).toBe(text);
    }
  });
});

describe('a reader', () => {
  it('never reads beyond its end', () => {
    expect(() => new ByteReader(Buffer.alloc(0)).byte()).toThrow('ended too early');
    expect(() => new ByteReader(Buffer.from([3, 1, 2])).bytes()).toThrow('ended too early');
  });

  it('reads a view of an array within a larger one, and no neighbours', () => {
    const all = new ByteWriter().text('ab').text('cd').done();
    const reader = new ByteReader(new Uint8Array(all).subarray(3));
    expect(reader.text()).toBe('cd');
    expect(() => reader.byte()).toThrow(MalformedBytes);
  });

  it('reads lists, and refuses one that promises more items than there are bytes', () => {
    const written = new ByteWriter();
    written.list([5, 6, 700], (item) => {
      written.number(item);
    });
    const reader = new ByteReader(written.done());
    expect(reader.list(() => reader.number())).toEqual([5, 6, 700]);
    const lying = new ByteReader(new ByteWriter().number(2 ** 40).done());
    expect(() => lying.list(() => 0)).toThrow('a list is too long');
  });

  it('says when something is left', () => {
    const reader = new ByteReader(Buffer.from([1, 2]));
    reader.byte();
    expect(() => {
      reader.end();
    }).toThrow(MalformedBytes);
  });
});
