import type { FindingState, SuiteResult } from '../../harness/protocols/suite.ts';
import { html, type Markup } from '../html/markup.ts';
import { capped, dataTable } from '../html/tables.ts';
import { clean, clipped } from '../words.ts';
import {
  changeNote,
  changesTally,
  changesTitle,
  exploredText,
  foundText,
  kindsText,
  STATE_WORDS,
  testsText,
} from './changes-text.ts';

const ROWS_MAX = 200;

const STATE_CLASSES: Readonly<Record<FindingState, string>> = {
  new: 'invalid',
  ongoing: 'invalid',
  rare: 'undecided',
  resolved: 'valid',
};

/** What became of findings, on the page of a suite. */
export function changesSection({ changes, explored }: SuiteResult): Markup {
  if (changes === undefined && explored === undefined) return html``;
  const said = explored === undefined ? html`` : html`<p>Explored: ${exploredText(explored)}.</p>`;
  if (changes === undefined)
    return html`<section id="findings"><h2>Exploring</h2>${said}</section>`;
  const { shown, note } = capped(changes.findings, ROWS_MAX);
  const rows = shown.map((change) => ({
    cells: [
      html`<span class="${STATE_CLASSES[change.state]}">${STATE_WORDS[change.state]}</span>`,
      kindsText(change),
      testsText(change),
      foundText(change),
      changeNote(change),
      html`<code>${clipped(clean(change.fingerprint), 16)}</code>`,
    ],
  }));
  const heads = [
    { title: 'state', nowrap: true },
    { title: 'finding' },
    { title: 'test' },
    { title: 'seen', number: true },
    { title: 'since' },
    { title: 'fingerprint', nowrap: true },
  ];
  const title = `${changesTitle(changes)}: ${changesTally(changes)}.`;
  const table =
    rows.length === 0
      ? html`<p class="muted">${title}</p>`
      : dataTable(title, heads, rows, 'Findings, a table');
  return html`<section id="findings"><h2>Findings</h2>${said}${table}${note}</section>`;
}
