import type { KeyHistory, KeyOp } from '../key-history.ts';
import { producedBy, requiredBy, valueKey } from '../models/register.ts';

/** One revision of one key with two values: the store holds two histories. */
export interface TwoValues {
  readonly revision: number;
  readonly one: KeyOp;
  readonly other: KeyOp;
}

/** The first contradiction of each key, among reads and acknowledged writes. */
export function twoValuesAtOneRevision({ ops }: KeyHistory): TwoValues | undefined {
  const known = new Map<number, { readonly op: KeyOp; readonly value: string }>();
  for (const op of ops.toSorted((a, b) => a.end - b.end)) {
    const { call, completion } = op;
    if (call.outcome !== 'ok') continue;
    const made = producedBy(call);
    const { revision, modRevision } = completion?.server ?? {};
    const at = made === undefined ? modRevision : revision;
    if (at === undefined) continue;
    const value = valueKey(made ?? requiredBy(call) ?? null);
    const before = known.get(at);
    if (before === undefined) known.set(at, { op, value });
    else if (before.value !== value) return { revision: at, one: before.op, other: op };
  }
  return undefined;
}
