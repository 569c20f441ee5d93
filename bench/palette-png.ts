/** Makes a picture of a page small: at most 256 colours, which is all that flat drawings need. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { invariant } from '../harness/core/invariant.ts';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const COLOURS_MAX = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Three bytes each. */
  readonly rgb: Uint8Array;
}

/** Takes what Chromium writes: eight bits a channel, not interlaced. */
export function withPalette(png: Buffer): Buffer {
  const { width, height, rgb } = decoded(png);
  const { palette, indices } = reduced(rgb);
  const rows = Buffer.alloc((width + 1) * height);
  for (let row = 0; row < height; row++)
    rows.set(indices.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap((at) => [at >> 16, (at >> 8) & 255, at & 255]))),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}

/** The most frequent colours; any other becomes the nearest of them. */
function reduced(rgb: Uint8Array): {
  readonly palette: readonly number[];
  readonly indices: Uint8Array;
} {
  const codes = Int32Array.from({ length: rgb.length / 3 }, (_, at) => codeAt(rgb, 3 * at));
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const palette = [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, COLOURS_MAX)
    .map(([code]) => code);
  const places = new Map([...counts.keys()].map((code) => [code, nearest(palette, code)]));
  return { palette, indices: Uint8Array.from(codes, (code) => places.get(code) ?? 0) };
}

function nearest(palette: readonly number[], code: number): number {
  const far = (other: number): number =>
    ((other >> 16) - (code >> 16)) ** 2 +
    (((other >> 8) & 255) - ((code >> 8) & 255)) ** 2 +
    ((other & 255) - (code & 255)) ** 2;
  let best = 0;
  for (let at = 1; at < palette.length; at++)
    if (far(palette[at] as number) < far(palette[best] as number)) best = at;
  return best;
}

function codeAt(rgb: Uint8Array, at: number): number {
  return ((rgb[at] as number) << 16) | ((rgb[at + 1] as number) << 8) | (rgb[at + 2] as number);
}

function decoded(png: Buffer): Pixels {
  invariant(png.subarray(0, 8).equals(SIGNATURE), 'this is no PNG');
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const [depth, type, interlaced] = [png[24], png[25], png[28]];
  invariant(depth === 8 && (type === 2 || type === 6) && interlaced === 0, 'unlike Chromium’s');
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const size = type === 6 ? 4 : 3;
  const bytes = unfiltered(inflateSync(Buffer.concat(parts)), width * size, size);
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++)
    rgb.set(bytes.subarray(at * size, at * size + 3), at * 3);
  return { width, height, rgb };
}

/** Undoes the filters of each row (PNG specification, 9.2). */
function unfiltered(data: Buffer, length: number, size: number): Uint8Array {
  const rows = data.length / (length + 1);
  const out = new Uint8Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const filter = data[row * (length + 1)] as number;
    const start = row * length;
    for (let at = 0; at < length; at++) {
      const left = at >= size ? (out[start + at - size] as number) : 0;
      const up = row > 0 ? (out[start + at - length] as number) : 0;
      const corner = at >= size && row > 0 ? (out[start + at - length - size] as number) : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      out[start + at] = (data[row * (length + 1) + 1 + at] as number) + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value)) as [
    number,
    number,
    number,
  ];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
