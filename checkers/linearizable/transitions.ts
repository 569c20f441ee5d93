import type { JsonValue } from '../../harness/core/json.ts';
import { type Call, callText, type Model } from '../models/model.ts';

export const ILLEGAL = -1;

/**
 * A model reduced to numbers: each distinct state and each distinct call gets one, and each step is
 * asked of the model once.
 */
export interface Transitions {
  readonly init: number;
  /** Calls with the same number are the same to the model. */
  readonly kindOf: readonly number[];
  /** The next state, or `ILLEGAL`. */
  step(state: number, kind: number): number;
  stateOf(state: number): JsonValue;
}

export function createTransitions(calls: readonly Call[], model: Model): Transitions {
  const kinds: Call[] = [];
  const kindIds = new Map<string, number>();
  const kindOf = calls.map((call) => {
    const text = callText(call);
    const id = kindIds.get(text) ?? kinds.push(call) - 1;
    kindIds.set(text, id);
    return id;
  });
  const states: JsonValue[] = [];
  const stateIds = new Map<string, number>();
  const intern = (state: JsonValue): number => {
    const text = JSON.stringify(state);
    const id = stateIds.get(text) ?? states.push(state) - 1;
    stateIds.set(text, id);
    return id;
  };
  const known = new Map<number, number>();
  return {
    init: intern(model.init),
    kindOf,
    step: (state, kind) => {
      const at = state * kinds.length + kind;
      const before = known.get(at);
      if (before !== undefined) return before;
      const stepped = model.step(states[state] as JsonValue, kinds[kind] as Call);
      const to = 'state' in stepped ? intern(stepped.state) : ILLEGAL;
      known.set(at, to);
      return to;
    },
    stateOf: (state) => states[state] as JsonValue,
  };
}
