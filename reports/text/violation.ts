import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly, CheckResult } from '../../harness/protocols/checker.ts';
import { nearby, ordinals, type ShownOperation, shownOperations } from '../counterexample.ts';
import { type Column, paragraph, table } from '../layout.ts';
import { clean, clipped, counted, momentText, valueText, widthOf } from '../words.ts';
import type { Lines, Page } from './page.ts';

const ANOMALIES_MAX = 3;
const ROWS_MAX = 20;
/** More operations than this do not make a picture in text. */
const BARS_MAX = 6;

/** A check that found violations: sentences first, then the operations, then what was around. */
export function violationLines(check: CheckResult, page: Page): Lines {
  const all = oneOfEachKindFirst(check.anomalies);
  const shown = page.verbose === true ? all : all.slice(0, ANOMALIES_MAX);
  const more = check.anomalies.length - shown.length;
  const none =
    shown.length === 0
      ? ['', head(check, undefined, page), '', ...paragraph(clean(check.covered), page.columns, 3)]
      : [];
  return [
    ...none,
    ...shown.flatMap((anomaly) => anomalyLines(check, anomaly, page)),
    ...(more > 0
      ? ['', `   and ${counted(more, 'more violation')} that ${check.checker} found`]
      : []),
  ];
}

/** Many violations are often one bug seen in few ways: each way is shown before any is repeated. */
function oneOfEachKindFirst(anomalies: readonly Anomaly[]): readonly Anomaly[] {
  const first = new Map<string, Anomaly>();
  for (const anomaly of anomalies) if (!first.has(anomaly.kind)) first.set(anomaly.kind, anomaly);
  const firsts = new Set(first.values());
  return [...firsts, ...anomalies.filter((anomaly) => !firsts.has(anomaly))];
}

function head(check: CheckResult, anomaly: Anomaly | undefined, { style, columns }: Page): string {
  const parts = [
    clean(check.checker),
    ...(anomaly?.key === undefined || anomaly.key === ''
      ? []
      : [`key ${clipped(clean(anomaly.key), 24)}`]),
    ...(anomaly === undefined ? [] : [clipped(clean(anomaly.kind), 30)]),
  ];
  return ` ${style.bad('✗')} ${style.strong(clipped(parts.join('   ').trimEnd(), columns - 4))}`;
}

function anomalyLines(check: CheckResult, anomaly: Anomaly, page: Page): Lines {
  const operations = shownOperations(anomaly, page.history);
  return [
    '',
    head(check, anomaly, page),
    '',
    ...paragraph(clean(anomaly.explanation), page.columns, 3),
    ...operationLines(operations, page),
    ...allowedLines(anomaly, page),
    ...nearbyLines(operations, page),
  ];
}

/**
 * What reads of the key may still return after a stale one's newer value was acknowledged. Only
 * where each value was written once: then the older one can never come back.
 */
function allowedLines({ kind, certificate, key }: Anomaly, { history, columns }: Page): Lines {
  const { newer, read, by } = certificate;
  if (kind !== 'stale-read' || by !== undefined || key === undefined) return [];
  const left = typeof newer === 'number' ? valueLeft(history, newer) : undefined;
  const seen = typeof read === 'number' ? valueLeft(history, read) : undefined;
  if (left === undefined || seen === undefined) return [];
  const text =
    `from ${momentText(left.endNanos)} on, a linearizable read of ${clipped(clean(key), 24)} may ` +
    `return ${valueText(left.value, 24)} or something newer, never ${valueText(seen.value, 24)}`;
  return ['', ...paragraph(text, columns, 5)];
}

/** The value that the register had after an operation that ended ok. */
function valueLeft(
  history: History,
  index: number,
): { readonly value: JsonValue; readonly endNanos: number } | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= history.length) return undefined;
  const pair = history.pairOf(index);
  if (pair < 0) return undefined;
  const [invoke, end] = [history.op(index), history.op(pair)];
  if (end.type !== 'ok') return undefined;
  const given = invoke.value;
  const isCas = invoke.f === 'cas' && Array.isArray(given) && given.length === 2;
  if (!isCas && invoke.f !== 'write' && invoke.f !== 'read') return undefined;
  const value = isCas
    ? (given as readonly JsonValue[])[1]
    : invoke.f === 'read'
      ? end.value
      : given;
  return value === undefined ? undefined : { value, endNanos: end.time };
}

function operationLines(operations: readonly ShownOperation[], page: Page): Lines {
  const { columns, style, verbose } = page;
  if (operations.length === 0) return [];
  const shown = verbose === true ? operations : operations.slice(-ROWS_MAX);
  const modes = shown.some(({ mode }) => mode !== '');
  const errors = shown.some(({ error }) => error !== '');
  const heads: Column[] = [
    { title: '' },
    { title: 'client', max: 8 },
    { title: 'operation', max: columns < 90 ? 26 : 36 },
    { title: 'outcome' },
    { title: 'start s', align: 'right' },
    { title: 'end s', align: 'right' },
    { title: 'node', max: 10 },
    ...(modes ? [{ title: 'mode' }] : []),
    ...(errors ? [{ title: 'error', max: 20 }] : []),
  ];
  const rows = shown.map((operation) => [
    operation.culprit ? '✗' : ' ',
    operation.client,
    operation.text,
    operation.outcome,
    momentText(operation.startNanos),
    operation.endNanos === undefined ? '…' : momentText(operation.endNanos),
    operation.node,
    ...(modes ? [operation.mode] : []),
    ...(errors ? [operation.error] : []),
  ]);
  const lines = table(heads, rows, { columns, indent: 3 });
  const pictured = withBars(lines, shown, columns);
  const left = operations.length - shown.length;
  const [first = '', ...rest] = pictured.lines;
  return [
    '',
    style.dim(first),
    ...rest.map((line, at) => (shown[at]?.culprit === true ? style.strong(line) : line)),
    ...(left > 0 ? [`     and ${counted(left, 'earlier operation')}, in the report`] : []),
    ...(pictured.drawn ? ['', style.dim('     bars show the order of the ends, not lengths')] : []),
  ];
}

/** Draws `├─┤` beside each row of a short table, if there is room for it. */
function withBars(
  lines: Lines,
  operations: readonly ShownOperation[],
  columns: number,
): { readonly lines: Lines; readonly drawn: boolean } {
  const wide = Math.max(...lines.map(widthOf));
  const places = ordinals(operations);
  const last = Math.max(...places.map(({ start, end }) => end ?? start + 1));
  const step = Math.min(4, Math.floor((columns - wide - 5) / Math.max(1, last)));
  if (operations.length < 2 || operations.length > BARS_MAX || step < 1)
    return { lines, drawn: false };
  const drawn = lines.map((line, at) => {
    const place = places[at - 1];
    if (place === undefined) return line;
    const bar = place.end === undefined ? openBar(place.start, last, step) : closedBar(place, step);
    return `${line.padEnd(line.length + wide - widthOf(line))}  ${bar}`;
  });
  return { lines: drawn, drawn: true };
}

function closedBar(
  { start, end }: { readonly start: number; readonly end: number | undefined },
  step: number,
): string {
  const inside = ((end ?? start) - start) * step - 1;
  return `${' '.repeat(start * step)}├${'─'.repeat(Math.max(0, inside))}┤`;
}

function openBar(start: number, last: number, step: number): string {
  return `${' '.repeat(start * step)}├${'╌'.repeat((last - start) * step)}`;
}

function nearbyLines(operations: readonly ShownOperation[], page: Page): Lines {
  const { events, more } = nearby(operations, page.reading);
  if (events.length === 0) return [];
  const rows = events.map(({ timeNanos, kind, text }) => [momentText(timeNanos), kind, text]);
  const lines = table(
    [
      { title: '', align: 'right' },
      { title: '', max: 6 },
      { title: '', wraps: true },
    ],
    rows,
    { columns: page.columns, indent: 5 },
  );
  return [
    '',
    `   ${page.style.strong('What was happening')} ${page.style.dim('(observed, not proof of cause)')}`,
    ...lines.slice(1),
    ...(more > 0 ? [`     and ${counted(more, 'more event')}, further away`] : []),
  ];
}
