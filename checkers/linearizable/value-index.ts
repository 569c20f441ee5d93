import type { JsonValue } from '../../harness/core/json.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { producedBy, register, requiredBy, valueKey } from '../models/register.ts';

/** Everything that one key's history says about one value. */
export interface ValueUse {
  readonly value: JsonValue;
  /** Operations that wrote it, or may have; in order of invocation. */
  readonly producers: readonly KeyOp[];
  /** Operations that prove it was there at some moment between their start and end. */
  readonly observers: readonly KeyOp[];
  /** Operations that would have written it, had they not failed. */
  readonly failed: readonly KeyOp[];
  /** The register begins with it. */
  readonly initial: boolean;
  /** It can have appeared only once: it was in the register for one span of time, or never. */
  readonly unique: boolean;
}

/** `init`: what the register begins with. */
export function valueUses(key: KeyHistory, init: JsonValue = register.init): Map<string, ValueUse> {
  interface Growing {
    value: JsonValue;
    producers: KeyOp[];
    observers: KeyOp[];
    failed: KeyOp[];
  }
  const uses = new Map<string, Growing>();
  const useOf = (value: JsonValue): Growing => {
    const text = valueKey(value);
    const use = uses.get(text) ?? { value, producers: [], observers: [], failed: [] };
    uses.set(text, use);
    return use;
  };
  useOf(init);
  for (const op of key.ops) {
    const [produced, required] = [producedBy(op.call), requiredBy(op.call)];
    if (produced !== undefined) useOf(produced).producers.push(op);
    if (required !== undefined && op.end !== Infinity && isKnown(key, valueKey(required)))
      useOf(required).observers.push(op);
  }
  for (const op of key.failed) {
    const produced = producedBy(op.call);
    if (produced !== undefined) useOf(produced).failed.push(op);
  }
  const known = new Map<string, ValueUse>();
  for (const [text, use] of uses) {
    const initial = text === valueKey(init);
    known.set(text, {
      ...use,
      initial,
      unique: isKnown(key, text) && use.producers.length + (initial ? 1 : 0) === 1,
    });
  }
  return known;
}

/** Whether all that matters of a value is there. */
function isKnown({ excerpt }: KeyHistory, text: string): boolean {
  return excerpt === undefined || excerpt.values.has(text);
}

/** A span of time throughout which a unique value was in the register. */
export interface Zone {
  readonly use: ValueUse;
  /** By `from` the value was there; -1 for the initial one. */
  readonly from: number;
  /** What proves that; undefined for the initial value. */
  readonly proof: KeyOp | undefined;
  /** At `to` it was still there, as `last` shows. */
  readonly to: number;
  readonly last: KeyOp;
}

/**
 * The forward zones of Gibbons and Korach ("Testing shared memories", 1997): from the first moment
 * by which an operation on the value had ended to the last at which one began.
 */
export function zonesOf(uses: Iterable<ValueUse>): Zone[] {
  const zones: Zone[] = [];
  for (const use of uses) {
    const last = most(use.observers, ({ start }) => start);
    if (!use.unique || last === undefined) continue;
    const ended = most([...use.producers, ...use.observers], ({ end }) => -end);
    const from = use.initial ? -1 : (ended?.end ?? Infinity);
    if (from >= last.start) continue;
    zones.push({ use, from, proof: use.initial ? undefined : ended, to: last.start, last });
  }
  return zones.toSorted((a, b) => a.from - b.from);
}

/** The item with the highest score; of equals the first. */
export function most<T>(items: readonly T[], score: (item: T) => number): T | undefined {
  let best: T | undefined;
  for (const item of items) if (best === undefined || score(item) > score(best)) best = item;
  return best;
}
