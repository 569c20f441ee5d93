/** Draws the timeline: faults, clients, roles, links, and the time below. */
import { type Layout, LEFT, type Placed, RIGHT, scaleOf } from './layout.ts';
import { type Brush, paintLane, paintMarked, type Wanted } from './paint-operations.ts';
import type { Store } from './store.ts';
import type { Palette } from './theme.ts';
import { clipped, niceStep } from './words.ts';

const LETTER = 6.2;
export const FONT = '11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';

/** Fits the canvas to its element, for screens of any density; false: there is no room yet. */
export function fitted(
  canvas: HTMLCanvasElement,
  height: number,
): CanvasRenderingContext2D | undefined {
  const width = canvas.clientWidth;
  const context = canvas.getContext('2d');
  if (width === 0 || context === null) return undefined;
  const ratio = Math.min(3, devicePixelRatio || 1);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = FONT;
  context.textBaseline = 'middle';
  return context;
}

export interface Scene {
  readonly store: Store;
  readonly layout: Layout;
  readonly colours: Palette;
}

/** Returns how many operations lie in the window. */
export function paintTimeline(
  canvas: HTMLCanvasElement,
  { store, layout, colours }: Scene,
): number {
  const context = fitted(canvas, layout.height);
  if (context === undefined) return 0;
  const width = canvas.clientWidth;
  const { from, to } = store.view;
  const brush: Brush = { context, colours, width, scale: scaleOf(from, to, width) };
  const bottom = layout.height - 22;
  clipTo(brush, layout.height, () => {
    paintGrid(brush, store, bottom);
    paintShades(brush, store, bottom);
  });
  const wanted = wantedOf(store);
  const places = new Map<number, Placed>();
  let seen = 0;
  context.font = FONT;
  paintLabels(brush, layout);
  clipTo(brush, layout.height, () => {
    for (const placed of layout.rows) {
      if (placed.kind === 'faults') paintFaults(brush, store, placed);
      if (placed.kind === 'node') paintRoles(brush, store, placed);
      if (placed.kind === 'rivals') paintRivals(brush, placed);
      if (placed.kind === 'link') paintLink(brush, placed);
      if (placed.kind !== 'lane') continue;
      places.set(placed.lane, placed);
      seen += paintLane(brush, store, placed, wanted);
    }
    paintViolationLine(brush, store, bottom);
    paintMarked(brush, store, places);
    paintPinned(brush, store, places);
  });
  return seen;
}

function clipTo({ context, width }: Brush, height: number, paint: () => void): void {
  context.save();
  context.beginPath();
  context.rect(LEFT, 0, width - LEFT - RIGHT, height);
  context.clip();
  paint();
  context.restore();
}

/** By key and by client; undefined: all. */
export function wantedOf({ view, data }: Store): Wanted {
  const key = view.key === '' ? -1 : data.header.keys.indexOf(view.key) + 1;
  const keys = data.ops.key;
  return key < 0 ? undefined : (row) => keys[row] === key;
}

function paintLabels({ context, colours, width }: Brush, { rows }: Layout): void {
  context.textAlign = 'right';
  context.fillStyle = colours.muted;
  const lanes = rows.filter(({ kind }) => kind === 'lane');
  const each = (lanes[0]?.height ?? 14) >= 10 ? 1 : 4;
  for (const { kind, label, y, height } of rows) {
    if (kind === 'lane' && lanes.findIndex((lane) => lane.y === y) % each !== 0) continue;
    context.fillText(clipped(label, 13), LEFT - 8, y + height / 2 + 0.5);
  }
  context.textAlign = 'left';
  context.fillStyle = colours.line;
  context.fillRect(LEFT - 1, 0, 1, (rows.at(-1)?.y ?? 0) + (rows.at(-1)?.height ?? 0) + 4);
  context.fillRect(width - RIGHT, 0, 1, 1);
}

function paintGrid({ context, colours, scale, width }: Brush, store: Store, bottom: number): void {
  const { from, to } = store.view;
  const step = niceStep(to - from, Math.max(2, Math.floor(width / 110)));
  context.textAlign = 'center';
  const digits = Math.max(0, Math.ceil(-Math.log10(step / 1e6)));
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const x = scale.x(at);
    context.fillStyle = colours.grid;
    context.fillRect(x, 0, 1, bottom);
    context.fillStyle = colours.muted;
    context.fillText(`${(at / 1e6).toFixed(digits)} s`, x, bottom + 12);
  }
  context.textAlign = 'left';
}

function paintShades({ context, colours, scale }: Brush, store: Store, bottom: number): void {
  const { from, to } = store.view;
  context.globalAlpha = 0.13;
  for (const band of store.data.header.bands) {
    if (band.result !== 'installed' || band.from > to || band.to < from) continue;
    context.fillStyle = faultColour(colours, band.colour);
    const left = Math.max(LEFT, scale.x(band.from));
    context.fillRect(left, 0, Math.max(1, scale.x(band.to) - left), bottom);
    // It may have acted before its probe saw it.
    const begun = Math.max(LEFT, scale.x(band.begun));
    context.globalAlpha = 0.06;
    if (begun < left) context.fillRect(begun, 0, left - begun, bottom);
    context.globalAlpha = 0.13;
  }
  context.globalAlpha = 1;
}

export function faultColour(colours: Palette, at: number): string {
  return [colours.f0, colours.f1, colours.f2, colours.f3, colours.f4, colours.f5][at] ?? colours.f0;
}

function paintFaults(brush: Brush, { view }: Store, placed: Placed): void {
  if (placed.kind !== 'faults') return;
  const { context, colours, scale, width } = brush;
  const { y, height, bands } = placed;
  for (const [at, band] of bands.entries()) {
    if (band.to < view.from || band.from > view.to) continue;
    const left = Math.max(LEFT, scale.x(band.from));
    const right = Math.min(width - RIGHT, Math.max(left + 1, scale.x(band.to)));
    const took = band.result === 'installed';
    const colour = faultColour(colours, band.colour);
    const begun = Math.max(LEFT, scale.x(band.begun));
    context.fillStyle = colour;
    if (begun < left) context.fillRect(begun, y + height / 2 - 1, left - begun, 2);
    context.strokeStyle = took ? colour : colours.muted;
    context.lineWidth = 1;
    context.setLineDash(took ? [] : [3, 2]);
    context.globalAlpha = 0.5;
    if (took) context.fillRect(left, y + 1, right - left, height - 3);
    context.globalAlpha = 1;
    context.strokeRect(left + 0.5, y + 1.5, Math.max(1, right - left - 1), height - 4);
    context.setLineDash([]);
    const next = bands[at + 1];
    const limit = next === undefined ? width - RIGHT : Math.min(width - RIGHT, scale.x(next.from));
    const letters = Math.floor((limit - left - 8) / LETTER);
    if (letters < 4) continue;
    context.fillStyle = colours.fg;
    context.fillText(
      clipped(took ? band.text : `${band.result}: ${band.text}`, letters),
      left + 4,
      y + height / 2,
    );
  }
}

function paintRoles({ context, colours, scale, width }: Brush, store: Store, placed: Placed): void {
  if (placed.kind !== 'node') return;
  const { y, height } = placed;
  const { from: begin, to: end } = store.view;
  const spans = store.data.header.roles[placed.at]?.spans ?? [];
  for (const { from, to, role, term } of spans) {
    if (to < begin || from > end) continue;
    const left = Math.max(LEFT, scale.x(from));
    const space = Math.max(1, Math.min(width - RIGHT, scale.x(to)) - left);
    if (role === 'leader') {
      context.fillStyle = colours.leader;
      context.fillRect(left, y + 1, space, height - 3);
      const words = term === null ? 'leader' : `leader t${term}`;
      if (space < words.length * LETTER + 8) continue;
      context.fillStyle = colours['on-leader'];
      context.fillText(words, left + 4, y + height / 2 - 0.5);
    } else if (role === 'candidate') {
      context.fillStyle = colours.info;
      context.fillRect(left, y + 4, space, height - 9);
    } else if (role === 'unreachable' || role === 'unknown') {
      context.strokeStyle = colours.muted;
      context.setLineDash([3, 3]);
      context.strokeRect(left + 0.5, y + 3.5, Math.max(0, space - 1), height - 8);
      context.setLineDash([]);
    } else {
      context.fillStyle = role === 'learner' ? colours.learner : colours.follower;
      context.fillRect(left, y + height / 2 - 2, space, 3);
    }
  }
  context.fillStyle = colours.bad;
  for (const [from, to] of placed.overtaken)
    context.fillRect(scale.x(from), y + 1, scale.x(to) - scale.x(from), 4);
}

/** The words stand beside a span that is too short for them. */
function paintRivals({ context, colours, scale, width }: Brush, placed: Placed): void {
  if (placed.kind !== 'rivals') return;
  const { y, height, rivals } = placed;
  for (const [at, { from, to, text }] of rivals.entries()) {
    const next = rivals[at + 1];
    const limit = Math.min(width - RIGHT, next === undefined ? Infinity : scale.x(next.from));
    const left = Math.max(LEFT, scale.x(from));
    const right = Math.min(width - RIGHT, scale.x(to));
    if (right < LEFT || left > width - RIGHT) continue;
    context.fillStyle = colours.bad;
    context.globalAlpha = 0.25;
    context.fillRect(left, y + 1, Math.max(1, right - left), height - 3);
    context.globalAlpha = 1;
    context.fillRect(left, y + 1, 1, height - 3);
    const letters = Math.floor((limit - left - 8) / LETTER);
    if (letters < 4) continue;
    context.fillStyle = colours.fg;
    context.fillText(clipped(text, letters), left + 5, y + height / 2);
  }
}

/** A thin line is open; a thick one is cut, with an arrow where only one way was. */
function paintLink({ context, colours, scale, width }: Brush, placed: Placed): void {
  if (placed.kind !== 'link') return;
  const middle = placed.y + placed.height / 2;
  context.fillStyle = colours.line;
  context.fillRect(LEFT, middle - 0.5, width - LEFT - RIGHT, 1);
  const { nodes, cuts } = placed.link;
  for (const { from, to, state } of cuts) {
    const left = Math.max(LEFT, scale.x(from));
    const right = Math.min(width - RIGHT, scale.x(to));
    if (right < LEFT || left > width - RIGHT) continue;
    context.fillStyle = colours.bad;
    const thickness = state === 'both' ? placed.height - 3 : 4;
    context.globalAlpha = state === 'both' ? 0.8 : 0.6;
    context.fillRect(left, middle - thickness / 2, Math.max(1, right - left), thickness);
    context.globalAlpha = 1;
    const [a, b] = state === 'back' ? [nodes[1], nodes[0]] : nodes;
    const words = state === 'both' ? '✗ cut both ways' : `✗ ${a} → ${b}`;
    if (right - left < words.length * LETTER + 12) continue;
    context.fillStyle = colours.bg;
    context.fillRect(left + 4, placed.y, words.length * LETTER + 4, placed.height);
    context.fillStyle = colours.bad;
    context.fillText(words, left + 6, middle + 0.5);
  }
}

function paintViolationLine(
  { context, colours, scale }: Brush,
  store: Store,
  bottom: number,
): void {
  const violation = store.data.header.violations[store.view.violation];
  if (violation === undefined) return;
  const rows = store.violationRows[store.view.violation] ?? [];
  const culprit = rows.find((row) => store.data.ops.entry[row] === violation.culprit);
  const time = culprit === undefined ? violation.to : (store.data.ops.start[culprit] as number);
  const x = scale.x(time);
  context.strokeStyle = colours.bad;
  context.setLineDash([4, 3]);
  context.lineWidth = 1.3;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, bottom);
  context.stroke();
  context.setLineDash([]);
}

function paintPinned(brush: Brush, store: Store, places: ReadonlyMap<number, Placed>): void {
  const { row } = store.view;
  const placed = row < 0 ? undefined : places.get(store.lanes.of[row] as number);
  if (placed === undefined) return;
  const { context, colours, scale } = brush;
  const left = scale.x(store.data.ops.start[row] as number);
  const right = scale.x(store.data.ops.end[row] as number);
  context.strokeStyle = colours.fg;
  context.lineWidth = 2;
  context.strokeRect(left - 2, placed.y - 1, Math.max(5, right - left + 3), placed.height + 2);
}

/** The line under the pointer, on a canvas above the timeline. */
export function paintCursor(canvas: HTMLCanvasElement, { store, layout, colours }: Scene): void {
  const context = fitted(canvas, layout.height);
  if (context === undefined) return;
  context.clearRect(0, 0, canvas.clientWidth, layout.height);
  const { from, to } = store.view;
  if (store.cursor < from || store.cursor > to) return;
  const x = scaleOf(from, to, canvas.clientWidth).x(store.cursor);
  const words = `${(store.cursor / 1e6).toFixed(3)} s`;
  const space = context.measureText(words).width + 8;
  context.fillStyle = colours.fg;
  context.globalAlpha = 0.5;
  context.fillRect(x, 0, 1, layout.height - 22);
  context.globalAlpha = 1;
  context.fillStyle = colours.fg;
  const left = Math.min(x - space / 2, canvas.clientWidth - space);
  context.fillRect(left, layout.height - 20, space, 17);
  context.fillStyle = colours.bg;
  context.fillText(words, left + 4, layout.height - 11);
}
