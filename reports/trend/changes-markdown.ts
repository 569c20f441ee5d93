import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { cell } from '../explain/markdown.ts';
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

const ROWS_MAX = 100;

/** What became of findings, and what was explored, for `summary.md`; empty where neither is known. */
export function changesMarkdown({ changes, explored }: SuiteResult): string {
  const said = explored === undefined ? [] : [`Explored: ${exploredText(explored)}.`];
  if (changes === undefined) return said.join('\n');
  const { findings } = changes;
  const rows = findings.slice(0, ROWS_MAX).map((change) => {
    const texts = [
      STATE_WORDS[change.state],
      kindsText(change),
      testsText(change),
      foundText(change),
      changeNote(change),
    ];
    return `| ${texts.map(cell).join(' | ')} |`;
  });
  const more = findings.length - rows.length;
  return [
    ...said,
    `${changesTitle(changes)}: ${changesTally(changes)}.`,
    ...(rows.length === 0
      ? []
      : [
          '',
          '| state | finding | test | seen | since |',
          '| --- | --- | --- | --: | --- |',
          ...rows,
        ]),
    ...(more > 0 ? [`| and ${more} more | | | | |`] : []),
  ].join('\n');
}
