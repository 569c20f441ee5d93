import { unreachable } from '../harness/core/invariant.ts';
import type { History } from '../harness/history/history.ts';
import type { RunProblem, RunResult } from '../harness/protocols/run.ts';
import { againCommand, checkCommand, shrinkCommand, titleOf } from './command.ts';
import { bySeverity, linearizableOf, readModesOf } from './details.ts';
import { commandLines, hanging, paragraph } from './layout.ts';
import { readRun } from './reading.ts';
import { plainStyle, type Style } from './style.ts';
import type { Lines, Page } from './text/page.ts';
import {
  availabilityTable,
  checkTable,
  faultTable,
  operationTable,
  readModeTable,
  thresholdTable,
} from './text/tables.ts';
import { unknownLines } from './text/unknown.ts';
import { violationLines } from './text/violation.ts';
import {
  clean,
  clipped,
  counted,
  countText,
  lengthText,
  printable,
  RUN_WORDS,
  widthOf,
} from './words.ts';

export interface TextOptions {
  /** Lines are never longer, but for a command or path that cannot be broken. 60 to 100. */
  readonly columns?: number;
  /** `ansiStyle` where the stream and the environment want colour; plain otherwise. */
  readonly style?: Style;
  /** Where the HTML report is, as the reader should see it. */
  readonly reportPath?: string;
  /** The folder of the run: history, logs of the nodes. */
  readonly runPath?: string;
  /** Files beside those, with what they are. */
  readonly files?: readonly (readonly [label: string, path: string])[];
  /** The command that judges a stored run in this way, where it was judged otherwise before. */
  readonly judgedBy?: string;
  /** Everything is listed, however long. */
  readonly verbose?: boolean;
  /** Only what is wrong: no tables, and of a pass little more than that it is one. */
  readonly minimal?: boolean;
}

const PROBLEMS_MAX = 5;
const DETAIL_LINES = 12;

/**
 * What is printed at the end of a run: the verdict, for each violation its sentences, operations
 * and surroundings, then what the run covered, and how to see it again. Ends in `exit N: reason`
 * and a line break.
 */
export function renderText(result: RunResult, history: History, options: TextOptions = {}): string {
  const columns = Math.min(100, Math.max(60, options.columns ?? 100));
  const style = options.style ?? plainStyle;
  const { verbose = false, minimal = false } = options;
  const reading = readRun(result, history);
  const page: Page = { result, history, reading, style, columns, verbose };
  const lines = [
    headline(page),
    ...meaning(page),
    ...result.checks
      .filter(({ verdict }) => verdict === 'invalid')
      .flatMap((check) => violationLines(check, page)),
    ...problemLines(page, options),
    ...result.checks
      .filter(({ verdict }) => verdict === 'unknown')
      .flatMap((check) => unknownLines(check, page)),
    ...(minimal ? [] : tables(page)),
    ...(minimal && result.verdict === 'pass' ? [] : againLines(page, options)),
    '',
    ` ${exitLine(page)}`,
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function tables(page: Page): Lines {
  return [
    ...checkTable(page),
    ...readModeTable(page),
    ...thresholdTable(page),
    ...faultTable(page),
    ...availabilityTable(page),
    ...operationTable(page),
  ];
}

function headline({ result, style, columns }: Page): string {
  const { symbol, word } = RUN_WORDS[result.verdict];
  const paint = { pass: style.good, fail: style.bad, unknown: style.warn, error: style.bad };
  const mark = `${symbol} ${word}`;
  const { run, startedAt } = result.manifest;
  // A history that came alone is of no run.
  const name = `${startedAt === '' ? '' : 'run '}${clipped(clean(run), 20)}`;
  const right = `${name}   ${lengthText(result.wallMs)}`;
  const room = columns - widthOf(mark) - widthOf(right) - 6;
  const title = clipped(`${titleOf(result.manifest)}   ${subject(result)}`, room);
  const gap = ' '.repeat(
    Math.max(3, columns - 3 - widthOf(mark) - widthOf(title) - widthOf(right)),
  );
  return ` ${paint[result.verdict](mark)}  ${style.strong(title)}${gap}${style.dim(right)}`;
}

function subject({ checks, verdict, problems, interrupted }: RunResult): string {
  const count = (kind: string): number => checks.filter((check) => check.verdict === kind).length;
  switch (verdict) {
    case 'pass':
      return interrupted === undefined ? 'no violation found' : 'interrupted, no violation found';
    case 'fail':
      return `${count('invalid')} of ${counted(checks.length, 'check')} found a violation`;
    case 'unknown':
      return checks.length === 0
        ? 'nothing was checked'
        : `${count('unknown')} of ${counted(checks.length, 'check')} undecided`;
    case 'error': {
      const step = problems.find(({ severity }) => severity === 'fatal')?.step;
      return step === undefined ? 'what was asked did not happen' : `something failed in ${step}`;
    }
    default:
      return unreachable(verdict);
  }
}

/** One sentence on what the verdict does and does not mean. */
function meaning({ result, columns, style }: Page): Lines {
  const { counts } = result;
  const all = counts.ok + counts.fail + counts.info + counts.open;
  const parts = [
    ...(result.interrupted === undefined
      ? []
      : [`Interrupted by ${result.interrupted}: what was recorded until then has been judged.`]),
    all === 0
      ? 'No operation was recorded, so there is nothing to judge.'
      : `${counted(all, 'operation')}: ${countText(counts.ok)} ok, ` +
        `${countText(counts.fail)} failed, ${countText(counts.info + counts.open)} of unknown outcome.`,
    ...(result.verdict === 'pass'
      ? ['A pass means no violation in what ran; it is not a proof.']
      : []),
    ...simulatedText(result),
  ];
  return parts.flatMap((part) => paragraph(part, columns, 3)).map(style.dim);
}

/** Rates and times of such a run are those of its own clock. */
function simulatedText({ simulated }: RunResult): Lines {
  if (simulated === undefined) return [];
  const { virtualMs, realMs } = simulated;
  const times = realMs > 0 ? `, ${countText(virtualMs / realMs)} times as fast` : '';
  return [
    `Simulated: ${lengthText(virtualMs)} of virtual time took ${lengthText(realMs)}${times}.`,
  ];
}

function problemLines(page: Page, options: TextOptions): Lines {
  const { problems } = page.result;
  const sorted = bySeverity(problems);
  const shown = page.verbose === true ? sorted : sorted.slice(0, PROBLEMS_MAX);
  const fatal = shown.some(({ severity }) => severity === 'fatal');
  return [
    ...shown.flatMap((problem) => problemLine(problem, page)),
    ...(sorted.length > shown.length
      ? [`   and ${counted(sorted.length - shown.length, 'more problem')}, in harness.log`]
      : []),
    ...(fatal && options.runPath !== undefined
      ? [
          '',
          ...paragraph(
            `Logs of the nodes and of the harness: ${clean(options.runPath)}`,
            page.columns,
            3,
          ),
        ]
      : []),
  ];
}

function problemLine({ severity, step, message, details, bug }: RunProblem, page: Page): Lines {
  const { columns, style } = page;
  const fatal = severity === 'fatal';
  const mark = fatal ? '✗' : '⚠';
  const what = bug === true ? 'a bug in the harness, not in the store' : '';
  const text = `${mark} ${clean(step)}: ${clean(message)}${what === '' ? '' : ` (${what})`}`;
  const [first = '', ...rest] = paragraph(text, columns - 3, 1);
  const tail = (fatal ? printable(details ?? '') : '')
    .split('\n')
    .map((line) => line.replaceAll('\t', '  ').trimEnd())
    .filter((line) => line !== '')
    .slice(-DETAIL_LINES);
  const paint = fatal ? style.bad : style.warn;
  return [
    '',
    first.replace(mark, paint(mark)),
    ...rest.map((line) => `  ${line}`),
    ...tail.map((line) => style.dim(`     │ ${clipped(line, columns - 7)}`)),
  ];
}

function againLines({ result, history, columns, style }: Page, options: TextOptions): Lines {
  const { manifest } = result;
  const { judgedBy } = options;
  const lines = [
    ['Judge again', history.length === 0 ? '' : (judgedBy ?? checkCommand(manifest))],
    ['Run again', againCommand(manifest)],
    // It goes by what the run was judged by.
    ['Make it small', judgedBy === undefined ? shrinkCommand(result) : ''],
    ['Report', clean(options.reportPath ?? '')],
    ...(options.files ?? []).map(([label, path]) => [label, clean(path)] as const),
  ].filter(([, text]) => text !== '');
  const width = columns - 15;
  return [
    '',
    ...(result.verdict === 'fail' ? howOften(result, columns) : []),
    ...lines.flatMap(([label = '', text = '']) =>
      commandLines(text, width).map(
        (line, at) => style.dim(` ${at === 0 ? label : ''}`.padEnd(15)) + line,
      ),
    ),
    ...againText(result, history.length, columns).map(style.dim),
  ];
}

/** What the checkers have counted; what they have not is left out. */
function howOften(result: RunResult, columns: number): Lines {
  const broken = (readModesOf(result)?.modes ?? []).filter(
    ({ result: kept, stale }) => kept === 'broken' && stale > 0,
  );
  const reads = broken.map(
    ({ mode, stale, reads: all }) =>
      `${countText(stale)} of ${counted(all, `${clean(mode)} read`)} stale`,
  );
  const keys = result.checks.flatMap((check) => {
    const details = linearizableOf(check);
    if (details === undefined || details.invalid.length === 0 || details.keys < 2) return [];
    const { invalid, valid } = details;
    const all = counted(details.keys, 'key');
    return [
      `${countText(invalid.length)} of ${all} with a violation, ${countText(valid)} linearizable`,
    ];
  });
  const text = [...reads, ...keys].join('; ');
  return text === '' ? [] : hanging('How often', text, columns, { label: 1, text: 15 });
}

/** What can be expected of doing it again: the same history, and the same run. */
function againText({ manifest, verdict }: RunResult, length: number, columns: number): Lines {
  if (verdict !== 'fail' || length === 0 || manifest.startedAt === '') return [];
  const run =
    manifest.config.backend === 'sim'
      ? 'so does running again: a simulated run hangs on its seed alone'
      : 'running again shows it sometimes';
  return paragraph(`Judging again always says the same; ${run}.`, columns, 15);
}

function exitLine({ result, style, columns }: Page): string {
  const { exitCode, verdict } = result;
  const text = clipped(`exit ${exitCode}: ${exitReason(result)}`, columns - 1);
  const paint = { pass: style.good, fail: style.bad, unknown: style.warn, error: style.bad };
  return paint[verdict](text);
}

/** The reason for the exit code, in a few words. */
export function exitReason(result: RunResult): string {
  const { checks, verdict, exitCode, interrupted, manifest, problems } = result;
  const unknown = checks.filter((check) => check.verdict === 'unknown').length;
  if (verdict === 'fail') {
    const found = checks.filter((check) => check.verdict === 'invalid');
    const count = found.reduce((sum, check) => sum + Math.max(1, check.anomalies.length), 0);
    return counted(count, 'violation');
  }
  if (interrupted !== undefined && (exitCode === 130 || exitCode === 143))
    return `interrupted by ${interrupted}`;
  if (verdict === 'pass') return 'no violation found';
  if (verdict === 'unknown') {
    const what = checks.length === 0 ? 'nothing was checked' : counted(unknown, 'unknown verdict');
    const accepted = exitCode === 0 ? `, accepted by --unknown ${manifest.config.unknown}` : '';
    return `${what}${exitCode === 2 ? ' (--unknown warn to accept)' : accepted}`;
  }
  const fatal = problems.find(({ severity }) => severity === 'fatal');
  return clean(fatal?.message ?? result.reasons[0] ?? 'the run could not be done');
}
