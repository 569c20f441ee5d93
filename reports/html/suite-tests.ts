/** The tests of a suite: a grid of projects, and a row for each test that opens. */
import {
  expectedText,
  type FaultCount,
  type SuiteRun,
  type SuiteTest,
  type TestOutcome,
} from '../../harness/protocols/suite.ts';
import { wilsonText } from '../rate.ts';
import { clean, clipped, counted, countText, lengthText, printable, rateText } from '../words.ts';
import { html, type Markup, type Part } from './markup.ts';
import { operationsOf, type TestRow } from './suite-rows.ts';
import { capped } from './tables.ts';

/** Symbol and word, and the class of its colour. */
export const OUTCOMES: Readonly<
  Record<TestOutcome, { readonly symbol: string; readonly word: string; readonly style: string }>
> = {
  pass: { symbol: '✓', word: 'PASS', style: 'valid' },
  fail: { symbol: '✗', word: 'FAIL', style: 'invalid' },
  unknown: { symbol: '?', word: 'UNKNOWN', style: 'undecided' },
  error: { symbol: '✗', word: 'ERROR', style: 'invalid' },
  'not-run': { symbol: '–', word: 'NOT RUN', style: 'muted' },
};

const CHANGES = ['new', 'still failing', 'fixed'] as const;
const TEXT_MAX = 20_000;
const RUNS_MAX = 30;
const MARKS_MAX = 60;

export type LinkOf = (run: SuiteRun) => string;

export function outcomeMark(outcome: TestOutcome): Markup {
  const { symbol, word, style } = OUTCOMES[outcome];
  return html`<span class="${style} nowrap">${symbol} ${word}</span>`;
}

export function testsSection(rows: readonly TestRow[], link: LinkOf, previous?: string): Markup {
  const against =
    previous === undefined
      ? ''
      : ` New, still failing and fixed: against suite ${clean(previous)}.`;
  return html`<section id="tests"><h2>Tests</h2>${projectGrid(rows)}${controls(rows)}
<div class="scroll"><table class="tests"><caption>One row for each test and project;
it opens to what its runs have shown.${against}</caption>
<thead><tr><th scope="col">test</th><th scope="col">verdict</th><th scope="col" class="n">length</th>
<th scope="col" class="n">operations</th><th scope="col" class="n">ok</th>
<th scope="col">faults that took effect</th><th scope="col">violations</th></tr></thead>
${rows.map((row) => testBody(row, link))}</table></div>
${rows.length === 0 && html`<p class="muted">Nothing was selected to run.</p>`}</section>`;
}

function controls(rows: readonly TestRow[]): Markup {
  const outcomes = Object.keys(OUTCOMES) as TestOutcome[];
  const count = (fits: (row: TestRow) => boolean): number => rows.filter(fits).length;
  const choices = [
    ...CHANGES.map((change) => [change, count((row) => row.change === change)] as const),
    ...outcomes.map((one) => [one, count(({ outcome }) => outcome === one)] as const),
  ].filter(([, found]) => found > 0);
  const projects = projectsOf(rows);
  return html`<div id="controls" hidden>
<label>Search <input type="search" id="search" placeholder="test, fault, words" /></label>
<label>Show <select id="show"><option value="">all (${rows.length})</option>${choices.map(
    ([name, found]) => html`<option value="${name}">${name.replace('-', ' ')} (${found})</option>`,
  )}</select></label>
${
  projects.length > 1 &&
  html`<label>Project <select id="project"><option value="">all</option>${projects.map(
    (project) => html`<option value="${clean(project)}">${named(project)}</option>`,
  )}</select></label>`
}
<label>Colours <select id="theme"><option value="">as the system</option><option value="light">light</option>
<option value="dark">dark</option></select></label>
<span id="shown" class="muted small" role="status"></span>
<span class="muted small">Keys: <kbd>/</kbd> search, <kbd>n</kbd> <kbd>p</kbd> next,
previous that did not pass</span></div>`;
}

function projectsOf(rows: readonly TestRow[]): readonly string[] {
  return [...new Set(rows.map(({ project }) => project))];
}

function named(project: string): string {
  return project === '' ? 'no project' : clipped(clean(project), 60);
}

/** Which test fails where, at a glance; only where there are several projects. */
function projectGrid(rows: readonly TestRow[]): Markup {
  const projects = projectsOf(rows);
  if (projects.length < 2) return html``;
  const tests = [...Map.groupBy(rows, ({ title, place }) => `${title}\n${place}`).values()];
  const cell = (group: readonly TestRow[], project: string): Markup => {
    const row = group.find((one) => one.project === project);
    if (row === undefined) return html`<td class="muted">not there</td>`;
    const { symbol, word, style } = OUTCOMES[row.outcome];
    return html`<td><a class="${style}" href="#${row.anchor}">${symbol} ${word}</a></td>`;
  };
  return html`<div class="scroll"><table class="narrow"><caption>Tests by project</caption>
<thead><tr><th scope="col">test</th>
${projects.map((project) => html`<th scope="col">${named(project)}</th>`)}</tr></thead>
<tbody>${tests.map(
    (group) => html`<tr><th scope="row">${clipped(clean(group[0]?.title ?? ''), 120)}</th>
${projects.map((project) => cell(group, project))}</tr>`,
  )}</tbody></table></div>`;
}

function testBody(row: TestRow, link: LinkOf): Markup {
  const { anchor, title, project, place, outcome, change, runs, rate, isExpected } = row;
  const below = [project === '' ? '' : `[${project}]`, place].filter((text) => text !== '');
  const notes = [change ?? '', isExpected ? 'a violation is expected' : ''].filter(
    (text) => text !== '',
  );
  const name = `${OUTCOMES[outcome].word.toLowerCase()} ${change ?? ''}`;
  return html`<tbody id="${anchor}" class="${name}" data-outcome="${outcome}"
 data-change="${change}" data-project="${clean(project)}">
<tr><th scope="row">${clipped(clean(title), 200)}<br><span class="muted small">${clean(below.join(' '))}</span></th>
<td data-sort="${sortOf(outcome)}">${outcomeMark(outcome)}${notes.map(
    (note) => html`<br><span class="small">${note}</span>`,
  )}</td>
<td class="n" data-sort="${row.wallMs}">${runs.length === 0 ? '–' : lengthText(row.wallMs)}</td>
<td class="n" data-sort="${row.operations}">${countText(row.operations)}</td>
<td class="n" data-sort="${row.availability ?? -1}">${rateText(row.availability)}</td>
<td>${row.faults.map(faultMark)}</td>
<td data-sort="${rate === undefined ? -1 : rate.found / rate.of}">${
    rate === undefined ? violationText(runs) : html`${wilsonText(rate)}${strip(row)}`
  }</td></tr>
<tr class="opens"><td colspan="7">${detailsOf(row, link)}</td></tr></tbody>
`;
}

function violationText(runs: readonly SuiteRun[]): string {
  if (runs.length === 0) return '–';
  return runs.some(({ verdict }) => verdict === 'fail') ? 'found' : 'none found';
}

/** What did not pass comes first. */
function sortOf(outcome: TestOutcome): number {
  return ['fail', 'error', 'unknown', 'not-run', 'pass'].indexOf(outcome);
}

function faultMark({ fault, tookEffect, begun }: FaultCount): Markup {
  const text = `${clipped(clean(fault), 40)} ${tookEffect}/${begun}`;
  return tookEffect > 0
    ? html`<span class="chip">${text}</span> `
    : html`<span class="chip undecided">⚠ ${text}</span> `;
}

const HEIGHTS: Readonly<Record<SuiteRun['verdict'], number>> = {
  pass: 4,
  unknown: 9,
  error: 9,
  fail: 16,
};

/** One bar a run in the order they were made; the higher, the worse. */
function strip({ runs }: TestRow): Markup {
  const shown = runs.slice(-MARKS_MAX);
  const label = `${counted(shown.length, 'run')} in turn: ${shown.map(({ verdict }) => verdict).join(', ')}`;
  return html`<svg class="strip" width="${shown.length * 6}" height="16" role="img" aria-label="${label}">${shown.map(
    ({ verdict }, at) =>
      html`<rect class="${verdict}" x="${at * 6}" y="${16 - HEIGHTS[verdict]}" width="4"
 height="${HEIGHTS[verdict]}"/>`,
  )}</svg>`;
}

function detailsOf(row: TestRow, link: LinkOf): Markup {
  const reasons = [...new Set(row.tests.map(({ reason }) => reason))].filter((text) => text !== '');
  const summary = reasons[0] ?? nothingSaid(row);
  const all = row.tests.flatMap((test) => test.runs.map((run) => ({ test, run })));
  // Of many runs, those that say something.
  const sorted = all.toSorted(
    (a, b) => Number(a.run.verdict === 'pass') - Number(b.run.verdict === 'pass'),
  );
  const { shown, note } = capped(sorted, RUNS_MAX);
  return html`<details><summary>${clipped(clean(summary), 400)}</summary>
${reasons.slice(1, 6).map((reason) => html`<p>${clipped(clean(reason), 400)}</p>`)}
${shown.map(({ test, run }) => runMarkup(test, run, link, row.runs.length > 1))}${note}</details>`;
}

function nothingSaid({ runs, isExpected, outcome }: TestRow): string {
  if (runs.length === 0) return 'It was not run.';
  return isExpected && outcome === 'pass'
    ? 'The violation that was expected was found.'
    : 'No violation was found in what ran.';
}

function runMarkup(
  { test, expects }: SuiteTest,
  run: SuiteRun,
  link: LinkOf,
  many: boolean,
): Markup {
  const which = test.repeat === undefined ? '' : `repeat ${test.repeat}, `;
  const expected =
    expects === undefined ? '' : `, ${clean(expectedText(expects) ?? 'any violation')} expected`;
  const facts = [
    lengthText(run.wallMs),
    counted(operationsOf(run), 'operation'),
    ...(run.availability === undefined ? [] : [`${rateText(run.availability)} ok`]),
    `exit ${run.exitCode}`,
    ...(run.fingerprint === undefined ? [] : [`fingerprint ${clean(run.fingerprint)}`]),
  ];
  const checks = run.checks.filter(({ verdict }) => verdict !== 'valid' || !many);
  return html`<div class="one"><p>${outcomeMark(run.verdict)} ${which}run ${linked(run, link)}${expected}
<span class="muted small">${facts.join(' · ')}</span></p>
${checks.length > 0 && html`<ul>${checks.slice(0, 20).map(checkMarkup)}</ul>`}
${run.text !== undefined && html`<pre tabindex="0">${clipped(printable(run.text), TEXT_MAX)}</pre>`}</div>`;
}

function checkMarkup({ checker, verdict, line }: SuiteRun['checks'][number]): Markup {
  const [symbol, style] =
    verdict === 'valid'
      ? ['✓', 'valid']
      : verdict === 'invalid'
        ? ['✗', 'invalid']
        : ['?', 'undecided'];
  return html`<li><span class="${style}">${symbol} ${clean(checker)}</span> ${clipped(clean(line), 300)}</li>`;
}

/** Only to a file beside the page, or on the same server. */
function linked(run: SuiteRun, link: LinkOf): Part {
  const address = clean(link(run));
  const isNear = address !== '' && !/^[a-z][a-z\d+.-]*:|^\/\/|\\/i.test(address);
  return isNear ? html`<a href="${address}">${clean(run.run)}</a>` : clean(run.run);
}
