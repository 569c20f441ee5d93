import { expectedText, type SuiteTest } from '../../harness/protocols/suite.ts';
import { type Column, hanging, paragraph, table } from '../layout.ts';
import { intervalText } from '../rate.ts';
import type { Lines } from '../text/page.ts';
import { clean, clipped, counted, countText, rateText, widthOf } from '../words.ts';
import type { SuitePage } from './page.ts';
import {
  faultsText,
  groupsOf,
  groupTitle,
  OUTCOME_WORDS,
  rateOf,
  type TestGroup,
  totalsOf,
} from './suite-words.ts';

const ROWS_MAX = 20;
const INDENT = 3;

function right(title: string): Column {
  return { title, align: 'right' };
}

/** What each test has covered; its repeats are one row. */
export function testTable(page: SuitePage): Lines {
  // What passed without a run, exploring, is told of elsewhere.
  const told = page.result.tests.filter(
    ({ expects, outcome, runs }) =>
      expects === undefined && (outcome !== 'pass' || runs.length > 0),
  );
  const groups = groupsOf(told);
  if (groups.length === 0) return [];
  const shown = page.verbose ? groups : groups.slice(0, ROWS_MAX);
  const most = Math.max(24, Math.floor(page.columns / 3));
  const heads: Column[] = [
    { title: 'test', max: most },
    right('ops'),
    { title: 'checked', max: page.columns < 100 ? 16 : Math.floor(page.columns / 4) },
    { title: page.columns < 100 ? 'took effect' : 'faults that took effect', wraps: true },
    right('ok'),
  ];
  const lines = table(
    heads,
    shown.map((group) => testRow(group, most)),
    { columns: page.columns, indent: INDENT },
  );
  const [head = '', ...rows] = lines;
  const more = groups.length - shown.length;
  return [
    '',
    page.style.dim(head),
    ...rows,
    ...(more > 0 ? [`   … ${more} more, in the report`] : []),
  ];
}

function testRow(group: TestGroup, most: number): readonly string[] {
  const runs = group.tests.flatMap((test) => test.runs);
  const { ok, all } = totalsOf(runs);
  const [first] = runs.at(-1)?.checks ?? [];
  const times = group.tests.length > 1 ? ` ×${group.tests.length}` : '';
  const symbols = new Set(group.tests.map(({ outcome }) => OUTCOME_WORDS[outcome].symbol));
  const mark = `${[...symbols].join('')} `;
  const room = most - widthOf(mark) - widthOf(times);
  const title = group.tests[0] === undefined ? '' : groupTitle(group.tests[0].test, room);
  return [
    `${mark}${title}${times}`,
    countText(all),
    first === undefined ? 'nothing' : clipped(clean(first.line), 40),
    faultsText(runs),
    rateText(all === 0 ? null : ok / all),
  ];
}

/** Known bugs: which were found again, and which were not. */
export function expectedTable(page: SuitePage): Lines {
  const expected = page.result.tests.filter(({ expects }) => expects !== undefined);
  if (expected.length === 0) return [];
  const most = Math.floor(page.columns / 2);
  const rows = expected.map(({ test, expects, runs, outcome }: SuiteTest) => [
    `${OUTCOME_WORDS[outcome].symbol} ${groupTitle(test, most - 2)}`,
    clean((expects && expectedText(expects)) ?? 'any violation'),
    { pass: 'found', fail: 'not found', unknown: 'unknown', error: 'error', 'not-run': 'not run' }[
      outcome
    ],
    `${runs.length} of ${expects?.runs ?? 1}`,
  ]);
  const heads: Column[] = [
    { title: 'test', max: most },
    { title: 'anomaly', max: 30 },
    { title: 'result' },
    right('runs'),
  ];
  const [head = '', ...lines] = table(heads, rows, { columns: page.columns, indent: INDENT });
  return ['', ` ${page.style.strong('Expected violations')}`, page.style.dim(head), ...lines];
}

/** Expressions with their values, as the checker of that name says them. */
export function thresholdTable(page: SuitePage): Lines {
  const rows = page.result.tests.flatMap(({ test, runs }) =>
    (runs.at(-1)?.checks ?? [])
      .filter(({ checker }) => checker === 'thresholds')
      .map((check) => ({ test, check })),
  );
  if (rows.length === 0) return [];
  const bad = rows.filter(({ check }) => check.verdict !== 'valid');
  const kept = rows.length - bad.length;
  const symbols = { valid: '✓', invalid: '✗', unknown: '?' };
  const lines = (page.verbose ? rows : bad.slice(0, ROWS_MAX)).flatMap(({ test, check }) =>
    paragraph(
      `${symbols[check.verdict]} ${groupTitle(test)}: ${clean(check.line)}`,
      page.columns,
      INDENT,
    ),
  );
  const text = `kept in ${kept} of ${counted(rows.length, 'test')}`;
  return ['', ...hanging('Thresholds', text, page.columns, { label: 1, text: 15 }), ...lines];
}

/** Of repeated tests, how often a violation was found. Counts and intervals, never adjectives. */
export function rateTable(page: SuitePage): Lines {
  const rows = groupsOf(page.result.tests).flatMap((group) => {
    const rate = rateOf(group);
    if (rate === undefined) return [];
    return [[group.title, countText(rate.found), countText(rate.of), intervalText(rate)]];
  });
  if (rows.length === 0) return [];
  const heads: Column[] = [
    { title: 'repeated', max: Math.floor(page.columns / 2) },
    right('found'),
    right('of'),
    right('95 % interval'),
  ];
  const [head = '', ...lines] = table(heads, rows, { columns: page.columns, indent: INDENT });
  return ['', ` ${page.style.strong('How often')}`, page.style.dim(head), ...lines];
}
