/**
 * A counterexample step by step: what the object must be after each operation, and why the last one
 * does not fit. It says only what the certificate holds; of other kinds of anomaly there are no steps.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { clean, clientText, clipped, operationText, outcomeText, valueText } from '../words.ts';

export interface Step {
  /** Index of the invocation; -1: the beginning. */
  readonly entry: number;
  /** `c8 write 95, ok` */
  readonly text: string;
  /** What the object must be after it; of the last one, as it should find it. */
  readonly after: string;
  /** What may come next; of the last one, why it does not fit. */
  readonly next: string;
  readonly isLast: boolean;
}

/** One order in which the checker got so far, and no further. */
export interface Way {
  readonly steps: readonly Step[];
}

type Certificate = Anomaly['certificate'];
type Proof = Pick<Anomaly, 'kind' | 'certificate' | 'ops'>;

/** Of a few operations that prove it without a search; empty where the proof is of another kind. */
export function provenSteps({ kind, certificate }: Proof, history: History): readonly Step[] {
  switch (kind) {
    case 'stale-read':
    case 'lost-write':
    case 'non-monotonic-read':
      return overwritten(certificate, history);
    case 'split-brain-cas':
      return twoWinners(certificate, history);
    default:
      return [];
  }
}

/** `newer` was there after `older`, and `read` finds the older one again. */
function overwritten(certificate: Certificate, history: History): readonly Step[] {
  const { older, newer, read } = certificate;
  // Revisions are what the store says of itself: there the value alone proves nothing.
  if (certificate['by'] === 'revision' || older === undefined) return [];
  if (!isEntry(newer, history) || !isEntry(read, history)) return [];
  const [left, found] = [valueAfter(newer, history), valueSeen(read, history)];
  if (left === undefined || found === undefined) return [];
  const [now, before] = [valueText(left, 30), valueText(found, 30)];
  const first = { after: `${before}, or newer`, next: `read → ${before} or newer; any write` };
  const begin = isEntry(older, history)
    ? { entry: older, text: stepText(older, history), ...first, isLast: false }
    : { entry: -1, text: 'at the start', ...first, isLast: false };
  return [
    begin,
    {
      entry: newer,
      text: stepText(newer, history),
      after: `${now}, or newer`,
      next: `read → ${now} or newer, not ${before}; any write`,
      isLast: false,
    },
    {
      entry: read,
      text: stepText(read, history),
      after: `${now}, or newer`,
      next: `✗ it finds ${before}, which is older`,
      isLast: true,
    },
  ];
}

/** Whichever of the two came first took the value that the other says it found. */
function twoWinners(certificate: Certificate, history: History): readonly Step[] {
  const { write, first, second } = certificate;
  if (!isEntry(first, history) || !isEntry(second, history)) return [];
  const [from, to] = [valueSeen(first, history), valueAfter(first, history)];
  if (from === undefined || to === undefined) return [];
  const [before, now] = [valueText(from, 30), valueText(to, 30)];
  const begin = { after: `${before}, or newer`, next: `one cas from ${before}`, isLast: false };
  return [
    isEntry(write, history)
      ? { entry: write, text: stepText(write, history), ...begin }
      : { entry: -1, text: 'at the start', ...begin },
    {
      entry: first,
      text: stepText(first, history),
      after: `${now}, or newer`,
      next: `any write; no cas from ${before}`,
      isLast: false,
    },
    {
      entry: second,
      text: stepText(second, history),
      after: `${now}, or newer`,
      next: `✗ it finds ${before}; the same in the other order`,
      isLast: true,
    },
  ];
}

/** Each way that the search tells of, the shortest first. */
export function waysOf(
  { certificate, ops }: Pick<Anomaly, 'certificate' | 'ops'>,
  history: History,
): readonly Way[] {
  const { ways, upTo } = certificate;
  if (!Array.isArray(ways)) return [];
  const blocked = typeof upTo === 'number' ? invocationOf(upTo, ops, history) : undefined;
  if (blocked === undefined) return [];
  return (ways as readonly JsonValue[]).flatMap((way): readonly Way[] => {
    if (!Array.isArray(way)) return [];
    const [order, why, state] = way as readonly JsonValue[];
    if (!Array.isArray(order) || typeof why !== 'string' || state === undefined) return [];
    const entries = (order as readonly JsonValue[]).filter((at) => isEntry(at, history));
    if (entries.length !== order.length) return [];
    const states = statesAlong(entries, certificate, state, history);
    const steps = entries.map((entry, at): Step => {
      const known = at === entries.length - 1 ? state : states?.[at];
      const after = known === undefined ? '' : stateText(known);
      return { entry, text: stepText(entry, history), after, next: '', isLast: false };
    });
    const last: Step = {
      entry: blocked,
      text: stepText(blocked, history),
      after: stateText(state),
      next: `✗ ${clipped(clean(why), 200)}`,
      isLast: true,
    };
    return [{ steps: [...steps, last] }];
  });
}

/**
 * The states on the way, of a register: there they follow from the operations. Undefined where they
 * do not lead to the state that the checker had.
 */
function statesAlong(
  entries: readonly number[],
  { model, init, from }: Certificate,
  last: JsonValue,
  history: History,
): readonly JsonValue[] | undefined {
  const isRegister = model === 'register' || model === 'cas-register';
  if (!isRegister || init === undefined || from !== -1) return undefined;
  let state = init;
  const states = entries.map((entry) => {
    const put = putBy(entry, history);
    if (put !== undefined) state = put;
    return state;
  });
  return JSON.stringify(state) === JSON.stringify(last) ? states : undefined;
}

/** Where the search began in the midst, one state stands for all values that nobody asks for. */
function stateText(state: JsonValue): string {
  const isOther = JSON.stringify(state) === '["a value that nobody requires"]';
  return isOther ? 'something else' : valueText(state, 60);
}

function isEntry(value: JsonValue | undefined, history: History): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value >= 0 &&
    value < history.length &&
    history.type(value) === 'invoke'
  );
}

/** The operation that ends with an entry; an excerpt may end between two of its own. */
function invocationOf(end: number, ops: readonly number[], history: History): number | undefined {
  return ops.find((at) => isEntry(at, history) && history.pairOf(at) === end);
}

function ended(entry: number, history: History): Op | undefined {
  const pair = history.pairOf(entry);
  return pair === -1 ? undefined : history.op(pair);
}

function stepText(entry: number, history: History): string {
  const invoke = history.op(entry);
  const end = ended(entry, history);
  const outcome = end === undefined ? 'never completed' : outcomeText(end.type);
  return clipped(`${clientText(invoke)} ${operationText(invoke, end)}, ${outcome}`, 120);
}

/** What a write or a cas puts, if it takes effect; undefined: nothing. */
function putBy(entry: number, history: History): JsonValue | undefined {
  const { f, value } = history.op(entry);
  if (ended(entry, history)?.type === 'fail') return undefined;
  if (f === 'write') return value;
  return f === 'cas' ? partOf(value, 1) : undefined;
}

/** What was there when an operation that ended ok had taken effect. */
function valueAfter(entry: number, history: History): JsonValue | undefined {
  const put = putBy(entry, history);
  return put === undefined ? valueSeen(entry, history) : put;
}

/** What an operation found. */
function valueSeen(entry: number, history: History): JsonValue | undefined {
  const { f, value } = history.op(entry);
  const end = ended(entry, history);
  if (end?.seen !== undefined) return end.seen;
  if (end?.type !== 'ok') return undefined;
  if (f === 'read') return end.value;
  return f === 'cas' ? partOf(value, 0) : undefined;
}

function partOf(value: JsonValue, at: 0 | 1): JsonValue | undefined {
  return Array.isArray(value) && value.length === 2
    ? (value as readonly JsonValue[])[at]
    : undefined;
}
