/**
 * Decides whether there is an order. Where every outcome is known a dash comes first, which costs the
 * least and mostly finds one. Else two searches take turns, as neither is the best for all: one that
 * keeps every configuration of a moment (wide) is sure to end early when there is no order, and its
 * memory does not grow with the length; one that goes deep often finds an order sooner.
 */
import { unreachable } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { type DeadEnd, Engine } from './engine.ts';
import { orderOf } from './engine-order.ts';
import { Pace, SLICE } from './pace.ts';
import { NEVER, type Problem, problemOf } from './problem.ts';
import { Refinement } from './refinement.ts';
import { isImpossibleBy } from './stretch.ts';
import { withoutUnobservable } from './unobservable.ts';
import { findOrderFrom, type Search, type SearchBudget, type UnknownReason } from './wgl.ts';

/**
 * `ops` in order of `start`. As `findOrder`, which is slower and what this is tested against.
 * `begin`: the states that it may begin in; if they are several, no order is told.
 */
export function decide(
  all: readonly Interval[],
  model: Model,
  budget: SearchBudget,
  begin: readonly JsonValue[] = [model.init],
): Search {
  const kept = withoutUnobservable(all, model);
  const ops = kept.map((at) => all[at] as Interval);
  const problem = problemOf(ops, model, begin);
  const { result, reason, blocked, order, deadEnds = [], ...effort } = race(problem, budget);
  if (reason === 'width') {
    const found = findOrderFrom(begin, all, model, budget);
    // What it takes is room for operations in flight, whichever limit ended that.
    const isHopeless = found.result === 'unknown' && found.reason !== 'steps';
    return isHopeless ? { ...found, width: effort.width, reason } : found;
  }
  const name = (named: readonly number[]): number[] => named.map((op) => kept[op] as number);
  const named = name(order);
  if (result === 'valid') return { ...effort, result, order: named };
  const upTo = blocked === undefined ? -1 : (ops[blocked] as Interval).end;
  if (result === 'unknown')
    return { ...effort, result, reason: reason ?? 'steps', upTo, furthest: named };
  const ends = deadEnds.map(({ state, done, optional }) => ({
    state: problem.stateOf(state),
    done: name(done),
    optional: name(optional),
  }));
  return { ...effort, result, upTo, furthest: named, deadEnds: ends };
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
  /** For `invalid`: some ways to go on that end at `blocked`; none where there is no order. */
  readonly deadEnds?: readonly DeadEnd[];
  readonly steps: number;
  readonly configurations: number;
  /** Of the search that had the most: states of the model, and operations in flight at once. */
  readonly states: number;
  readonly width: number;
}

/**
 * How much is told: the verdict alone, which saves a third of the time where there is little to
 * search; an order where there is one; or also how far one gets where there is none, and why.
 */
export type Wanted = 'verdict' | 'order' | 'everything';

export function race(problem: Problem, budget: SearchBudget, wanted: Wanted = 'everything'): Raced {
  return new Race(problem, budget, wanted).run();
}

type Strategy = 'dash' | 'wide' | 'deep';

interface Runner {
  readonly engine: Engine;
  readonly search: Refinement;
  readonly strategy: Strategy;
  readonly pace: Pace;
  /** How many completions were passed, and after how many steps that was so. */
  passed: number;
  passedAfter: number;
  /** The same two numbers, when stretches before that were last searched by themselves. */
  tried: number;
  triedAfter: number;
}

/** A deep search that gets no further in so many steps stands still. */
const STANDSTILL = 2000;

const DEAD_ENDS_MAX = 16;

/** Engines that nobody uses; their memory stays with them. */
const idle: Engine[] = [];
const KEPT_BYTES = 2 ** 26;
/** Of the memory, where stretches may be tried; few of them take a megabyte. */
const STRETCH_SHARE = 1 / 8;
const STRETCH_BYTES_MAX = 2 ** 24;

function spare(engine: Engine): void {
  if (engine.bytes <= KEPT_BYTES) idle.push(engine);
}

class Race {
  readonly #problem: Problem;
  readonly #budget: SearchBudget;
  readonly #toCome: Strategy[];
  readonly #memoryBytes: number;
  readonly #stretchBytes: number;
  readonly #headStart: number;
  readonly #wanted: Wanted;
  readonly #runners: Runner[] = [];
  readonly #isDefinite: boolean;
  #stepsMax: number;
  /** Of the dash, once it gave up, and of stretches. */
  #stepsBefore = 0;
  #stretchSteps = 0;
  /** Of the dash, until another takes it. */
  #left: Engine | undefined;

  constructor(problem: Problem, budget: SearchBudget, wanted: Wanted) {
    this.#problem = problem;
    this.#budget = budget;
    this.#stepsMax = budget.steps;
    this.#wanted = wanted;
    this.#isDefinite = !problem.returns.includes(NEVER);
    const mayDash = this.#isDefinite && (problem.starts ?? 1) === 1;
    this.#toCome = this.#isDefinite ? ['wide', 'deep'] : ['deep', 'wide'];
    // It is over before the others begin, and so has no share of its own of the memory.
    if (mayDash) this.#toCome.unshift('dash');
    const share = problem.states === undefined ? 0 : STRETCH_SHARE * budget.memoryBytes;
    this.#stretchBytes = Math.min(STRETCH_BYTES_MAX, Math.floor(share));
    const left = budget.memoryBytes - this.#stretchBytes;
    this.#memoryBytes = Math.floor(left / 2);
    this.#headStart = SLICE + 2 * problem.kinds.length;
  }

  run(): Raced {
    try {
      for (;;) {
        if (this.#effort().steps >= this.#stepsMax) {
          if (this.#budget.goesOn?.() !== true) return this.#gaveUp('steps');
          this.#stepsMax = Infinity;
        }
        if (this.#budget.clock.now() >= this.#budget.deadline) return this.#gaveUp('time');
        const runner = this.#next();
        if (runner === undefined) return this.#gaveUp(this.#limit());
        this.#advance(runner);
        const { progress } = runner.search;
        switch (progress) {
          case 'valid': {
            const order = this.#wanted === 'verdict' ? [] : this.#order(runner);
            if (order === undefined) return this.#gaveUp('memory');
            return { ...this.#effort(), result: 'valid', order };
          }
          case 'invalid':
            return this.#refuted(runner);
          case 'width':
            return { ...this.#effort(), result: 'unknown', reason: 'width', order: [] };
          case 'running':
            if (this.#isHopeless(runner)) return this.#refuted(runner);
            break;
          case 'gave-up':
          case 'memory':
          case 'states':
            if (runner.strategy === 'dash') this.#leave(runner);
            break;
          default:
            return unreachable(progress);
        }
      }
    } finally {
      for (const { engine } of this.#runners) spare(engine);
      if (this.#left !== undefined) spare(this.#left);
    }
  }

  /** What ended them all. */
  #limit(): UnknownReason {
    return this.#runners.some(({ search }) => search.progress === 'states') ? 'states' : 'memory';
  }

  /** One that gets on; else a new one, or who has not had a head start, or the one that had the least. */
  #next(): Runner | undefined {
    const running = this.#runners.filter(({ search }) => search.progress === 'running');
    const hasHeadStart = ({ search }: Runner): boolean => search.steps < this.#headStart;
    const first =
      running.find(({ strategy, search }) => strategy === 'dash' || search.isRefuted) ??
      running.find((one) => hasHeadStart(one) && (!this.#isDefinite || getsOn(one)));
    if (first !== undefined) return first;
    const strategy = this.#toCome.shift();
    if (strategy !== undefined) return this.#add(strategy, running);
    const isLess = (a: Runner, b: Runner): number =>
      a.pace.spent - b.pace.spent || a.search.steps - b.search.steps;
    const wide = running.find((one) => one.strategy === 'wide' && hasHeadStart(one));
    return wide ?? running.toSorted(isLess)[0];
  }

  #add(strategy: Strategy, running: readonly Runner[]): Runner {
    const engine = this.#left ?? idle.pop() ?? new Engine();
    this.#left = undefined;
    const [isDash, isWide] = [strategy === 'dash', strategy === 'wide'];
    const options = { isDash, waveWidth: isWide ? 0 : 1, memoryBytes: this.#memoryBytes };
    const spent = running.map(({ pace }) => pace.spent);
    const runner: Runner = {
      engine,
      search: new Refinement(engine, this.#problem, options, !isWide),
      strategy,
      pace: new Pace(this.#budget.clock, spent.length === 0 ? 0 : Math.min(...spent)),
      passed: 0,
      passedAfter: 0,
      tried: 0,
      triedAfter: 0,
    };
    this.#runners.push(runner);
    return runner;
  }

  /** Others will find out what it did not; the next one has its engine, and so its memory. */
  #leave(runner: Runner): void {
    this.#stepsBefore += runner.search.steps;
    this.#runners.splice(this.#runners.indexOf(runner), 1);
    this.#left = runner.engine;
  }

  #advance(runner: Runner): void {
    if (runner.search.progress !== 'running') return;
    const left = this.#stepsMax - this.#effort().steps;
    runner.pace.run((steps) => runner.search.run(steps), left);
    if (runner.engine.passed > runner.passed) {
      runner.passed = runner.engine.passed;
      runner.passedAfter = runner.search.steps;
    }
  }

  /** Whether a search that stands still does so at what no order gets past, whatever came before. */
  #isHopeless(runner: Runner): boolean {
    const { strategy, passed, tried, triedAfter, search } = runner;
    if (strategy === 'wide' || search.isRefuted || getsOn(runner)) return false;
    const isNew = passed !== tried || search.steps >= 2 * triedAfter;
    // Stretches never take more than the searches that ask for them.
    const { steps: spent } = this.#effort();
    const steps = Math.min(spent - 2 * this.#stretchSteps, this.#stepsMax - spent);
    const blocked = search.blocked();
    if (!isNew || steps <= 0 || blocked === undefined) return false;
    runner.tried = passed;
    runner.triedAfter = search.steps;
    const engine = idle.pop() ?? new Engine();
    const { clock, deadline } = this.#budget;
    const before = clock.now();
    const budget = { clock, deadline, memoryBytes: this.#stretchBytes, steps };
    const found = isImpossibleBy(this.#problem, blocked, engine, budget);
    runner.pace.spent += clock.now() - before;
    this.#stretchSteps += found.steps;
    spare(engine);
    return found.isImpossible;
  }

  #effort(): Pick<Raced, 'steps' | 'configurations' | 'states' | 'width'> {
    let [configurations, states, width] = [0, 0, 0];
    let steps = this.#stepsBefore + this.#stretchSteps;
    for (const { engine, search } of this.#runners) {
      steps += search.steps;
      configurations += search.configurations;
      states = Math.max(states, engine.states);
      width = Math.max(width, engine.concurrency);
    }
    return { steps, configurations, states, width };
  }

  /** Undefined when there was no memory left to tell it. */
  #order({ engine, search }: Runner): readonly number[] | undefined {
    if ((this.#problem.starts ?? 1) > 1) return [];
    const trail = engine.trail();
    if (trail === undefined) return undefined;
    const blocked = engine.blocked();
    // It did not even begin.
    if (blocked === undefined && search.progress !== 'valid') return [];
    const upTo = blocked === undefined ? NEVER : (this.#problem.returns[blocked] as number);
    return orderOf(this.#problem, trail, upTo);
  }

  #refuted(runner: Runner): Raced {
    const told = { ...this.#effort(), result: 'invalid', ...blockedBy(runner) } as const;
    if (this.#wanted !== 'everything') return { ...told, order: [], deadEnds: [] };
    const furthest = runner.search.isReal() ? runner : this.#furthest();
    const order = (furthest && this.#order(furthest)) ?? [];
    const deadEnds = furthest === runner ? runner.search.deadEnds(DEAD_ENDS_MAX) : [];
    return { ...told, order, deadEnds };
  }

  #gaveUp(reason: UnknownReason): Raced {
    const refuted = this.#runners.find(({ search }) => search.isRefuted);
    if (refuted !== undefined) return this.#refuted(refuted);
    const furthest = this.#furthest();
    const wantsOrder = this.#wanted === 'everything';
    const told = { ...this.#effort(), result: 'unknown', reason, ...blockedBy(furthest) } as const;
    return { ...told, order: (wantsOrder && furthest && this.#order(furthest)) || [] };
  }

  /** Of those that used no more than there is, the one that got furthest. */
  #furthest(): Runner | undefined {
    return this.#runners
      .filter(({ search }) => search.progress !== 'width' && search.isReal())
      .toSorted((a, b) => b.engine.passed - a.engine.passed)[0];
  }
}

/** A wide one takes hardly a step for each completion; others have passed more. */
function getsOn({ strategy, search, passed, passedAfter }: Runner): boolean {
  const { steps } = search;
  return strategy === 'wide' ? steps < Math.max(SLICE, passed) : steps - passedAfter < STANDSTILL;
}

function blockedBy(runner: Runner | undefined): Pick<Raced, 'blocked'> {
  const blocked = runner?.search.blocked();
  return blocked === undefined ? {} : { blocked };
}
