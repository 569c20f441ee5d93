import { html, type Markup, markupText, scriptElement } from '../html/markup.ts';
import { scriptHash } from '../html/page-script.ts';
import { styles } from '../html/styles.ts';
import { counted, countText, lengthText, NO_FIGURE } from '../words.ts';
import {
  bytesText,
  operationsOf,
  type RunRow,
  STATES,
  sentenceOf,
  stateText,
  testText,
  timeText,
} from './figures.ts';
import { INDEX_SCRIPT } from './index-script.ts';

const COLORS: Readonly<Record<RunRow['state'], string>> = {
  pass: 'valid',
  fail: 'invalid',
  unknown: 'undecided',
  error: 'invalid',
  crashed: 'invalid',
  running: 'undecided',
};

/** What a browser may do with the list: show it, and run its own script alone. */
export const INDEX_POLICY: string =
  `default-src 'none'; script-src ${scriptHash(INDEX_SCRIPT)}; style-src 'unsafe-inline'; ` +
  `img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** All stored runs in the order given, each with a link to its report. */
export function renderIndexPage(rows: readonly RunRow[]): string {
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  return markupText(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>schism: ${counted(rows.length, 'run')}</title>
<link rel="icon" href="data:,">
<style>${styles}
main { max-width: 1400px; padding-top: 20px; padding-bottom: 40px; }
#controls { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 12px 0; }
#controls[hidden] { display: none; }
td.words { overflow-wrap: break-word; min-width: 11ch; }
input, select, button { font: inherit; color: inherit; background: var(--panel);
  border: 1px solid var(--edge); border-radius: 6px; padding: 3px 8px; }
thead button { border: 0; background: none; padding: 0; cursor: pointer; text-decoration: underline dotted; }
th[aria-sort='ascending'] button::after { content: ' ↑'; }
th[aria-sort='descending'] button::after { content: ' ↓'; }
</style>
</head>
<body>
<main>
<h1>Stored runs <span class="run">${counted(rows.length, 'run')}, ${bytesText(bytes)}</span></h1>
<div id="controls" hidden>
<label>Search <input type="search" id="search" placeholder="id, test, words" /></label>
<label>Verdict <select id="state"><option value="">all</option>${STATES.map(
    (state) => html`<option value="${state}">${state}</option>`,
  )}</select></label>
<span id="shown" class="muted small" role="status"></span>
</div>
<div class="scroll"><table>
<thead><tr><th scope="col">run</th><th scope="col">verdict</th><th scope="col">started (UTC)</th>
<th scope="col" class="n">length</th><th scope="col">test</th><th scope="col">faults</th>
<th scope="col" class="n">operations</th><th scope="col" class="n">size</th>
<th scope="col">what came of it</th></tr></thead>
<tbody>${rows.map(rowMarkup)}</tbody>
</table></div>
${rows.length === 0 && html`<p class="muted">There are none yet.</p>`}
</main>
${scriptElement(html``, INDEX_SCRIPT)}
</body>
</html>
`);
}

function rowMarkup(row: RunRow): Markup {
  const { id, folder, state, summary, startedAtMs, bytes, pinned } = row;
  // A run that did not come to its end has no page to go to.
  const name = summary === undefined ? id : html`<a href="/runs/${folder}/report.html">${id}</a>`;
  const length = summary === undefined ? NO_FIGURE : lengthText(summary.wallMs);
  const operations = operationsOf(row);
  return html`<tr data-state="${state}"><th scope="row" class="mono nowrap">${name}</th>
<td class="nowrap ${COLORS[state]}">${stateText(state)}${pinned && ' (pinned)'}</td>
<td class="nowrap">${timeText(startedAtMs)}</td>
<td class="n" data-sort="${summary?.wallMs ?? -1}">${length}</td>
<td class="nowrap">${testText(row)}</td><td class="words">${summary?.faults.join(', ')}</td>
<td class="n" data-sort="${Number.isFinite(operations) ? operations : -1}">${countText(operations)}</td>
<td class="n" data-sort="${bytes}">${bytesText(bytes)}</td>
<td>${sentenceOf(row)}</td></tr>
`;
}
