/**
 * Reads of values that were written more than once, and are nevertheless out of date: everyone who
 * wrote the value before had been answered when an operation began that shows or leaves another
 * one; that one had ended when the read began; and nobody sent the value again before the read had
 * ended. Whoever wrote it then comes before that operation in any order, or after the read.
 */
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { casParts, producedBy, requiredBy, valueKey } from '../models/register.ts';
import { earliestEnds } from './earliest-ends.ts';
import type { ValueUse } from './value-index.ts';

export interface ReusedValueRead {
  readonly kind: 'reused-value-read';
  /** The last to be answered of those who wrote the value before; undefined: it was there at first. */
  readonly older: KeyOp | undefined;
  /** How many wrote it before. */
  readonly writers: number;
  /** Shows or leaves another value. */
  readonly newer: KeyOp;
  readonly read: KeyOp;
}

/** In O(n log n), for the values that the other rules do not speak of. */
export function* reusedValueReads(
  key: KeyHistory,
  uses: ReadonlyMap<string, ValueUse>,
): Generator<ReusedValueRead> {
  const definite = key.ops.filter(({ end }) => end !== Infinity);
  const others = definite.flatMap((op) => {
    const value = producedBy(op.call) ?? requiredBy(op.call);
    return value === undefined ? [] : [{ op, from: op.start, value: valueKey(value) }];
  });
  const firstWithAnother = earliestEnds(others);
  const denials = Map.groupBy(definite.filter(isDenial), ({ call }) =>
    valueKey(casParts(call.input).from),
  );
  const { from = -1, until = Infinity, values } = key.excerpt ?? {};
  for (const [value, { unique, initial, producers, observers }] of uses) {
    // A cas from the value to itself is no source of it.
    const sources = producers.filter(({ call }) => !keepsValue(call));
    if (unique || (sources.length === 0 && !initial)) continue;
    const firstDenial = earliestEnds(
      (denials.get(value) ?? []).map((op) => ({ op, from: op.start, value: '' })),
    );
    const lastOf = lastToEnd(sources);
    for (const read of observers) {
      // Who wrote it before another moment may not be in the excerpt.
      if (read.end < from || read.end > until) continue;
      const { writers: told, last } = lastOf(read.end);
      const writers = told + (values?.get(value) ?? 0);
      if (writers === 0 && !initial) continue;
      const after = last?.end ?? -1;
      const found = [firstWithAnother(after, value), firstDenial(after, value)];
      const newer = found.find((op) => op !== undefined && op.end < read.start);
      if (newer === undefined) continue;
      yield { kind: 'reused-value-read', older: last, writers, newer, read };
    }
  }
}

/** Says only that the value it expected was not there. */
function isDenial({ call }: KeyOp): boolean {
  return call.outcome === 'refused' && call.seen === undefined;
}

function keepsValue(call: KeyOp['call']): boolean {
  const [needs, puts] = [requiredBy(call), producedBy(call)];
  return needs !== undefined && puts !== undefined && valueKey(needs) === valueKey(puts);
}

/** Of those that began before a moment: how many there are, and which ended last. */
function lastToEnd(
  ops: readonly KeyOp[],
): (before: number) => { readonly writers: number; readonly last: KeyOp | undefined } {
  const lasts: KeyOp[] = [];
  for (const op of ops) {
    const last = lasts.at(-1);
    lasts.push(last === undefined || op.end > last.end ? op : last);
  }
  return (before) => {
    let [low, high] = [0, ops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ops[middle] as KeyOp).start < before) low = middle + 1;
      else high = middle;
    }
    return { writers: low, last: lasts[low - 1] };
  };
}
