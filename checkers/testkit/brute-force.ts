/**
 * The oracle: is one key of a history linearizable as a register? It tries every order, shares no
 * code with the checkers, and is only usable for about eight operations.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';

interface Step {
  readonly start: number;
  readonly end: number;
  readonly mayBeLeftOut: boolean;
  /** The value after it, or `no` where it cannot happen. */
  readonly apply: (value: string) => string;
}

export function bruteForceLinearizable(history: History, key: string): boolean {
  const steps: Step[] = [];
  for (const { invoke, completion } of history.operationsByKey().get(key) ?? []) {
    const step = stepOf(invoke, completion);
    if (step !== undefined) steps.push(step);
  }
  return somehow('null', steps);
}

function somehow(value: string, left: readonly Step[]): boolean {
  if (left.every((step) => step.mayBeLeftOut)) return true;
  return left.some((step) => {
    if (left.some((other) => other.end < step.start)) return false;
    const after = step.apply(value);
    return (
      after !== 'no' &&
      somehow(
        after,
        left.filter((other) => other !== step),
      )
    );
  });
}

function stepOf(invoke: Op, completion: Op | undefined): Step | undefined {
  const done = completion?.type === 'ok';
  const text = (value: unknown): string => `=${JSON.stringify(value)}`;
  const isText = (value: string, wanted: unknown): boolean =>
    value === text(wanted) || (value === 'null' && wanted === null);
  const normal = (value: unknown): string => (value === null ? 'null' : text(value));
  const base = {
    start: invoke.index,
    end: done ? completion.index : Infinity,
    mayBeLeftOut: !done,
  };
  if (completion?.type === 'fail') {
    const { seen } = completion;
    if (invoke.f !== 'cas' || completion.error?.code !== 'cas-mismatch') return undefined;
    const [from] = invoke.value as [unknown, unknown];
    return {
      ...base,
      end: completion.index,
      mayBeLeftOut: false,
      apply: (value) =>
        (seen === undefined || isText(value, seen)) && !isText(value, from) ? value : 'no',
    };
  }
  switch (invoke.f) {
    case 'read':
      return {
        ...base,
        apply: (value) => (!done || isText(value, completion.value) ? value : 'no'),
      };
    case 'write':
      return { ...base, apply: () => normal(invoke.value) };
    case 'cas': {
      const [from, to] = invoke.value as [unknown, unknown];
      return { ...base, apply: (value) => (isText(value, from) ? normal(to) : 'no') };
    }
    default:
      return undefined;
  }
}

/**
 * The same for any model: all orders, with nothing of the model but its steps. For up to about
 * seven operations.
 */
export function bruteForceOrder(ops: readonly Interval[], model: Model): boolean {
  const from = (state: JsonValue, left: readonly Interval[]): boolean =>
    left.every(({ call }) => call.outcome === 'indefinite') ||
    left.some((op) => {
      if (left.some(({ end }) => end < op.start)) return false;
      const stepped = model.step(state, op.call);
      const rest = left.filter((other) => other !== op);
      return 'state' in stepped && from(stepped.state, rest);
    });
  return from(model.init, ops);
}
