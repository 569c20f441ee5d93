import { hanging, paragraph, table } from '../layout.ts';
import { CHECK_SYMBOLS, clean, clipped, counted, countText, lengthText } from '../words.ts';
import {
  bytesText,
  operationsOf,
  type RunRow,
  sentenceOf,
  stateText,
  testText,
  timeText,
} from './figures.ts';

export interface RunFile {
  readonly name: string;
  readonly bytes: number;
}

const FILES_MAX = 40;
const INDENT = { label: 3, text: 16 };

/** One stored run: what came of it, in figures, and the files it left. `path`: its folder. */
export function renderRun(
  row: RunRow,
  files: readonly RunFile[],
  { columns, path }: { readonly columns: number; readonly path: string },
): string {
  const { summary } = row;
  const said = (label: string, text: string): readonly string[] =>
    hanging(label, text, columns, INDENT);
  const length = summary === undefined ? '' : `, took ${lengthText(summary.wallMs)}`;
  const lines = [
    ` ${stateText(row.state)}   ${testText(row)}   run ${row.id}${row.pinned ? '   pinned' : ''}`,
    '',
    ...paragraph(sentenceOf(row), columns, 3),
    '',
    ...said('started', `${timeText(row.startedAtMs)} UTC${length}`),
    ...(summary === undefined ? [] : summaryLines(row, said)),
    ...said(
      'folder',
      `${clean(path)}, ${bytesText(row.bytes)} in ${counted(files.length, 'file')}`,
    ),
    '',
    ...fileTable(files, columns),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function summaryLines(
  row: RunRow,
  said: (label: string, text: string) => readonly string[],
): readonly string[] {
  const { summary } = row;
  if (summary === undefined) return [];
  const { counts, checks, checksLeftOut = 0, faults, fingerprint, seed, exitCode } = summary;
  const [first, ...rest] = checks.map(
    ({ checker, verdict, anomalies }) =>
      `${CHECK_SYMBOLS[verdict]} ${clean(checker)}` +
      (anomalies > 0 ? `: ${counted(anomalies, 'violation')}` : ''),
  );
  return [
    ...said('seed', `${seed}, exit ${exitCode}`),
    ...said(
      'operations',
      `${countText(operationsOf(row))}: ${countText(counts.ok)} ok, ${countText(counts.fail)} failed, ` +
        `${countText(counts.info + counts.open)} of unknown outcome`,
    ),
    ...(summary.incomplete === true
      ? said('history', 'incomplete: the disk did not take all of it')
      : []),
    ...said('faults', faults.length === 0 ? 'none' : faults.map(clean).join(', ')),
    ...said('checks', first ?? 'none'),
    ...rest.flatMap((line) => said('', line)),
    ...(checksLeftOut > 0 ? said('', `and ${counted(checksLeftOut, 'more check')}`) : []),
    ...(fingerprint === undefined ? [] : said('fingerprint', fingerprint)),
  ];
}

function fileTable(files: readonly RunFile[], columns: number): readonly string[] {
  const shown = files.toSorted((a, b) => b.bytes - a.bytes).slice(0, FILES_MAX);
  const rows = shown
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, bytes }) => [clipped(clean(name), columns - 20), bytesText(bytes)]);
  const left = files.length - shown.length;
  return [
    ...table([{ title: 'file' }, { title: 'size', align: 'right' }], rows, { columns, indent: 3 }),
    ...(left > 0 ? [`   and ${counted(left, 'smaller file')}`] : []),
  ];
}
