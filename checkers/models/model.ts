/**
 * Sequential specifications. A model is plain data and pure functions: what an object is at the
 * start, what one operation makes of it, and which operations a proof may leave out. It knows
 * nothing of time, processes or search.
 */
import type { JsonValue } from '../../harness/core/json.ts';

/** One operation as a model sees it: what was asked and what is known of the answer. */
export interface Call {
  readonly f: string;
  /** The value of the invocation. */
  readonly input: JsonValue;
  /** The value of the `ok` completion; null otherwise. */
  readonly output: JsonValue;
  /**
   * `ok`: it happened. `refused`: it was turned down and said what it saw. `indefinite`: it may
   * take effect at any time from its invocation on, or never.
   */
  readonly outcome: 'ok' | 'refused' | 'indefinite';
  /** For `refused`: the value it found. */
  readonly seen?: JsonValue;
}

/** The next state, or why the operation cannot happen in this one. */
export type Stepped = { readonly state: JsonValue } | { readonly inconsistent: string };

export interface Model {
  readonly name: string;
  /** The functions it knows; operations with others are not judged. */
  readonly functions: readonly string[];
  readonly init: JsonValue;
  /** An indefinite operation is only asked for in states where it would take effect. */
  step(state: JsonValue, call: Call): Stepped;
  /**
   * True if the operation never changes the state, in whatever state it is legal. The engine then
   * places it as soon as it fits and never looks back.
   */
  readOnly(call: Call): boolean;
  /**
   * For each of `calls`, which are all of one history: true if leaving it out keeps every
   * linearizable history linearizable. Any set of the true ones may be left out together. Shrinking
   * a counterexample is honest only along these.
   */
  removable(calls: readonly Call[]): readonly boolean[];
  /**
   * Stand-ins for every state there is: whatever the object holds before `calls`, one of these
   * states allows at least the same orders of them.
   */
  starts(calls: readonly Call[]): readonly JsonValue[];
}
