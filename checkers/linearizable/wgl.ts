/**
 * Is there an order of these operations that respects real time and that the model accepts?
 *
 * The search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's memo
 * of configurations ("Testing for linearizability", 2017): place one operation after another, each
 * time one that no unplaced operation precedes; go back when a completed operation can no longer
 * be placed; never enter the same configuration (state, placed operations) twice.
 *
 * Four reductions, each sound by itself:
 * - *Eager reads.* A read-only operation that fits is placed at once and never retried: in any
 *   order that continues from here it can be moved to the front, where it changes nothing.
 * - *Optional operations.* One of indefinite outcome is never required; it is tried only where it
 *   changes the state, since an order without a placement that changes nothing is as good.
 * - *Unobservable operations.* An indefinite one that the model lets leave out is left out: with it
 *   nothing more can be explained (see `removable` of the model), without it nothing less.
 * - *Symmetry.* Of indefinite operations that are the same to the model the earlier one is placed
 *   first. Given any order, sort the invocations of those used: the j-th place they take then has
 *   an operation that was invoked no later than the one it had.
 */
import type { Clock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Nanos } from '../../harness/core/units.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { invocationOf, isInvocation, opOf } from './chain.ts';
import { ILLEGAL } from './transitions.ts';
import { withoutUnobservable } from './unobservable.ts';
import { Walk } from './walk.ts';

export interface SearchBudget {
  readonly clock: Pick<Clock, 'now'>;
  /** On that clock; when it has passed, the search is `unknown`. */
  readonly deadline: Nanos;
  /** For the memo, which is what grows. */
  readonly memoryBytes: number;
  readonly steps: number;
  /** Asked once, when these are used up: whether to go on without that limit. Default: no. */
  readonly goesOn?: () => boolean;
}

interface Effort {
  readonly steps: number;
  readonly configurations: number;
  /** The most operations in flight at once, and states of the model; where they were counted. */
  readonly width?: number;
  readonly states?: number;
}

/**
 * What ended a search too early. `width`: there was no room for so many operations in flight at
 * once. `states`: the model has too many. More `steps` are the only thing that it can be given.
 */
export type UnknownReason = 'time' | 'memory' | 'steps' | 'width' | 'states';

export type Search = Effort &
  (
    | {
        readonly result: 'valid';
        /** Positions in `ops` of a legal order; indefinite ones that it does not need are absent. */
        readonly order: readonly number[];
      }
    | {
        readonly result: 'invalid';
        /**
         * Moment of the completion that no order gets past: what had completed by then, with what
         * had only begun, is already impossible.
         */
        readonly upTo: number;
        /** An order that gets as far as any. */
        readonly furthest: readonly number[];
        /**
         * Where some of the ways end that get as far as any: what the state is then, which of the
         * operations under way are done, and which may be as well. Never all of them.
         */
        readonly deadEnds?: readonly {
          readonly state: JsonValue;
          readonly done: readonly number[];
          readonly optional: readonly number[];
        }[];
      }
    | {
        readonly result: 'unknown';
        readonly reason: UnknownReason;
        /** Everything that completed before this moment has an order. */
        readonly upTo: number;
        readonly furthest: readonly number[];
      }
  );

/** How many steps pass between two looks at the clock. */
const STEPS_BETWEEN_LOOKS = 1024;

/** From any of these states; if there is no order, what is said of the one where one gets furthest. */
export function findOrderFrom(
  begin: readonly JsonValue[],
  all: readonly Interval[],
  model: Model,
  budget: SearchBudget,
): Search {
  let furthest: Search | undefined;
  for (const init of begin) {
    const found = findOrder(all, { ...model, init }, budget);
    if (found.result !== 'invalid') return found;
    if (furthest?.result !== 'invalid' || found.upTo > furthest.upTo) furthest = found;
  }
  invariant(furthest !== undefined, 'it begins in some state');
  return furthest;
}

/** `ops` in order of `start`. Time and memory grow exponentially with concurrency at worst. */
export function findOrder(all: readonly Interval[], model: Model, budget: SearchBudget): Search {
  const kept = withoutUnobservable(all, model);
  const ops = kept.map((at) => all[at] as Interval);
  const found = search(ops, model, budget);
  const name = (order: readonly number[]): number[] => order.map((op) => kept[op] as number);
  return found.result === 'valid'
    ? { ...found, order: name(found.order) }
    : { ...found, furthest: name(found.furthest) };
}

function search(ops: readonly Interval[], model: Model, budget: SearchBudget): Search {
  const walk = new Walk(ops, model, budget.memoryBytes);
  const { chain } = walk;
  let upTo = -1;
  let furthest: readonly number[] = [];
  const reached = (completion: number): void => {
    const end = ops[opOf(completion)]?.end ?? -1;
    if (end <= upTo) return;
    upTo = end;
    furthest = walk.order();
  };
  const gaveUp = (reason: 'time' | 'memory' | 'steps'): Search => {
    reached(walk.firstCompletion());
    return { ...walk.effort(), result: 'unknown', reason, upTo, furthest };
  };

  let nextLook = 0;
  walk.placeReads();
  let node = chain.first();
  while (!walk.complete()) {
    if (walk.steps >= nextLook) {
      if (walk.steps >= budget.steps) return gaveUp('steps');
      if (budget.clock.now() >= budget.deadline) return gaveUp('time');
      nextLook = walk.steps + STEPS_BETWEEN_LOOKS;
    }
    if (!isInvocation(node)) {
      reached(node);
      const choice = walk.takeBackChoice();
      if (choice === undefined) return { ...walk.effort(), result: 'invalid', upTo, furthest };
      node = chain.after(invocationOf(choice));
      continue;
    }
    const to = walk.choice(opOf(node));
    if (to !== ILLEGAL) {
      const entered = walk.enter(opOf(node), to);
      if (entered === 'full') return gaveUp('memory');
      if (entered === 'new') {
        node = chain.first();
        continue;
      }
      walk.takeBackChoice();
    }
    node = chain.after(node);
  }
  return { ...walk.effort(), result: 'valid', order: walk.order() };
}
