import { invariant } from '../../harness/core/invariant.ts';
import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { type Chain, createChain, isInvocation, opOf } from './chain.ts';
import { createPlaced, type Placed } from './configuration.ts';
import { createMemo, type Memo } from './memo.ts';
import { createTransitions, ILLEGAL, type Transitions } from './transitions.ts';

const NO_TWIN = -1;

/** Where the search is: what is placed, in which order, and the state that this leads to. */
export class Walk {
  readonly chain: Chain;
  steps = 0;
  readonly #count: number;
  readonly #optional: readonly boolean[];
  readonly #readOnly: readonly boolean[];
  readonly #transitions: Transitions;
  readonly #twins: Int32Array;
  readonly #placed: Placed;
  readonly #memo: Memo;
  readonly #path: number[] = [];
  readonly #statesBefore: number[] = [];
  #state: number;
  /** Obligatory operations that are not placed. */
  #left: number;

  constructor(ops: readonly Interval[], model: Model, memoryBytes: number) {
    const calls = ops.map(({ call }) => call);
    this.chain = createChain(ops);
    this.#count = ops.length;
    this.#optional = calls.map(({ outcome }) => outcome === 'indefinite');
    this.#readOnly = calls.map((call) => model.readOnly(call));
    this.#transitions = createTransitions(calls, model);
    this.#twins = earlierTwins(this.#transitions.kindOf, this.#optional);
    this.#placed = createPlaced(this.#optional);
    this.#memo = createMemo(memoryBytes);
    this.#state = this.#transitions.init;
    this.#left = this.#optional.filter((is) => !is).length;
  }

  complete(): boolean {
    return this.#left === 0;
  }

  order(): number[] {
    return [...this.#path];
  }

  effort(): { readonly steps: number; readonly configurations: number } {
    return { steps: this.steps, configurations: this.#memo.size };
  }

  /** Places every read-only operation that may come next and fits the state. */
  placeReads(): void {
    let node = this.chain.first();
    while (isInvocation(node)) {
      const op = opOf(node);
      if (this.#readOnly[op] === true) {
        const to = this.#step(op);
        invariant(to === ILLEGAL || to === this.#state, 'a read-only operation changed the state');
        if (to !== ILLEGAL) this.#place(op, to);
      }
      node = this.chain.after(node);
    }
  }

  /** The state after `op` as the next choice, or `ILLEGAL` where it is none. */
  choice(op: number): number {
    const twin = this.#twins[op] as number;
    if (this.#readOnly[op] === true) return ILLEGAL;
    if (twin !== NO_TWIN && !this.#placed.has(twin)) return ILLEGAL;
    const to = this.#step(op);
    return this.#optional[op] === true && to === this.#state ? ILLEGAL : to;
  }

  /** Places a choice and the reads that it makes legal, and remembers where that leads. */
  enter(op: number, to: number): 'new' | 'seen' | 'full' {
    this.#place(op, to);
    this.placeReads();
    return this.#memo.add(this.#placed.words, this.#placed.encode(this.#state));
  }

  /** Takes back up to and including the last choice, and returns it; undefined: there is none. */
  takeBackChoice(): number | undefined {
    for (;;) {
      const op = this.#path.pop();
      if (op === undefined) return undefined;
      this.#state = this.#statesBefore.pop() ?? this.#transitions.init;
      this.#placed.remove(op);
      this.chain.unlift(op);
      if (this.#optional[op] !== true) this.#left++;
      if (this.#readOnly[op] !== true) return op;
    }
  }

  /** The node of the first completion left. */
  firstCompletion(): number {
    let node = this.chain.first();
    while (isInvocation(node)) node = this.chain.after(node);
    invariant(node <= 2 * this.#count + 1, 'the chain ends in a completion');
    return node;
  }

  #step(op: number): number {
    this.steps++;
    return this.#transitions.step(this.#state, this.#transitions.kindOf[op] as number);
  }

  #place(op: number, to: number): void {
    this.#path.push(op);
    this.#statesBefore.push(this.#state);
    this.#state = to;
    this.#placed.add(op);
    this.chain.lift(op);
    if (this.#optional[op] !== true) this.#left--;
  }
}

/** For each optional operation the one of the same kind before it. */
function earlierTwins(kindOf: Int32Array, optional: readonly boolean[]): Int32Array {
  const twins = new Int32Array(kindOf.length).fill(NO_TWIN);
  const last = new Map<number, number>();
  for (const [op, kind] of kindOf.entries()) {
    if (optional[op] !== true) continue;
    twins[op] = last.get(kind) ?? NO_TWIN;
    last.set(kind, op);
  }
  return twins;
}
