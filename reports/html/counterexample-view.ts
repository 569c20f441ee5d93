import type { History } from '../../harness/history/history.ts';
import type { Anomaly, CheckResult } from '../../harness/protocols/checker.ts';
import { nearby, ordinals, type ShownOperation, shownOperations } from '../counterexample.ts';
import type { Reading } from '../reading.ts';
import { clean, clipped, counted, momentText, printable, spanText } from '../words.ts';
import { html, type Markup } from './markup.ts';
import { provenSteps, type Step, type Way, waysOf } from './steps.ts';
import { capped, dataTable, type Head } from './tables.ts';

/** Of one check; the page leads through as many. */
export const ANOMALIES_MAX = 10;
const ROWS_MAX = 40;
/** More than this is a table, not a picture. */
const PICTURE_MAX = 12;
/** The width of a letter of the fixed font in the picture. */
const LETTER = 7.4;
const ROW = 34;
const LABEL = 92;
/** Room for the length of a pause. */
const GAP = 72;
/** As wide as the page is when there is room. */
const PAGE = 1030;

/** All violations that one check found: sentences, picture, operations, surroundings. */
export function violationViews(check: CheckResult, history: History, reading: Reading): Markup {
  const { shown } = capped(check.anomalies, ANOMALIES_MAX);
  if (shown.length === 0)
    return html`<h3>✗ ${clean(check.checker)}</h3><p>${clean(check.covered)}</p>`;
  const left = check.anomalies.length - shown.length;
  const more = html`<p class="muted small">and ${counted(left, 'more violation')} that ${clean(check.checker)} found,
not shown here</p>`;
  return html`${shown.map((anomaly) => violationView(check, anomaly, history, reading))}${left > 0 && more}`;
}

function violationView(
  check: CheckResult,
  anomaly: Anomaly,
  history: History,
  reading: Reading,
): Markup {
  const operations = shownOperations(anomaly, history);
  const isKeyed = (anomaly.key ?? '') !== '';
  const key = isKeyed ? ` · key ${clipped(clean(anomaly.key ?? ''), 60)}` : '';
  const title = `✗ ${clean(check.checker)} · ${clean(anomaly.kind)}${key}`;
  const entries = operations.map(({ index }) => index).join();
  return html`<article data-entries="${entries}"><h3>${title}</h3><p>${clean(anomaly.explanation)}</p>
${picture(operations)}${stepsView(anomaly, history)}${operationTable(operations, history, anomaly.certificate)}
${surroundings(operations, reading)}${certificateView(anomaly.certificate)}</article>`;
}

const CERTIFICATE_MAX = 4000;

/** What the claim rests on, for whoever wants to check it by hand or by `schism explain`. */
function certificateView(certificate: Anomaly['certificate']): Markup {
  const text = clipped(printable(JSON.stringify(certificate, null, 2)), CERTIFICATE_MAX);
  return html`<details><summary>Certificate: the entries of the history that the claim rests on</summary>
<pre><code>${text}</code></pre></details>`;
}

/** The name that the certificate gives an operation: `older`, `newer`, `read`. */
function partOf(certificate: Anomaly['certificate'], { index }: ShownOperation): string {
  const names = Object.entries(certificate).filter(([, value]) => value === index);
  return clipped(clean(names.map(([name]) => name).join(', ')), 40);
}

function operationTable(
  operations: readonly ShownOperation[],
  history: History,
  certificate: Anomaly['certificate'],
): Markup {
  if (operations.length === 0) return html``;
  const { shown, note } = capped(operations, ROWS_MAX);
  const entries = counted(history.length, 'entry', 'entries');
  const all =
    `${counted(operations.length, 'operation')} of a history of ${entries}; ` +
    'times in seconds since the start';
  const modes = shown.some(({ mode }) => mode !== '');
  const errors = shown.some(({ error }) => error !== '');
  const parts = shown.some((operation) => partOf(certificate, operation) !== '');
  const heads: readonly Head[] = [
    { title: 'client', nowrap: true },
    { title: 'operation' },
    { title: 'outcome', nowrap: true },
    { title: 'start', number: true },
    { title: 'end', number: true },
    { title: 'node', nowrap: true },
    ...(modes ? [{ title: 'read mode', nowrap: true }] : []),
    ...(errors ? [{ title: 'error' }] : []),
    ...(parts ? [{ title: 'in the certificate', nowrap: true }] : []),
    { title: 'entry', number: true },
  ];
  const rows = shown.map((operation) => ({
    name: operation.culprit ? 'culprit' : '',
    cells: [
      operation.culprit ? `✗ ${operation.client}` : operation.client,
      operation.text,
      operation.outcome,
      momentText(operation.startNanos),
      operation.endNanos === undefined ? '…' : momentText(operation.endNanos),
      operation.node,
      ...(modes ? [operation.mode] : []),
      ...(errors ? [operation.error] : []),
      ...(parts ? [partOf(certificate, operation)] : []),
      operation.index,
    ],
  }));
  return html`${dataTable(all, heads, rows)}${note}`;
}

function stepsView(anomaly: Anomaly, history: History): Markup {
  const name = (anomaly.key ?? '') === '' ? 'the object' : clipped(clean(anomaly.key ?? ''), 30);
  const proven = provenSteps(anomaly, history);
  if (proven.length > 0)
    return stepTable('Step by step: what the history proves', proven, `${name} must be`);
  const ways = waysOf(anomaly, history);
  if (ways.length === 0) return html``;
  const table = ({ steps }: Way, at: number): Markup =>
    stepTable(
      `Way ${at + 1}: one that gets so far, not necessarily what happened`,
      steps,
      `${name} then is`,
    );
  return html`<details open><summary>${counted(ways.length, 'way')} that the checker tried, up to where
none goes on</summary>${ways.map(table)}</details>`;
}

/** Of a long way the end is what matters. */
const STEPS_MAX = 20;

function stepTable(caption: string, steps: readonly Step[], state: string): Markup {
  const shown = steps.slice(-STEPS_MAX);
  const left = steps.length - shown.length;
  const hasNext = shown.some(({ next, isLast }) => next !== '' && !isLast);
  const heads = [
    { title: 'step' },
    { title: state },
    { title: hasNext ? 'allowed next' : 'why not' },
  ];
  const rows = shown.map(({ text, after, next, isLast }) => ({
    name: isLast ? 'culprit' : '',
    cells: [text, after, next],
  }));
  const rest = left === 0 ? '' : `; ${counted(left, 'step')} before these`;
  return dataTable(`${caption}${rest}`, heads, rows);
}

interface Box {
  readonly operation: ShownOperation;
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** Time in which none of the operations was under way. */
interface Gap {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

interface Laid {
  readonly boxes: readonly Box[];
  readonly gaps: readonly Gap[];
}

/** Boxes in the order of their ends, wide enough for their words: the axis is not to scale. */
function laidOut(operations: readonly ShownOperation[]): Laid {
  const places = ordinals(operations);
  const labels = operations.map(({ text, outcome, culprit }) =>
    clipped(`${culprit ? '✗ ' : ''}${text} (${outcome})`, 44),
  );
  const count = Math.max(...places.map(({ start, end }) => Math.max(start, end ?? 0))) + 1;
  const xs: number[] = [];
  let x = LABEL;
  for (let rank = 0; rank < count; rank++) {
    const ending = places.findIndex(({ end }) => end === rank);
    const begun = places[ending]?.start;
    const needed = begun === undefined ? 0 : (xs[begun] ?? LABEL) + widthOfLabel(labels[ending]);
    const wide = gapBefore(operations, places, rank) === undefined ? 26 : GAP;
    x = Math.max(rank === 0 ? LABEL : x + wide, needed);
    xs.push(x);
  }
  const gaps = xs.flatMap((to, rank): readonly Gap[] => {
    const nanoseconds = gapBefore(operations, places, rank);
    const from = xs[rank - 1];
    if (nanoseconds === undefined || from === undefined) return [];
    return [{ from, to, label: spanText(nanoseconds) }];
  });
  const boxes = operations.map((operation, at) => {
    const label = labels[at] ?? '';
    const from = xs[places[at]?.start ?? 0] ?? LABEL;
    const end = places[at]?.end;
    const to = end === undefined ? Math.max(x + 26, from + widthOfLabel(label)) : (xs[end] ?? x);
    return { operation, from, to, label };
  });
  return { boxes, gaps };
}

/** Nanoseconds from the end before this start, if all that had begun until then had ended. */
function gapBefore(
  operations: readonly ShownOperation[],
  places: readonly { readonly start: number; readonly end: number | undefined }[],
  rank: number,
): number | undefined {
  const starting = places.findIndex(({ start }) => start === rank);
  const ending = places.findIndex(({ end }) => end === rank - 1);
  const under = places.some(({ start, end }) => start < rank && (end ?? Infinity) >= rank);
  const [begun, ended] = [operations[starting]?.startNanos, operations[ending]?.endNanos];
  return under || begun === undefined || ended === undefined ? undefined : begun - ended;
}

function gapMark({ from, to, label }: Gap, y: number): Markup {
  const middle = (from + to) / 2;
  return html`<path class="axis" d="M${from + 3} ${y - 12}v6h${to - from - 6}v-6"/>
<text class="muted middle" x="${middle}" y="${y + 8}">${label}</text>`;
}

function widthOfLabel(label = ''): number {
  return Math.ceil(label.length * LETTER) + 16;
}

function picture(operations: readonly ShownOperation[]): Markup {
  if (operations.length < 2 || operations.length > PICTURE_MAX) return html``;
  const { boxes: all, gaps } = laidOut(operations);
  const times = all.map(({ operation: { startNanos, endNanos } }) => {
    const end = endNanos === undefined ? 'open' : momentText(endNanos);
    return `${momentText(startNanos)} – ${end} s`;
  });
  const right = Math.max(
    ...all.map((box, at) => box.to + (timeLeft(box, times[at]) ? 4 : spaceFor(times[at]))),
  );
  const width = Math.ceil(Math.max(640, right));
  const bottom = all.length * ROW + 8;
  const height = bottom + (gaps.length > 0 ? 24 : 0);
  const label = `${counted(all.length, 'operation')} in the order of their begins and ends: ${all
    .map(({ operation }) => `${operation.client} ${operation.text}, ${operation.outcome}`)
    .join('; ')}.`;
  const pauses = gaps.length > 0 && ' Below: for how long none of them was under way.';
  return html`<figure><div class="scroll">
<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${all.map((box, at) => boxMark(box, times[at] ?? '', 4 + at * ROW))}
${gaps.map((gap) => gapMark(gap, bottom + 10))}</svg></div>
<figcaption>Left to right is the order in which operations began and ended;
lengths are not to scale.${pauses}</figcaption></figure>`;
}

function spaceFor(time = ''): number {
  return time.length * 6.3 + 20;
}

/** Times stand to the right of a box, or to its left where the page would get too wide. */
function timeLeft({ from, to }: Box, time = ''): boolean {
  return to + spaceFor(time) > PAGE && from - spaceFor(time) > LABEL;
}

function boxMark(box: Box, time: string, y: number): Markup {
  const { operation, from, to, label } = box;
  const { client, node, outcome, culprit } = operation;
  const ended = outcome === 'ok' || outcome === 'failed' ? outcome : 'unknown';
  const name = `op ended-${ended} ${culprit ? 'culprit' : ''}`;
  const who = clipped(node === '' ? client : `${client} at ${node}`, 15);
  return html`<text class="muted end" x="${LABEL - 12}" y="${y + 17}">${who}</text>
<rect class="${name}" x="${from}" y="${y + 2}" width="${to - from}" height="22" rx="4"/>
<text class="mono" x="${from + 8}" y="${y + 17}">${label}</text>
${
  timeLeft(box, time)
    ? html`<text class="muted end" x="${from - 10}" y="${y + 17}">${time}</text>`
    : html`<text class="muted" x="${to + 10}" y="${y + 17}">${time}</text>`
}`;
}

function surroundings(operations: readonly ShownOperation[], reading: Reading): Markup {
  const { events, more } = nearby(operations, reading);
  if (events.length === 0) return html``;
  const rows = events.map(({ timeNanos, kind, text }) => ({
    cells: [momentText(timeNanos), kind, text],
  }));
  const heads = [
    { title: 'second', number: true },
    { title: 'what', nowrap: true },
    { title: 'observed' },
  ];
  const rest = more === 0 ? '' : `; ${counted(more, 'more event')} further away`;
  return dataTable(`What was happening: observed, not proof of cause${rest}`, heads, rows);
}
