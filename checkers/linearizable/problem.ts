/** A history as the engine takes it: numbers in columns, and a question to ask of the model. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Interval } from '../key-history.ts';
import type { Call, Model } from '../models/model.ts';
import { ranksOf } from './columns.ts';
import { zeros } from './room.ts';
import { createTransitions } from './transitions.ts';

/** The moment of a completion that never came. */
export { NEVER } from './columns.ts';

export const READ_ONLY = 1;
export const OVERWRITE = 2;

export interface Problem {
  /** Of each operation, in order of invocation: those with the same kind are the same to the model. */
  readonly kinds: Int32Array;
  /**
   * Moments of invocations and completions: 0, 1, 2, ... without a gap; or `NEVER`. A search by
   * itself takes gaps as well, but no order can be written out then.
   */
  readonly calls: Int32Array;
  readonly returns: Int32Array;
  /** Of each kind: `READ_ONLY`, `OVERWRITE` or 0. */
  readonly flags: Uint8Array;
  /** The state after an operation of this kind; -1 where it is illegal. State 0 is the first. */
  readonly step: (state: number, kind: number) => number;
  /** The rules for overwrites that hold for the model. */
  readonly absorption: boolean;
  readonly credit: boolean;
  /**
   * How many of the first states stand for all: whatever the state is before some of the
   * operations, one of these allows at least the same orders of them. Absent: nobody knows.
   */
  readonly states?: () => number;
  /**
   * It begins in any of the first so many states; default: in the first. If they are several, no
   * order can be written out.
   */
  readonly starts?: number;
}

/** With the states of the model that the numbers of states stand for. */
export interface ModelProblem extends Problem {
  readonly stateOf: (state: number) => JsonValue;
}

/**
 * `ops` in order of `start`. `begin`: the states that it may begin in; default: the model's own. Of
 * equal moments invocations come first, so that doubt is concurrency.
 */
export function problemOf(
  ops: readonly Interval[],
  model: Model,
  begin: readonly JsonValue[] = [model.init],
): ModelProblem {
  const calls = ops.map(({ call }) => call);
  const [init = model.init] = begin;
  const transitions = createTransitions(calls, { ...model, init });
  const rules = model.dominance ?? [];
  return {
    kinds: transitions.kindOf,
    ...momentsOf(ops),
    flags: Uint8Array.from(transitions.kinds.map((call) => flagOf(call, model))),
    step: transitions.step,
    stateOf: transitions.stateOf,
    absorption: rules.includes('absorption'),
    credit: rules.includes('credit'),
    starts: transitions.number(begin),
    ...(model.starts && { states: () => transitions.number(model.starts?.(calls) ?? []) }),
  };
}

function flagOf(call: Call, model: Model): number {
  if (model.readOnly(call)) return READ_ONLY;
  return model.overwrites?.(call) === true ? OVERWRITE : 0;
}

function momentsOf(ops: readonly Interval[]): Pick<Problem, 'calls' | 'returns'> {
  const ranks = ranksOf(ops);
  const calls = zeros(ops.length);
  const returns = zeros(ops.length);
  for (let op = 0; op < ops.length; op++) {
    calls[op] = ranks[2 * op] as number;
    returns[op] = ranks[2 * op + 1] as number;
  }
  return { calls, returns };
}
