import type { Reading } from '../reading.ts';
import type { Bucket } from '../series.ts';
import { counted, countText, spanText } from '../words.ts';
import {
  faultKeys,
  faultShades,
  keyEntry,
  LEFT,
  niceStep,
  place,
  RIGHT,
  rect,
  timeAxis,
  timeScale,
  violationLines,
  WIDTH,
} from './axis.ts';
import { html, type Markup } from './markup.ts';

export const PLOT_TOP = 10;
export const PLOT_HEIGHT = 150;
export const PLOT_BOTTOM: number = PLOT_TOP + PLOT_HEIGHT;

export interface PlotMark {
  readonly y: number;
  readonly text: string;
}

export interface PlotParts {
  readonly reading: Reading;
  readonly violations: readonly number[];
  readonly title: string;
  readonly label: string;
  readonly keys: readonly Markup[];
  readonly marks: readonly PlotMark[];
  readonly content: Markup;
}

/** One plot over the time axis that all share. */
export function plot({
  reading,
  violations,
  title,
  label,
  keys,
  marks,
  content,
}: PlotParts): Markup {
  return html`<figure><figcaption><strong>${title}</strong>${keys}${faultKeys(reading)}</figcaption>
<div class="scroll"><svg class="plot" viewBox="0 0 ${WIDTH} ${PLOT_BOTTOM + 22}" role="img" aria-label="${label}">
${faultShades(reading, PLOT_TOP, PLOT_BOTTOM)}${timeAxis(reading, PLOT_TOP, PLOT_BOTTOM)}
${marks.map(
  ({ y, text }) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>
<text class="muted end" x="${LEFT - 8}" y="${y + 4}">${text}</text>`,
)}
${content}<path class="axis" d="M${LEFT} ${PLOT_TOP}V${PLOT_BOTTOM}H${WIDTH - RIGHT}"/>
${violationLines(violations, reading, [PLOT_TOP, PLOT_BOTTOM])}</svg></div></figure>`;
}

type Outcome = 'ok' | 'info' | 'fail';
const STACK: readonly Outcome[] = ['ok', 'info', 'fail'];
const WORDS: Readonly<Record<Outcome, string>> = { ok: 'ok', info: 'unknown', fail: 'failed' };

/** Completed operations a second, stacked by outcome. */
export function throughputPlot(reading: Reading, violations: readonly number[]): Markup {
  const { buckets } = reading;
  const rates = buckets.map((bucket) => ratesOf(bucket));
  const most = Math.max(0, ...rates.map(({ ok, info, fail }) => ok + info + fail));
  const step = niceStep(most === 0 ? 1 : most, 4);
  const top = step * Math.max(1, Math.ceil((most / step) * (1 - 1e-9)));
  const y = (rate: number): number => place(PLOT_BOTTOM - (rate / top) * PLOT_HEIGHT);
  const marks = Array.from({ length: Math.round(top / step) + 1 }, (_, at) => ({
    y: y(at * step),
    text: at === 0 ? '0' : `${step < 1 ? (at * step).toFixed(1) : countText(at * step)}/s`,
  }));
  const content = STACK.map((outcome, at) => {
    const below = rates.map((rate) =>
      STACK.slice(0, at).reduce((sum, name) => sum + rate[name], 0),
    );
    const above = rates.map((rate, index) => (below[index] ?? 0) + rate[outcome]);
    if (rates.every((rate) => rate[outcome] === 0)) return html``;
    const d = stackPath(reading, below.map(y), above.map(y));
    const hatch = outcome === 'ok' ? html`` : html`<path class="hatch-${outcome}" d="${d}"/>`;
    return html`<path class="${outcome}" d="${d}"/>${hatch}`;
  });
  const sums = STACK.map((name) => buckets.reduce((sum, bucket) => sum + bucket[name], 0));
  const [ok = 0, info = 0, fail = 0] = sums;
  return plot({
    reading,
    violations,
    title: 'Throughput',
    label:
      `Operations a second over ${(reading.endNanos / 1e9).toFixed(1)} seconds: ` +
      `${counted(ok, 'operation')} ok, ${countText(info)} unknown, ${countText(fail)} failed; ` +
      `at most ${countText(most)} a second.`,
    keys: STACK.map((name) => outcomeKey(name)),
    marks,
    content: html`${content}`,
  });
}

function ratesOf(bucket: Bucket): Readonly<Record<Outcome, number>> {
  const seconds = Math.max(1e-3, (bucket.endNanos - bucket.startNanos) / 1e9);
  return { ok: bucket.ok / seconds, info: bucket.info / seconds, fail: bucket.fail / seconds };
}

const SWATCH = { x: 1, y: 1, width: 16, height: 10 };

function outcomeKey(outcome: Outcome): Markup {
  const hatch = outcome === 'ok' ? html`` : rect(`hatch-${outcome}`, SWATCH);
  return keyEntry(html`${rect(outcome, SWATCH)}${hatch}`, WORDS[outcome]);
}

/** The outline between two step lines. */
function stackPath(
  { buckets, endNanos }: Reading,
  below: readonly number[],
  above: readonly number[],
): string {
  const x = timeScale(endNanos);
  const last = buckets.length - 1;
  const forth = buckets.map((bucket, at) => `V${above[at] ?? PLOT_BOTTOM}H${x(bucket.endNanos)}`);
  const back = buckets.map(
    (_, at) => `V${below[last - at] ?? PLOT_BOTTOM}H${x(buckets[last - at]?.startNanos ?? 0)}`,
  );
  return `M${LEFT} ${below[0] ?? PLOT_BOTTOM}${forth.join('')}${back.join('')}Z`;
}

/** Latencies of operations that ended ok, on a logarithmic scale. */
export function latencyPlot(reading: Reading, violations: readonly number[]): Markup {
  const { buckets, latency } = reading;
  const all = buckets.flatMap(({ p50, p99, max }) => [p50, p99, max].filter((v) => v !== null));
  if (all.length === 0)
    return html`<p class="muted">No operation ended ok, so there are no latencies to draw.</p>`;
  const low = Math.log10(Math.max(1, Math.min(...all))) - 0.15;
  const high = Math.max(low + 0.8, Math.log10(Math.max(1, ...all)) + 0.1);
  const y = (value: number): number =>
    place(PLOT_BOTTOM - ((Math.log10(Math.max(1, value)) - low) / (high - low)) * PLOT_HEIGHT);
  const marks = decadeMarks(low, high).map((value) => ({ y: y(value), text: tickText(value) }));
  const lines = (['max', 'p99', 'p50'] as const).map(
    (name) => html`<path class="line ${name}" d="${linePath(reading, name, y)}"/>`,
  );
  const key = (name: string): Markup =>
    keyEntry(html`<path class="line ${name}" d="M1 6H17"/>`, name);
  return plot({
    reading,
    violations,
    title: 'Latency of operations that ended ok',
    label:
      `Latency on a logarithmic scale over ${(reading.endNanos / 1e9).toFixed(1)} seconds; over ` +
      `the whole run p50 ${spanText(latency.p50)}, p99 ${spanText(latency.p99)}, ` +
      `max ${spanText(latency.max)}.`,
    keys: ['p50', 'p99', 'max'].map(key),
    marks,
    content: html`${lines}`,
  });
}

/** Powers of ten between two exponents; over a short range their doubles and halves too. */
function decadeMarks(low: number, high: number): readonly number[] {
  const factors = high - low > 2.2 ? [1] : [1, 2, 5];
  const first = Math.floor(low);
  return Array.from({ length: Math.ceil(high) - first + 1 }, (_, at) => 10 ** (first + at))
    .flatMap((decade) => factors.map((factor) => decade * factor))
    .filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}

function tickText(nanoseconds: number): string {
  if (nanoseconds >= 1e9) return `${Number((nanoseconds / 1e9).toPrecision(3))} s`;
  if (nanoseconds >= 1e6) return `${Number((nanoseconds / 1e6).toPrecision(3))} ms`;
  if (nanoseconds >= 1e3) return `${Number((nanoseconds / 1e3).toPrecision(3))} µs`;
  return `${Number(nanoseconds.toPrecision(3))} ns`;
}

/** From middle to middle of the slices; where nothing ended ok the line is interrupted. */
function linePath(
  { buckets, endNanos }: Reading,
  name: 'p50' | 'p99' | 'max',
  y: (value: number) => number,
): string {
  const x = timeScale(endNanos);
  let broken = true;
  return buckets
    .map((bucket) => {
      const value = bucket[name];
      if (value === null) {
        broken = true;
        return '';
      }
      const at = `${x((bucket.startNanos + bucket.endNanos) / 2)} ${y(value)}`;
      // A piece of one point still has to be seen: a line of no length has round ends.
      const text = broken ? `M${at}h.1` : `L${at}`;
      broken = false;
      return text;
    })
    .join('');
}

function stripes(id: string, size: number, angle: number, lines: string): Markup {
  return html`<pattern id="${id}" width="${size}" height="${size}" patternUnits="userSpaceOnUse"
 patternTransform="rotate(${angle})"><path class="hatch" d="${lines}"/></pattern>`;
}

/** The stripes that the style sheet refers to; once a page. */
export const patterns: Markup = html`<svg width="0" height="0" aria-hidden="true"><defs>
${stripes('hatch-info', 5, 45, 'M0 0V5')}
${stripes('hatch-fail', 5, -45, 'M0 0V5M0 2.5H5')}
${stripes('hatch-gone', 6, 45, 'M0 0V6')}
</defs></svg>`;
