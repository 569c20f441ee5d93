/** Linearizable reads by ReadIndex (thesis §6.4): all that come in one turn share one request. */
import type { Clock } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Bugs } from '../bugs.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import type { Raft, ReadGrant } from '../raft/types.ts';
import { Waiters } from './waiters.ts';

/** As etcd: a request or its answer may be lost. */
const ASK_AGAIN_MS = 500;
/** Where ids start leaves room for so many in one life. */
const IDS_A_LIFE = 2 ** 20;

interface Batch {
  readonly waiters: readonly number[];
  askedMs: number;
  /** Of raft's grant; the batch then waits for the state machine. */
  index: number | undefined;
}

export interface ReadsOptions {
  readonly raft: Raft;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  /** What the state machine has. */
  readonly applied: () => number;
  readonly wake: () => void;
  readonly bugs: Bugs;
}

/** Each read waits until the state machine has all that was committed when it was asked for. */
export class Reads {
  readonly #options: ReadsOptions;
  readonly #waiters: Waiters<number, Result<null>>;
  /** By the id that raft knows the batch by now. */
  readonly #asked = new Map<number, Batch>();
  #collecting: number[] = [];
  #lastWaiter = 0;
  #lastAsked: number;
  #closed: Failure | undefined;

  constructor(options: ReadsOptions) {
    this.#options = options;
    this.#waiters = new Waiters(options.clock, options.timeoutMs);
    // An answer to a former life may still be on its way.
    this.#lastAsked = options.random.int(0, 2 ** 31 - 1) * IDS_A_LIFE;
  }

  /** Resolves when the state machine may be read. */
  barrier(): Promise<Result<null>> {
    if (this.#closed !== undefined) return Promise.resolve(failed(this.#closed));
    this.#lastWaiter += 1;
    this.#collecting.push(this.#lastWaiter);
    this.#options.wake();
    return this.#waiters.wait(this.#lastWaiter);
  }

  /** Asks raft for those that came since the last turn. */
  ask(): void {
    if (this.#collecting.length === 0) return;
    const waiters = this.#collecting;
    this.#collecting = [];
    this.#ask(waiters);
  }

  granted(grants: readonly ReadGrant[]): void {
    for (const { id, index } of grants) {
      const batch = this.#asked.get(id);
      if (batch !== undefined) batch.index = index;
    }
  }

  /** Answers those whose index the state machine has reached. */
  serve(): void {
    const applied = this.#options.applied();
    for (const [id, { index, waiters }] of this.#asked) {
      if (index === undefined || index > applied) continue;
      this.#asked.delete(id);
      for (const waiter of waiters) this.#waiters.answer(waiter, ok(null));
    }
  }

  /** Asks again, under a new id, what was not granted for long; gives up what waited too long. */
  tick(): void {
    this.#waiters.expire(failed(FAILURES.timedOut));
    const nowMs = msFromNanos(this.#options.clock.now());
    for (const [id, batch] of this.#asked) {
      if (batch.index !== undefined || nowMs - batch.askedMs < ASK_AGAIN_MS) continue;
      this.#asked.delete(id);
      const waiters = batch.waiters.filter((waiter) => this.#waiters.has(waiter));
      if (waiters.length === 0) continue;
      this.#ask(waiters, id);
      this.#options.wake();
    }
  }

  close(failure: Failure): void {
    this.#closed = failure;
    this.#asked.clear();
    this.#collecting = [];
    this.#waiters.answerAll(failed(failure));
  }

  /** There is a leader again: what was not granted is asked again at the next tick. */
  leaderFound(): void {
    for (const batch of this.#asked.values()) batch.askedMs = Number.NEGATIVE_INFINITY;
  }

  #ask(waiters: readonly number[], before?: number): void {
    const { raft, clock, bugs } = this.#options;
    // An answer to an earlier try must never be taken for one to this: etcd issue 20418.
    this.#lastAsked += 1;
    // Breaks just that.
    const id = bugs.has('read-index-retry') ? (before ?? this.#lastAsked) : this.#lastAsked;
    this.#asked.set(id, { waiters, askedMs: msFromNanos(clock.now()), index: undefined });
    // Without a leader the next try is due as for a request that was lost.
    raft.readIndex(id);
  }
}
