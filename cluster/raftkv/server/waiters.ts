/** Those who wait for an answer, in the order of their deadlines. */
import type { Clock } from '../../../harness/core/clock.ts';
import { msFromNanos } from '../../../harness/core/units.ts';

interface Waiter<T> {
  readonly deadlineMs: number;
  readonly resolve: (value: T) => void;
}

/**
 * All wait equally long, so the first to come is the first to give up: no timer for each is needed,
 * only a look now and then.
 */
export class Waiters<K, T> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<K, Waiter<T>>();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(key: K): boolean {
    return this.#waiting.has(key);
  }

  wait(key: K): Promise<T> {
    const deadlineMs = msFromNanos(this.#clock.now()) + this.#timeoutMs;
    return new Promise((resolve) => {
      this.#waiting.set(key, { deadlineMs, resolve });
    });
  }

  /** Whoever waits for one thing waits for another from now on, for as long. */
  move(from: K, to: K): void {
    const waiter = this.#waiting.get(from);
    if (waiter === undefined) return;
    this.#waiting.delete(from);
    this.#waiting.set(to, waiter);
  }

  /** False: nobody waits for it. */
  answer(key: K, value: T): boolean {
    const waiter = this.#waiting.get(key);
    if (waiter === undefined) return false;
    this.#waiting.delete(key);
    waiter.resolve(value);
    return true;
  }

  /** Answers those whose time is over; returns their keys. */
  expire(value: T): K[] {
    const nowMs = msFromNanos(this.#clock.now());
    const gone: K[] = [];
    for (const [key, waiter] of this.#waiting) {
      if (waiter.deadlineMs > nowMs) break;
      gone.push(key);
    }
    for (const key of gone) this.answer(key, value);
    return gone;
  }

  answerAll(value: T): void {
    for (const key of this.#waiting.keys()) this.answer(key, value);
  }
}
