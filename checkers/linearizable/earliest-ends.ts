import type { KeyOp } from '../key-history.ts';

interface Candidate {
  readonly op: KeyOp;
  /** The moment from which it counts. */
  readonly from: number;
  readonly value: string;
}

/**
 * Answers in O(log n): of the candidates that count from later than `after` and have another value
 * than `except`, which ended first? For that it is enough to know, for each suffix in order of
 * `from`, the first to end and the first to end with another value than that one.
 */
export function earliestEnds(
  candidates: readonly Candidate[],
): (after: number, except: string) => KeyOp | undefined {
  const sorted = candidates.toSorted((a, b) => a.from - b.from);
  const best: Candidate[] = [];
  const other: (Candidate | undefined)[] = [];
  for (let at = sorted.length - 1; at >= 0; at--) {
    const one = sorted[at] as Candidate;
    const [first, second] = [best[at + 1], other[at + 1]];
    if (first === undefined || one.op.end < first.op.end) {
      best[at] = one;
      other[at] = first?.value === one.value ? second : first;
    } else {
      best[at] = first;
      const better = second === undefined || one.op.end < second.op.end;
      other[at] = one.value !== first.value && better ? one : second;
    }
  }
  return (after, except) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as Candidate).from > after) high = middle;
      else low = middle + 1;
    }
    const first = best[low];
    return first?.value === except ? other[low]?.op : first?.op;
  };
}
