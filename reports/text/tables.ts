import type { CheckResult } from '../../harness/protocols/checker.ts';
import {
  availabilityOf,
  byLabel,
  evidenceOf,
  readModesOf,
  statsOf,
  thresholdsOf,
} from '../details.ts';
import { type Column, hanging, paragraph, table } from '../layout.ts';
import type { Style } from '../style.ts';
import {
  CHECK_SYMBOLS,
  clean,
  clipped,
  counted,
  countText,
  msText,
  rateText,
  spanText,
} from '../words.ts';
import type { Lines, Page } from './page.ts';

const ROWS_MAX = 12;
const INDENT = 3;

function titled(title: string, { style }: Page, lines: Lines): Lines {
  const [head = '', ...rows] = lines;
  return ['', ` ${style.strong(title)}`, style.dim(head), ...rows];
}

function right(title: string): Column {
  return { title, align: 'right' };
}

export function checkTable(page: Page): Lines {
  const { checks } = page.result;
  if (checks.length === 0) return [];
  const rows = checks.map((check) => [
    `${CHECK_SYMBOLS[check.verdict]} ${clean(check.checker)}`,
    check.verdict,
    clipped(clean(check.covered), 300),
  ]);
  const lines = table(
    [{ title: 'check', max: 26 }, { title: 'verdict' }, { title: 'looked at', wraps: true }],
    rows,
    { columns: page.columns, indent: INDENT },
  );
  const [head = '', ...rest] = titled('Checks', page, lines);
  return [head, ...rest.map((line) => coloured(line, checks, page.style))];
}

/** Colours the symbol of a row; the table was laid out before, so widths stay right. */
function coloured(line: string, checks: readonly CheckResult[], style: Style): string {
  const symbol = line.slice(INDENT, INDENT + 1);
  const verdict = checks.find((check) => CHECK_SYMBOLS[check.verdict] === symbol)?.verdict;
  if (verdict === undefined) return line;
  const paint = { valid: style.good, invalid: style.bad, unknown: style.warn }[verdict];
  return `${line.slice(0, INDENT)}${paint(symbol)}${line.slice(INDENT + 1)}`;
}

export function faultTable(page: Page): Lines {
  const evidence = evidenceOf(page.result);
  if (evidence === undefined || evidence.kinds.length === 0) return [];
  const rows = evidence.kinds.map(({ fault, installed, skipped, failed, healed }) => [
    clean(fault),
    ...[installed, skipped, failed, healed].map(countText),
  ]);
  const heads = [
    { title: 'fault', max: 30 },
    ...['took effect', 'skipped', 'failed', 'healed'].map(right),
  ];
  const changes = page.reading.cluster.changes.filter(({ before }) => before !== undefined).length;
  return [
    ...titled('Faults', page, table(heads, rows, { columns: page.columns, indent: INDENT })),
    ...withoutEffect(page),
    ...(changes > 0 ? [`   ${counted(changes, 'leader change')} seen`] : []),
  ];
}

/** Why injections were skipped or failed, each reason once. */
function withoutEffect({ result, columns, style, verbose }: Page): Lines {
  const events = evidenceOf(result)?.events ?? [];
  const groups = Map.groupBy(
    events.filter((event) => event.result !== 'installed'),
    ({ fault, result: outcome, evidence }) => clean(`${fault} ${outcome}: ${evidence}`),
  );
  const shown = verbose === true ? [...groups] : [...groups].slice(0, 5);
  return [
    ...shown.flatMap(([text, group]) => {
      const times = group.length === 1 ? '' : ` (${group.length} times)`;
      return paragraph(`⚠ ${clipped(text, 200)}${times}`, columns, INDENT).map(style.warn);
    }),
    ...(groups.size > shown.length ? [`   and ${groups.size - shown.length} more reasons`] : []),
  ];
}

export function availabilityTable(page: Page): Lines {
  const details = availabilityOf(page.result);
  if (details === undefined) return [];
  const rows = byLabel(details.windows);
  const gap = `Longest time without one success: ${msText(details.longestGapMs)}.`;
  const single = rows.length === 1 ? rows[0] : undefined;
  if (single !== undefined && single.label === 'no fault') {
    const operations = countText(single.ok + single.fail + single.info);
    const text =
      `${rateText(single.rate)} of ${operations} operations ended ok. ${gap} ` +
      `p50\u00a0${msText(single.p50Ms)}, p99\u00a0${msText(single.p99Ms)}.`;
    return ['', ...hanging('Availability', text, page.columns, { label: 1, text: 15 })];
  }
  if (rows.length === 0) return [];
  const heads = [
    { title: 'window', wraps: true },
    ...['ok', 'failed', 'unknown', 'longest gap', 'p50', 'p99'].map(right),
  ];
  const shown = page.verbose === true ? rows : rows.slice(0, ROWS_MAX);
  const lines = table(
    heads,
    shown.map((row) => [
      `${clipped(clean(row.label), 90)}${row.windows > 1 ? ` ×${row.windows}` : ''}`,
      rateText(row.rate),
      rateText(shareOf(row.fail, row)),
      rateText(shareOf(row.info, row)),
      msText(row.longestGapMs),
      msText(row.p50Ms),
      msText(row.p99Ms),
    ]),
    { columns: page.columns, indent: INDENT },
  );
  return [
    ...titled('Availability by window', page, lines),
    ...(rows.length > shown.length ? [`   and ${rows.length - shown.length} more windows`] : []),
    ...paragraph(gap, page.columns, INDENT),
    ...recoveryLines(page),
  ];
}

function shareOf(
  part: number,
  { ok, fail, info }: { ok: number; fail: number; info: number },
): number | null {
  const all = ok + fail + info;
  return all === 0 ? null : part / all;
}

/** From the end of a fault to the first success on each node it hit; and after the last heal. */
function recoveryLines({ result, columns }: Page): Lines {
  const details = availabilityOf(result);
  if (details === undefined) return [];
  const kinds = Map.groupBy(details.recovery, ({ fault }) => fault);
  const parts = [...kinds].map(([fault, rows]) => {
    const known = rows.flatMap(({ firstOkMs }) => (firstOkMs === null ? [] : [firstOkMs]));
    const never = rows.length - known.length;
    if (known.length === 0) return `${clean(fault)} never, of ${rows.length}`;
    const worst = `${clean(fault)} ${msText(Math.max(...known))} at worst of ${rows.length}`;
    return never > 0 ? `${worst}, ${never} never` : worst;
  });
  const nodes = details.nodes.map(
    ({ node, firstOkMs }) => `${clean(node)} ${firstOkMs === null ? 'never' : msText(firstOkMs)}`,
  );
  return [
    ...(parts.length > 0
      ? paragraph(
          `First success on the nodes that a fault hit, after its end: ${parts.join('; ')}.`,
          columns,
          INDENT,
        )
      : []),
    ...(nodes.length > 0
      ? paragraph(`First success after the last heal: ${nodes.join(', ')}.`, columns, INDENT)
      : []),
  ];
}

/** Each threshold with what was measured. */
export function thresholdTable(page: Page): Lines {
  const rows = thresholdsOf(page.result)?.rows ?? [];
  if (rows.length === 0) return [];
  const cells = rows.map(({ metric, expression, shown, passed }) => [
    `${passed === null ? '?' : passed ? '✓' : '✗'} ${clean(metric)}`,
    clean(expression),
    clean(shown),
  ]);
  const heads = [{ title: 'metric', max: 48 }, { title: 'threshold' }, right('measured')];
  const lines = table(heads, cells, { columns: page.columns, indent: INDENT });
  return titled('Thresholds', page, lines);
}

export function readModeTable(page: Page): Lines {
  const details = readModesOf(page.result);
  if (details === undefined || details.modes.length === 0) return [];
  const rows = details.modes.map((row) => [
    clean(row.mode),
    countText(row.reads),
    clean(row.promise),
    { kept: '✓ kept', broken: '✗ broken', unknown: '? unknown' }[row.result],
    clean(row.strongest),
    row.stale === 0
      ? 'none stale'
      : `${countText(row.stale)} stale, oldest ${msText(row.staleMsMax)}, ` +
        `${counted(row.staleVersionsMax, 'version')} behind`,
  ]);
  const heads: Column[] = [
    { title: 'mode' },
    right('reads'),
    { title: 'promise' },
    { title: 'result' },
    { title: 'strongest kept' },
    { title: 'how stale', wraps: true },
  ];
  const lines = table(heads, rows, { columns: page.columns, indent: INDENT });
  return titled('Read modes', page, lines);
}

export function operationTable(page: Page): Lines {
  const { functions } = page.reading;
  if (functions.length === 0) return [];
  const rows = functions
    .slice(0, page.verbose === true ? functions.length : ROWS_MAX)
    .map(({ name, ok, fail, info, p50, p99 }) => [
      clean(name),
      ...[ok, fail, info].map(countText),
      spanText(p50),
      spanText(p99),
    ]);
  const heads = [
    { title: 'operation', max: 34 },
    ...['ok', 'failed', 'unknown', 'p50', 'p99'].map(right),
  ];
  const lines = table(heads, rows, { columns: page.columns, indent: INDENT });
  return [...titled('Operations', page, lines), ...errorLines(page)];
}

function errorLines({ result, columns }: Page): Lines {
  const errors = Object.entries(statsOf(result)?.errors ?? {}).toSorted((a, b) => b[1] - a[1]);
  if (errors.length === 0) return [];
  const texts = errors.slice(0, 6).map(([code, count]) => `${clean(code)} ${countText(count)}`);
  const more = errors.length > 6 ? `, and ${errors.length - 6} other codes` : '';
  return paragraph(`Errors: ${texts.join(', ')}${more}`, columns, INDENT);
}
