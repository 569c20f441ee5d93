import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { HarnessError } from './errors.ts';
import { invariant } from './invariant.ts';
import { type Nanos, nanos, nanosFromMs } from './units.ts';

/** A pending call; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Real in `process` and `docker`, virtual in tests and in the simulator,
 * so that the same runner, workloads and nemeses run on both.
 */
export interface Clock {
  /** Monotonic; nanoseconds since this clock was made, which is the start of the run. */
  now(): Nanos;
  /** Milliseconds since the Unix epoch. For `run.json` only, never for a history. */
  wallMs(): number;
  /** Calls `fire` once, no earlier than `delayMs` from now. */
  timer(delayMs: number, fire: () => void): Timer;
  /** Lets whatever is due (replies, timers) happen before it resolves. */
  turn(): Promise<void>;
}

/** Resolves after `ms`, or at once when `signal` aborts: an aborted sleep is not an error. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const wake = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.timer(ms, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** Node.js fires at once what is to wait longer: 24.8 days. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export function realClock(): Clock {
  const startMs = performance.now();
  return {
    now: () => nanos((performance.now() - startMs) * 1e6),
    wallMs: () => Date.now(),
    timer: (delayMs, fire) => {
      let handle: NodeJS.Timeout;
      const arm = (leftMs: number): void => {
        const partMs = Math.min(Math.max(0, leftMs), TIMEOUT_MS_MAX);
        handle = setTimeout(leftMs > partMs ? () => arm(leftMs - partMs) : fire, partMs);
      };
      arm(delayMs);
      return {
        cancel: () => {
          clearTimeout(handle);
        },
      };
    },
    turn: () => turnOfTheLoop(),
  };
}

interface Entry {
  readonly at: Nanos;
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

/**
 * Time that moves only when everything is waiting: one timer fires, all promises it woke run to
 * their next wait, then the next timer fires. Equal times fire in the order they were set.
 */
export class VirtualClock implements Clock {
  #now: Nanos = nanos(0);
  #order = 0;
  /** A binary heap by (at, order). */
  readonly #heap: Entry[] = [];

  now(): Nanos {
    return this.#now;
  }

  wallMs(): number {
    return this.#now / 1e6;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const at = nanos(this.#now + nanosFromMs(Math.max(0, delayMs)));
    const entry: Entry = { at, order: this.#order++, fire, cancelled: false };
    this.#push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  turn(): Promise<void> {
    return sleep(this, 0);
  }

  /** Runs `task` to its end on virtual time. Throws `deadline` when it waits for nothing. */
  async run<T>(task: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    task.then(mark, mark);
    for (;;) {
      await turnOfTheLoop();
      if (settled) return task;
      const entry = this.#pop();
      if (entry === undefined)
        throw new HarnessError(
          'deadline',
          'virtual time stands still: the task waits, but no timer is set',
        );
      invariant(entry.at >= this.#now, 'virtual time never goes back');
      this.#now = entry.at;
      entry.fire();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest entry that was not cancelled. */
  #pop(): Entry | undefined {
    for (;;) {
      const top = this.#heap[0];
      const last = this.#heap.pop();
      if (top === undefined || last === undefined) return undefined;
      if (top !== last) this.#sink(last);
      if (!top.cancelled) return top;
    }
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let child = left;
      const [l, r] = [heap[left], heap[right]];
      if (l === undefined) break;
      if (r !== undefined && before(r, l)) child = right;
      const below = heap[child];
      if (below === undefined || !before(below, entry)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = entry;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
