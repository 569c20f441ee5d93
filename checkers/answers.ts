/** When operations were answered, and how; the measures that availability is made of. */
import { msFromNanos, type NodeName } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { Phase, ReadMode } from '../harness/history/op.ts';
import { isRefusal } from './key-history.ts';

export interface Answer {
  readonly startNanos: number;
  /** Infinity when it never came. */
  readonly endNanos: number;
  /** `ok`: the store served it. */
  readonly type: 'ok' | 'fail' | 'info';
  readonly f: string;
  readonly mode: ReadMode | undefined;
  readonly node: NodeName | undefined;
  /** In which it was invoked. */
  readonly phase: Phase;
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
      f: invoke.f,
      mode: invoke.mode,
      node: invoke.node,
      phase: invoke.phase,
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

/** When successes were answered, in order. */
export type Successes = Float64Array;

/** Of one node, or of all: each list is made once, when it is first asked for. */
export function successesOf(answers: readonly Answer[]): (node?: NodeName) => Successes {
  const known = new Map<NodeName | undefined, Successes>();
  return (node) => {
    const found = known.get(node) ?? successTimes(answers, node);
    known.set(node, found);
    return found;
  };
}

function successTimes(answers: readonly Answer[], node: NodeName | undefined): Successes {
  const times: number[] = [];
  for (const answer of answers)
    if (answer.type === 'ok' && (node === undefined || answer.node === node))
      times.push(answer.endNanos);
  return Float64Array.from(times).toSorted();
}

/** The place of the first that is not before a moment. */
export function firstFrom(successes: Successes, nanos: number): number {
  let [low, high] = [0, successes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((successes[middle] ?? Infinity) >= nanos) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The longest time within a span without one success, its edges included; milliseconds. */
export function longestGap(
  successes: Successes,
  { startNanos, endNanos }: { readonly startNanos: number; readonly endNanos: number },
): number {
  let [longest, last] = [0, startNanos];
  for (let at = firstFrom(successes, startNanos); ; at++) {
    const time = Math.min(successes[at] ?? Infinity, endNanos);
    longest = Math.max(longest, time - last);
    last = time;
    if (time === endNanos) return msFromNanos(longest);
  }
}

/** Milliseconds from a moment to the first success after it. */
export function firstSuccess(successes: Successes, afterNanos: number): number | null {
  const first = successes[firstFrom(successes, afterNanos)];
  return first === undefined ? null : msFromNanos(first - afterNanos);
}

/** The nearest-rank quantile of sorted numbers; null when there are none. */
export function quantile(sorted: readonly number[], q: number): number | null {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}
