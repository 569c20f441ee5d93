import type { History } from '../../harness/history/history.ts';
import type { Anomaly, CheckResult } from '../../harness/protocols/checker.ts';
import { nearby, ordinals, type ShownOperation, shownOperations } from '../counterexample.ts';
import type { Reading } from '../reading.ts';
import { clean, clipped, counted, momentText } from '../words.ts';
import { html, type Markup } from './markup.ts';
import { capped, dataTable, type Head } from './tables.ts';

const ANOMALIES_MAX = 10;
const ROWS_MAX = 40;
/** More than this is a table, not a picture. */
const PICTURE_MAX = 12;
/** The width of a letter of the fixed font in the picture. */
const LETTER = 7.4;
const ROW = 34;
const LABEL = 92;
/** As wide as the page is when there is room. */
const PAGE = 1030;

/** All violations that one check found: sentences, picture, operations, surroundings. */
export function violationViews(check: CheckResult, history: History, reading: Reading): Markup {
  const { shown, note } = capped(check.anomalies, ANOMALIES_MAX);
  if (shown.length === 0)
    return html`<h3>✗ ${clean(check.checker)}</h3><p>${clean(check.covered)}</p>`;
  return html`${shown.map((anomaly) => violationView(check, anomaly, history, reading))}${note}`;
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
  return html`<article><h3>${title}</h3><p>${clean(anomaly.explanation)}</p>
${picture(operations)}${operationTable(operations, history)}${surroundings(operations, reading)}</article>`;
}

function operationTable(operations: readonly ShownOperation[], history: History): Markup {
  if (operations.length === 0) return html``;
  const { shown, note } = capped(operations, ROWS_MAX);
  const entries = counted(history.length, 'entry', 'entries');
  const all =
    `${counted(operations.length, 'operation')} of a history of ${entries}; ` +
    'times in seconds since the start';
  const modes = shown.some(({ mode }) => mode !== '');
  const errors = shown.some(({ error }) => error !== '');
  const heads: readonly Head[] = [
    { title: 'client', nowrap: true },
    { title: 'operation' },
    { title: 'outcome', nowrap: true },
    { title: 'start', number: true },
    { title: 'end', number: true },
    { title: 'node', nowrap: true },
    ...(modes ? [{ title: 'read mode', nowrap: true }] : []),
    ...(errors ? [{ title: 'error' }] : []),
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
      operation.index,
    ],
  }));
  return html`${dataTable(all, heads, rows)}${note}`;
}

interface Box {
  readonly operation: ShownOperation;
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

/** Boxes in the order of their ends, wide enough for their words: the axis is not to scale. */
function boxes(operations: readonly ShownOperation[]): readonly Box[] {
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
    x = Math.max(rank === 0 ? LABEL : x + 26, needed);
    xs.push(x);
  }
  return operations.map((operation, at) => {
    const label = labels[at] ?? '';
    const from = xs[places[at]?.start ?? 0] ?? LABEL;
    const end = places[at]?.end;
    const to = end === undefined ? Math.max(x + 26, from + widthOfLabel(label)) : (xs[end] ?? x);
    return { operation, from, to, label };
  });
}

function widthOfLabel(label = ''): number {
  return Math.ceil(label.length * LETTER) + 16;
}

function picture(operations: readonly ShownOperation[]): Markup {
  if (operations.length < 2 || operations.length > PICTURE_MAX) return html``;
  const all = boxes(operations);
  const times = all.map(({ operation: { startNanos, endNanos } }) => {
    const end = endNanos === undefined ? 'open' : momentText(endNanos);
    return `${momentText(startNanos)} – ${end} s`;
  });
  const right = Math.max(
    ...all.map((box, at) => box.to + (timeLeft(box, times[at]) ? 4 : spaceFor(times[at]))),
  );
  const width = Math.ceil(Math.max(640, right));
  const height = all.length * ROW + 8;
  const label = `${counted(all.length, 'operation')} in the order of their begins and ends: ${all
    .map(({ operation }) => `${operation.client} ${operation.text}, ${operation.outcome}`)
    .join('; ')}.`;
  return html`<figure><div class="scroll">
<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${all.map((box, at) => boxMark(box, times[at] ?? '', 4 + at * ROW))}</svg></div>
<figcaption>Left to right is the order in which operations began and ended;
lengths are not to scale.</figcaption></figure>`;
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
