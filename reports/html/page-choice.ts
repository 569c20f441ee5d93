/** Which operations of a long run the page draws one by one. */
import type { History } from '../../harness/history/history.ts';
import type { PageViolation } from './page-format.ts';

/** A page with more takes long to open. */
export const OPERATIONS_MAX = 1_000_000;
const AROUND_MICROS = 2e6;

export interface Chosen {
  /** Indices of invocations of clients, in order. */
  readonly invocations: Int32Array;
  /** How many there are in the run. */
  readonly all: number;
}

/**
 * All, if there are few. Else first those of violations, of their keys and of the keys in
 * `undecided`, and those within two seconds of a violation; then as many from the rest as there is
 * room for, the nearest to the first violation (or the earliest) first.
 */
export function chosenOperations(
  history: History,
  violations: readonly PageViolation[],
  { max, undecided }: { readonly max: number; readonly undecided: readonly string[] },
): Chosen {
  const all = invocationsOf(history);
  if (all.length <= max) return { invocations: all, all: all.length };
  const wanted = wantedOf(history, violations, undecided);
  const first = all.filter((index) => wanted(index));
  const near = violations[0]?.from ?? 0;
  const rest = all.filter((index) => !wanted(index));
  const { codes } = history;
  const distance = (index: number): number => Math.abs(codes.time(index) / 1000 - near);
  const picked = closest(first, max, distance);
  const filled = closest(rest, max - picked.length, distance);
  return { invocations: joined(picked, filled), all: all.length };
}

function invocationsOf(history: History): Int32Array {
  const { codes, length } = history;
  const found = new Int32Array(length);
  let count = 0;
  for (let index = 0; index < length; index++)
    if (codes.isInvoke(index) && codes.processCode(index) >= 0) found[count++] = index;
  return found.slice(0, count);
}

function wantedOf(
  history: History,
  violations: readonly PageViolation[],
  undecided: readonly string[],
): (index: number) => boolean {
  const keys = new Set([...violations.map(({ key }) => key), ...undecided]);
  const own = new Set(violations.flatMap(({ entries }) => entries));
  const spans = violations.map(({ from, to }) => [from - AROUND_MICROS, to + AROUND_MICROS]);
  const { codes } = history;
  return (index) => {
    if (own.has(index) || keys.has(codes.keyText(codes.keyCode(index)) ?? '')) return true;
    const time = codes.time(index) / 1000;
    return spans.some(([from = 0, to = 0]) => time >= from && time <= to);
  };
}

/** The `max` with the least distance, in their old order. */
function closest(
  indices: Int32Array,
  max: number,
  distance: (index: number) => number,
): Int32Array {
  if (indices.length <= max) return indices;
  const distances = Float64Array.from(indices, distance).toSorted();
  const limit = distances[Math.max(0, max)] ?? 0;
  return indices.filter((index) => distance(index) < limit);
}

function joined(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both.toSorted();
}
