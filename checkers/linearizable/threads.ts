/** Drives rounds in this thread and in others beside it. */
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { msFromNanos, type Nanos, nanos, nanosFromMs } from '../../harness/core/units.ts';
import { startWorker } from '../../harness/core/worker.ts';
import { loadEngine } from './engine-module.ts';
import type { Parts } from './partition.ts';
import type { Outcome, Round, RoundBudget, Rounds } from './rounds.ts';
import {
  isBusy,
  type Order,
  outcomeAt,
  type SharedParts,
  type SharedRound,
  sharedColumn,
  shareParts,
  takeParts,
} from './shared-parts.ts';

export interface ThreadOptions {
  /** This one counts as well. Default: as many as the machine has processors. */
  readonly threads?: number;
  /** Others are started for what is not done by then; default: 30, about what a start takes. */
  readonly patienceMs?: number;
  /** How one is started; default: with `threads-worker.ts`. */
  readonly start?: () => Worker;
}

/** With so many operations it takes longer than a start, so that others are started before there is work. */
const MANY = 200_000;

/**
 * As `runHere`, with the same outcome: what a thread had too little memory for is tried once more
 * alone. This thread works, too; a key whose thread ends is `unknown`.
 */
export async function runOnThreads<T>(
  rounds: Rounds<T>,
  budget: RoundBudget,
  options: ThreadOptions = {},
): Promise<T> {
  const { threads = navigator.hardwareConcurrency, patienceMs = 30, start = startThread } = options;
  await using team = new Team(threads - 1, nanosFromMs(patienceMs), start);
  let next = rounds.next();
  while (next.done !== true) {
    const { value: round } = next;
    if (round.keys.length === 0 && round.operations >= MANY) team.start();
    const outcomes =
      round.keys.length > 1 && threads > 1 && round.parts !== undefined
        ? await team.outcomes(round, round.parts, budget)
        : round.keys.map((_, at) => decideAlone(round, at, budget));
    next = rounds.next(outcomes);
  }
  return next.value;
}

function decideAlone(round: Round, at: number, budget: RoundBudget): Outcome {
  return round.decide(round.keys[at] as number, { ...budget, steps: round.steps[at] as number });
}

const LOST: Outcome = {
  result: 'unknown',
  reason: 'memory',
  steps: 0,
  configurations: 0,
  states: 0,
  width: 0,
};

function startThread(): Worker {
  return startWorker(new URL(`./threads-worker${extname(import.meta.url)}`, import.meta.url));
}

class Team implements AsyncDisposable {
  readonly #others: number;
  readonly #startOne: () => Worker;
  #patience: number;
  #shared: SharedParts | undefined;
  #workers: readonly Worker[] = [];
  #broken: Error | undefined;

  constructor(others: number, patience: Nanos, startOne: () => Worker) {
    this.#others = others;
    this.#startOne = startOne;
    this.#patience = patience;
  }

  async outcomes(round: Round, parts: Parts, budget: RoundBudget): Promise<readonly Outcome[]> {
    const { clock, deadline } = budget;
    const began = clock.now();
    const memoryBytes = Math.floor(budget.memoryBytes / (this.#others + 1));
    const shared: SharedRound = {
      keys: sharedColumn(round.keys),
      steps: Float64Array.from(round.steps),
      taken: sharedColumn([0]),
      timeMs: msFromNanos(nanos(deadline - began)),
      memoryBytes,
      recheck: budget.recheck !== false,
    };
    this.#shared ??= shareParts(parts, loadEngine());
    const own = { ...budget, memoryBytes };
    const patience = this.#workers.length > 0 ? 0 : this.#patience;
    if (!takeParts(this.#shared, shared, own, nanos(began + patience))) {
      this.start();
      const idle = this.#idle(this.#shared, round.keys);
      const order: Order = { parts: this.#shared, round: shared };
      for (const worker of this.#workers) worker.postMessage(order);
      takeParts(this.#shared, shared, own);
      await idle();
    }
    this.#patience = Math.max(0, this.#patience - (clock.now() - began));
    if (this.#broken !== undefined) throw this.#broken;
    return this.#collect(this.#shared, round, budget);
  }

  #collect(common: SharedParts, round: Round, budget: RoundBudget): readonly Outcome[] {
    return round.keys.map((key, at) => {
      const outcome = outcomeAt(common, key);
      if (outcome === undefined) return LOST;
      const isPoor = outcome.reason === 'memory' || outcome.reason === 'width';
      return isPoor ? decideAlone(round, at, budget) : outcome;
    });
  }

  /** The others, unless they were started already. */
  start(): void {
    if (this.#workers.length > 0) return;
    this.#workers = Array.from({ length: this.#others }, () => {
      const worker = this.#startOne();
      worker.on('error', (error: Error & { readonly code?: string }) => {
        if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') this.#broken = error;
      });
      return worker;
    });
  }

  /** Then waits until no thread has a part, or each has said that it has none, or has ended. */
  #idle(common: SharedParts, keys: readonly number[]): () => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const left = new Set(this.#workers);
    const look = (): void => {
      if (left.size === 0 || !keys.some((key) => isBusy(common, key))) resolve();
    };
    for (const worker of this.#workers) {
      const leave = (): void => {
        worker.off('message', leave);
        worker.off('exit', leave);
        left.delete(worker);
        look();
      };
      worker.on('message', leave);
      worker.on('exit', leave);
      // One that has ended says so no more.
      if (worker.threadId < 0) leave();
    }
    return () => {
      look();
      return promise;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
