/** The page of the trend: what became of tests and findings over many nights. */
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { html, type Markup, markupText } from '../html/markup.ts';
import { styles } from '../html/styles.ts';
import { dataTable } from '../html/tables.ts';
import { OUTCOME_WORDS } from '../suite/suite-words.ts';
import { clean, clipped, counted, countText, lengthText, NO_FIGURE, rateText } from '../words.ts';
import { changesOf } from './changes.ts';
import { changesSection } from './changes-section.ts';
import { day } from './changes-text.ts';
import { figuresOf, type NightFigures } from './figures.ts';
import { inOrder } from './nights.ts';
import { plot } from './plot.ts';
import { testsSection } from './tests-section.ts';

/** As many as a row of symbols can hold. */
const NIGHTS_MAX = 60;

const POLICY = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;

/** One file without scripts or requests; the newest night is the last of `suites`. */
export function renderTrendPage(suites: readonly SuiteResult[], version: string): string {
  const all = inOrder(suites);
  const nights = all.slice(-NIGHTS_MAX);
  const figures = figuresOf(nights);
  const last = all.at(-1);
  const changes =
    last === undefined
      ? html``
      : changesSection({ ...last, changes: changesOf(last, all.slice(0, -1)) });
  return markupText(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>schism: ${counted(nights.length, 'suite')}</title>
<link rel="icon" href="data:,">
<style>${styles}
main, header, footer { max-width: 1280px; }
.nowrap { white-space: nowrap; }
.nights { font-family: ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace;
  font-size: 15px; letter-spacing: 1px; white-space: nowrap; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 16px; }
.plots figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; }
.plots figcaption { font-size: 13.5px; }
.plots svg { display: block; width: 100%; height: auto; margin-top: 6px; }
.plots .line { fill: none; stroke: var(--ok); stroke-width: 1.5; }
.plots .dot { fill: var(--ok); } .plots .base { stroke: var(--line); }
</style>
</head>
<body>
<header><h1>Trend <span class="run">${spanOf(nights)}</span></h1></header>
<main>
${nights.length === 0 && html`<p class="muted">There are no suites yet.</p>`}
${changes}
${nights.length > 0 && plotsSection(figures)}
${nights.length > 0 && testsSection(nights)}
${nights.length > 0 && nightsSection(figures)}
</main>
<footer><p>Written by schism ${clean(version)}. A pass means no violation in what ran; it is not a proof.</p></footer>
</body>
</html>
`);
}

function spanOf(nights: readonly SuiteResult[]): string {
  const [first, last] = [nights[0], nights.at(-1)];
  const count = counted(nights.length, 'suite');
  if (first === undefined || last === undefined) return count;
  return `${count}, ${day(first.manifest.startedAt)} to ${day(last.manifest.startedAt)}`;
}

function plotsSection(figures: readonly NightFigures[]): Markup {
  const days = figures.map(({ startedAt }) => day(startedAt));
  const of = (
    title: string,
    value: (night: NightFigures) => number | undefined,
    text: (value: number) => string,
  ): Markup => plot({ title, days, values: figures.map(value), text });
  return html`<section id="figures"><h2>Figures</h2><div class="plots">
${of('operations that succeeded, a second', ({ throughput }) => throughput, countText)}
${of('operations of unknown outcome', ({ unknown }) => unknown, rateText)}
${of('longest time without a success', ({ longestGapMs }) => longestGapMs, lengthText)}
${of('slowest judgement', ({ checkMs }) => checkMs, lengthText)}
${of('situations never explored before', ({ fresh }) => fresh, countText)}
${of('new findings', ({ news }) => news, countText)}
</div></section>`;
}

const CLASSES: Readonly<Record<NightFigures['verdict'], string>> = {
  pass: 'valid',
  fail: 'invalid',
  unknown: 'undecided',
  error: 'invalid',
};

function nightsSection(figures: readonly NightFigures[]): Markup {
  const figure = (value: number | undefined, text: (value: number) => string): string =>
    value === undefined ? NO_FIGURE : text(value);
  const rows = figures.toReversed().map((night) => {
    const { symbol: mark, word } = OUTCOME_WORDS[night.verdict];
    return {
      cells: [
        clean(night.startedAt).slice(0, 16).replace('T', ' '),
        html`<code>${clipped(clean(night.suite), 20)}</code>`,
        html`<span class="${CLASSES[night.verdict]}">${mark} ${word}</span>`,
        `${countText(night.failed)} of ${countText(night.tests)}`,
        countText(night.runs),
        figure(night.throughput, countText),
        figure(night.unknown, rateText),
        figure(night.longestGapMs, lengthText),
        figure(night.checkMs, lengthText),
        figure(night.fresh, countText),
        countText(night.news),
      ],
    };
  });
  return html`<section id="suites"><h2>Suites</h2>${dataTable(
    'The newest first. Figures are of the runs that the suite keeps, findings of exploring among them.',
    [
      { title: 'started (UTC)', nowrap: true },
      { title: 'suite', nowrap: true },
      { title: 'verdict', nowrap: true },
      { title: 'failed', number: true },
      { title: 'runs', number: true },
      { title: 'ok a second', number: true },
      { title: 'unknown', number: true },
      { title: 'longest gap', number: true },
      { title: 'judging', number: true },
      { title: 'new situations', number: true },
      { title: 'new findings', number: true },
    ],
    rows,
    'Suites, a table',
  )}</section>`;
}
