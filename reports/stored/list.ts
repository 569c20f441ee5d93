import { type Column, table } from '../layout.ts';
import { clipped, counted, countText, lengthText, NO_FIGURE } from '../words.ts';
import {
  bytesText,
  operationsOf,
  type RunRow,
  sentenceOf,
  stateText,
  testText,
  timeText,
} from './figures.ts';

/** Below this there is no room for a sentence that says something. */
const SENTENCE_FROM = 110;

/** Stored runs in the order given, one a line, then how many there are and what they weigh. */
export function renderRunList(
  rows: readonly RunRow[],
  { columns, all }: { readonly columns: number; readonly all: number },
): string {
  const wide = columns >= SENTENCE_FROM;
  const hasSuites = rows.some(({ suite }) => suite !== undefined);
  const heads: Column[] = [
    { title: 'run' },
    ...(hasSuites ? [{ title: 'suite' }] : []),
    { title: 'verdict' },
    { title: 'started (UTC)' },
    { title: 'length', align: 'right' },
    { title: 'test', max: 26 },
    { title: 'operations', align: 'right' },
    { title: 'size', align: 'right' },
    ...(wide ? [{ title: '' }] : []),
  ];
  const texts = rows.map((row) => [
    row.id,
    ...(hasSuites ? [row.suite ?? ''] : []),
    `${stateText(row.state)}${row.pinned ? ' *' : ''}`,
    timeText(row.startedAtMs).slice(0, 16),
    row.summary === undefined ? NO_FIGURE : lengthText(row.summary.wallMs),
    testText(row),
    countText(operationsOf(row)),
    bytesText(row.bytes),
    ...(wide ? [clipped(row.state === 'pass' ? '' : sentenceOf(row), columns)] : []),
  ]);
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const total =
    all === rows.length
      ? counted(all, 'run')
      : `${countText(rows.length)} of ${counted(all, 'run')}`;
  const pinned = rows.some((row) => row.pinned) ? '; * pinned' : '';
  const lines = rows.length === 0 ? [] : [...table(heads, texts, { columns, indent: 1 }), ''];
  return `${[...lines, ` ${total}, ${bytesText(bytes)}${pinned}`].join('\n')}\n`;
}
