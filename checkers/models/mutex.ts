import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped, sameValue } from './model.ts';

/**
 * A lock that one owner holds: `acquire` and `release`, whose value is the owner. Where nobody
 * names an owner (null), any release ends any hold. An `acquire` that was refused saw it held; by
 * whom, if it says so.
 */
export const mutex: Model = {
  name: 'mutex',
  functions: ['acquire', 'release'],
  init: null,
  step,
  readOnly,
  removable: onlyReadsRemovable(readOnly),
  starts: (calls) => holdersIn(calls).map((held): JsonValue => held),
};

function readOnly({ outcome }: Call): boolean {
  return outcome === 'refused';
}

/** Null while it is free, else a list of its one owner. */
type Held = null | readonly [JsonValue];

function step(state: JsonValue, call: Call): Stepped {
  const held = state as Held;
  if (call.outcome === 'refused') return refused(held, call) ?? { state };
  if (call.f === 'acquire')
    return held === null ? { state: [call.input] } : { inconsistent: heldText(held) };
  return notOwner(held, call.input) ?? { state: null };
}

function refused(held: Held, { f, input, seen = null }: Call): Stepped | undefined {
  const isHolder = held !== null && sameValue(held[0], input);
  if (f === 'release')
    return isHolder ? { inconsistent: 'a release was refused to the owner' } : undefined;
  if (held === null) return { inconsistent: 'an acquire was refused although the lock was free' };
  return seen === null || sameValue(held[0], seen) ? undefined : { inconsistent: heldText(held) };
}

/** No call names a list as an owner, so that none can tell this from any other unknown one. */
const SOMEBODY_ELSE: JsonValue = ['somebody else'];

/** Free, held by each owner that is named, or by one who is not. */
export function holdersIn(calls: readonly Call[]): readonly Held[] {
  const owners = new Map<string, JsonValue>();
  for (const { input, seen } of calls)
    for (const owner of seen === undefined ? [input] : [input, seen])
      owners.set(JSON.stringify(owner), owner);
  return [null, ...[...owners.values(), SOMEBODY_ELSE].map((owner): Held => [owner])];
}

/** Why `owner` cannot release; undefined: it can. */
export function notOwner(
  held: readonly [JsonValue, ...JsonValue[]] | null,
  owner: JsonValue,
): { readonly inconsistent: string } | undefined {
  if (held !== null && sameValue(held[0], owner)) return undefined;
  return { inconsistent: held === null ? 'the lock was free' : heldText(held) };
}

/** `the lock was held`, and by whom where that is known. */
export function heldText(held: readonly [JsonValue, ...JsonValue[]]): string {
  if (held[0] === null) return 'the lock was held';
  const isNamed = !sameValue(held[0], SOMEBODY_ELSE);
  return `the lock was held by ${isNamed ? shown(held[0]) : 'somebody else'}`;
}
