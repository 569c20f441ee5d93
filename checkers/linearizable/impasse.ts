/**
 * How far the orders of a few operations get, and why none gets further: the states in which the
 * one that is left over could come next, each with the reason that the model gives.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';

/** A state just before the operation that is left over, which cannot come next there. */
export interface End {
  readonly state: JsonValue;
  /** Why it cannot, in the words of the model. */
  readonly why: string;
}

/** One way to get to where nothing goes on. */
export interface Way extends End {
  /** Positions of what has taken effect, in that order. */
  readonly order: readonly number[];
  /** Others under way that cannot come next there either; what can is on another way. */
  readonly others: readonly { readonly op: number; readonly why: string }[];
}

export interface Impasse {
  /** Position of the operation that no order gets past. */
  readonly blocked: number;
  /** For each reason one of the shortest ways, in order of length. */
  readonly ways: readonly Way[];
}

/** More than a second of work is not worth it. */
const CONFIGURATIONS_MAX = 20_000;
const OPERATIONS_MAX = 2000;

interface Configuration {
  readonly state: JsonValue;
  /** What is placed and has not completed, in order of position. */
  readonly early: readonly number[];
  readonly order: readonly number[];
}

/**
 * Tries all orders, completion by completion. `starts`: the states to begin in. Undefined: there is
 * an order, or there is too much to try.
 */
export function impasseOf(
  ops: readonly Interval[],
  model: Model,
  starts: readonly JsonValue[] = [model.init],
): Impasse | undefined {
  if (ops.length > OPERATIONS_MAX) return undefined;
  const completing = [...ops.keys()]
    .filter((at) => endOf(ops, at) !== Infinity)
    .toSorted((a, b) => endOf(ops, a) - endOf(ops, b));
  let here: readonly Configuration[] = starts.map((state) => ({ state, early: [], order: [] }));
  let left = CONFIGURATIONS_MAX;
  for (const target of completing) {
    const expanded = expand(here, target, ops, model, left);
    if (expanded === undefined) return undefined;
    const { passed, stuck } = expanded;
    left -= stuck.length + passed.length;
    if (passed.length === 0) return { blocked: target, ways: waysOf(stuck, target, ops, model) };
    here = passed;
  }
  return undefined;
}

/** Places what may come next, until the target has its place, in all ways; undefined: they are too many. */
function expand(
  from: readonly Configuration[],
  target: number,
  ops: readonly Interval[],
  model: Model,
  max: number,
): { readonly passed: Configuration[]; readonly stuck: Configuration[] } | undefined {
  const open = underWay(ops, endOf(ops, target));
  const passed: Configuration[] = [];
  const stuck: Configuration[] = [];
  const known = new Set<string>();
  const waiting: Configuration[] = [];
  const add = (one: Configuration): void => {
    const text = `${JSON.stringify(one.state)} ${one.early.join()}`;
    if (known.has(text)) return;
    known.add(text);
    waiting.push(one);
  };
  for (const one of from) add(one);
  for (let next = 0; next < waiting.length; next++) {
    // Each that waits is in memory with its whole order, and may make hundreds more.
    if (waiting.length > max) return undefined;
    const { state, early, order } = waiting[next] as Configuration;
    if (early.includes(target)) {
      passed.push({ state, early: early.filter((at) => at !== target), order });
      continue;
    }
    stuck.push({ state, early, order });
    for (const at of open) {
      if (early.includes(at)) continue;
      const stepped = model.step(state, (ops[at] as Interval).call);
      if (!('state' in stepped)) continue;
      const placed = [...early, at].toSorted((a, b) => a - b);
      add({ state: stepped.state, early: placed, order: [...order, at] });
    }
  }
  return { passed, stuck };
}

function waysOf(
  stuck: readonly Configuration[],
  target: number,
  ops: readonly Interval[],
  model: Model,
): Way[] {
  const ways = new Map<string, Configuration>();
  for (const one of stuck) {
    const why = refusal(one.state, ops[target] as Interval, model);
    const known = why === undefined ? undefined : ways.get(why);
    if (why === undefined || (known !== undefined && one.order.length >= known.order.length))
      continue;
    ways.set(why, one);
  }
  return [...ways]
    .map(([why, { state, early, order }]) => {
      const left = underWay(ops, endOf(ops, target)).filter((at) => !early.includes(at));
      const others = left.flatMap((op) => {
        const reason = op === target ? undefined : refusal(state, ops[op] as Interval, model);
        return reason === undefined ? [] : [{ op, why: reason }];
      });
      return { state, why, order, others };
    })
    .toSorted((a, b) => a.order.length - b.order.length);
}

function underWay(ops: readonly Interval[], moment: number): number[] {
  return [...ops.keys()].filter(
    (at) => (ops[at] as Interval).start <= moment && endOf(ops, at) >= moment,
  );
}

/** Why an operation cannot come next; undefined: it can. */
export function refusal(state: JsonValue, { call }: Interval, model: Model): string | undefined {
  const stepped = model.step(state, call);
  return 'state' in stepped ? undefined : stepped.inconsistent;
}

function endOf(ops: readonly Interval[], at: number): number {
  return (ops[at] as Interval).end;
}
