import { invariant } from '../core/invariant.ts';
import type { Nanos } from '../core/units.ts';
import { Columns, NEMESIS, NONE, OBSERVER } from './columns.ts';
import type { Op, OpDraft, OpType, Process } from './op.ts';

/** An invocation and how it ended; `completion` is absent when the history ends first. */
export interface Operation {
  readonly invoke: Op;
  readonly completion: Op | undefined;
}

/** What `Columns` says of entries; see there. */
export type Codes = Omit<Columns, 'push'>;

/**
 * The ordered entries of one run: columns of typed arrays, values interned, pairs known. Made by a
 * `HistoryBuilder`; it never changes, even if the builder goes on.
 */
export class History {
  readonly length: number;
  readonly #columns: Columns;

  /** Use `HistoryBuilder` or `historyOf`. */
  constructor(columns: Columns) {
    this.#columns = columns;
    this.length = columns.length;
  }

  /** The entry at `index`, built anew at each call. */
  op(index: number): Op {
    return this.#columns.op(this.#checked(index));
  }

  time(index: number): Nanos {
    return this.#columns.time(this.#checked(index));
  }

  type(index: number): OpType {
    return this.#columns.type(this.#checked(index));
  }

  process(index: number): Process {
    return this.#columns.process(this.#checked(index));
  }

  isClient(index: number): boolean {
    return this.#columns.processCode(this.#checked(index)) >= 0;
  }

  /** The index of the other half of this operation, or -1. */
  pairOf(index: number): number {
    const pair = this.#columns.pairOf(this.#checked(index));
    return pair < this.length ? pair : NONE;
  }

  /** The fields of entries as numbers, for who reads a million of them; no index is checked. */
  get codes(): Codes {
    return this.#columns;
  }

  /** All entries in order. */
  *ops(): Generator<Op, void, undefined> {
    for (let index = 0; index < this.length; index++) yield this.#columns.op(index);
  }

  /** Client operations in order of invocation. */
  *operations(): Generator<Operation, void, undefined> {
    for (let index = 0; index < this.length; index++) {
      if (!this.#columns.isInvoke(index) || !this.isClient(index)) continue;
      const pair = this.pairOf(index);
      yield { invoke: this.op(index), completion: pair === NONE ? undefined : this.op(pair) };
    }
  }

  /** Client operations by key, each list in order of invocation. Operations without a key: ''. */
  operationsByKey(): Map<string, Operation[]> {
    return Map.groupBy(this.operations(), ({ invoke }) => invoke.key ?? '');
  }

  /** The entries of the nemesis, in order. */
  *faults(): Generator<Op, void, undefined> {
    yield* this.#ofProcess(NEMESIS);
  }

  /** The entries of the observer, in order. */
  *observations(): Generator<Op, void, undefined> {
    yield* this.#ofProcess(OBSERVER);
  }

  *#ofProcess(process: number): Generator<Op, void, undefined> {
    for (let index = 0; index < this.length; index++)
      if (this.#columns.processCode(index) === process) yield this.op(index);
  }

  #checked(index: number): number {
    if (index >= 0 && index < this.length) return index;
    invariant(false, `history: there is no entry ${index} of ${this.length}`);
  }
}

/** Takes entries in order; `index` must be dense and `time` must not go back. */
export class HistoryBuilder {
  readonly #columns: Columns = new Columns();

  get length(): number {
    return this.#columns.length;
  }

  add(op: Op): void {
    if (op.index !== this.#columns.length)
      invariant(false, `history: index ${op.index} is not the next one`);
    this.#columns.push(op, op.time);
  }

  /** Adds an entry that has no index yet; returns it with its index and time. */
  append(draft: OpDraft, time: Nanos): Op {
    const index = this.#columns.length;
    this.#columns.push(draft, time);
    return { ...draft, index, time };
  }

  /** The history until now, without a copy. The builder may go on; the history stays as it is. */
  build(): History {
    return new History(this.#columns);
  }
}

export function historyOf(ops: Iterable<Op>): History {
  const builder = new HistoryBuilder();
  for (const op of ops) builder.add(op);
  return builder.build();
}
