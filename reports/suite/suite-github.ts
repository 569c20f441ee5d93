/** What GitHub Actions shows of a suite; `summary.md` in its folder is the same text. */
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { lastFailedCommand } from '../command.ts';
import { cell, code, fenced } from '../explain/markdown.ts';
import {
  type Annotation,
  fitted,
  folded,
  joined,
  limited,
  type Section,
  SUMMARY_BYTES_MAX,
} from '../github.ts';
import { wilsonText } from '../rate.ts';
import { plainStyle } from '../style.ts';
import { changesMarkdown } from '../trend/changes-markdown.ts';
import { clean, clipped, counted, countText, lengthText, printable, rateText } from '../words.ts';
import { oneFailure } from './failures.ts';
import { suiteVerdict } from './suite-text.ts';
import {
  faultsText,
  groupsOf,
  OUTCOME_WORDS,
  outcomeNote,
  rateOf,
  suiteExitReason,
  tallyText,
  tellingRun,
  testTitle,
  totalsOf,
  warningsOf,
} from './suite-words.ts';

const COLUMNS = 100;
const STORY_MAX = 60_000;
const ROWS_MAX = 500;
const WARNINGS_MAX = 50;

/** One for each test that did not pass, where it is declared; doubts as warnings; how it ended. */
export function suiteAnnotations(result: SuiteResult): readonly string[] {
  const { tests, wallMs, exitCode, manifest } = result;
  const of = (outcome: SuiteTest['outcome']): readonly Annotation[] =>
    tests.filter((test) => test.outcome === outcome).map(annotation);
  const { symbol, word } = OUTCOME_WORDS[suiteVerdict(result)];
  const idle = groupsOf(tests).flatMap((group) =>
    warningsOf(group).map((message) => ({
      title: group.title,
      message,
      ...placeOf(group.tests[0]),
    })),
  );
  const end = {
    title: `schism suite ${manifest.suite}`,
    message: `${symbol} ${word}, exit ${exitCode}, ${lengthText(wallMs)}: ${tallyText(tests)}`,
  };
  return [
    ...limited('error', [...of('fail'), ...of('error')]),
    ...limited('warning', [...of('unknown'), ...idle]),
    ...limited('notice', [end]),
  ];
}

function annotation(test: SuiteTest): Annotation {
  const { word } = OUTCOME_WORDS[test.outcome];
  const why = test.reason === '' ? word : test.reason;
  return { title: `${word} ${testTitle(test.test)}`, message: why, ...placeOf(test) };
}

function placeOf(test: SuiteTest | undefined): Pick<Annotation, 'place'> {
  const { file, line } = test?.test ?? {};
  return file === undefined ? {} : { place: { file, ...(line !== undefined && { line }) } };
}

/**
 * Markdown; what a store or a user said stands in code alone. Sections that find no room are left
 * out, those that are missed least first, and named.
 */
export function suiteSummary(
  result: SuiteResult,
  options: { readonly bytesMax?: number; readonly folder?: string } = {},
): string {
  const { bytesMax = SUMMARY_BYTES_MAX, folder } = options;
  const { symbol, word } = OUTCOME_WORDS[suiteVerdict(result)];
  return fitted({
    head: headOf(result),
    sections: sectionsOf(result, folder),
    last: `**${symbol} ${word}** suite ${code(clipped(clean(result.manifest.suite), 40))}`,
    bytesMax,
  });
}

function headOf(result: SuiteResult): string {
  const { manifest, tests, exitCode, wallMs } = result;
  const { symbol, word } = OUTCOME_WORDS[suiteVerdict(result)];
  const { shard } = manifest;
  const facts = [
    `suite ${code(clipped(clean(manifest.suite), 40))}`,
    `exit ${exitCode}: ${code(clipped(suiteExitReason(result), 200))}`,
    lengthText(wallMs),
    `seed ${code(clipped(clean(manifest.seed), 40))}`,
    ...(shard === undefined ? [] : [`shard ${shard.index}/${shard.total}`]),
  ].join(' · ');
  const bad = tests.filter(({ outcome }) => outcome !== 'pass');
  return joined([`## ${symbol} ${word} ${tallyText(tests)}`, facts, tableOf(bad)]).trimEnd();
}

function tableOf(tests: readonly SuiteTest[]): string {
  if (tests.length === 0) return '';
  const rows = tests.slice(0, ROWS_MAX).map((test) => {
    const { ok, all } = totalsOf(test.runs);
    const { symbol } = OUTCOME_WORDS[test.outcome];
    const run = tellingRun(test);
    return [
      `${symbol} ${cell(clipped(testTitle(test.test), 120))}`,
      cell(clipped(outcomeNote(test) || 'PASS', 160)),
      countText(all),
      rateText(all === 0 ? null : ok / all),
      cell(faultsText(test.runs)),
      run === undefined ? '–' : cell(clipped(clean(run.run), 20)),
    ].join(' | ');
  });
  const more = tests.length - rows.length;
  return [
    '| test | outcome | operations | ok | faults that took effect | run |',
    '| --- | --- | --: | --: | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
    ...(more > 0 ? [`| and ${counted(more, 'more test')} | | | | | |`] : []),
  ].join('\n');
}

/** The most needed first. */
function sectionsOf(result: SuiteResult, folder: string | undefined): readonly Section[] {
  const { tests, manifest } = result;
  const bad = tests.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'not-run');
  const passed = tests.filter(({ outcome }) => outcome === 'pass');
  const again = lastFailedCommand(manifest);
  // Of those that fail in the same way one; the table names them all.
  const alike = Map.groupBy(bad, (test) => tellingRun(test)?.fingerprint ?? test.test.id);
  const told = [...alike.values()].flatMap((group) => group.slice(0, 1));
  const at = folder === undefined ? '' : code(clipped(clean(folder), 300));
  return [
    {
      name: 'how to run them again',
      text: bad.length === 0 || again === '' ? '' : fenced('sh', again),
    },
    ...told.map((test) => ({
      name: code(clipped(testTitle(test.test), 60)),
      text: storyOf(result, test),
    })),
    { name: 'what became of findings', text: changesMarkdown(result) },
    { name: 'how often', text: ratesOf(tests) },
    { name: 'warnings', text: listOf(groupsOf(tests).flatMap(warningsOf)) },
    {
      name: 'where the runs are',
      text: at === '' ? '' : `Reports of the suite: ${at}; upload it with the runs beside it.`,
    },
    {
      name: 'what passed',
      text: passed.length === 0 ? '' : folded(`Passed: ${passed.length}`, tableOf(passed)),
    },
  ].filter(({ text }) => text !== '');
}

function storyOf(result: SuiteResult, test: SuiteTest): string {
  const page = { result, style: plainStyle, columns: COLUMNS, verbose: false };
  const story = oneFailure(test, page).join('\n').trim();
  return fenced('text', clipped(printable(story), STORY_MAX));
}

function ratesOf(tests: readonly SuiteTest[]): string {
  return groupsOf(tests)
    .flatMap((group) => {
      const rate = rateOf(group);
      return rate === undefined
        ? []
        : [`- ${code(group.title)}: violation found in ${wilsonText(rate)}`];
    })
    .join('\n');
}

function listOf(warnings: readonly string[]): string {
  const more = warnings.length - WARNINGS_MAX;
  return [
    ...warnings.slice(0, WARNINGS_MAX).map((text) => `- ⚠ ${code(text)}`),
    ...(more > 0 ? [`- and ${counted(more, 'more warning')}`] : []),
  ].join('\n');
}
