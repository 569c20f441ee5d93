import type { FindingChange } from '../../harness/protocols/suite.ts';
import { type Column, paragraph, table } from '../layout.ts';
import type { SuitePage } from '../suite/page.ts';
import type { Lines } from '../text/page.ts';
import { counted } from '../words.ts';
import {
  changeNote,
  changesTally,
  changesTitle,
  foundText,
  kindsText,
  STATE_WORDS,
  testsText,
} from './changes-text.ts';

const ROWS_MAX = 30;
const INDENT = 3;

/** What became of findings, at the end of a suite. */
export function changeLines({ result: { changes }, columns, style, verbose }: SuitePage): Lines {
  if (changes === undefined) return [];
  const { findings } = changes;
  const title = ` ${style.strong(changesTitle(changes))}`;
  if (findings.length === 0)
    return ['', title, ...paragraph(`${changesTally(changes)}.`, columns, INDENT)];
  const shown = verbose ? findings : findings.slice(0, ROWS_MAX);
  const heads: readonly Column[] = [
    { title: 'state' },
    { title: 'finding', max: Math.floor(columns / 4) },
    { title: 'test', max: Math.floor(columns / 4) },
    { title: 'seen', align: 'right' },
    { title: 'since', wraps: true },
  ];
  const [head = '', ...rows] = table(heads, shown.map(rowOf), { columns, indent: INDENT });
  const more = findings.length - shown.length;
  return [
    '',
    title,
    style.dim(head),
    ...rows,
    ...(more > 0 ? [`   and ${counted(more, 'more finding')}, in the report`] : []),
  ];
}

function rowOf(change: FindingChange): readonly string[] {
  return [
    STATE_WORDS[change.state],
    kindsText(change),
    testsText(change),
    foundText(change),
    changeNote(change),
  ];
}
