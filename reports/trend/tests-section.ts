import type { SuiteResult, SuiteRun, TestOutcome } from '../../harness/protocols/suite.ts';
import { html, type Markup } from '../html/markup.ts';
import { capped, dataTable } from '../html/tables.ts';
import { totalsOf } from '../suite/suite-words.ts';
import { clean, clipped, countText, lengthText, NO_FIGURE, rateText } from '../words.ts';
import { measured } from './figures.ts';
import { trialOf } from './nights.ts';

const ROWS_MAX = 300;

/** Of several repeats the worst is shown. */
const SIGNS: Readonly<Record<TestOutcome, readonly [sign: string, style: string, word: string]>> = {
  fail: ['✗', 'invalid', 'failed'],
  error: ['!', 'invalid', 'error'],
  unknown: ['?', 'undecided', 'unknown'],
  pass: ['✓', 'valid', 'passed'],
  'not-run': ['–', 'muted', 'not run'],
};
const WORST = Object.keys(SIGNS);

interface TestRow {
  readonly title: string;
  /** One for each night; undefined: it was not there. */
  readonly outcomes: readonly (TestOutcome | undefined)[];
  /** Of the newest night in which it ran. */
  readonly runs: readonly SuiteRun[];
}

/** What became of each test in each suite, and what it measured last. */
export function testsSection(nights: readonly SuiteResult[]): Markup {
  const { shown, note } = capped(testRows(nights), ROWS_MAX);
  const legend = Object.values(SIGNS).map(([sign, , word]) => `${sign} ${word}`);
  return html`<section id="tests"><h2>Tests</h2>${dataTable(
    `One sign a suite, the newest on the right: ${legend.join(', ')}, · not there. Figures: when it ran last.`,
    [
      { title: 'test' },
      { title: 'suites', nowrap: true },
      { title: 'passed', number: true },
      { title: 'failed', number: true },
      { title: 'ok a second', number: true },
      { title: 'unknown', number: true },
      { title: 'longest gap', number: true },
      { title: 'judging', number: true },
    ],
    shown.map((row) => ({ cells: cellsOf(row) })),
    'Tests, a table',
  )}${note}</section>`;
}

function testRows(nights: readonly SuiteResult[]): readonly TestRow[] {
  const titles = new Map<string, string>();
  const runs = new Map<string, readonly SuiteRun[]>();
  const byNight = nights.map(({ tests }) => {
    const groups = Map.groupBy(tests, ({ test }) => trialOf(test));
    for (const [trial, group] of groups) {
      const [first] = group;
      const project = first?.test.project === undefined ? '' : ` [${first.test.project}]`;
      if (!titles.has(trial)) titles.set(trial, `${first?.test.title ?? ''}${project}`);
      const own = group.flatMap((test) => test.runs);
      if (own.length > 0) runs.set(trial, own);
    }
    return groups;
  });
  return [...titles].map(([trial, title]) => ({
    title,
    outcomes: byNight.map((groups) => worstOf(groups.get(trial)?.map(({ outcome }) => outcome))),
    runs: runs.get(trial) ?? [],
  }));
}

function worstOf(outcomes: readonly TestOutcome[] = []): TestOutcome | undefined {
  return outcomes.toSorted((a, b) => WORST.indexOf(a) - WORST.indexOf(b))[0];
}

function cellsOf({ title, outcomes, runs }: TestRow): readonly (string | Markup)[] {
  const count = (wanted: TestOutcome): string =>
    countText(outcomes.filter((outcome) => outcome === wanted).length);
  const { all, unknown } = totalsOf(runs);
  const figures = measured(runs);
  const figure = (value: number | undefined, text: (value: number) => string): string =>
    value === undefined ? NO_FIGURE : text(value);
  return [
    clipped(clean(title), 120),
    html`<span class="nights">${outcomes.map(signOf)}</span>`,
    count('pass'),
    count('fail'),
    figure(figures.throughput, countText),
    all === 0 ? NO_FIGURE : rateText(unknown / all),
    figure(figures.longestGapMs, lengthText),
    figure(figures.checkMs, lengthText),
  ];
}

function signOf(outcome: TestOutcome | undefined): Markup {
  const [sign, style] = outcome === undefined ? ['·', 'muted'] : SIGNS[outcome];
  return html`<span class="${style}">${sign}</span>`;
}
