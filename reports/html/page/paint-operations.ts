/** Draws the operations of one client. */
import { firstAtLeast, textOf } from './decode.ts';
import { LEFT, type Placed, RIGHT, type Scale } from './layout.ts';
import type { Store } from './store.ts';
import type { Palette } from './theme.ts';
import { clipped } from './words.ts';

export interface Brush {
  readonly context: CanvasRenderingContext2D;
  readonly colours: Palette;
  readonly scale: Scale;
  readonly width: number;
}

/** What a pixel shows when several operations share it: the worst wins. By outcome code. */
const SEVERITY = [1, 2, 3, 3] as const;
const NARROW = 3;
const LETTER = 6.2;

/** Whether an operation is one of those that the reader asked for. */
export type Wanted = ((row: number) => boolean) | undefined;

/** Returns how many operations lie in the window. */
export function paintLane(brush: Brush, store: Store, placed: Placed, wanted: Wanted): number {
  if (placed.kind !== 'lane') return 0;
  const { ops } = store.data;
  const rows = store.lanes.lanes[placed.lane]?.rows;
  if (rows === undefined) return 0;
  const { scale, width } = brush;
  const { from, to } = store.view;
  const pixels = new Uint8Array(Math.max(0, width - LEFT - RIGHT) + 1);
  let seen = 0;
  // The lane's operations follow each other, so ends are sorted as starts are.
  for (let at = firstEndingAt(rows, ops.end, from); at < rows.length; at++) {
    const row = rows[at] as number;
    const start = ops.start[row] as number;
    if (start > to) break;
    seen++;
    const left = Math.max(0, (start - from) / scale.step);
    const right = Math.min(pixels.length - 1, ((ops.end[row] as number) - from) / scale.step);
    const faint = wanted !== undefined && !wanted(row);
    if (right - left >= NARROW) {
      paintWide(brush, store, placed, { row, left: left + LEFT, right: right + LEFT, faint });
      continue;
    }
    const severity = (SEVERITY[(ops.kind[row] as number) & 3] as number) + (faint ? 0 : 4);
    const last = Math.max(left + 1, right);
    for (let x = left | 0; x < last; x++)
      if ((pixels[x] as number) < severity) pixels[x] = severity;
  }
  paintPixels(brush, placed, pixels);
  return seen;
}

function firstEndingAt(rows: Int32Array, ends: Float64Array, from: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[rows[middle] as number] as number) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Runs of pixels of the same severity; faint ones are those below 4. */
function paintPixels(brush: Brush, { y, height }: Placed, pixels: Uint8Array): void {
  const { context, colours } = brush;
  const fills = ['', colours.ok, colours.fail, colours.info] as const;
  for (let x = 0; x < pixels.length; ) {
    const value = pixels[x] as number;
    let end = x + 1;
    while (end < pixels.length && pixels[end] === value) end++;
    if (value > 0) {
      context.globalAlpha = value > 4 ? 1 : 0.25;
      context.fillStyle = fills[value & 3] as string;
      context.fillRect(LEFT + x, y + 1, end - x, height - 2);
    }
    x = end;
  }
  context.globalAlpha = 1;
}

interface Wide {
  readonly row: number;
  readonly left: number;
  readonly right: number;
  readonly faint: boolean;
}

/** Solid: ok. Hatched: unknown, without an end when it never completed. Outline: failed. */
function paintWide(brush: Brush, store: Store, { y, height }: Placed, wide: Wide): void {
  const { context, colours } = brush;
  const { row, left, right, faint } = wide;
  const outcome = (store.data.ops.kind[row] as number) & 3;
  const box = [left, y + 1, right - left - 1, height - 2] as const;
  context.globalAlpha = faint ? 0.25 : 1;
  if (outcome === 1) {
    context.strokeStyle = colours.fail;
    context.lineWidth = 1.5;
    context.strokeRect(box[0] + 0.75, box[1] + 0.75, box[2] - 1.5, box[3] - 1.5);
  } else {
    context.fillStyle = outcome === 0 ? colours.ok : colours.info;
    context.fillRect(...box);
    if (outcome >= 2) paintHatch(brush, box);
  }
  if (height >= 13 && right - left > 26) {
    const text = clipped(textOf(store.data, row), Math.floor((right - left - 8) / LETTER));
    context.fillStyle = outcome === 1 ? colours.fg : colours.bg;
    if (outcome >= 2) context.fillStyle = '#1b1f24';
    context.fillText(text, left + 4, y + height / 2 + 0.5);
  }
  context.globalAlpha = 1;
}

function paintHatch(
  { context, colours }: Brush,
  box: readonly [number, number, number, number],
): void {
  const [x, y, width, height] = box;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colours.bg;
  context.lineWidth = 1;
  context.globalAlpha *= 0.55;
  context.beginPath();
  const first = Math.floor((x - height) / 7) * 7;
  for (let at = first; at < x + width; at += 7) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

/** The operations of a violation, above all others: a thick border, and ✗ at the one to blame. */
export function paintMarked(brush: Brush, store: Store, places: ReadonlyMap<number, Placed>): void {
  const { context, colours, scale, width } = brush;
  const { ops, header } = store.data;
  const violation = header.violations[store.view.violation];
  for (const row of store.violationRows[store.view.violation] ?? []) {
    const placed = places.get(store.lanes.of[row] as number);
    const left = Math.max(LEFT - 2, scale.x(ops.start[row] as number));
    const right = Math.min(width - RIGHT + 2, scale.x(ops.end[row] as number));
    if (placed === undefined || right < LEFT || left > width - RIGHT) continue;
    const isCulprit = ops.entry[row] === violation?.culprit;
    const space = Math.max(right - left, 5);
    context.fillStyle = isCulprit ? colours.bad : colours.ok;
    context.fillRect(left, placed.y, space, placed.height);
    context.strokeStyle = isCulprit ? colours.bad : colours.fg;
    context.lineWidth = 2;
    context.strokeRect(left - 1, placed.y - 1, space + 2, placed.height + 2);
    const text = `${isCulprit ? '✗ ' : ''}${textOf(store.data, row)}`;
    paintTag(
      brush,
      text,
      { x: left, right: left + space, y: placed.y + placed.height / 2 },
      isCulprit,
    );
  }
}

/** Words beside a box, on a ground of their own. */
function paintTag(
  { context, colours, width }: Brush,
  text: string,
  at: { readonly x: number; readonly right: number; readonly y: number },
  isBad: boolean,
): void {
  const words = clipped(text, 48);
  const space = context.measureText(words).width + 8;
  const x = at.right + 4 + space < width - RIGHT ? at.right + 4 : at.x - space - 4;
  context.fillStyle = colours.bg;
  context.globalAlpha = 0.92;
  context.fillRect(x, at.y - 8, space, 16);
  context.globalAlpha = 1;
  context.fillStyle = isBad ? colours.bad : colours.fg;
  context.fillText(words, x + 4, at.y + 0.5);
}

/** The operation at a place of a lane, or the nearest within three pixels; -1: none. */
export function rowAt(store: Store, lane: number, time: number, slack: number): number {
  const rows = store.lanes.lanes[lane]?.rows;
  if (rows === undefined) return -1;
  const { start, end } = store.data.ops;
  const at = firstEndingAt(rows, end, time);
  const near = [rows[at - 1], rows[at]].filter((row) => row !== undefined);
  const distance = (row: number): number =>
    Math.max((start[row] as number) - time, time - (end[row] as number), 0);
  const best = near.toSorted((a, b) => distance(a) - distance(b))[0];
  return best !== undefined && distance(best) <= slack ? best : -1;
}

/** Rows of a lane that begin at `time` or later, for going along with the keyboard. */
export function nextRow(store: Store, row: number, step: 1 | -1): number {
  const rows = store.lanes.lanes[store.lanes.of[row] as number]?.rows;
  if (rows === undefined) return row;
  const at = firstAtLeast(rows, row, rows.length);
  return rows[at + step] ?? row;
}
