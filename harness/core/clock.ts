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

/** How many events one turn of the event loop may hold, once a run is longer than a moment. */
const EVENTS_A_TURN_MAX = 256;
/** Who takes turn after turn within one event must not keep the event loop for itself. */
const TURNS_AT_ONCE_MAX = 1024;
const SETTLED: Promise<void> = Promise.resolve();
/** Below so many cancelled timers it is not worth to look for them. */
const CANCELLED_MIN = 64;

/** What is to come; `fire` is dropped as soon as it cannot fire any more, with all that it holds. */
class VirtualTimer implements Timer {
  readonly at: Nanos;
  readonly order: number;
  fire: (() => void) | undefined;
  readonly #onCancel: () => void;

  constructor(at: Nanos, order: number, fire: () => void, onCancel: () => void) {
    this.at = at;
    this.order = order;
    this.fire = fire;
    this.#onCancel = onCancel;
  }

  cancel(): void {
    if (this.fire === undefined) return;
    this.fire = undefined;
    this.#onCancel();
  }
}

/**
 * Time that moves only when everything is waiting: one timer fires, all promises it woke run to
 * their next wait, then the next timer fires. Equal times fire in the order they were set.
 */
export class VirtualClock implements Clock {
  #now: Nanos = nanos(0);
  #order = 0;
  /** A binary heap by (at, order): what is due later. */
  #heap: VirtualTimer[] = [];
  /** What was set to be due at once, in order, from `#dueFrom` on: most timers never need the heap. */
  #due: VirtualTimer[] = [];
  #dueFrom = 0;
  /** Within this event. */
  #turnsAtOnce = 0;
  /** Of those in the heap. */
  #cancelled = 0;

  now(): Nanos {
    return this.#now;
  }

  wallMs(): number {
    return this.#now / 1e6;
  }

  timer(delayMs: number, fire: () => void): Timer {
    const at = delayMs > 0 ? nanos(this.#now + nanosFromMs(delayMs)) : this.#now;
    if (at === this.#now) {
      const timer = new VirtualTimer(at, this.#order++, fire, ignore);
      this.#due.push(timer);
      return timer;
    }
    const timer = new VirtualTimer(at, this.#order++, fire, this.#countCancelled);
    this.#push(timer);
    return timer;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.afterDue(resolve);
    });
  }

  /**
   * Calls `then` once everything has fired that is due now. Mostly that is nothing, and then it need
   * not be an event of its own, which would be every third of a simulation: it comes as the next
   * promise does, after the code that runs now.
   */
  afterDue(then: () => void): void {
    const isDue = this.#dueFrom < this.#due.length || this.#heap[0]?.at === this.#now;
    if (isDue || this.#turnsAtOnce >= TURNS_AT_ONCE_MAX) this.timer(0, then);
    else {
      this.#turnsAtOnce++;
      void SETTLED.then(then);
    }
  }

  /**
   * Runs `task` to its end on virtual time. Throws `deadline` when it waits for nothing.
   *
   * Between two immediates of one turn of the event loop Node.js runs all microtasks and ticks, so a
   * turn can hold many events and each still sees everything done that the one before it woke. That
   * is five times as fast as a turn for each.
   */
  run<T>(task: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let isSettled = false;
    let isOver = false;
    const settled = (): void => {
      isSettled = true;
    };
    task.then(settled, settled);
    const step = (): void => {
      if (isOver) return;
      if (isSettled) {
        isOver = true;
        resolve(task);
        return;
      }
      try {
        this.#fireNext();
      } catch (error) {
        isOver = true;
        reject(error);
      }
    };
    let size = 1;
    const turn = (): void => {
      if (isOver) return;
      size = Math.min(2 * size, EVENTS_A_TURN_MAX);
      for (let events = 0; events < size; events++) setImmediate(step);
      setImmediate(turn);
    };
    turn();
    return promise;
  }

  #fireNext(): void {
    const timer = this.#pop();
    const fire = timer?.fire;
    if (timer === undefined || fire === undefined)
      throw new HarnessError(
        'deadline',
        'virtual time stands still: the task waits, but no timer is set',
      );
    invariant(timer.at >= this.#now, 'virtual time never goes back');
    this.#now = timer.at;
    this.#turnsAtOnce = 0;
    timer.fire = undefined;
    fire();
  }

  /** Takes the earliest that was not cancelled. */
  #pop(): VirtualTimer | undefined {
    for (;;) {
      const due = this.#due[this.#dueFrom];
      const top = this.#heap[0];
      if (due !== undefined && (top === undefined || before(due, top))) {
        this.#dueFrom++;
        if (this.#dueFrom === this.#due.length) {
          this.#due.length = 0;
          this.#dueFrom = 0;
        }
        if (due.fire !== undefined) return due;
        continue;
      }
      const last = this.#heap.pop();
      if (top === undefined || last === undefined) return undefined;
      if (top !== last) sink(this.#heap, 0, last);
      if (top.fire !== undefined) return top;
      this.#cancelled--;
    }
  }

  #push(timer: VirtualTimer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(timer, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  /** Deadlines are nearly all cancelled, long before their time: they must not fill the heap. */
  readonly #countCancelled = (): void => {
    this.#cancelled++;
    if (this.#cancelled < CANCELLED_MIN || 2 * this.#cancelled < this.#heap.length) return;
    const heap = this.#heap.filter(({ fire }) => fire !== undefined);
    for (let at = (heap.length >> 1) - 1; at >= 0; at--) {
      const timer = heap[at];
      if (timer !== undefined) sink(heap, at, timer);
    }
    this.#heap = heap;
    this.#cancelled = 0;
  };
}

function ignore(): void {}

/** Puts `timer` where it belongs, at `from` or below it. */
function sink(heap: VirtualTimer[], from: number, timer: VirtualTimer): void {
  let at = from;
  for (;;) {
    const left = 2 * at + 1;
    const right = left + 1;
    const [l, r] = [heap[left], heap[right]];
    if (l === undefined) break;
    const child = r !== undefined && before(r, l) ? right : left;
    const below = child === right && r !== undefined ? r : l;
    if (!before(below, timer)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = timer;
}

function before(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
