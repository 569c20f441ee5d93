import type { RunVerdict } from '../../harness/protocols/checker.ts';
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { lastFailedCommand } from '../command.ts';
import { commandLines, hanging, paragraph } from '../layout.ts';
import { plainStyle, type Style } from '../style.ts';
import type { Lines } from '../text/page.ts';
import { changeLines } from '../trend/changes-lines.ts';
import { exploredText } from '../trend/changes-text.ts';
import { clean, clipped, counted, lengthText, rateText, widthOf } from '../words.ts';
import { failureLines } from './failures.ts';
import { painted, type SuitePage } from './page.ts';
import {
  foundText,
  groupsOf,
  missingParts,
  OUTCOME_WORDS,
  outcomeNote,
  suiteExitReason,
  tallyOf,
  tallyText,
  testTitle,
  totalsOf,
  warningsOf,
} from './suite-words.ts';
import { expectedTable, rateTable, testTable, thresholdTable } from './tables.ts';

export interface SuiteTextOptions {
  /** Lines are never longer, but for commands. 60 to 160; texts of runs stay at 100 or less. */
  readonly columns?: number;
  readonly style?: Style;
  /** Where the files are, as the reader should see them, most useful first. */
  readonly files?: readonly (readonly [label: string, path: string])[];
  /** Every test, every failure, every line. */
  readonly verbose?: boolean;
  /** Only what did not pass. */
  readonly minimal?: boolean;
}

const WARNINGS_MAX = 10;
const NOT_RUN_MAX = 5;

/**
 * What is printed at the end of a suite: for each failure its text, what passed as a table, what a
 * reader should know of it, how many there were. Ends in `exit N: reason` and a line break.
 */
export function renderSuiteText(result: SuiteResult, options: SuiteTextOptions = {}): string {
  const { files = [], style = plainStyle, verbose = false, minimal = false } = options;
  const columns = Math.min(160, Math.max(60, options.columns ?? 100));
  const page: SuitePage = { result, style, columns, verbose };
  const isPass = suiteVerdict(result) === 'pass';
  const lines = [
    headline(page),
    ...failureLines(page),
    ...((isPass && !minimal) || verbose ? testTable(page) : []),
    ...(minimal ? [] : [...expectedTable(page), ...thresholdTable(page), ...rateTable(page)]),
    ...exploredLines(page),
    ...changeLines(page),
    ...warningLines(page),
    ...notRunLines(page),
    ...(isPass && !minimal && result.tests.length > 0 ? meaning(page) : []),
    ...fileLines(files, page),
    '',
    ...countLines(page),
    ` ${exitLine(page)}`,
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** The one word for all: as the exit code, a violation first. */
export function suiteVerdict({ tests, interrupted, manifest }: SuiteResult): RunVerdict {
  const tally = tallyOf(tests);
  const worst = (['fail', 'error', 'unknown'] as const).find((outcome) => tally[outcome] > 0);
  if (worst === 'fail' || worst === 'error') return worst;
  if (missingParts(manifest).length > 0) return 'error';
  if (worst !== undefined) return worst;
  return interrupted !== undefined || (tally.pass === 0 && tests.length > 0) ? 'unknown' : 'pass';
}

function headline({ result, style, columns }: SuitePage): string {
  const verdict = suiteVerdict(result);
  const { symbol, word } = OUTCOME_WORDS[verdict];
  const mark = `${symbol} ${word}`;
  const { suite, shard } = result.manifest;
  const part = shard === undefined ? '' : `shard ${shard.index}/${shard.total}   `;
  const right = `${part}suite ${clipped(clean(suite), 20)}   ${lengthText(result.wallMs)}`;
  const room = columns - widthOf(mark) - widthOf(right) - 6;
  const title = clipped(subject(result), room);
  const used = 3 + widthOf(mark) + widthOf(title) + widthOf(right);
  const gap = ' '.repeat(Math.max(3, columns - used));
  return ` ${painted(verdict, mark, style)}  ${style.strong(title)}${gap}${style.dim(right)}`;
}

function subject({ tests, interrupted, manifest }: SuiteResult): string {
  const { shard, selected } = manifest;
  if (tests.length === 0 && shard !== undefined)
    return `0 of ${counted(selected, 'test')} fall in shard ${shard.index}/${shard.total}`;
  if (tests.length === 0) return 'no test was run';
  const { pass, 'not-run': left } = tallyOf(tests);
  const bad = tests.length - pass - left;
  const what =
    bad === 0
      ? `${counted(pass, 'test')}, ${foundText(tests)}`
      : `${bad} of ${counted(tests.length, 'test')} did not pass`;
  const cut = interrupted === undefined ? [] : [`interrupted by ${interrupted}`];
  return [...cut, ...missingParts(manifest), what].join(', ');
}

/** What the time was spent on that the tests left. */
function exploredLines({ result: { explored }, columns, style }: SuitePage): Lines {
  if (explored === undefined) return [];
  const [first = '', ...rest] = hanging('Explored', exploredText(explored), columns, {
    label: 1,
    text: 15,
  });
  return ['', first.replace('Explored', style.strong('Explored')), ...rest];
}

function warningLines({ result, columns, style, verbose }: SuitePage): Lines {
  const all = groupsOf(result.tests).flatMap(warningsOf);
  const shown = verbose ? all : all.slice(0, WARNINGS_MAX);
  const more = all.length - shown.length;
  const lines = shown.flatMap((text) => hanging('⚠', text, columns, { label: 3, text: 5 }));
  if (lines.length === 0) return [];
  return [
    '',
    ...lines.map((line) => line.replace('⚠', style.warn('⚠'))),
    ...(more > 0 ? [`     and ${counted(more, 'more warning')}, in the report`] : []),
  ];
}

function notRunLines({ result, columns, style, verbose }: SuitePage): Lines {
  const left = result.tests.filter(({ outcome }) => outcome === 'not-run');
  const groups = Map.groupBy(left, ({ reason }) => clean(reason));
  return [...groups].flatMap(([reason, tests]) => {
    const shown = verbose ? tests : tests.slice(0, NOT_RUN_MAX);
    const names = shown.map(({ test }) => testTitle(test, columns - 10));
    const more = tests.length - shown.length;
    return [
      '',
      ` ${style.strong(`Not run, ${tests.length}`)}`,
      ...paragraph(`${reason === '' ? 'The suite ended before them' : reason}:`, columns, 3),
      ...names.map((name) => `     ${name}`),
      ...(more > 0 ? [`     and ${more} more`] : []),
    ];
  });
}

function meaning({ result, columns, style }: SuitePage): Lines {
  const { all, unknown } = totalsOf(result.tests.flatMap(({ runs }) => runs));
  const share = all === 0 ? '' : `Unknown outcomes: ${rateText(unknown / all)}. `;
  const text = `${share}A pass means no violation in what ran; it is not a proof.`;
  return ['', ...paragraph(text, columns, 3).map(style.dim)];
}

function fileLines(
  files: readonly (readonly [label: string, path: string])[],
  { result, style, columns }: SuitePage,
): Lines {
  const isRed = suiteVerdict(result) !== 'pass';
  const all = [
    ...(isRed ? [['Run again', lastFailedCommand(result.manifest)] as const] : []),
    ...files,
  ].filter(([, path]) => path !== '');
  if (all.length === 0) return [];
  return [
    '',
    ...all.flatMap(([label, path]) =>
      commandLines(clean(path), columns - 15).map(
        (line, at) => style.dim(` ${at === 0 ? label : ''}`.padEnd(15)) + line,
      ),
    ),
  ];
}

function countLines({ result, columns }: SuitePage): Lines {
  const lines = paragraph(tallyText(result.tests), columns, 1);
  const time = `    ${lengthText(result.wallMs)}`;
  const [last = ''] = lines.slice(-1);
  const fits = widthOf(last) + time.length <= columns;
  return fits ? [...lines.slice(0, -1), `${last}${time}`] : lines;
}

function exitLine({ result, style, columns }: SuitePage): string {
  const text = clipped(`exit ${result.exitCode}: ${suiteExitReason(result)}`, columns - 1);
  return painted(suiteVerdict(result), text, style);
}

/** One line that stays when a test has ended, at most `columns` wide. */
export function finishedLine(
  result: SuiteTest,
  { columns, titleWidth, style }: { columns: number; titleWidth: number; style: Style },
): string {
  const { test, runs } = result;
  const { symbol } = OUTCOME_WORDS[result.outcome];
  const { ok, all } = totalsOf(runs);
  const wallMs = runs.reduce((sum, run) => sum + run.wallMs, 0);
  const time = lengthText(wallMs).padStart(10);
  const ops = counted(all, 'op').padStart(12);
  const share = `${rateText(all === 0 ? null : ok / all)} ok`.padStart(12);
  const figures = columns < 70 ? time : `${time}${ops}${share}`;
  // Some words on the outcome should find room, too.
  const room = columns - 20 - figures.length;
  const width = Math.min(room, Math.max(titleWidth, 10));
  const name = testTitle(test, width);
  const head = `${name}${' '.repeat(Math.max(0, width - widthOf(name)))}${figures}`;
  const rest = clipped(outcomeNote(result), Math.max(0, columns - 6 - widthOf(head)));
  return ` ${painted(result.outcome, symbol, style)} ${head}   ${rest}`.trimEnd();
}
