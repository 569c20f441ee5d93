/** Finds where two transcripts differ, and says it so that a person sees at once what is different. */
import type { Accepted, Pattern } from './accepted.ts';

/** One step and everything that was seen of it, with names instead of ids. */
export interface Entry {
  /** What was asked, as one would type it. */
  readonly title: string;
  /** Line by line. */
  readonly seen: readonly string[];
}

export type Transcript = readonly Entry[];

export interface Side {
  readonly name: string;
  readonly transcript: Transcript;
}

const BEFORE = 4;
const SHOWN_MAX = 5;
/** Equal lines that are shown before and after one that differs. */
const BESIDE = 8;
const LINES_MAX = 50;

/**
 * Undefined when both agree in every step, but for what is accepted. Else a text: each step that
 * differs, with what came before, and line by line what one had and the other had not. An accepted
 * difference that was not there is a difference too.
 */
export function difference(
  left: Side,
  right: Side,
  accepted: readonly Accepted[] = [],
): string | undefined {
  const unused = new Set(accepted);
  const found: string[] = [];
  const steps = Math.max(left.transcript.length, right.transcript.length);
  for (let at = 0; at < steps; at++) {
    const [one, other] = [entryAt(left, at), entryAt(right, at)];
    if (same(one, other)) continue;
    const reason = accepted.find((each) => accepts(each, one, other));
    if (reason === undefined) found.push(describe(left, right, at, one, other));
    else unused.delete(reason);
  }
  const stale = [...unused].map(
    ({ step, reason }) => `accepted, but not seen: a difference at '${String(step)}' (${reason})`,
  );
  if (found.length === 0 && stale.length === 0) return undefined;
  const more = found.length - SHOWN_MAX;
  return [
    ...found.slice(0, SHOWN_MAX),
    ...(more > 0 ? [`... and ${more} more steps that differ`] : []),
    ...stale,
  ].join('\n\n');
}

function entryAt({ transcript }: Side, at: number): Entry {
  return transcript[at] ?? { title: 'nothing more was asked', seen: [] };
}

function same(one: Entry, other: Entry): boolean {
  return one.title === other.title && one.seen.join('\n') === other.seen.join('\n');
}

/** Only lines that differ are looked at; every one of them must be named by its side's pattern. */
export function accepts({ step, etcd, raftkv }: Pattern, one: Entry, other: Entry): boolean {
  if (one.title !== other.title || !step.test(one.title)) return false;
  return lineDiff(one.seen, other.seen).every(({ mark, line }) => {
    if (mark === ' ') return true;
    return (mark === '-' ? etcd : raftkv)?.test(line) ?? false;
  });
}

function describe(left: Side, right: Side, at: number, one: Entry, other: Entry): string {
  const before = left.transcript.slice(Math.max(0, at - BEFORE), at);
  return [
    `step ${at + 1}: ${one.title}`,
    ...(other.title === one.title ? [] : [`  but ${right.name}: ${other.title}`]),
    ...before.map(({ title, seen }) => `  before: ${title} → ${shorten(seen.join(' | '))}`),
    `  - ${left.name}`,
    `  + ${right.name}`,
    ...aroundChanges(lineDiff(one.seen, other.seen)),
  ].join('\n');
}

/** What is equal is shown only beside what is not, and of very much only the beginning. */
function aroundChanges(lines: readonly DiffLine[]): string[] {
  const changed = lines.map(({ mark }) => mark !== ' ');
  const near = lines.filter((_, at) =>
    changed.slice(Math.max(0, at - BESIDE), at + BESIDE + 1).includes(true),
  );
  const shown = near.slice(0, LINES_MAX).map(({ mark, line }) => `  ${mark} ${line}`);
  const more = near.length - shown.length;
  return more > 0 ? [...shown, `  ... and ${more} more lines`] : shown;
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}

interface DiffLine {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** By the longest common subsequence of lines. */
export function lineDiff(one: readonly string[], other: readonly string[]): DiffLine[] {
  // common[i][j]: of one from i on and other from j on.
  const common = Array.from({ length: one.length + 1 }, () =>
    Array.from({ length: other.length + 1 }, () => 0),
  );
  const length = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = one.length - 1; i >= 0; i--)
    for (let j = other.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row === undefined) continue;
      const equal = one[i] === other[j];
      row[j] = equal ? 1 + length(i + 1, j + 1) : Math.max(length(i + 1, j), length(i, j + 1));
    }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    const [a, b] = [one[i], other[j]];
    if (a !== undefined && a === b) {
      lines.push({ mark: ' ', line: a });
      i++;
      j++;
    } else if (a !== undefined && (b === undefined || length(i + 1, j) >= length(i, j + 1))) {
      lines.push({ mark: '-', line: a });
      i++;
    } else {
      lines.push({ mark: '+', line: b ?? '' });
      j++;
    }
  }
  return lines;
}
