/**
 * Makes the history of a key that has no order as small as can be proven honest. Dropping any
 * operation as long as the rest is still impossible would end at "a read of a value that nobody
 * wrote", which never happened. So it only does what cannot make a possible history impossible:
 *
 * - *Cut the end.* What has happened by some moment must be possible by itself; what is then under
 *   way may have taken effect or not.
 * - *Cut the beginning.* What begins after some moment must be possible from whatever state the
 *   object is in then; what is then under way may still take effect, or have done so.
 * - *Leave out* operations whose absence the model allows (`removable`).
 */
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { findOrder, type Search, type SearchBudget } from './wgl.ts';

export interface Core {
  /** Positions in the given operations, in order. */
  readonly kept: readonly number[];
  /** What began before this moment may be omitted, and the state then is any; -1: the start. */
  readonly from: number;
  /** What completes later than this moment may be omitted. */
  readonly upTo: number;
  /** Positions of an order of the kept ones that gets as far as any. */
  readonly furthest: readonly number[];
  /** Nothing more can go; false when the budget ended first. */
  readonly minimal: boolean;
}

/** `ops` have no order, and no order of them gets past `upTo`. Never throws; may keep too much. */
export function shrink(
  ops: readonly Interval[],
  model: Model,
  upTo: number,
  budget: SearchBudget,
): Core {
  return new Shrinker(ops, model, upTo, budget).run();
}

interface Candidate {
  readonly positions: readonly number[];
  readonly from: number;
}

class Shrinker {
  readonly #ops: readonly Interval[];
  readonly #model: Model;
  readonly #budget: SearchBudget;
  #kept: readonly number[];
  #from = -1;
  #upTo: number;
  #furthest: readonly number[] = [];
  #stepsLeft: number;
  #exhausted = false;

  constructor(ops: readonly Interval[], model: Model, upTo: number, budget: SearchBudget) {
    this.#ops = ops;
    this.#model = model;
    this.#budget = budget;
    this.#stepsLeft = budget.steps;
    this.#upTo = upTo;
    this.#kept = this.#within([...ops.keys()], -1);
  }

  run(): Core {
    this.#impossible({ positions: this.#kept, from: this.#from });
    this.#cutBeginning();
    for (;;) {
      const before = this.#kept.length;
      this.#dropWhere(({ call }) => this.#model.readOnly(call));
      this.#dropWhere(({ call }) => !this.#model.readOnly(call));
      if (this.#kept.length === before || this.#exhausted) break;
    }
    return {
      kept: this.#kept,
      from: this.#from,
      upTo: this.#upTo,
      furthest: this.#furthest,
      minimal: !this.#exhausted,
    };
  }

  /** The later the cut, the more is possible; so the latest one that still works is found by halves. */
  #cutBeginning(): void {
    const starts = this.#kept.map((at) => (this.#ops[at] as Interval).start);
    let [works, fails] = [0, starts.length];
    while (fails - works > 1 && !this.#exhausted) {
      const middle = (works + fails) >> 1;
      const from = starts[middle] ?? Infinity;
      const positions = this.#within(this.#kept, from);
      if (this.#impossible({ positions, from })) works = middle;
      else fails = middle;
    }
  }

  /** Tries to leave out removable operations of one sort: all at once, then halves, then single. */
  #dropWhere(sort: (op: Interval) => boolean): void {
    const candidates = this.#removable().filter((at) => sort(this.#ops[at] as Interval));
    for (let size = candidates.length; size >= 1; size = Math.floor(size / 2)) {
      for (let first = 0; first < candidates.length && !this.#exhausted; first += size) {
        const allowed = new Set(this.#removable());
        const out = new Set(candidates.slice(first, first + size).filter((at) => allowed.has(at)));
        const rest = this.#kept.filter((at) => !out.has(at));
        if (rest.length < this.#kept.length)
          this.#impossible({ positions: rest, from: this.#from });
      }
    }
  }

  #removable(): number[] {
    const calls = this.#seen(this.#kept, this.#from).map(({ call }) => call);
    const removable = this.#model.removable(calls);
    return this.#kept.filter((_, i) => removable[i] === true);
  }

  /** If these have no order either, keeps just them, as far as no order gets. */
  #impossible({ positions, from }: Candidate): boolean {
    const search = this.#search(this.#seen(positions, from), from);
    if (search.result === 'unknown') this.#exhausted = true;
    if (search.result !== 'invalid') return false;
    this.#from = from;
    this.#upTo = search.upTo;
    this.#kept = this.#within(positions, from);
    const kept = new Set(this.#kept);
    this.#furthest = search.furthest
      .map((at) => positions[at] as number)
      .filter((at) => kept.has(at));
    return true;
  }

  /** From the model's first state, or after a cut from every state; the one that got furthest. */
  #search(ops: readonly Interval[], from: number): Search {
    const { init } = this.#model;
    const starts = from < 0 ? [init] : this.#model.starts(ops.map(({ call }) => call));
    let furthest: Search | undefined;
    for (const start of starts) {
      const budget = { ...this.#budget, steps: Math.max(0, this.#stepsLeft) };
      const search = findOrder(ops, { ...this.#model, init: start }, budget);
      this.#stepsLeft -= search.steps + 1;
      if (search.result !== 'invalid') return search;
      if (furthest?.result !== 'invalid' || search.upTo > furthest.upTo) furthest = search;
    }
    return furthest as Search;
  }

  /** Those that count between two moments: of what is cut in two, only what changes the state. */
  #within(positions: readonly number[], from: number): number[] {
    return positions.filter((at) => {
      const { call, start, end } = this.#ops[at] as Interval;
      if (start > this.#upTo || end < from) return false;
      return (start >= from && end <= this.#upTo) || !this.#model.readOnly(call);
    });
  }

  /** The operations as they look between two moments. */
  #seen(positions: readonly number[], from: number): Interval[] {
    return positions.map((at) => {
      const op = this.#ops[at] as Interval;
      if (op.start >= from && op.end <= this.#upTo) return op;
      return { ...op, end: Infinity, call: { ...op.call, outcome: 'indefinite' } };
    });
  }
}
