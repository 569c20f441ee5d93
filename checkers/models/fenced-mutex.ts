import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped } from './model.ts';
import { heldText, holdersIn, notOwner } from './mutex.ts';

/**
 * A mutex whose every `acquire` answers with a token, a whole number above all tokens before it
 * (Kleppmann, "How to do distributed locking", 2016). Where a token is not known, the next one
 * must be above the lowest it can have been.
 */
export const fencedMutex: Model = {
  name: 'fenced-mutex',
  functions: ['acquire', 'release'],
  init: [null, 0],
  step,
  readOnly,
  removable: onlyReadsRemovable(readOnly),
  starts,
};

function readOnly({ outcome }: Call): boolean {
  return outcome === 'refused';
}

/** Who holds it, as in `mutex`, and the last token or its lower bound. */
type State = readonly [held: readonly [JsonValue] | null, token: number];

function step(state: JsonValue, call: Call): Stepped {
  const [held, last] = state as State;
  if (call.outcome === 'refused') return { state };
  if (call.f === 'release') return notOwner(held, call.input) ?? { state: [null, last] };
  if (held !== null) return { inconsistent: heldText(held) };
  const token = call.outcome === 'ok' ? call.output : null;
  if (typeof token !== 'number') return { state: [[call.input], last + 1] };
  if (token <= last)
    return { inconsistent: `token ${shown(token)} is not above ${last}, the one before` };
  return { state: [[call.input], token] };
}

/** The lower the last token, the more is allowed; this one is too low to forbid any. */
function starts(calls: readonly Call[]): readonly JsonValue[] {
  const tokens = calls.flatMap(({ output }) => (typeof output === 'number' ? [output] : []));
  const low = tokens.reduce((least, token) => Math.min(least, token), 0) - calls.length - 1;
  return holdersIn(calls).map((held): JsonValue => [held, low]);
}
