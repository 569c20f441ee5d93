/**
 * Sequential specifications. A model is plain data and pure functions: what an object is at the
 * start, what one operation makes of it, and which shortcuts a search may take with it. It knows
 * nothing of time, processes or search.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { ServerStamp } from '../../harness/history/op.ts';

/** What an answer may say of the store's own count of changes. */
export type Stamp = Pick<ServerStamp, 'revision' | 'modRevision' | 'version'>;

/** One operation as a model sees it: what was asked and what is known of the answer. */
export interface Call {
  readonly f: string;
  /** The value of the invocation. */
  readonly input: JsonValue;
  /** The value of the `ok` completion; null otherwise. */
  readonly output: JsonValue;
  /**
   * `ok`: it happened. `refused`: it was turned down because of what it saw. `indefinite`: it may
   * take effect at any time from its invocation on, or never; whatever else the call says of its
   * answer then means nothing.
   */
  readonly outcome: 'ok' | 'refused' | 'indefinite';
  /** For `refused`: the value it found; absent if it only said that it was not the expected one. */
  readonly seen?: JsonValue;
  /** Only for models of a whole store. */
  readonly key?: string;
  /** Only for models with `stamps`, and of those only the fields that the answer had. */
  readonly stamp?: Stamp;
}

/** The next state, or why the operation cannot happen in this one. */
export type Stepped = { readonly state: JsonValue } | { readonly inconsistent: string };

/**
 * A rule by which a search may prefer one configuration to another; see `overwrites`.
 * - `absorption`: when one overwriting operation takes effect, the others that wait may be thought
 *   of as having done so just before, unseen.
 * - `credit`: a read that waited then may have seen one of those.
 */
export type Dominance = 'absorption' | 'credit';

export interface Model {
  readonly name: string;
  /** The functions it knows; operations with others are not judged. */
  readonly functions: readonly string[];
  readonly init: JsonValue;
  /** What is one object: each key by itself (the default), or the store with all its keys. */
  readonly per?: 'key' | 'store';
  /** True if `step` looks at stamps. Without it, calls that differ only in them are the same. */
  readonly stamps?: boolean;
  /**
   * An indefinite operation is only asked for in states where it would take effect. States with
   * the same JSON text are the same.
   */
  step(state: JsonValue, call: Call): Stepped;
  /**
   * True if the operation never changes the state, in whatever state it is legal. The engine then
   * places it as soon as it fits and never looks back. Where a state stands for several, an
   * operation that rules some of them out does change it.
   */
  readOnly(call: Call): boolean;
  /**
   * True for a blind write: it is legal in every state, and the state afterwards does not depend
   * on the state before. Absent: none is.
   */
  overwrites?(call: Call): boolean;
  /** The rules that hold for operations that overwrite. Absent: none, which is always sound. */
  readonly dominance?: readonly Dominance[];
  /**
   * For each of `calls`, which are all of one history: true if leaving it out keeps every
   * linearizable history linearizable. Any set of the true ones may be left out together. Shrinking
   * a counterexample is honest only along these, and a search drops the indefinite ones of them.
   */
  removable(calls: readonly Call[]): readonly boolean[];
  /**
   * Stand-ins for every state there is: whatever the object holds before `calls`, one of these
   * states allows at least the same orders of them. Absent: nobody knows such a list, and the
   * beginning of a history cannot be cut off.
   */
  starts?(calls: readonly Call[]): readonly JsonValue[];
}

/** Calls with the same text are the same to every model. */
export function callText({ f, input, output, outcome, seen, key, stamp }: Call): string {
  const rest = [seen === undefined ? [] : [seen], key ?? 0];
  const stamped = stamp && [stamp.revision ?? -1, stamp.modRevision ?? -1, stamp.version ?? -1];
  return JSON.stringify([f, input, output, outcome, ...rest, stamped ?? 0]);
}

/** Whether two values have the same JSON text. */
export function sameValue(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  const areTold = typeof a !== 'object' || typeof b !== 'object' || a === null || b === null;
  return !areTold && JSON.stringify(a) === JSON.stringify(b);
}

/**
 * The `removable` of a model that knows no more than this: without an operation that never changes
 * the state, the others pass through the same states as with it.
 */
export function onlyReadsRemovable(
  readOnly: Model['readOnly'],
): (calls: readonly Call[]) => readonly boolean[] {
  return (calls) => calls.map((call) => readOnly(call));
}
