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
 *
 * What remains is 1-minimal: none of these, applied once more to one operation, leaves a history
 * that is still impossible.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import { NANOS_PER_MS, type Nanos, nanos } from '../../harness/core/units.ts';
import type { Excerpt, Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { type End, type Impasse, impasseOf, refusal } from './impasse.ts';
import { decide } from './portfolio.ts';
import type { Search, SearchBudget } from './wgl.ts';

export interface Core {
  /** Positions in the given operations, in order. */
  readonly kept: readonly number[];
  /** What began before this moment may be omitted, and the state then is any; -1: the start. */
  readonly from: number;
  /** What completes later than this moment may be omitted. */
  readonly upTo: number;
  /** Positions of an order of the kept ones that gets as far as any. */
  readonly furthest: readonly number[];
  /** In positions as `kept`. Absent: there was too much to try. */
  readonly impasse?: Impasse;
  /** Without an impasse: the operation that is left over, and some states it would have to fit. */
  readonly blocked?: number;
  readonly ends?: readonly End[];
  /** Nothing more can go; false when the budget ended first. */
  readonly minimal: boolean;
}

/** Nobody waits longer for a smaller proof of what is known already. */
const TIME_MS = 10_000;
/** One hard candidate does not use up what the others need. */
const CANDIDATE_MS = 4000;
/** At the end, for an example of a way that gets far. */
const EXAMPLE_MS = 2000;
/** To look at all of so many once more takes no time to speak of. */
const FEW = 20_000;

/** `ops` have no order, and no order of them gets past `upTo`. Never throws; may keep too much. */
export function shrink(
  ops: readonly Interval[],
  model: Model,
  upTo: number,
  budget: SearchBudget,
): Core {
  return new Shrinker(ops, model, -1, upTo, budget).run();
}

/**
 * The same with what there is of a key's history. Undefined: by itself, from whatever state, that
 * may be possible.
 */
export function shrinkExcerpt(
  ops: readonly Interval[],
  { from, until }: Excerpt,
  model: Model,
  budget: SearchBudget,
): Core | undefined {
  if (model.starts === undefined) return undefined;
  const ends = ops.map(({ end }) => end).filter((end) => end < until);
  const upTo = ends.reduce((last, end) => Math.max(last, end), -1);
  const shrinker = new Shrinker(ops, model, from, upTo, budget);
  return shrinker.isImpossible() ? shrinker.run() : undefined;
}

function within(ms: number, { clock, deadline }: SearchBudget): Nanos {
  const own = nanos(clock.now() + ms * NANOS_PER_MS);
  return own < deadline ? own : deadline;
}

interface Candidate {
  readonly positions: readonly number[];
  readonly from: number;
}

class Shrinker {
  readonly #ops: readonly Interval[];
  readonly #model: Model;
  readonly #budget: SearchBudget;
  readonly #deadline: Nanos;
  #kept: readonly number[];
  #from: number;
  #upTo: number;
  /** Undefined: the last search began in several states, and so did not tell. */
  #furthest: readonly number[] | undefined = [];
  #deadEnds: readonly { readonly state: JsonValue }[] = [];
  /** The completion that the last search did not get past. */
  #reached = Infinity;
  #stepsLeft: number;
  /** Some candidate was not decided. */
  #doubtful = false;

  constructor(
    ops: readonly Interval[],
    model: Model,
    from: number,
    upTo: number,
    budget: SearchBudget,
  ) {
    this.#ops = ops;
    this.#model = model;
    this.#budget = budget;
    this.#deadline = within(TIME_MS, budget);
    this.#stepsLeft = budget.steps;
    this.#from = from;
    this.#upTo = upTo;
    this.#kept = this.#within([...ops.keys()], from);
  }

  isImpossible(): boolean {
    return this.#impossible({ positions: this.#kept, from: this.#from });
  }

  run(): Core {
    const isShort = this.#kept.length <= FEW;
    if (!isShort && this.#from < 0) this.#cutBeginning();
    if (this.#from < 0) this.#settleEnd();
    for (let before = -1; before !== this.#kept.length && !this.#isSpent(); ) {
      before = this.#kept.length;
      this.#cutEnd();
      this.#cutBeginning();
      this.#dropWhere(({ call }) => this.#model.readOnly(call));
      this.#dropWhere(({ call }) => !this.#model.readOnly(call));
    }
    const minimal = !this.#doubtful && !this.#isSpent();
    const impasse = this.#impasse();
    const furthest = impasse?.ways.at(-1)?.order ?? this.#furthest ?? this.#example();
    return {
      kept: this.#kept,
      from: this.#from,
      upTo: this.#upTo,
      furthest: furthest ?? [],
      ...(impasse !== undefined && { impasse }),
      ...(impasse === undefined && furthest !== undefined && this.#ends()),
      minimal,
    };
  }

  /**
   * That no order gets past a completion is one thing; that what had begun by then is impossible,
   * whatever was answered later, is more. So this looks for the first completion of which that is
   * true; of the last one it is.
   */
  #settleEnd(): void {
    if (this.#impossible({ positions: this.#kept, from: -1 })) return;
    const all = [...this.#ops.keys()];
    const ends = this.#ops.map(({ end }) => end).filter((end) => end !== Infinity);
    const later = ends.filter((end) => end > this.#upTo).toSorted((a, b) => a - b);
    let [fails, works] = [-1, later.length - 1];
    while (works - fails > 1 && !this.#isSpent()) {
      const middle = (fails + works) >> 1;
      this.#upTo = later[middle] as number;
      const positions = this.#within(all, -1);
      if (this.#impossible({ positions, from: -1 })) works = middle;
      else fails = middle;
    }
    this.#upTo = later[works] ?? this.#upTo;
    this.#kept = this.#within(all, -1);
  }

  /** To where the last search got, if that will do, and then completion by completion. */
  #cutEnd(): void {
    for (let to = this.#reached; to >= 0 && !this.#isSpent(); ) {
      const [upTo, kept] = [this.#upTo, this.#kept];
      if (to < upTo) {
        this.#upTo = to;
        const positions = this.#within(kept, this.#from);
        if (!this.#impossible({ positions, from: this.#from })) {
          this.#upTo = upTo;
          this.#kept = kept;
          if (to === this.#lastEndBefore(upTo)) return;
        }
      }
      to = this.#lastEndBefore(this.#upTo);
    }
  }

  #lastEndBefore(moment: number): number {
    const ends = this.#kept.map((at) => (this.#ops[at] as Interval).end);
    return Math.max(-1, ...ends.filter((end) => end < moment));
  }

  /**
   * The later the cut, the more is possible. What is wrong is mostly near the end, so windows there
   * are tried that double until one is impossible, and then the latest cut is found by halves.
   */
  #cutBeginning(): void {
    if (this.#model.starts === undefined) return;
    const begun = this.#kept.map((at) => (this.#ops[at] as Interval).start);
    // To cut at the first would leave all of them.
    const starts = begun.filter((start) => start > Math.max(this.#from, begun[0] ?? -1));
    const works = (at: number): boolean => {
      const from = starts[at] as number;
      return this.#impossible({ positions: this.#within(this.#kept, from), from });
    };
    let [found, fails] = [-1, starts.length];
    for (let size = 1; found < 0 && fails > 0 && !this.#isSpent(); size *= 2) {
      const at = Math.max(0, starts.length - size);
      if (works(at)) found = at;
      else fails = at;
    }
    while (found >= 0 && fails - found > 1 && !this.#isSpent()) {
      const middle = (found + fails) >> 1;
      if (works(middle)) found = middle;
      else fails = middle;
    }
  }

  /** Tries to leave out removable operations of one sort: all at once, then halves, then single. */
  #dropWhere(sort: (op: Interval) => boolean): void {
    const candidates = this.#removable().filter((at) => sort(this.#ops[at] as Interval));
    for (let size = candidates.length; size >= 1; size = Math.floor(size / 2)) {
      for (let first = 0; first < candidates.length && !this.#isSpent(); first += size) {
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

  #isSpent(): boolean {
    return this.#stepsLeft <= 0 || this.#budget.clock.now() >= this.#deadline;
  }

  /** If these have no order either, keeps just them, as far as no order gets. */
  #impossible({ positions, from }: Candidate): boolean {
    const search = this.#search(this.#seen(positions, from), from);
    if (search.result === 'unknown') this.#doubtful = true;
    if (search.result !== 'invalid') return false;
    this.#from = from;
    this.#kept = positions;
    this.#reached = search.upTo;
    const isTold = from < 0;
    this.#furthest = isTold ? search.furthest.map((at) => positions[at] as number) : undefined;
    this.#deadEnds = search.deadEnds ?? [];
    return true;
  }

  #search(ops: readonly Interval[], from: number): Search {
    const steps = Math.ceil(this.#stepsLeft / 4);
    const deadline = within(CANDIDATE_MS, { ...this.#budget, deadline: this.#deadline });
    const budget = { ...this.#budget, steps, deadline };
    const search = decide(ops, this.#model, budget, this.#starts(ops, from));
    this.#stepsLeft -= search.steps + 1;
    return search;
  }

  /** An order that gets as far as any, from one of the states that it may begin in. */
  #example(): readonly number[] | undefined {
    const ops = this.#seen(this.#kept, this.#from);
    const budget = { ...this.#budget, deadline: within(EXAMPLE_MS, this.#budget) };
    for (const init of this.#starts(ops, this.#from)) {
      const search = decide(ops, { ...this.#model, init }, budget);
      if (search.result === 'invalid' && search.upTo === this.#reached)
        return search.furthest.map((at) => this.#kept[at] as number);
    }
    return undefined;
  }

  /** The model's first state, or after a cut every one. */
  #starts(ops: readonly Interval[], from: number): readonly JsonValue[] {
    const { init } = this.#model;
    return (from < 0 ? undefined : this.#model.starts?.(ops.map(({ call }) => call))) ?? [init];
  }

  #impasse(): Impasse | undefined {
    const ops = this.#seen(this.#kept, this.#from);
    const found = impasseOf(ops, this.#model, this.#starts(ops, this.#from));
    const name = (at: number): number => this.#kept[at] as number;
    return (
      found && {
        blocked: name(found.blocked),
        ways: found.ways.map(({ order, others, ...end }) => ({
          ...end,
          order: order.map(name),
          others: others.map(({ op, why }) => ({ op: name(op), why })),
        })),
      }
    );
  }

  /** Where the last search had to end; each reason once. */
  #ends(): Pick<Core, 'blocked' | 'ends'> {
    const blocked = this.#kept.find((at) => this.#ops[at]?.end === this.#reached);
    if (blocked === undefined) return {};
    const ends = new Map<string, End>();
    for (const { state } of this.#deadEnds) {
      const why = refusal(state, this.#ops[blocked] as Interval, this.#model);
      if (why !== undefined && !ends.has(why)) ends.set(why, { state, why });
    }
    return { blocked, ends: [...ends.values()] };
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
