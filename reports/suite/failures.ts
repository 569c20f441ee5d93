import type { SuiteRun, SuiteTest, TestOutcome } from '../../harness/protocols/suite.ts';
import { paragraph } from '../layout.ts';
import type { Style } from '../style.ts';
import type { Lines } from '../text/page.ts';
import { clean, clipped, counted, printable, widthOf } from '../words.ts';
import { painted, type SuitePage } from './page.ts';
import { refitted } from './refit.ts';
import { OUTCOME_WORDS, tellingRun, testTitle } from './suite-words.ts';

const FAILURES_MAX = 5;
const OTHERS_MAX = 20;
/** In the report, too, and long: with several failures they would hide what failed. */
const TABLES = new Set(['Checks', 'Faults', 'Availability by window', 'Operations']);

const RANK: Readonly<Record<TestOutcome, number>> = {
  fail: 0,
  error: 1,
  unknown: 2,
  pass: 3,
  'not-run': 4,
};

/** The texts of what did not pass, the worst first; of those that fail in the same way one. */
export function failureLines(page: SuitePage): Lines {
  const bad = page.result.tests
    .filter(({ outcome }) => outcome !== 'pass' && outcome !== 'not-run')
    .toSorted((a, b) => RANK[a.outcome] - RANK[b.outcome]);
  const alike = Map.groupBy(bad, likeness);
  const groups = [...alike.values()];
  const shown = page.verbose ? bad.map((test) => [test]) : groups.slice(0, FAILURES_MAX);
  const others = page.verbose ? [] : groups.slice(FAILURES_MAX).flat();
  return [
    ...shown.flatMap(([first, ...like]) =>
      first === undefined ? [] : [...oneFailure(first, page), ...likeLines(like, page)],
    ),
    ...otherLines(others, page),
  ];
}

/** Equal for tests of which one text tells all, also what was expected of them. */
function likeness(test: SuiteTest): string {
  const found = tellingRun(test)?.fingerprint;
  if (found === undefined) return test.test.id;
  return test.expects === undefined ? found : `${found} ${test.reason}`;
}

/** Its title and place, why it did not pass, and the text of the run that shows it. */
export function oneFailure(test: SuiteTest, page: SuitePage): Lines {
  const { columns, style, verbose } = page;
  const { symbol, word } = OUTCOME_WORDS[test.outcome];
  const run = tellingRun(test);
  const mark = `${symbol} ${word}`;
  const at = run === undefined ? '' : `   run ${clipped(clean(run.run), 20)}`;
  const title = testTitle(test.test, columns - 3 - widthOf(mark) - widthOf(at));
  const place = placeOf(test, columns);
  return [
    '',
    ` ${painted(test.outcome, mark, style)}  ${style.strong(title)}${style.dim(at)}`,
    ...(place === '' ? [] : [`   ${style.dim(place)}`]),
    ...reasonLines(test, run, columns),
    ...(run?.text === undefined ? [] : textLines(run.text, { columns, style, verbose })),
  ];
}

function placeOf({ test }: SuiteTest, columns: number): string {
  if (test.file === undefined) return '';
  const line = test.line === undefined ? '' : `:${test.line}`;
  return `at ${clipped(clean(test.file), columns - 16)}${line}`;
}

/** Said by the text of the run, unless there is none, or something else was expected of it. */
function reasonLines(test: SuiteTest, run: SuiteRun | undefined, columns: number): Lines {
  const isSaid = run?.text !== undefined && test.expects === undefined;
  if (isSaid || test.reason === '') return [];
  const isMore = run?.text !== undefined;
  return ['', ...paragraph(clipped(clean(test.reason), 2000), columns, 3), ...(isMore ? [''] : [])];
}

/** The text of a run without its headline and its exit code, as wide as there is room. */
function textLines(
  text: string,
  { columns, style, verbose }: { columns: number; style: Style; verbose: boolean },
): Lines {
  const all = printable(text).replaceAll('\t', '  ').trimEnd().split('\n').slice(1);
  const body = /^ exit \d+: /.test(all.at(-1) ?? '') ? all.slice(0, -1) : all;
  if (body.at(-1) === '') body.pop();
  const kept = verbose ? body : withoutTables(body);
  return refitted(kept, columns).map((line) => repainted(line, style));
}

/** Sections of a text begin with a title in its first column but one. */
function withoutTables(lines: Lines): Lines {
  let isTable = false;
  return lines.filter((line) => {
    if (/^ \S/.test(line)) isTable = TABLES.has(line.trim());
    return !isTable;
  });
}

/** The marks of a text that was made without colours. */
function repainted(line: string, style: Style): string {
  if (line.startsWith(' ✗ ')) return ` ${style.bad('✗')} ${style.strong(line.slice(3))}`;
  if (line.startsWith(' ? ')) return ` ${style.warn('?')} ${style.strong(line.slice(3))}`;
  return line.startsWith('   ✗ ') ? style.strong(line) : line;
}

function likeLines(like: readonly SuiteTest[], { columns }: SuitePage): Lines {
  if (like.length === 0) return [];
  const names = like.slice(0, OTHERS_MAX).map((test) => nameOf(test, columns));
  const more = like.length - names.length;
  return [
    '',
    `   ${counted(like.length, 'more test')} failed in the same way:`,
    ...names.map((name) => `     ${name}`),
    ...(more > 0 ? [`     and ${more} more`] : []),
  ];
}

function otherLines(others: readonly SuiteTest[], { columns }: SuitePage): Lines {
  if (others.length === 0) return [];
  const names = others.slice(0, OTHERS_MAX).map((test) => {
    const { symbol, word } = OUTCOME_WORDS[test.outcome];
    return `     ${symbol} ${word}  ${nameOf(test, columns - 12)}`;
  });
  const more = others.length - names.length;
  return [
    '',
    `   and ${others.length} more that did not pass; npx schism explain RUN tells of each:`,
    ...names,
    ...(more > 0 ? [`     and ${more} more, in the report`] : []),
  ];
}

function nameOf(test: SuiteTest, columns: number): string {
  const run = tellingRun(test);
  const id = run === undefined ? '' : `   run ${clipped(clean(run.run), 20)}`;
  return `${testTitle(test.test, columns - 5 - widthOf(id))}${id}`;
}
