/**
 * The wide search with supplies that are counted no more exactly than it takes. To remember of every
 * kind of unknown outcome how many were used splits configurations that differ in nothing that
 * matters. So at first none are counted, if the model is one of overwrites; then all together, which
 * also makes the search find orders that use few; and from then on by themselves those kinds of which
 * an order was found that uses more than there are. Whatever is counted, no order of the history is
 * lost, so that `invalid` is true; `valid` is only said of an order that uses no more than there is.
 *
 * The idea is that of counterexample-guided abstraction refinement (Clarke and others, 2000).
 */
import {
  choiceAt,
  type DeadEnd,
  type Engine,
  type Progress,
  type SearchOptions,
  type Trail,
} from './engine.ts';
import { NEVER, type Problem } from './problem.ts';
import { zeros } from './room.ts';

/** How many completions must have their place before the order that got furthest is looked at. */
const FIRST_LOOK = 512;
const LOOK_FACTOR = 2;
/** So many times one more kind is counted by itself, then twice as many every time. */
const ROUNDS_OF_ONE = 4;
/** What `groups` has for a kind that is not counted. */
const UNCOUNTED = -1;
/** To find the shortest impossible beginning may take as long as it took to refute, and so much. */
const SHARPEN_STEPS = 20_000;

/** A search with an engine of its own. */
export class Refinement {
  readonly #engine: Engine;
  readonly #problem: Problem;
  readonly #options: SearchOptions;
  /** Kinds of unknown outcome that are not yet counted by themselves. */
  readonly #vague: Set<number>;
  #rounds: number;
  #nextLook = FIRST_LOOK;
  #progress: Progress;
  /** Of the rounds before. */
  #stepsBefore = 0;
  #configurationsBefore = 0;
  /** The last completion of a beginning that is known to be impossible, and when to leave it at that. */
  #refuted: { readonly blocked: number | undefined } | undefined;
  #stepsMax = Infinity;
  /** That beginning is the shortest one. */
  #isSharp = false;

  /** `exactly`: everything is counted from the beginning. */
  constructor(engine: Engine, problem: Problem, options: SearchOptions, exactly: boolean = false) {
    this.#engine = engine;
    this.#problem = problem;
    this.#options = options;
    const { kinds, returns } = problem;
    const isVague = !exactly && returns.includes(NEVER);
    this.#vague = new Set(isVague ? kinds.filter((_, op) => returns[op] === NEVER) : []);
    // What is not counted might fill a queue without end; a register has no more states for it.
    this.#rounds = problem.absorption ? 0 : 1;
    this.#progress = this.#start();
  }

  get progress(): Progress {
    return this.#progress;
  }

  #start(): Progress {
    const [together = UNCOUNTED] = this.#rounds === 0 ? [] : this.#vague;
    const groups = zeros(this.#problem.flags.length);
    for (let kind = 0; kind < groups.length; kind++)
      groups[kind] = this.#vague.has(kind) ? together : kind;
    return this.#engine.start(this.#problem, { ...this.#options, groups });
  }

  run(steps: number): Progress {
    if (this.#progress !== 'running') return this.#progress;
    const progress = this.#engine.run(steps);
    if (progress === 'running') this.#look();
    else if (progress === 'valid' || progress === 'invalid') this.#judge(progress);
    else this.#progress = progress;
    const isEnough = this.#progress !== 'running' || this.steps > this.#stepsMax;
    if (this.#refuted !== undefined && isEnough) this.#progress = 'invalid';
    return this.#progress;
  }

  /** Now and then: whether the order that got furthest by now is one. */
  #look(): void {
    if (this.#engine.passed < this.#nextLook) return;
    this.#nextLook = LOOK_FACTOR * this.#engine.passed;
    const short = this.#overdrawn() ?? [];
    if (short.length > 0) this.#countMore(short);
  }

  #judge(progress: 'valid' | 'invalid'): void {
    if (progress === 'invalid') {
      this.#refuted = { blocked: this.#engine.blocked() };
      this.#stepsMax = Math.min(this.#stepsMax, 2 * this.steps + SHARPEN_STEPS);
    }
    const short = this.#overdrawn();
    if (short === undefined || short.length === 0) {
      this.#progress = short === undefined ? 'memory' : progress;
      this.#isSharp = this.#progress === 'invalid';
      return;
    }
    this.#countMore(short);
  }

  #countMore(short: readonly number[]): void {
    this.#nextLook = FIRST_LOOK;
    this.#stepsBefore = this.steps;
    this.#configurationsBefore = this.configurations;
    const more = this.#rounds === 0 ? 0 : 2 ** Math.max(0, this.#rounds - ROUNDS_OF_ONE);
    for (const kind of short.slice(0, more)) this.#vague.delete(kind);
    this.#rounds++;
    this.#progress = this.#start();
  }

  /** Kinds that the order that got furthest overdraws; undefined: there was no memory to tell. */
  #overdrawn(): readonly number[] | undefined {
    if (this.#vague.size === 0) return [];
    const trail = this.#engine.trail();
    return trail && overdrawn(this.#problem, trail);
  }

  /** There is no order; if it goes on, then to find out how early that shows. */
  get isRefuted(): boolean {
    return this.#refuted !== undefined;
  }

  /** The order that got furthest uses no more than there is. */
  isReal(): boolean {
    return this.#overdrawn()?.length === 0;
  }

  /** When there is no order: up to so many of those that get furthest, and use no more than there is. */
  deadEnds(limit: number): readonly DeadEnd[] {
    if (!this.#isSharp) return [];
    return this.#engine.deadEnds(limit).filter(({ place }) => {
      if (this.#vague.size === 0) return true;
      const trail = this.#engine.trail(place);
      return trail !== undefined && overdrawn(this.#problem, trail).length === 0;
    });
  }

  get steps(): number {
    return this.#stepsBefore + this.#engine.steps;
  }
  get configurations(): number {
    return this.#configurationsBefore + this.#engine.configurations;
  }
  /** The operation whose completion no order gets past, as far as is known. */
  blocked(): number | undefined {
    return this.#refuted === undefined ? this.#engine.blocked() : this.#refuted.blocked;
  }
}

/** Kinds of which more are used than were invoked by then; the first to be overdrawn first. */
export function overdrawn(problem: Problem, trail: Trail): readonly number[] {
  const calls = new Map<number, number[]>();
  for (let at = 0; 2 * at < trail.length; at++) {
    const { what, which } = choiceAt(trail, at);
    if (what === 'use') calls.set(which, []);
  }
  if (calls.size === 0) return [];
  for (const [op, moment] of problem.returns.entries())
    if (moment === NEVER) calls.get(problem.kinds[op] as number)?.push(problem.calls[op] as number);
  const returns = problem.returns.filter((moment) => moment !== NEVER).toSorted();
  const used = new Map<number, number>();
  const found = new Set<number>();
  for (let at = 0; 2 * at < trail.length; at++) {
    const { what, which, completion } = choiceAt(trail, at);
    if (what !== 'use') continue;
    const count = used.get(which) ?? 0;
    used.set(which, count + 1);
    const call = calls.get(which)?.[count] ?? NEVER;
    if (call > (returns[completion] as number)) found.add(which);
  }
  return [...found];
}
