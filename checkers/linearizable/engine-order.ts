/**
 * Makes an order of operations of what the search tells: only the choices that changed the state,
 * and which overwrites were hidden for a read. Everything else goes where it fits.
 */
import { invariant } from '../../harness/core/invariant.ts';
import { choiceAt, type Trail } from './engine.ts';
import { NEVER, OVERWRITE, type Problem, READ_ONLY } from './problem.ts';
import { Room, zeroBytes } from './room.ts';

const NONE = -1;

/** Operations that the search placed, in order; the first place is the beginning, without one. */
interface Places {
  count: number;
  readonly op: Int32Array;
  /** It takes effect just before this moment. */
  readonly moment: Int32Array;
  /** The state that it leaves. */
  readonly state: Int32Array;
  /** First of those hidden right before it, of those that follow it and keep its state; `NONE`. */
  readonly hidden: Int32Array;
  readonly keepers: Int32Array;
}

/** For one order after the other. */
const room = new Room();

/**
 * Operations in an order that is legal and respects real time: all that completed before moment
 * `upTo`, and of the others those that the search placed.
 */
export function orderOf(problem: Problem, trail: Trail, upTo: number): number[] {
  room.clear();
  return new Reconstruction(problem).order(trail, upTo);
}

class Reconstruction {
  readonly #problem: Problem;
  readonly #isPlaced: Uint8Array;
  /** Each operation is in one list at most: this is the one behind it. */
  readonly #next: Int32Array;
  /** First of the reads of an operation that is hidden. */
  readonly #reads: Int32Array;
  #places: Places;
  /** By moment: the first place with a later one. */
  #after: Int32Array;

  constructor(problem: Problem) {
    const count = problem.kinds.length;
    this.#problem = problem;
    this.#isPlaced = zeroBytes(count);
    this.#next = room.column(count).fill(NONE);
    this.#reads = room.column(count).fill(NONE);
    this.#places = placesFor(0);
    this.#after = room.column(0);
  }

  order(trail: Trail, upTo: number): number[] {
    this.#place(trail);
    const { returns } = this.#problem;
    const left: number[] = [];
    // Backwards, and each to the front of its list: so each list is by invocation, and of two that
    // do not overlap the first one comes first.
    for (let op = returns.length - 1; op >= 0; op--) {
      if (this.#isPlaced[op] === 1 || (returns[op] as number) >= upTo) continue;
      // The last overwrite hides it, unless it came later and found its own value there.
      const overwrite = this.#isOverwrite(op) ? this.#lastOverwrite(op) : NONE;
      const gap = overwrite === NONE ? this.#gapOf(op) : NONE;
      if (overwrite !== NONE) this.#push(this.#places.hidden, overwrite, op);
      else if (gap !== NONE) this.#push(this.#places.keepers, gap, op);
      else {
        invariant(this.#isRead(op), 'what was passed over keeps some state');
        left.push(op);
      }
    }
    // These wait until all is known that is hidden.
    for (const op of left) this.#push(this.#reads, this.#sourceOf(op), op);
    return this.#listed();
  }

  #kind(op: number): number {
    return this.#problem.kinds[op] as number;
  }
  #isRead(op: number): boolean {
    return this.#problem.flags[this.#kind(op)] === READ_ONLY;
  }
  #isOverwrite(op: number): boolean {
    return this.#problem.flags[this.#kind(op)] === OVERWRITE;
  }
  #push(heads: Int32Array, at: number, op: number): void {
    this.#next[op] = heads[at] as number;
    heads[at] = op;
  }

  #place(trail: Trail): void {
    const { kinds, returns, step } = this.#problem;
    const completed = inOrderOfReturn(returns);
    const unfinished = new Map<number, number[]>();
    for (let op = kinds.length - 1; op >= 0; op--) {
      if (returns[op] !== NEVER) continue;
      const same = unfinished.get(this.#kind(op));
      if (same === undefined) unfinished.set(this.#kind(op), [op]);
      else same.push(op);
    }
    const places = placesFor(trail.length / 2 + 1);
    this.#places = places;
    let overwrite = NONE;
    for (let at = 0; 2 * at < trail.length; at++) {
      const { what, which, completion } = choiceAt(trail, at);
      const op = what === 'use' ? unfinished.get(which)?.pop() : which;
      invariant(op !== undefined, 'no more operations are used than there are');
      this.#isPlaced[op] = 1;
      if (what === 'hide') {
        invariant(overwrite !== NONE, 'something is hidden before an overwrite');
        this.#push(places.hidden, overwrite, op);
        continue;
      }
      const place = places.count++;
      const state = step(places.state[place - 1] as number, this.#kind(op));
      invariant(state >= 0, 'the search places what is legal');
      places.op[place] = op;
      places.state[place] = state;
      places.moment[place] = returns[completed[completion] as number] as number;
      if (this.#isOverwrite(op)) overwrite = place;
    }
    this.#after = this.#countUpTo(places);
  }

  #countUpTo({ count, moment }: Places): Int32Array {
    const upTo = room.column(2 * this.#problem.kinds.length).fill(0);
    for (let place = 1; place < count; place++) {
      const at = moment[place] as number;
      upTo[at] = (upTo[at] as number) + 1;
    }
    for (let at = 0, sum = 1; at < upTo.length; at++) {
      sum += upTo[at] as number;
      upTo[at] = sum;
    }
    return upTo;
  }

  /** The first place such that right after it, before the next one, an operation changes nothing. */
  #gapOf(op: number): number {
    const { calls, returns, step } = this.#problem;
    const { count, moment, state } = this.#places;
    const kind = this.#kind(op);
    const first = Math.max(0, this.#firstAfter(calls[op] as number) - 1);
    for (let at = first; at < count; at++) {
      if ((moment[at] as number) > (returns[op] as number)) return NONE;
      if (step(state[at] as number, kind) === state[at]) return at;
    }
    return NONE;
  }

  /** The first place whose moment is later. */
  #firstAfter(moment: number): number {
    return this.#after[moment] ?? this.#places.count;
  }

  /** The last overwrite that was placed while this operation was in flight. */
  #lastOverwrite(op: number): number {
    const { calls, returns } = this.#problem;
    for (let at = this.#firstAfter(returns[op] as number) - 1; at > 0; at--) {
      if ((this.#places.moment[at] as number) < (calls[op] as number)) return NONE;
      if (this.#isOverwrite(this.#places.op[at] as number)) return at;
    }
    return NONE;
  }

  /** Something hidden while this read was in flight that leaves what it saw. */
  #sourceOf(read: number): number {
    const { calls, returns, step } = this.#problem;
    const { count, moment, state, hidden } = this.#places;
    for (let at = this.#firstAfter(calls[read] as number); at < count; at++) {
      if ((moment[at] as number) > (returns[read] as number)) break;
      for (let op = hidden[at] as number; op !== NONE; op = this.#next[op] as number)
        if (step(step(state[at] as number, this.#kind(op)), this.#kind(read)) >= 0) return op;
    }
    invariant(false, 'a read that was passed over fits some state');
  }

  #listed(): number[] {
    const { count, op, hidden, keepers } = this.#places;
    const order: number[] = [];
    const list = (first: number): void => {
      for (let one = first; one !== NONE; one = this.#next[one] as number) {
        order.push(one);
        if (this.#reads[one] !== NONE) list(this.#reads[one] as number);
      }
    };
    for (let at = 0; at < count; at++) {
      if (hidden[at] !== NONE) list(hidden[at] as number);
      if (at > 0) order.push(op[at] as number);
      if (keepers[at] !== NONE) list(keepers[at] as number);
    }
    return order;
  }
}

function placesFor(count: number): Places {
  const column = (): Int32Array => room.column(count).fill(NONE);
  const places = { op: column(), moment: column(), hidden: column(), keepers: column() };
  return { ...places, state: room.column(count).fill(0), count: Math.min(count, 1) };
}

/** The operations that completed, by completion: moments are numbers without a gap. */
function inOrderOfReturn(returns: Int32Array): Int32Array {
  const at = room.column(2 * returns.length).fill(NONE);
  for (let op = 0; op < returns.length; op++)
    if (returns[op] !== NEVER) at[returns[op] as number] = op;
  let count = 0;
  for (let moment = 0; moment < at.length; moment++)
    if (at[moment] !== NONE) at[count++] = at[moment] as number;
  return at.subarray(0, count);
}
