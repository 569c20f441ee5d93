import type { JsonValue } from '../../harness/core/json.ts';
import type { Call, Model } from '../models/model.ts';
import { DistinctCalls } from './distinct-calls.ts';
import { PairMap } from './pair-map.ts';
import { zeros } from './room.ts';
import { ValueNumbers } from './value-numbers.ts';

export const ILLEGAL = -1;

/**
 * A model reduced to numbers: each distinct state and each distinct call gets one, and each step is
 * asked of the model once.
 */
export interface Transitions {
  readonly init: number;
  /** Calls with the same number are the same to the model. */
  readonly kindOf: Int32Array;
  /** One call of each number. */
  readonly kinds: readonly Call[];
  /** The next state, or `ILLEGAL`. */
  readonly step: (state: number, kind: number) => number;
  readonly stateOf: (state: number) => JsonValue;
  /** Gives these states a number as well, and says how many have one. */
  readonly number: (more: readonly JsonValue[]) => number;
}

export function createTransitions(calls: readonly Call[], model: Model): Transitions {
  const distinct = new DistinctCalls();
  const kindOf = zeros(calls.length);
  for (let at = 0; at < calls.length; at++) kindOf[at] = distinct.of(calls[at] as Call);
  const { kinds } = distinct;
  const states: JsonValue[] = [];
  const values = new ValueNumbers();
  /** The number of a state by that of its value; parts of values have numbers, too. */
  const numbers: number[] = [];
  const intern = (state: JsonValue): number => {
    const value = values.of(state);
    return (numbers[value] ??= states.push(state) - 1);
  };
  const known = new PairMap();
  return {
    init: intern(model.init),
    kindOf,
    kinds,
    step: (state, kind) => {
      const before = known.get(state, kind);
      if (before !== undefined) return before;
      const stepped = model.step(states[state] as JsonValue, kinds[kind] as Call);
      const to = 'state' in stepped ? intern(stepped.state) : ILLEGAL;
      known.add(state, kind, to);
      return to;
    },
    stateOf: (state) => states[state] as JsonValue,
    number: (more) => {
      for (const state of more) intern(state);
      return states.length;
    },
  };
}
