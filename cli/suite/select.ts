/** Which of the tests there are will run: filters first, then the shard. */
import { basename } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { TestRef } from '../../harness/protocols/suite.ts';
import { clean, counted } from '../../reports/words.ts';

/** A test of a file in a project, before it is known whether it runs. */
export interface Candidate {
  readonly ref: TestRef;
  readonly tags: readonly string[];
  readonly mark?: 'only' | 'skip';
}

export interface Selection {
  /** Part of a path or a title, or `path:line`; a test need match only one of them. */
  readonly filters: readonly string[];
  readonly grep?: string;
  readonly grepInvert?: string;
  readonly lastFailed?: LastFailed;
  readonly shard?: Shard;
  /** `test.only` is an error. */
  readonly forbidOnly?: boolean;
}

/** What did not pass in a suite that ended. */
export interface LastFailed {
  readonly suite: string;
  readonly tests: readonly TestRef[];
}

/** From 1 to `total`. */
export interface Shard {
  readonly index: number;
  readonly total: number;
}

export interface Selected<T> {
  readonly tests: readonly T[];
  /** What would have been selected, were it not marked with `test.skip`. */
  readonly skipped: readonly T[];
  /** Before the shard was cut out. */
  readonly selected: number;
}

/** Throws `bad-option` for a pattern that is none, and for `test.only` where it is forbidden. */
export function selectTests<T extends Candidate>(all: readonly T[], by: Selection): Selected<T> {
  const only = all.filter(({ mark }) => mark === 'only');
  const [first] = only;
  if (by.forbidOnly === true && first !== undefined)
    throw new HarnessError(
      'bad-option',
      `${placeOf(first.ref)} is marked with test.only; take the mark away, or give --no-forbid-only`,
    );
  const grep = by.grep === undefined ? undefined : patternOf('--grep', by.grep);
  const inverted =
    by.grepInvert === undefined ? undefined : patternOf('--grep-invert', by.grepInvert);
  const matching = (only.length > 0 ? only : all).filter((test) => {
    const words = wordsOf(test);
    return (
      (by.filters.length === 0 || by.filters.some((filter) => isNamed(test, filter, all))) &&
      (grep === undefined || grep.test(words)) &&
      (inverted === undefined || !inverted.test(words)) &&
      (by.lastFailed === undefined || by.lastFailed.tests.some((ref) => isSame(ref, test.ref)))
    );
  });
  const selected = matching.filter(({ mark }) => mark !== 'skip');
  return {
    tests: by.shard === undefined ? selected : shardOf(selected, by.shard),
    skipped: matching.filter(({ mark }) => mark === 'skip'),
    selected: selected.length,
  };
}

/** Every n-th: equal in number, and neighbours, which often take equally long, are dealt out. */
export function shardOf<T>(all: readonly T[], { index, total }: Shard): readonly T[] {
  return all.filter((_, at) => at % total === index - 1);
}

/** `2/4`. Throws `bad-option` for anything else. */
export function parseShard(text: string): Shard {
  const [, index = '', total = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  const shard = { index: Number(index), total: Number(total) };
  if (shard.index >= 1 && shard.index <= shard.total) return shard;
  throw new HarnessError(
    'bad-option',
    `--shard: '${text}' is no part of a whole; write 2/4 for the second of four`,
  );
}

/** One line: what was looked for, what there is, and what may have been meant. */
export function nothingSelected(all: readonly Candidate[], by: Selection, where: string): string {
  const { filters, grep, grepInvert, lastFailed } = by;
  const files = new Set(all.flatMap(({ ref }) => ref.file ?? []));
  const verb = all.length === 1 ? 'is' : 'are';
  const count = `${counted(all.length, 'test')} in ${counted(files.size, 'file')}`;
  const there = `there ${verb} ${count} ${where}`;
  if (all.length === 0)
    return `there are no test files ${where} (*.chaos.ts); \`schism init\` writes a first one`;
  if (lastFailed?.tests.length === 0)
    return `--last-failed: no test failed in suite ${lastFailed.suite}; ${there}`;
  const asked = [
    ...filters.map((filter) => `'${filter}'`),
    ...(grep === undefined ? [] : [`--grep '${grep}'`]),
    ...(grepInvert === undefined ? [] : [`--grep-invert '${grepInvert}'`]),
    ...(lastFailed === undefined ? [] : [`--last-failed of suite ${lastFailed.suite}`]),
  ];
  if (asked.length === 0) return `${there}, all of them skipped`;
  const names = [
    ...new Set(
      all.flatMap(({ ref: { title, file } }) => [
        title,
        ...title.split(/[/\s]+/),
        ...(file === undefined ? [] : [file, basename(file)]),
      ]),
    ),
  ];
  const hint = suggest(filters[0] ?? grep ?? '', names);
  return `no test that may run matches ${asked.join(' and ')}${hint}; ${there}`;
}

/** `chaos/register.chaos.ts:12 'pause leader' [project]` */
export function placeOf({ file, line, title, project }: TestRef): string {
  const at = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`} `;
  return `${at}'${clean(title)}'${project === undefined ? '' : ` [${project}]`}`;
}

/** The same test, whichever repeat of it. */
export function isSame(a: TestRef, b: TestRef): boolean {
  return a.title === b.title && a.file === b.file && a.project === b.project;
}

function wordsOf({ ref, tags }: Candidate): string {
  const project = ref.project === undefined ? [] : [`[${ref.project}]`];
  return [ref.title, ...tags, ...project].join(' ');
}

function patternOf(flag: string, text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    // The engine says the pattern again, and then why.
    const why = error instanceof Error ? error.message.split(': ').at(-1) : '';
    throw new HarnessError('bad-option', `${flag}: '${text}' is no regular expression: ${why}`, {
      cause: error,
    });
  }
}

function isNamed({ ref }: Candidate, filter: string, all: readonly Candidate[]): boolean {
  const word = filter.replace(/^\.\//, '').toLowerCase();
  const holds = (text: string | undefined): boolean => text?.toLowerCase().includes(word) === true;
  if (holds(ref.title) || holds(ref.file)) return true;
  const [, path = '', line] = /^(.+?):(\d+)(?::\d+)?$/.exec(word) ?? [];
  if (line === undefined || ref.file?.toLowerCase().includes(path) !== true) return false;
  return ref.line !== undefined && ref.line === callAt(Number(line), ref.file, all);
}

/** The line of the call that a line of a file stands in. */
function callAt(line: number, file: string, all: readonly Candidate[]): number {
  const calls = all.flatMap(({ ref }) => (ref.file === file ? (ref.line ?? []) : []));
  return Math.max(...calls.filter((call) => call <= line), 0);
}
