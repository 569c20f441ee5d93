/** When operations were answered, and how; the measures that availability is made of. */
import { msFromNanos, type NodeName } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { Phase } from '../harness/history/op.ts';
import { isRefusal } from './key-history.ts';

export interface Answer {
  readonly startNanos: number;
  /** Infinity when it never came. */
  readonly endNanos: number;
  /** `ok`: the store served it. */
  readonly type: 'ok' | 'fail' | 'info';
  readonly node: NodeName | undefined;
  /** Invoked in the main phase. */
  readonly main: boolean;
}

/** Every client operation, in order of invocation. */
export function answersOf(history: History): Answer[] {
  return [...history.operations()].map(({ invoke, completion }) => {
    const type =
      completion === undefined || completion.type === 'invoke' ? 'info' : completion.type;
    const served = completion !== undefined && isRefusal(completion);
    return {
      startNanos: invoke.time,
      endNanos: completion?.time ?? Infinity,
      type: served ? 'ok' : type,
      node: invoke.node,
      main: invoke.phase === 'main',
    };
  });
}

/** From the first to the last entry of a phase; undefined when it has none. */
export function phaseSpan(
  history: History,
  phase: Phase,
): { readonly startNanos: number; readonly endNanos: number } | undefined {
  let [start, end] = [-1, -1];
  for (const op of history.ops()) {
    if (op.phase !== phase) continue;
    if (start < 0) start = op.time;
    end = op.time;
  }
  return start < 0 ? undefined : { startNanos: start, endNanos: end };
}

/** The longest time within a span without one success, its edges included; milliseconds. */
export function longestGap(
  answers: readonly Answer[],
  { startNanos, endNanos }: { readonly startNanos: number; readonly endNanos: number },
): number {
  const successes = answers
    .filter((answer) => answer.type === 'ok')
    .map((answer) => answer.endNanos)
    .filter((at) => at >= startNanos && at <= endNanos)
    .toSorted((a, b) => a - b);
  let [longest, last] = [0, startNanos];
  for (const at of [...successes, endNanos]) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return msFromNanos(longest);
}

/** Milliseconds from a moment to the first success after it, at a node or anywhere. */
export function firstSuccess(
  answers: readonly Answer[],
  afterNanos: number,
  node: NodeName | undefined,
): number | null {
  let first = Infinity;
  for (const answer of answers) {
    if (answer.type !== 'ok' || answer.endNanos < afterNanos) continue;
    if (node === undefined || answer.node === node) first = Math.min(first, answer.endNanos);
  }
  return first === Infinity ? null : msFromNanos(first - afterNanos);
}

/** The nearest-rank quantile of sorted numbers; null when there are none. */
export function quantile(sorted: readonly number[], q: number): number | null {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}
