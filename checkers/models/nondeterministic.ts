import type { JsonValue } from '../../harness/core/json.ts';
import type { Call, Model, Stepped } from './model.ts';

/** An object that may go on in more than one way after the same answer. */
export interface NondeterministicModel {
  readonly name: string;
  readonly functions: readonly string[];
  /** The states it may begin in; at least one. */
  readonly init: readonly JsonValue[];
  readonly per?: Model['per'];
  readonly stamps?: Model['stamps'];
  /** All states that `call` may lead to; or why it leads to none. */
  step(state: JsonValue, call: Call): Steps;
  /** As for a model, where `state` is one of those that it may be in. */
  readOnly(call: Call): boolean;
  /** Default: the operations that only read. */
  removable?(calls: readonly Call[]): readonly boolean[];
}

export type Steps = { readonly states: readonly JsonValue[] } | { readonly inconsistent: string };

/**
 * The same object as a model: its state is the set of all states that it may be in.
 *
 * A read then rules out the states that it does not fit, so it changes the set and must not be
 * placed eagerly; only what fits every state alike, an indefinite read, is read-only here. It may
 * still be left out: what is possible with fewer states is possible with more.
 */
export function nondeterministic(inner: NondeterministicModel): Model {
  const { name, functions, per, stamps } = inner;
  return {
    name,
    functions,
    init: unique(inner.init),
    ...(per !== undefined && { per }),
    ...(stamps !== undefined && { stamps }),
    step: (states, call) => stepAll(states as readonly JsonValue[], call, inner),
    readOnly: (call) => call.outcome === 'indefinite' && inner.readOnly(call),
    removable: (calls) => inner.removable?.(calls) ?? calls.map((call) => inner.readOnly(call)),
  };
}

function stepAll(states: readonly JsonValue[], call: Call, inner: NondeterministicModel): Stepped {
  const reached: JsonValue[] = [];
  let why = 'no state is left';
  for (const state of states) {
    const stepped = inner.step(state, call);
    if ('states' in stepped) reached.push(...stepped.states);
    else why = stepped.inconsistent;
  }
  return reached.length === 0 ? { inconsistent: why } : { state: unique(reached) };
}

/** Each state once, in the order of their JSON texts, so that equal sets have equal texts. */
function unique(states: readonly JsonValue[]): readonly JsonValue[] {
  const byText = new Map(states.map((state) => [JSON.stringify(state), state]));
  return [...byText].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, state]) => state);
}
