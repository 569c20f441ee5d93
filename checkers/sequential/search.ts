/**
 * A search for an order: place one operation after another, each time one that nothing unplaced
 * must precede; go back when nothing fits; never go on twice from the same configuration (what is
 * placed, and the states that this leads to). Exponential in the number of sessions at worst.
 *
 * - *Eager reads.* A read-only operation that may come next and fits is placed at once: in any order
 *   that continues from here it can be moved to the front, where it changes nothing.
 * - *Optional operations.* One of unknown outcome is tried only where it changes the state.
 * - *Known precedences*, if given, are kept: every order has them.
 * - *Lost values* (registers). Nothing is put over a value that an unplaced operation still needs
 *   and no unplaced one could put again.
 */
import type { KeyOp } from '../key-history.ts';
import { createMemo, type Memo } from '../linearizable/memo.ts';
import { createTransitions, ILLEGAL, type Transitions } from '../linearizable/transitions.ts';
import type { SearchBudget } from '../linearizable/wgl.ts';
import type { OrderProblem, Session } from './problem.ts';

export interface Effort {
  readonly steps: number;
  readonly configurations: number;
}

export type OrderSearch = Effort &
  (
    | {
        readonly result: 'valid';
        /** Positions; those of unknown outcome that it does not need are absent. */
        readonly order: readonly number[];
      }
    | { readonly result: 'invalid' }
    | {
        readonly result: 'unknown';
        readonly reason: 'time' | 'memory' | 'steps';
        /** How many operations the longest order had. */
        readonly placed: number;
      }
  );

/** `counts`: see `precedences`. */
export function searchOrder(
  problem: OrderProblem,
  budget: SearchBudget,
  counts?: Int32Array,
): OrderSearch {
  return new Search(problem, budget, counts).run();
}

const STEPS_BETWEEN_LOOKS = 1024;
const NOBODY = -1;

/** A configuration on the way: what to go back to, and the last choice that was tried there. */
interface Frame {
  readonly placedBefore: number;
  tried: number;
  isRemembered: boolean;
}

class Search {
  readonly #p: OrderProblem;
  readonly #budget: SearchBudget;
  readonly #transitions: readonly Transitions[];
  readonly #kindOf: Int32Array;
  readonly #readOnly: readonly boolean[];
  readonly #anyKeepsTime: boolean;
  /** By session: how many operations are placed. */
  readonly #done: Int32Array;
  /** By key: the number of its state. */
  readonly #states: Int32Array;
  readonly #values: LostValues | undefined;
  readonly #memo: Memo;
  readonly #words: Int32Array;
  readonly #counts: Int32Array | undefined;
  readonly #path: number[] = [];
  readonly #statesBefore: number[] = [];
  #left: number;
  #steps = 0;
  #longest = 0;
  /** Nothing can come again before the search has gone back once. */
  #hasGoneBack = false;

  constructor(problem: OrderProblem, budget: SearchBudget, counts: Int32Array | undefined) {
    this.#counts = counts;
    const { ops, keys, keyOf, model, sessions, columns } = problem;
    this.#p = problem;
    this.#budget = budget;
    this.#kindOf = new Int32Array(ops.length);
    this.#transitions = keys.map((_, key) => {
      const own = [...ops.keys()].filter((at) => keyOf[at] === key);
      const transitions = createTransitions(
        own.map((at) => (ops[at] as KeyOp).call),
        model,
      );
      for (const [i, at] of own.entries()) this.#kindOf[at] = transitions.kindOf[i] as number;
      return transitions;
    });
    this.#readOnly = ops.map(({ call }) => model.readOnly(call));
    this.#anyKeepsTime = problem.keepsTime.includes(true);
    this.#done = new Int32Array(sessions.length);
    this.#states = Int32Array.from(this.#transitions, ({ init }) => init);
    this.#values = columns && new LostValues(problem);
    this.#memo = createMemo(budget.memoryBytes);
    this.#words = new Int32Array(sessions.length + keys.length);
    this.#left = ops.filter(({ call }) => call.outcome !== 'indefinite').length;
  }

  run(): OrderSearch {
    this.#placeReads();
    const frames: Frame[] = [{ placedBefore: 0, tried: NOBODY, isRemembered: false }];
    let nextLook = 0;
    while (this.#left > 0) {
      if (this.#steps >= nextLook) {
        if (this.#steps >= this.#budget.steps) return this.#gaveUp('steps');
        if (this.#budget.clock.now() >= this.#budget.deadline) return this.#gaveUp('time');
        nextLook = this.#steps + STEPS_BETWEEN_LOOKS;
      }
      const frame = frames.at(-1);
      if (frame === undefined) return { ...this.#effort(), result: 'invalid' };
      const at = this.#nextChoice(frame.tried);
      if (at === NOBODY) {
        this.#longest = Math.max(this.#longest, this.#path.length);
        this.#hasGoneBack = true;
        if (!frame.isRemembered && this.#remember() === 'full') return this.#gaveUp('memory');
        this.#takeBack(frame.placedBefore);
        frames.pop();
        continue;
      }
      frame.tried = at;
      const placedBefore = this.#path.length;
      this.#place(at, this.#next(at));
      this.#placeReads();
      const known = this.#hasGoneBack ? this.#remember() : 'new';
      if (known === 'full') return this.#gaveUp('memory');
      if (known === 'seen') this.#takeBack(placedBefore);
      else frames.push({ placedBefore, tried: NOBODY, isRemembered: this.#hasGoneBack });
    }
    return { ...this.#effort(), result: 'valid', order: this.#path };
  }

  #effort(): Effort {
    return { steps: this.#steps, configurations: this.#memo.size };
  }

  #gaveUp(reason: 'time' | 'memory' | 'steps'): OrderSearch {
    const placed = Math.max(this.#longest, this.#path.length);
    return { ...this.#effort(), result: 'unknown', reason, placed };
  }

  /** The first operation of a session that is not placed, if it may begin. */
  #head({ ops, after }: Session, session: number): number {
    const at = ops[this.#done[session] as number];
    if (at === undefined) return NOBODY;
    return after === undefined || (this.#done[after.session] as number) >= after.count
      ? at
      : NOBODY;
  }

  /** Again and again where time counts: one may have waited for the end of another. */
  #placeReads(): void {
    for (;;) {
      const before = this.#path.length;
      const firstEnd = this.#firstEnd();
      for (const [session, one] of this.#p.sessions.entries())
        this.#placeReadsOf(one, session, firstEnd);
      if (!this.#anyKeepsTime || this.#path.length === before) return;
    }
  }

  #placeReadsOf(one: Session, session: number, firstEnd: number): void {
    for (;;) {
      const at = this.#head(one, session);
      if (at === NOBODY || this.#readOnly[at] !== true || !this.#mayBeNext(at, firstEnd)) return;
      const to = this.#next(at);
      if (to === ILLEGAL) return;
      this.#place(at, to);
    }
  }

  /** The earliest one, after `tried`, that may come next and does not only read. */
  #nextChoice(tried: number): number {
    const firstEnd = this.#firstEnd();
    let best = NOBODY;
    for (const [session, one] of this.#p.sessions.entries()) {
      const at = this.#head(one, session);
      if (at <= tried || (best !== NOBODY && at > best) || this.#readOnly[at] === true) continue;
      if (this.#values?.wouldBeLost(at) === true || !this.#mayBeNext(at, firstEnd)) continue;
      const to = this.#next(at);
      const isOptional = this.#p.ops[at]?.call.outcome === 'indefinite';
      const isUseless = isOptional && to === this.#states[this.#p.keyOf[at] as number];
      if (to !== ILLEGAL && !isUseless) best = at;
    }
    return best;
  }

  /** The first end of what is not placed: in a session the first one is the first to end. */
  #firstEnd(): number {
    if (!this.#anyKeepsTime) return Infinity;
    let first = Infinity;
    for (const [session, { ops }] of this.#p.sessions.entries()) {
      const at = ops[this.#done[session] as number];
      const end = at === undefined ? Infinity : (this.#p.ops[at] as KeyOp).end;
      if (end < first) first = end;
    }
    return first;
  }

  #mayBeNext(at: number, firstEnd: number): boolean {
    if (this.#p.keepsTime[at] === true && (this.#p.ops[at] as KeyOp).start > firstEnd) return false;
    if (this.#counts === undefined) return true;
    const done = this.#done;
    const from = at * done.length;
    for (let session = 0; session < done.length; session++)
      if ((this.#counts[from + session] as number) > (done[session] as number)) return false;
    return true;
  }

  #next(at: number): number {
    this.#steps++;
    const key = this.#p.keyOf[at] as number;
    const transitions = this.#transitions[key] as Transitions;
    return transitions.step(this.#states[key] as number, this.#kindOf[at] as number);
  }

  #place(at: number, to: number): void {
    const [key, session] = [this.#p.keyOf[at] as number, this.#p.sessionOf[at] as number];
    this.#path.push(at);
    this.#statesBefore.push(this.#states[key] as number);
    this.#states[key] = to;
    this.#done[session] = (this.#done[session] as number) + 1;
    this.#values?.place(at);
    if (this.#p.ops[at]?.call.outcome !== 'indefinite') this.#left--;
  }

  #takeBack(placedBefore: number): void {
    while (this.#path.length > placedBefore) {
      const at = this.#path.pop() as number;
      const [key, session] = [this.#p.keyOf[at] as number, this.#p.sessionOf[at] as number];
      this.#states[key] = this.#statesBefore.pop() as number;
      this.#done[session] = (this.#done[session] as number) - 1;
      this.#values?.takeBack(at);
      if (this.#p.ops[at]?.call.outcome !== 'indefinite') this.#left++;
    }
  }

  #remember(): 'new' | 'seen' | 'full' {
    this.#words.set(this.#done);
    this.#words.set(this.#states, this.#done.length);
    return this.#memo.add(this.#words, this.#words.length);
  }
}

/** What the registers hold, and who still needs it. */
class LostValues {
  readonly #needs: Int32Array;
  readonly #puts: Int32Array;
  readonly #keyOf: Int32Array;
  readonly #isOptional: readonly boolean[];
  /** By key: the numbers of the values that it had so far; the last one is there. */
  readonly #held: readonly number[][];
  /** By value: unplaced operations that must see it, and those that may put it. */
  readonly #needers: Int32Array;
  readonly #putters: Int32Array;

  constructor({ ops, keyOf, columns }: OrderProblem) {
    const none = new Int32Array(0);
    const { needs = none, puts = none, initial = none, values = [] } = columns ?? {};
    this.#needs = needs;
    this.#puts = puts;
    this.#keyOf = keyOf;
    this.#isOptional = ops.map(({ call }) => call.outcome === 'indefinite');
    this.#held = [...initial].map((value) => [value]);
    this.#needers = new Int32Array(values.length);
    this.#putters = new Int32Array(values.length);
    for (const at of ops.keys()) this.#count(at, 1);
  }

  wouldBeLost(at: number): boolean {
    const put = this.#puts[at] as number;
    const held = this.#held[this.#keyOf[at] as number]?.at(-1);
    if (put < 0 || held === undefined || put === held || this.#putters[held] !== 0) return false;
    const own = this.#needs[at] === held && this.#isOptional[at] !== true ? 1 : 0;
    return (this.#needers[held] as number) > own;
  }

  place(at: number): void {
    this.#count(at, -1);
    const put = this.#puts[at] as number;
    if (put >= 0) this.#held[this.#keyOf[at] as number]?.push(put);
  }

  takeBack(at: number): void {
    this.#count(at, 1);
    if ((this.#puts[at] as number) >= 0) this.#held[this.#keyOf[at] as number]?.pop();
  }

  #count(at: number, by: number): void {
    const [needed, put] = [this.#needs[at] as number, this.#puts[at] as number];
    if (needed >= 0 && this.#isOptional[at] !== true)
      this.#needers[needed] = (this.#needers[needed] as number) + by;
    if (put >= 0) this.#putters[put] = (this.#putters[put] as number) + by;
  }
}
