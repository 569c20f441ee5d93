/** Decides whether the operations of a store have an order, by the cheapest proof there is. */
import { nanos } from '../../harness/core/units.ts';
import type { KeyOp } from '../key-history.ts';
import { decide } from '../linearizable/portfolio.ts';
import type { SearchBudget } from '../linearizable/wgl.ts';
import { precedences } from './precedence.ts';
import { type OrderProblem, objectsOf, problemOf } from './problem.ts';
import { revisionOrder } from './revision-order.ts';
import { type Effort, type OrderSearch, searchOrder } from './search.ts';
import { shrinkOrder } from './shrink.ts';

export type OrderJudgement = Effort &
  (
    | {
        readonly result: 'valid';
        /** `linearizable`: each key is, and what keeps all order keeps any part of it. */
        readonly by: 'revisions' | 'linearizable' | 'search';
        /** Positions of an order, where one was made. */
        readonly order?: readonly number[];
      }
    | {
        readonly result: 'invalid';
        readonly by: 'circle' | 'key' | 'search';
        /** A few operations that have no order, and what is left out of which proves nothing. */
        readonly core: readonly KeyOp[];
      }
    | Extract<OrderSearch, { readonly result: 'unknown' }>
  );

/** Steps for a key by itself, whose verdict is a help at most. */
const KEY_STEPS = 2_000_000;
const SHRINK_STEPS = 100_000;
/** Of the time that is left, for each way that may lead to nothing. */
const SHARE = 1 / 3;

export function judgeOrder(problem: OrderProblem, budget: SearchBudget): OrderJudgement {
  const none: Effort = { steps: 0, configurations: 0 };
  const order = revisionOrder(problem);
  if (order !== undefined) return { ...none, result: 'valid', by: 'revisions', order };
  const keys = [...objectsOf(problem.ops, problem.model).values()];
  const help = { ...shareOf(budget), steps: Math.min(budget.steps, KEY_STEPS) };
  if (keys.every((positions) => isLinearizable(problem, positions, help)))
    return { ...none, result: 'valid', by: 'linearizable' };
  const { deadline } = shareOf(budget);
  const known = precedences(problem, () => budget.clock.now() >= deadline);
  if (known !== undefined && 'circle' in known) {
    const core = coreOf(problem, known.circle.ops, budget);
    return { ...none, result: 'invalid', by: 'circle', core };
  }
  const alone = { ...shareOf(budget), steps: help.steps };
  const wrong = keys.length > 1 ? keys.find((key) => hasNoOrder(problem, key, alone)) : undefined;
  if (wrong !== undefined) {
    const core = coreOf(problem, wrong, budget);
    return { ...none, result: 'invalid', by: 'key', core };
  }
  const found = searchOrder(problem, budget, known?.counts);
  if (found.result === 'valid') return { ...found, by: 'search' };
  if (found.result === 'unknown') return found;
  return { ...found, by: 'search', core: coreOf(problem, [...problem.ops.keys()], budget) };
}

function shareOf(budget: SearchBudget): SearchBudget {
  const now = budget.clock.now();
  return { ...budget, deadline: nanos(now + (budget.deadline - now) * SHARE) };
}

function isLinearizable(
  { ops, model }: OrderProblem,
  positions: readonly number[],
  budget: SearchBudget,
): boolean {
  const own = positions.map((at) => ops[at] as KeyOp);
  return decide(own, model, budget).result === 'valid';
}

/** One order of all is an order of each key, so a key without one refutes the whole. */
function hasNoOrder(
  { ops, model, criterion }: OrderProblem,
  positions: readonly number[],
  budget: SearchBudget,
): boolean {
  const own = positions.map((at) => ops[at] as KeyOp);
  return searchOrder(problemOf(own, model, criterion), budget).result === 'invalid';
}

function coreOf(
  { ops, model, criterion }: OrderProblem,
  among: readonly number[],
  budget: SearchBudget,
): readonly KeyOp[] {
  const wanted = new Set(among.map((at) => ops[at] as KeyOp));
  const steps = Math.min(budget.steps, SHRINK_STEPS);
  return shrinkOrder(ops, wanted, { model, criterion, budget: { ...budget, steps } });
}
