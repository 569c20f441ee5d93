/** What all plots of a page share: one time axis, so that they can be read under each other. */
import type { FaultBand } from '../../harness/protocols/details.ts';
import type { Reading } from '../reading.ts';
import { clean, clipped, faultText } from '../words.ts';
import { html, type Markup } from './markup.ts';

export const WIDTH = 1030;
export const LEFT = 86;
export const RIGHT = 16;
export const PLOT_WIDTH: number = WIDTH - LEFT - RIGHT;

/** Rectangles in one plot; a page with thousands would be slow and show no more. */
const SHADES_MAX = 400;

/** Time in nanoseconds to the horizontal place, one decimal. */
export type TimeScale = (nanoseconds: number) => number;

export function timeScale(endNanos: number): TimeScale {
  const end = Math.max(1, endNanos);
  return (time) => place(LEFT + (Math.min(Math.max(time, 0), end) / end) * PLOT_WIDTH);
}

export function place(value: number): number {
  return Math.round(value * 10) / 10;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A rectangle in a class of the style sheet; `title` shows when it is pointed at. */
export function rect(name: string, { x, y, width, height }: Box, title?: string): Markup {
  return html`<rect class="${name}" x="${x}" y="${y}" width="${place(width)}" height="${height}">${
    title !== undefined && html`<title>${title}</title>`
  }</rect>`;
}

/** Steps of 1, 2 or 5 times a power of ten that cut `range` into at most `most` parts. */
export function niceStep(range: number, most: number): number {
  const raw = Math.max(range, Number.MIN_VALUE) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Seconds of the marks on the time axis, from 0 to the end. */
export function timeMarks(endNanos: number): readonly number[] {
  const end = Math.max(endNanos, 1e6) / 1e9;
  const step = niceStep(end, 12);
  const count = Math.floor(end / step + 1e-6);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** Vertical lines from `top` to `bottom`, numbers below, and what they count. */
export function timeAxis(reading: Reading, top: number, bottom: number): Markup {
  const x = timeScale(reading.endNanos);
  const marks = timeMarks(reading.endNanos);
  return html`<g>${marks.map((second) => {
    const at = x(second * 1e9);
    return html`<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/>
<text class="muted middle" x="${at}" y="${bottom + 16}">${String(second)}</text>`;
  })}<text class="muted end" x="${LEFT - 8}" y="${bottom + 16}">seconds</text></g>`;
}

/** The class that colours a family of faults, the same in all plots and keys. */
export function faultClass(reading: Reading, fault: string): string {
  const kinds = faultKinds(reading);
  return `f${Math.max(0, kinds.indexOf(fault)) % 6}`;
}

export function faultKinds({ bands }: Reading): readonly string[] {
  return [...new Set(bands.map(({ fault }) => fault))];
}

/** Where faults were in effect, behind a plot. */
export function faultShades(reading: Reading, top: number, bottom: number): Markup {
  const x = timeScale(reading.endNanos);
  const shown = reading.bands.filter(({ result }) => result === 'installed').slice(0, SHADES_MAX);
  return html`<g>${shown.map((band) => {
    const [from, to] = ends(band, reading, x);
    const name = faultClass(reading, band.fault);
    return rect(`shade ${name}`, { x: from, y: top, width: to - from, height: bottom - top });
  })}</g>`;
}

/** Left and right end of a band; at least one wide, to be seen. */
export function ends(band: FaultBand, { endNanos }: Reading, x: TimeScale): [number, number] {
  const from = x(band.beginNanos);
  return [from, Math.max(from + 1, x(band.endNanos ?? endNanos))];
}

/** Dashed lines where the operation began that no order explains. */
export function violationLines(
  times: readonly number[],
  { endNanos }: Reading,
  [top, bottom]: readonly [number, number],
): Markup {
  const x = timeScale(endNanos);
  return html`${times.slice(0, 20).map((time) => {
    const at = x(time);
    return html`<line class="violation" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/>`;
  })}`;
}

export function bandTitle(band: FaultBand): string {
  const until = band.endNanos === undefined ? 'never ended' : `to ${seconds(band.endNanos)} s`;
  const evidence = clipped(clean(band.evidence), 200);
  const from = seconds(band.beginNanos);
  return `${faultText(band)}, from ${from} s ${until}; ${band.result}: ${evidence}`;
}

function seconds(time: number): string {
  return (time / 1e9).toFixed(3);
}

/** One entry of a plot's key: a swatch in the plot's own classes, and its word. */
export function keyEntry(swatch: Markup, word: string): Markup {
  return html`<span class="key"><svg width="18" height="12" aria-hidden="true">${swatch}</svg>${word}</span>`;
}

export function faultKeys(reading: Reading): readonly Markup[] {
  return faultKinds(reading).map((fault) => {
    const name = faultClass(reading, fault);
    return keyEntry(
      html`<rect class="bar ${name}" x="1" y="1" width="16" height="10"/>`,
      clipped(clean(fault), 40),
    );
  });
}
