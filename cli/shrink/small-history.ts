/**
 * Makes a history as small as it can honestly be: of what its judge allows to be missing, and only of
 * that, as much goes as the same violation is still found without. To leave out anything else could
 * invent one: without the write, its read shows what nobody wrote.
 */
import type { Clock } from '../../harness/core/clock.ts';
import type { Nanos } from '../../harness/core/units.ts';
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { Anomaly, Removals } from '../../harness/protocols/checker.ts';

export interface HistoryQuestion {
  /** The violation that is looked for, as this history shows it. Undefined: it does not. */
  readonly find: (history: History) => Promise<Anomaly | undefined>;
  readonly removals: (history: History) => Removals;
  readonly clock: Pick<Clock, 'now'>;
  readonly deadline: Nanos;
}

export interface SmallHistory {
  /** Entries of the given one, numbered anew; their times are what they were. */
  readonly history: History;
  /** Indices of its entries in the given history, in order. */
  readonly kept: readonly number[];
  readonly anomaly: Anomaly;
  /** Without any one of what may still be missing, the violation is gone. False: the time was up. */
  readonly isMinimal: boolean;
  readonly asked: number;
}

/** Undefined: the violation is not found to begin with. */
export async function shrinkHistory(
  history: History,
  question: HistoryQuestion,
): Promise<SmallHistory | undefined> {
  const clients: number[] = [];
  for (let index = 0; index < history.length; index++)
    if (history.isClient(index)) clients.push(index);
  const shrinker = new Shrinker(history, question);
  return (await shrinker.keeps(clients)) ? shrinker.run() : undefined;
}

/** The entries with these indices, in order. */
export function excerptOf(history: History, kept: readonly number[]): History {
  const builder = new HistoryBuilder();
  for (const at of kept) {
    const op = history.op(at);
    builder.append(op, op.time);
  }
  return builder.build();
}

class Shrinker {
  readonly #whole: History;
  readonly #question: HistoryQuestion;
  /** What is kept, as indices of the whole and as a history of its own, and what that shows. */
  #kept: readonly number[] = [];
  #history: History;
  #anomaly: Anomaly | undefined;
  #asked = 0;

  constructor(whole: History, question: HistoryQuestion) {
    this.#whole = whole;
    this.#history = whole;
    this.#question = question;
  }

  /** If these show the violation as well, they are what is kept from now on. */
  async keeps(kept: readonly number[]): Promise<boolean> {
    const history = excerptOf(this.#whole, kept);
    this.#asked++;
    const anomaly = await this.#question.find(history);
    if (anomaly === undefined) return false;
    this.#kept = kept;
    this.#history = history;
    this.#anomaly = anomaly;
    return true;
  }

  async run(): Promise<SmallHistory> {
    for (let before = -1; before !== this.#kept.length && !this.#isLate(); ) {
      before = this.#kept.length;
      await this.#dropKeys();
      await this.#dropOthers();
      await this.#cutEnd();
      await this.#dropOperations();
    }
    return {
      history: this.#history,
      kept: this.#kept,
      anomaly: this.#anomaly as Anomaly,
      isMinimal: !this.#isLate(),
      asked: this.#asked,
    };
  }

  #isLate(): boolean {
    return this.#question.clock.now() >= this.#question.deadline;
  }

  #removals(): Removals {
    return this.#question.removals(this.#history);
  }

  /** All keys but those of the violation at once; then one after the other. */
  async #dropKeys(): Promise<void> {
    if (!this.#removals().keys) return;
    const needed = new Set(this.#anomaly?.ops.map((at) => this.#keyOf(at)));
    await this.#without((at) => !needed.has(this.#keyOf(at)));
    const keys = new Set(Array.from(this.#kept.keys(), (at) => this.#keyOf(at)));
    for (const key of keys) {
      if (this.#isLate() || keys.size === 1) return;
      await this.#without((at) => this.#keyOf(at) === key);
    }
  }

  #keyOf(at: number): string | undefined {
    return this.#history.op(at).key;
  }

  /** All that may go and is not told of the violation: mostly that is nearly everything. */
  async #dropOthers(): Promise<void> {
    const { operations } = this.#removals();
    const told = new Set(this.#anomaly?.ops.map((at) => this.#invocationOf(at)));
    await this.#without((at) => {
      const invocation = this.#invocationOf(at);
      return operations.has(invocation) && !told.has(invocation);
    });
  }

  /** The shortest beginning that shows it: looked for by halves, and then entry by entry. */
  async #cutEnd(): Promise<void> {
    if (!this.#removals().ends) return;
    let fails = 0;
    while (this.#kept.length - fails > 1 && !this.#isLate()) {
      const middle = fails + Math.ceil((this.#kept.length - fails) / 2);
      if (middle >= this.#kept.length) break;
      if (!(await this.#without((at) => at >= middle))) fails = middle;
    }
    for (;;) {
      const last = this.#kept.length - 1;
      if (last < 1 || this.#isLate() || !(await this.#without((at) => at >= last))) return;
    }
  }

  /** All at once, then in parts that halve, until none can go alone. */
  async #dropOperations(): Promise<void> {
    const count = this.#removals().operations.size;
    for (let size = count; size >= 1; size = Math.floor(size / 2)) {
      for (let first = 0; !this.#isLate(); ) {
        const free = [...this.#removals().operations].toSorted((a, b) => a - b);
        if (first >= free.length) break;
        const part = new Set(free.slice(first, first + size));
        if (!(await this.#without((at) => part.has(this.#invocationOf(at))))) first += size;
      }
    }
  }

  /** Positions are those in what is kept now. */
  async #without(goes: (at: number) => boolean): Promise<boolean> {
    const kept = this.#kept.filter((_, at) => !goes(at));
    return kept.length < this.#kept.length && (await this.keeps(kept));
  }

  #invocationOf(at: number): number {
    const pair = this.#history.pairOf(at);
    return this.#history.type(at) === 'invoke' || pair === -1 ? at : pair;
  }
}
