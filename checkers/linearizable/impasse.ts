/**
 * How far the orders of a few operations get, and why none gets further: the states in which the
 * one that is left over could come next, each with the reason that the model gives.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';

/** One way to get to where nothing goes on. */
export interface Way {
  /** Positions of what has taken effect, in that order. */
  readonly order: readonly number[];
  /** Why the operation that is left over cannot come next, in the words of the model. */
  readonly why: string;
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
    const { passed, stuck } = expand(here, target, ops, model, left);
    left -= stuck.length + passed.length;
    if (left < 0) return undefined;
    if (passed.length === 0) return { blocked: target, ways: waysOf(stuck, target, ops, model) };
    here = passed;
  }
  return undefined;
}

/** Places what may come next, until the target has its place, in all ways. */
function expand(
  from: readonly Configuration[],
  target: number,
  ops: readonly Interval[],
  model: Model,
  max: number,
): { readonly passed: Configuration[]; readonly stuck: Configuration[] } {
  const moment = endOf(ops, target);
  const open = [...ops.keys()].filter(
    (at) => (ops[at] as Interval).start <= moment && endOf(ops, at) >= moment,
  );
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
  for (let next = 0; next < waiting.length && next <= max; next++) {
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
  const ways = new Map<string, Way>();
  for (const { state, order } of stuck) {
    const stepped = model.step(state, (ops[target] as Interval).call);
    if ('state' in stepped) continue;
    const why = stepped.inconsistent;
    const known = ways.get(why);
    if (known === undefined || order.length < known.order.length) ways.set(why, { order, why });
  }
  return [...ways.values()].toSorted((a, b) => a.order.length - b.order.length);
}

function endOf(ops: readonly Interval[], at: number): number {
  return (ops[at] as Interval).end;
}
