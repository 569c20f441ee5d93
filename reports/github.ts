/**
 * What GitHub Actions shows of a run: annotations, a job summary, and texts that command nothing.
 * GitHub keeps ten annotations of a level for each step and drops the others in silence, and refuses
 * a summary of more than 1 MiB as a whole; so both are kept below that here, and say what is missing.
 */
import type { History } from '../harness/history/history.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import { againCommand, checkCommand, titleOf } from './command.ts';
import { evidenceOf } from './details.ts';
import { cell, code, fenced } from './explain/markdown.ts';
import { storyLines } from './explain/text.ts';
import { parametersOf } from './stored/parameters.ts';
import { fingerprintOf } from './summary.ts';
import { renderText } from './text.ts';
import { CHECK_SYMBOLS, clean, clipped, counted, lengthText, RUN_WORDS } from './words.ts';

/** Of one level; another one says how many are missing. */
const ANNOTATIONS_MAX = 9;
/** Even if each character takes four bytes, the line stays below 8 KB. */
const MESSAGE_MAX = 1500;
const TITLE_MAX = 200;
const STORY_MAX = 200_000;
const CHECKS_MAX = 200;
const COLUMNS = 100;

export const SUMMARY_BYTES_MAX = 900_000;

export type Level = 'error' | 'warning' | 'notice';

export interface Annotation {
  readonly title: string;
  readonly message: string;
  /** Where the test is declared, relative to the root of the repository. */
  readonly place?: { readonly file: string; readonly line?: number };
}

/** Workflow commands, one a line: violations and trouble, doubts, and how it ended. */
export function annotationLines(result: RunResult): readonly string[] {
  const { symbol, word } = RUN_WORDS[result.verdict];
  const end = `${symbol} ${word}, exit ${result.exitCode}, ${lengthText(result.wallMs)}`;
  const why = result.reasons[0] === undefined ? '' : `: ${result.reasons[0]}`;
  const title = titleOf(result.manifest);
  return [
    ...limited('error', errorsOf(result)),
    ...limited('warning', warningsOf(result)),
    ...limited('notice', [{ title: `schism ${title}`, message: `${end}${why}` }]),
  ];
}

/** Opens a group of lines that can be folded; `GROUP_END` closes it. */
export function groupLine(title: string): string {
  return `::group::${data(clipped(clean(title), TITLE_MAX))}`;
}
export const GROUP_END = '::endgroup::';

/**
 * A text whose lines GitHub takes for no commands, whoever wrote what is in them: `::` at the
 * beginning of a line gets an invisible character between its colons, and `##[`, which counts
 * anywhere, an escape that leaves a JSON text what it was.
 */
export function inert(text: string): string {
  return text.replaceAll(/^([\s\u0085]*:)(?=:)/gm, '$1\u200b').replaceAll('##[', '#\\u0023[');
}

function errorsOf(result: RunResult): readonly Annotation[] {
  const title = titleOf(result.manifest);
  const violations = result.checks
    .filter(({ verdict }) => verdict === 'invalid')
    .flatMap(({ checker, anomalies, covered }) =>
      anomalies.length === 0
        ? [{ title: `${checker} in ${title}`, message: covered }]
        : anomalies.map(({ kind, explanation }) => ({
            title: `${kind} in ${title}`,
            message: explanation,
          })),
    );
  const problems = result.problems
    .filter(({ severity }) => severity === 'fatal')
    .map(({ step, message }) => ({ title: `${step} failed for ${title}`, message }));
  const all = [...problems, ...violations];
  if (all.length > 0 || result.verdict !== 'error') return all;
  return result.reasons.map((message) => ({ title, message }));
}

function warningsOf(result: RunResult): readonly Annotation[] {
  const title = titleOf(result.manifest);
  const faults = idleFaults(result);
  const doubts = result.checks
    .filter(({ verdict, checker }) => verdict === 'unknown' && !isSaid(checker, faults))
    .map(({ checker, reason, covered }) => ({
      title: `${checker} undecided in ${title}`,
      message: reason ?? covered,
    }));
  return [
    ...doubts,
    ...faults.map((message) => ({ title: `fault without effect in ${title}`, message })),
  ];
}

function isSaid(checker: string, faults: readonly string[]): boolean {
  return checker === 'evidence' && faults.length > 0;
}

/** Kinds of fault that were asked for and never took effect, each with why. */
function idleFaults(result: RunResult): readonly string[] {
  const evidence = evidenceOf(result);
  if (evidence === undefined) return [];
  return result.manifest.config.faults.flatMap((fault) => {
    const kind = evidence.kinds.find((candidate) => candidate.fault === fault);
    if (kind === undefined) return [`${fault} was never tried`];
    if (kind.installed > 0) return [];
    const why = evidence.events.find((event) => event.fault === fault)?.evidence ?? '';
    const tries = `${fault} never took effect: skipped ${kind.skipped}, failed ${kind.failed}`;
    return [why === '' ? tries : `${tries}; ${why}`];
  });
}

/** One line each; where there are more than GitHub shows, the last one says how many are missing. */
export function limited(level: Level, all: readonly Annotation[]): readonly string[] {
  const shown = all.slice(0, ANNOTATIONS_MAX);
  const more = all.length - shown.length;
  const rest: Annotation = {
    title: 'schism',
    message: `and ${counted(more, `more ${level}`)}; see the report`,
  };
  return [...shown, ...(more > 0 ? [rest] : [])].map(
    ({ title, message, place }) =>
      `::${level} ${placeText(place)}title=${property(clipped(clean(title), TITLE_MAX))}::` +
      data(clipped(clean(message), MESSAGE_MAX)),
  );
}

function placeText(place: Annotation['place']): string {
  if (place === undefined) return '';
  const file = property(clipped(clean(place.file), TITLE_MAX));
  return `file=${file},${place.line === undefined ? '' : `line=${place.line},`}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

export interface Section {
  readonly name: string;
  readonly text: string;
}

export interface SummaryOptions {
  readonly bytesMax?: number;
  /** The folder of the run, as an artefact step would name it. */
  readonly runPath?: string;
}

/**
 * The job summary in Markdown: what a store or a user said stands in code alone. Where it would be
 * too long, sections are left out, those that are missed least first; empty if not even the verdict
 * finds room.
 */
export function jobSummary(
  result: RunResult,
  history: History,
  { bytesMax = SUMMARY_BYTES_MAX, runPath }: SummaryOptions = {},
): string {
  const head = headOf(result, history);
  const sections = sectionsOf(result, history, runPath);
  const { symbol, word } = RUN_WORDS[result.verdict];
  const title = code(clipped(titleOf(result.manifest), 80));
  return fitted({ head, sections, last: `**${symbol} ${word}** ${title}`, bytesMax });
}

/** All sections that find room, the first ones first; what had none is named. `last` is the least. */
export function fitted({
  head,
  sections,
  last,
  bytesMax,
}: {
  readonly head: string;
  readonly sections: readonly Section[];
  readonly last: string;
  readonly bytesMax: number;
}): string {
  const bytes = sections.map(({ text }) => Buffer.byteLength(joined([text])));
  let total = Buffer.byteLength(joined([head])) + bytes.reduce((sum, size) => sum + size, 0);
  for (let kept = sections.length; kept >= 0; kept--) {
    const said = leftOut(sections.slice(kept));
    if (total + Buffer.byteLength(said) <= bytesMax)
      return joined([head, ...sections.slice(0, kept).map(({ text }) => text), said]);
    total -= bytes[kept - 1] ?? 0;
  }
  const short = joined([`${last}: no room for more in this summary.`]);
  return Buffer.byteLength(short) <= bytesMax ? short : '';
}

const LEFT_OUT_MAX = 10;

function leftOut(sections: readonly Section[]): string {
  if (sections.length === 0) return '';
  const names = sections.slice(0, LEFT_OUT_MAX).map(({ name }) => name);
  const more = sections.length - names.length;
  const rest = more > 0 ? ` and ${more} more` : '';
  return `_Left out, to stay within GitHub's limit: ${names.join(', ')}${rest}._`;
}

function headOf(result: RunResult, history: History): string {
  const { manifest, verdict, exitCode, wallMs } = result;
  const { symbol, word } = RUN_WORDS[verdict];
  const fingerprint = fingerprintOf(result, history);
  const facts = [
    `run ${code(clipped(clean(manifest.run), 80))}`,
    `exit ${exitCode}`,
    lengthText(wallMs),
    ...(fingerprint === undefined ? [] : [`fingerprint ${code(fingerprint)}`]),
  ].join(' · ');
  const rows = result.checks.slice(0, CHECKS_MAX).map(checkRow);
  const table = ['| check | verdict | looked at |', '| --- | --- | --- |', ...rows].join('\n');
  return joined([
    `## ${symbol} ${word} ${code(clipped(titleOf(manifest), 120))}`,
    facts,
    rows.length === 0 ? '' : table,
  ]).trimEnd();
}

function checkRow({ checker, verdict, covered, reason }: CheckResult): string {
  const what = verdict === 'unknown' ? (reason ?? covered) : covered;
  const said = cell(clipped(clean(what), 300));
  return `| ${cell(clipped(clean(checker), 60))} | ${CHECK_SYMBOLS[verdict]} ${verdict} | ${said} |`;
}

/** The most needed first. */
function sectionsOf(
  result: RunResult,
  history: History,
  runPath: string | undefined,
): readonly Section[] {
  const { manifest } = result;
  const commands = [checkCommand(manifest), againCommand(manifest)].filter((text) => text !== '');
  const story = storyLines({ result, history, claims: [], ref: manifest.run }, COLUMNS)
    .join('\n')
    .replace(/^\n+/, '');
  const parameters = parametersOf(manifest).map(
    ([name, value]) => `| ${cell(clipped(name, 60))} | ${cell(clipped(value, 200))} |`,
  );
  const folder = runPath === undefined ? '' : code(clipped(clean(runPath), 300));
  return [
    {
      name: 'how to see it again',
      text: commands.length === 0 ? '' : fenced('sh', commands.join('\n')),
    },
    { name: 'the explanation', text: fenced('text', clipped(story, STORY_MAX)) },
    {
      name: 'where the run is',
      text: folder === '' ? '' : `Report, history and logs: ${folder} (upload it as an artifact).`,
    },
    {
      name: 'the whole report as text',
      text: folded(
        'The whole report as text',
        fenced('text', renderText(result, history, { columns: COLUMNS })),
      ),
    },
    {
      name: 'parameters',
      text: folded(
        'Parameters',
        ['| parameter | value |', '| --- | --- |', ...parameters].join('\n'),
      ),
    },
  ];
}

export function folded(title: string, text: string): string {
  return `<details><summary>${title}</summary>\n\n${text}\n\n</details>`;
}

export function joined(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n\n`;
}
