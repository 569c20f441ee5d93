/** One anomaly as people read it: its operations in order, and what was observed around them. */
import type { History } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { Anomaly } from '../harness/protocols/checker.ts';
import { leaderText } from './cluster.ts';
import type { Reading } from './reading.ts';
import {
  clean,
  clientText,
  clipped,
  faultText,
  operationText,
  outcomeText,
  spanText,
} from './words.ts';

/** An operation of a counterexample. All texts are clean. */
export interface ShownOperation {
  readonly index: number;
  readonly client: string;
  readonly text: string;
  readonly outcome: string;
  readonly startNanos: number;
  /** Undefined when the operation never completed, or with an unknown outcome: it stays open. */
  readonly endNanos: number | undefined;
  /** Indices that order the ends; an open operation ends after everything. */
  readonly endIndex: number;
  readonly node: string;
  readonly mode: string;
  readonly error: string;
  /** The one that no order explains. */
  readonly culprit: boolean;
}

/** The operations of an anomaly in order of invocation, each once. */
export function shownOperations(
  anomaly: Pick<Anomaly, 'ops' | 'key' | 'certificate'>,
  history: History,
): readonly ShownOperation[] {
  const starts = new Set<number>();
  for (const index of anomaly.ops) {
    if (!Number.isInteger(index) || index < 0 || index >= history.length) continue;
    const pair = history.pairOf(index);
    starts.add(history.type(index) === 'invoke' || pair === -1 ? index : pair);
  }
  const sorted = [...starts].toSorted((a, b) => a - b);
  const culprit = culpritOf(anomaly, history, sorted);
  const isOfStore = (anomaly.key ?? '') === '';
  return sorted.map((index) => shownOperation(index, history, index === culprit, isOfStore));
}

/**
 * The invocation of the operation that no order gets past, where an anomaly names the moment; else
 * the last to begin.
 */
function culpritOf(
  { certificate }: Pick<Anomaly, 'certificate'>,
  history: History,
  starts: readonly number[],
): number | undefined {
  const upTo = certificate['upTo'];
  const named = starts.find((start) => history.pairOf(start) === upTo);
  return named ?? starts.at(-1);
}

/** `isOfStore`: its key is part of what it did. */
function shownOperation(
  index: number,
  history: History,
  culprit: boolean,
  isOfStore: boolean,
): ShownOperation {
  const invoke = history.op(index);
  const pair = history.pairOf(index);
  const end: Op | undefined = pair === -1 ? undefined : history.op(pair);
  const open = end === undefined || end.type === 'info';
  const error = end?.error;
  return {
    index,
    client: clientText(invoke),
    text: operationText(invoke, end, isOfStore),
    outcome: end === undefined ? 'open' : outcomeText(end.type),
    startNanos: invoke.time,
    endNanos: open ? undefined : end.time,
    endIndex: open ? Number.POSITIVE_INFINITY : pair,
    node: clean(invoke.node ?? ''),
    mode: invoke.mode ?? '',
    error: error === undefined ? '' : clipped(clean(error.code), 40),
    // Of nodes that disagree, none is the last straw.
    culprit: culprit && invoke.f !== 'hash',
  };
}

/**
 * Where each operation's ends lie on an axis that keeps their order and nothing else: ends are
 * numbered from 0; of an open operation the end is undefined.
 */
export function ordinals(
  operations: readonly ShownOperation[],
): readonly { readonly start: number; readonly end: number | undefined }[] {
  const ends = operations
    .flatMap(({ index, endIndex }) => [index, endIndex])
    .filter((index) => Number.isFinite(index))
    .toSorted((a, b) => a - b);
  const rank = new Map(ends.map((index, at) => [index, at]));
  return operations.map(({ index, endIndex }) => ({
    start: rank.get(index) ?? 0,
    end: rank.get(endIndex),
  }));
}

/** Something observed near a violation; nothing here is said to be its cause. */
export interface Nearby {
  readonly timeNanos: number;
  readonly kind: 'fault' | 'leader';
  readonly text: string;
}

const MARGIN_NANOS = 2e9;
const NEARBY_MAX = 12;

/** Faults and leader changes from two seconds before the first operation to just after the last. */
export function nearby(
  operations: readonly ShownOperation[],
  reading: Reading,
): { readonly events: readonly Nearby[]; readonly more: number } {
  if (operations.length === 0) return { events: [], more: 0 };
  const ends = operations.map(({ startNanos, endNanos }) => endNanos ?? startNanos);
  const first = Math.min(...operations.map(({ startNanos }) => startNanos));
  const from = first - MARGIN_NANOS;
  const to = Math.max(...ends) + MARGIN_NANOS / 4;
  const all = [...faultEvents(reading, from, to), ...leaderEvents(reading, from, to)];
  // The last operation is what is wrong: where there is much, what is closest to it stays.
  const focus = operations.at(-1)?.startNanos ?? first;
  const closest = all
    .toSorted((a, b) => Math.abs(a.timeNanos - focus) - Math.abs(b.timeNanos - focus))
    .slice(0, NEARBY_MAX)
    .toSorted((a, b) => a.timeNanos - b.timeNanos);
  return { events: closest, more: all.length - closest.length };
}

function faultEvents({ bands }: Reading, from: number, to: number): readonly Nearby[] {
  return bands.flatMap(({ beginNanos, endNanos, text, fault, result, evidence }) => {
    if (beginNanos > to || (endNanos ?? Number.POSITIVE_INFINITY) < from) return [];
    // It did not happen; the table of faults says why.
    if (result === 'skipped') return [];
    const name = faultText({ fault, text });
    const effect = result === 'installed' ? '' : `, ${result}: ${clipped(clean(evidence), 80)}`;
    const begin = {
      timeNanos: beginNanos,
      kind: 'fault' as const,
      text: `${name}, begin${effect}`,
    };
    const ended = endNanos !== undefined && endNanos <= to;
    return ended
      ? [begin, { timeNanos: endNanos, kind: 'fault' as const, text: `${name}, end` }]
      : [begin];
  });
}

function leaderEvents({ cluster }: Reading, from: number, to: number): readonly Nearby[] {
  const changes = cluster.changes.filter(
    ({ timeNanos, before }) => before !== undefined && timeNanos >= from && timeNanos <= to,
  );
  const rivals = cluster.rivals.filter(
    ({ startNanos, endNanos }) => startNanos <= to && endNanos >= from,
  );
  return [
    ...changes.map(({ timeNanos, leader, before, gapNanos }) => ({
      timeNanos,
      kind: 'leader' as const,
      text: clean(
        `${leaderText(leader)} leads` +
          (before === undefined ? '' : `; before it ${leaderText(before)}`) +
          (gapNanos > 0 ? `; none was seen for ${spanText(gapNanos)}` : ''),
      ),
    })),
    ...rivals.map(({ startNanos, endNanos, leaders }) => ({
      timeNanos: startNanos,
      kind: 'leader' as const,
      text: clean(
        `${leaders.map(leaderText).join(' and ')} said at the same time that they lead, for ` +
          `${spanText(endNanos - startNanos)} as observed`,
      ),
    })),
  ];
}
