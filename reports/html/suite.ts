/** The page of a suite: every test in every project, and what became of it. */
import type { SuiteResult, SuiteRun, TestOutcome } from '../../harness/protocols/suite.ts';
import { changesSection } from '../trend/changes-section.ts';
import { clean, counted, countText, lengthText, rateText } from '../words.ts';
import { html, type Markup, markupText, scriptElement } from './markup.ts';
import { scriptHash } from './page-script.ts';
import { styles } from './styles.ts';
import { faultsOf, type PropertyRow, propertyRows, type TestRow, testRows } from './suite-rows.ts';
import { SUITE_SCRIPT } from './suite-script.ts';
import { suiteStyles } from './suite-styles.ts';
import { OUTCOMES, outcomeMark, testsSection } from './suite-tests.ts';
import { capped, dataTable } from './tables.ts';

export interface SuiteHtmlOptions {
  /** The suite before this one: with it, tests are new, still failing or fixed. */
  readonly previous?: SuiteResult;
  /** Address of a run's own report, as seen from the suite's page. */
  readonly link: (run: SuiteRun) => string;
}

/** One file, without a request: tests by project, and what each run of them has shown. */
export function renderSuiteHtml(result: SuiteResult, options: SuiteHtmlOptions): string {
  const rows = testRows(result, options.previous);
  const { suite, version } = result.manifest;
  const title = `${OUTCOMES[outcomeOf(rows)].word} suite ${clean(suite)}: ${verdictText(rows)}`;
  const policy = `default-src 'none'; script-src ${scriptHash(SUITE_SCRIPT)}; style-src 'unsafe-inline'; img-src data:`;
  return markupText(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${styles}${suiteStyles}</style>
</head>
<body>
<header>${banner(result, rows)}</header>
<main>
${environmentSection(result)}
${utilizationSection(rows)}
${propertySection(rows)}
${changesSection(result)}
${testsSection(rows, options.link, options.previous?.manifest.suite)}
</main>
<footer><p>Written by schism ${clean(version)}.
A pass means no violation in what ran; it is not a proof.</p></footer>
${scriptElement(html``, SUITE_SCRIPT)}
</body>
</html>
`);
}

/** Of the whole: a violation says most, then what kept it from being looked for. */
function outcomeOf(rows: readonly TestRow[]): TestOutcome {
  const order: readonly TestOutcome[] = ['fail', 'error', 'unknown', 'not-run'];
  return order.find((outcome) => rows.some((row) => row.outcome === outcome)) ?? 'pass';
}

/** `12 tests: 1 failed, 11 passed`. */
function verdictText(rows: readonly TestRow[]): string {
  const words = { fail: 'failed', error: 'in error', unknown: 'unknown', 'not-run': 'not run' };
  const parts = Object.entries({ ...words, pass: 'passed' }).flatMap(([outcome, word]) => {
    const count = rows.filter((row) => row.outcome === outcome).length;
    return count === 0 ? [] : [`${countText(count)} ${word}`];
  });
  return [counted(rows.length, 'test'), ...(parts.length === 0 ? [] : [parts.join(', ')])].join(
    ': ',
  );
}

const TOLD_MAX = 6;

function banner(
  { manifest, exitCode, wallMs, interrupted }: SuiteResult,
  rows: readonly TestRow[],
): Markup {
  const outcome = outcomeOf(rows);
  const { symbol, word } = OUTCOMES[outcome];
  const told = rows.filter((row) => row.outcome !== 'pass');
  const { shown, note } = capped(told, TOLD_MAX);
  const runs = rows.flatMap((row) => row.runs);
  const facts = [
    `${counted(runs.length, 'run')}, ${counted(
      rows.reduce((sum, row) => sum + row.operations, 0),
      'operation',
    )}`,
    lengthText(wallMs),
    `exit ${exitCode}`,
  ];
  const style = outcome === 'not-run' ? 'unknown' : outcome;
  return html`<div class="banner ${style}">
<h1><span class="badge">${symbol} ${word}</span> ${verdictText(rows)}
<span class="run">suite ${clean(manifest.suite)} · seed ${clean(manifest.seed)}</span></h1>
${interrupted !== undefined && html`<p>Interrupted by ${interrupted}: what had run until then has been judged.</p>`}
${shown.length > 0 && html`<ul class="told">${shown.map(toldMarkup)}</ul>`}${note}
<ul class="facts">${facts.map((fact) => html`<li>${fact}</li>`)}</ul></div>`;
}

function toldMarkup(row: TestRow): Markup {
  const reason = row.tests.find((test) => test.outcome === row.outcome)?.reason ?? '';
  return html`<li>${outcomeMark(row.outcome)} <a href="#${row.anchor}">${nameOf(row)}</a> ${clean(reason)}</li>`;
}

function nameOf({ title, project }: TestRow): string {
  return project === '' ? clean(title) : `${clean(title)} [${clean(project)}]`;
}

function environmentSection({ manifest }: SuiteResult): Markup {
  const { shard, mergedFrom = [] } = manifest;
  const facts: readonly (readonly [string, string])[] = [
    ['started', manifest.startedAt],
    ['schism', manifest.version],
    ['Node.js', manifest.node],
    ['platform', manifest.platform],
    ['config', manifest.config ?? 'none'],
    ['seed', manifest.seed],
    ['asked for', ['schism', ...manifest.argv].join(' ')],
    ...(shard === undefined
      ? []
      : [
          [
            'shard',
            `${shard.index} of ${shard.total}, of ${counted(manifest.selected, 'test')}`,
          ] as const,
        ]),
    ...(mergedFrom.length === 0 ? [] : [['joined from', mergedFrom.join(', ')] as const]),
  ];
  return html`<section id="environment"><h2>Environment</h2>
<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd class="mono">${clean(value)}</dd>`)}</dl></section>`;
}

/** What was really exercised: a fault that never took effect has tested nothing. */
function utilizationSection(rows: readonly TestRow[]): Markup {
  const runs = rows.flatMap((row) => row.runs);
  const sum = (part: 'ok' | 'fail' | 'info' | 'open'): number =>
    runs.reduce((total, { counts }) => total + counts[part], 0);
  const all = sum('ok') + sum('fail') + sum('info') + sum('open');
  const faults = faultsOf(runs).map(({ fault, tookEffect, begun }) => ({
    cells: [
      clean(fault),
      countText(tookEffect),
      countText(begun),
      tookEffect > 0
        ? html`<span class="valid">✓ yes</span>`
        : html`<span class="undecided">⚠ never took effect</span>`,
    ],
  }));
  const share = (count: number): string => rateText(all === 0 ? null : count / all);
  return html`<section id="utilization"><h2>Utilization</h2>
<p>${counted(runs.length, 'run')}, ${lengthText(runs.reduce((total, run) => total + run.wallMs, 0))} of them together;
${counted(all, 'operation')}: ${share(sum('ok'))} ok, ${share(sum('fail'))} failed,
${share(sum('info') + sum('open'))} unknown.</p>
${
  faults.length === 0
    ? html`<p class="muted">No fault was asked for.</p>`
    : dataTable(
        'A fault took effect when its own probe saw it from outside.',
        [
          { title: 'fault', nowrap: true },
          { title: 'took effect', number: true },
          { title: 'begun', number: true },
          { title: 'exercised', nowrap: true },
        ],
        faults,
      )
}</section>`;
}

function propertySection(rows: readonly TestRow[]): Markup {
  const properties = propertyRows(rows);
  if (properties.length === 0) return html``;
  return html`<section id="properties"><h2>Properties</h2>${dataTable(
    'Each check over all runs that it judged; unknown is neither good nor bad.',
    [
      { title: 'check', nowrap: true },
      { title: 'over all', nowrap: true },
      { title: 'held', number: true },
      { title: 'broken', number: true },
      { title: 'unknown', number: true },
      { title: 'broken in' },
    ],
    properties.map(propertyCells),
  )}</section>`;
}

function propertyCells({ checker, valid, invalid, unknown, broken }: PropertyRow): {
  readonly cells: readonly (string | Markup)[];
} {
  const isKnown = broken.every(({ isExpected }) => isExpected);
  const state =
    invalid > 0
      ? html`<span class="${isKnown ? 'undecided' : 'invalid'}">✗ broken${isKnown && ', as expected'}</span>`
      : unknown > 0
        ? html`<span class="undecided">? unknown</span>`
        : html`<span class="valid">✓ held</span>`;
  const { shown, note } = capped(broken, TOLD_MAX);
  return {
    cells: [
      clean(checker),
      state,
      ...[valid, invalid, unknown].map(countText),
      html`${shown.map((row, at) => html`${at > 0 && ', '}<a href="#${row.anchor}">${nameOf(row)}</a>`)}${note}`,
    ],
  };
}
