import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, type Stepped, sameValue } from './model.ts';

/** Values are compared by their JSON text: registers hold numbers and short strings. */
export function valueKey(value: JsonValue): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** `from` and `to` of a compare-and-set; anything that is not a pair reads as null. */
export function casParts(input: JsonValue): { readonly from: JsonValue; readonly to: JsonValue } {
  const [from = null, to = null] = Array.isArray(input) ? (input as readonly JsonValue[]) : [];
  return { from, to };
}

/** The value that must be in the register when this operation takes effect; undefined: any. */
export function requiredBy(call: Call): JsonValue | undefined {
  if (call.outcome === 'refused') return call.seen;
  if (call.f === 'cas') return casParts(call.input).from;
  return call.f === 'read' && call.outcome === 'ok' ? call.output : undefined;
}

/** The value that this operation leaves in the register if it takes effect; undefined: none. */
export function producedBy(call: Call): JsonValue | undefined {
  if (call.outcome === 'refused') return undefined;
  if (call.f === 'write') return call.input;
  return call.f === 'cas' ? casParts(call.input).to : undefined;
}

/**
 * One register: `read`, `write`, `cas` [from, to]; null means absent. A refused `cas` is a read of
 * what it saw, or of something it does not say, which must differ from what it expected.
 */
export const register: Model = {
  name: 'register',
  functions: ['read', 'write', 'cas'],
  init: null,
  step,
  readOnly: (call) => call.f === 'read' || call.outcome === 'refused',
  overwrites: (call) => call.f === 'write' && call.outcome !== 'refused',
  dominance: ['absorption', 'credit'],
  removable,
  starts,
};

function step(state: JsonValue, call: Call): Stepped {
  const required = requiredBy(call);
  if (required !== undefined && !sameValue(required, state))
    return { inconsistent: `the register held ${heldText(state)}, not ${shown(required)}` };
  if (call.outcome === 'refused' && sameValue(casParts(call.input).from, state))
    return { inconsistent: `a cas from ${shown(state)} was refused although it matched` };
  const produced = producedBy(call);
  return { state: produced === undefined ? state : produced };
}

/**
 * Operations that only read may go: the others pass through the same states without them. So may
 * a write or cas whose value nobody requires: in any legal order, what follows it up to the next
 * change requires no value at all, and that next change is a write, which fits any state; so the
 * order without it is legal too. Leaving out several such operations only lowers what is required.
 *
 * A refused cas that did not say what it saw requires anything but one value, and any write may be
 * what saved it from that: as long as there is one, no write goes.
 */
function removable(calls: readonly Call[]): readonly boolean[] {
  const required = new Set<string>();
  for (const call of calls) {
    const value = requiredBy(call);
    if (value !== undefined) required.add(valueKey(value));
  }
  const anyCounts = calls.some(({ outcome, seen }) => outcome === 'refused' && seen === undefined);
  return calls.map((call) => {
    const value = producedBy(call);
    return value === undefined || !(anyCounts || required.has(valueKey(value)));
  });
}

/** No operation takes or gives a pair, so none can tell this from any other unknown value. */
const SOMETHING_ELSE: JsonValue = ['a value that nobody requires'];

function heldText(state: JsonValue): string {
  return sameValue(state, SOMETHING_ELSE) ? 'something else' : shown(state);
}

/** Each value that some operation requires, and one for all the others. */
function starts(calls: readonly Call[]): readonly JsonValue[] {
  const required = new Map<string, JsonValue>();
  for (const call of calls) {
    const value = requiredBy(call);
    if (value !== undefined) required.set(valueKey(value), value);
  }
  return [...required.values(), SOMETHING_ELSE];
}
