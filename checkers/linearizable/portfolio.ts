/**
 * Decides whether there is an order, with several searches that take turns. None is the best for
 * all: one that keeps every configuration of a moment (wide) is sure to end early when there is no
 * order, and its memory does not grow with the length; one that goes deep finds an order where
 * operations of unknown outcome allow too many; and one that lets these happen any number of times
 * has little to remember and often refutes.
 */
import { unreachable } from '../../harness/core/invariant.ts';
import type { Nanos } from '../../harness/core/units.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { Engine, type Progress, type SearchOptions } from './engine.ts';
import { orderOf } from './engine-order.ts';
import { NEVER, type Problem, problemOf } from './problem.ts';
import { withoutUnobservable } from './unobservable.ts';
import { findOrder, type Search, type SearchBudget, type UnknownReason } from './wgl.ts';

/** `ops` in order of `start`. As `findOrder`, which is slower and what this is tested against. */
export function decide(all: readonly Interval[], model: Model, budget: SearchBudget): Search {
  const kept = withoutUnobservable(all, model);
  const ops = kept.map((at) => all[at] as Interval);
  const { result, reason, blocked, order, ...effort } = race(problemOf(ops, model), budget);
  if (reason === 'width') {
    const found = findOrder(all, model, budget);
    // What it takes is room for operations in flight, whichever limit ended that.
    const isHopeless = found.result === 'unknown' && found.reason !== 'steps';
    return isHopeless ? { ...found, width: effort.width, reason } : found;
  }
  const named = order.map((op) => kept[op] as number);
  if (result === 'valid') return { ...effort, result, order: named };
  const upTo = blocked === undefined ? -1 : (ops[blocked] as Interval).end;
  return result === 'invalid'
    ? { ...effort, result, upTo, furthest: named }
    : { ...effort, result, reason: reason ?? 'steps', upTo, furthest: named };
}

/** What came of a search, in terms of the problem. */
export interface Raced {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /**
   * For `unknown`. `width`: more operations are in flight at once than the engine has room for.
   * `states`: the model has more of them.
   */
  readonly reason?: UnknownReason;
  /** The operation whose completion no order got past; absent: all did, or nothing is known. */
  readonly blocked?: number;
  /** Operations of a legal order, or of one that got as far as any; empty where not asked for. */
  readonly order: readonly number[];
  readonly steps: number;
  readonly configurations: number;
  /** Of the search that had the most: states of the model, and operations in flight at once. */
  readonly states: number;
  readonly width: number;
}

/** `wantsOrder`: false saves a third of the time where there is little to search. */
export function race(problem: Problem, budget: SearchBudget, wantsOrder: boolean = true): Raced {
  return new Race(problem, budget, wantsOrder).run();
}

type Strategy = 'wide' | 'deep' | 'unlimited';

const STRATEGIES: Readonly<Record<Strategy, Omit<SearchOptions, 'memoryBytes'>>> = {
  wide: {},
  deep: { waveWidth: 1 },
  unlimited: { unlimited: true },
};

/** Steps between two looks at the clock: each takes 0.1 to 50 microseconds, or more. */
const SLICE = 2000;
const SLICE_MIN = 1;
const SLICE_FIRST = 64;
/** A slice that took longer than this is followed by a shorter one. */
const SLICE_NANOS_MAX = 5e6;

interface Runner {
  readonly strategy: Strategy;
  readonly engine: Engine;
  progress: Progress;
  spent: number;
  slice: number;
}

/** Engines that nobody uses; their memory stays with them. */
const idle: Engine[] = [];
const KEPT_BYTES = 2 ** 26;

class Race {
  readonly #problem: Problem;
  readonly #budget: SearchBudget;
  readonly #toCome: Strategy[];
  readonly #memoryBytes: number;
  readonly #headStart: number;
  readonly #wantsOrder: boolean;
  readonly #runners: Runner[] = [];

  constructor(problem: Problem, budget: SearchBudget, wantsOrder: boolean) {
    this.#problem = problem;
    this.#budget = budget;
    this.#wantsOrder = wantsOrder;
    const isDefinite = !problem.returns.includes(NEVER);
    this.#toCome = isDefinite ? ['wide', 'deep'] : ['deep', 'wide', 'unlimited'];
    this.#memoryBytes = Math.floor(budget.memoryBytes / this.#toCome.length);
    this.#headStart = SLICE + 2 * problem.kinds.length;
  }

  run(): Raced {
    try {
      for (;;) {
        if (this.#effort().steps >= this.#budget.steps) return this.#gaveUp('steps');
        if (this.#budget.clock.now() >= this.#budget.deadline) return this.#gaveUp('time');
        const runner = this.#next();
        if (runner === undefined) return this.#gaveUp(this.#limit());
        this.#advance(runner);
        switch (runner.progress) {
          case 'valid':
            // With unlimited supplies that says nothing; it then is out of the race.
            if (runner.strategy !== 'unlimited')
              return { ...this.#effort(), result: 'valid', order: this.#order(runner) };
            break;
          case 'invalid':
            return this.#refuted(runner);
          case 'width':
            return { ...this.#effort(), result: 'unknown', reason: 'width', order: [] };
          case 'running':
          case 'memory':
          case 'states':
            break;
          default:
            return unreachable(runner.progress);
        }
      }
    } finally {
      for (const { engine } of this.#runners) if (engine.bytes <= KEPT_BYTES) idle.push(engine);
    }
  }

  /** What ended them all. */
  #limit(): UnknownReason {
    return this.#runners.some(({ progress }) => progress === 'states') ? 'states' : 'memory';
  }

  /** The one that had the least; a new one as soon as all others have had a head start. */
  #next(): Runner | undefined {
    const running = this.#runners.filter(({ progress }) => progress === 'running');
    const behind = running.find(({ engine }) => engine.steps < this.#headStart);
    if (behind !== undefined) return behind;
    const strategy = this.#toCome.shift();
    if (strategy === undefined)
      return running.toSorted((a, b) => a.spent - b.spent || a.engine.steps - b.engine.steps)[0];
    const engine = idle.pop() ?? new Engine();
    const options = { ...STRATEGIES[strategy], memoryBytes: this.#memoryBytes };
    const spent = Math.min(...running.map((one) => one.spent), Infinity);
    const runner: Runner = {
      strategy,
      engine,
      progress: engine.start(this.#problem, options),
      spent: spent === Infinity ? 0 : spent,
      slice: SLICE_FIRST,
    };
    this.#runners.push(runner);
    return runner;
  }

  #advance(runner: Runner): void {
    if (runner.progress !== 'running') return;
    const before: Nanos = this.#budget.clock.now();
    const left = this.#budget.steps - this.#effort().steps;
    runner.progress = runner.engine.run(Math.max(1, Math.min(runner.slice, left)));
    const took = this.#budget.clock.now() - before;
    runner.spent += took;
    runner.slice =
      took > SLICE_NANOS_MAX
        ? Math.max(SLICE_MIN, runner.slice >> 1)
        : Math.min(SLICE, 2 * runner.slice);
  }

  #effort(): Pick<Raced, 'steps' | 'configurations' | 'states' | 'width'> {
    let [steps, configurations, states, width] = [0, 0, 0, 0];
    for (const { engine } of this.#runners) {
      steps += engine.steps;
      configurations += engine.configurations;
      states = Math.max(states, engine.states);
      width = Math.max(width, engine.concurrency);
    }
    return { steps, configurations, states, width };
  }

  #order({ engine }: Runner): readonly number[] {
    if (!this.#wantsOrder) return [];
    const blocked = engine.blocked();
    const upTo = blocked === undefined ? NEVER : (this.#problem.returns[blocked] as number);
    return orderOf(this.#problem, engine.trail(), upTo);
  }

  #refuted(runner: Runner): Raced {
    const furthest = runner.strategy === 'unlimited' ? this.#furthest() : runner;
    const order = furthest === undefined ? [] : this.#order(furthest);
    return { ...this.#effort(), result: 'invalid', ...blockedBy(runner), order };
  }

  #gaveUp(reason: UnknownReason): Raced {
    const furthest = this.#furthest();
    const order = furthest === undefined ? [] : this.#order(furthest);
    return { ...this.#effort(), result: 'unknown', reason, ...blockedBy(furthest), order };
  }

  /** Of those that only use what there is, the one that got furthest. */
  #furthest(): Runner | undefined {
    const exact = this.#runners.filter(
      ({ strategy, progress }) => strategy !== 'unlimited' && progress !== 'width',
    );
    return exact.toSorted((a, b) => b.engine.passed - a.engine.passed)[0];
  }
}

function blockedBy(runner: Runner | undefined): Pick<Raced, 'blocked'> {
  const blocked = runner?.engine.blocked();
  return blocked === undefined ? {} : { blocked };
}
