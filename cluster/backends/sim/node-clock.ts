/** A node's own idea of time. */
import type { Clock, Timer, VirtualClock } from '../../../harness/core/clock.ts';
import { msFromNanos, type Nanos, nanos } from '../../../harness/core/units.ts';
import type { Life } from './life.ts';

export interface Skew {
  /** Milliseconds that the wall clock is ahead; as with `settimeofday`, nothing else is. */
  readonly offsetMs: number;
  /** Of this node's seconds to true ones: 1.01 is a clock that gains ten milliseconds a second. */
  readonly rate: number;
}

/** The clock of a node's machine: goes on from one life to the next. */
export class NodeTime {
  readonly #clock: VirtualClock;
  #skew: Skew = { offsetMs: 0, rate: 1 };
  /** Where both clocks were when the rate last changed. */
  #sinceTrue: Nanos = nanos(0);
  #sinceOwn: Nanos = nanos(0);

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get skew(): Skew {
    return this.#skew;
  }

  set(skew: Skew): void {
    this.#sinceOwn = this.now();
    this.#sinceTrue = this.#clock.now();
    this.#skew = skew;
  }

  now(): Nanos {
    const { rate } = this.#skew;
    if (rate === 1) return nanos(this.#sinceOwn + (this.#clock.now() - this.#sinceTrue));
    return nanos(this.#sinceOwn + (this.#clock.now() - this.#sinceTrue) * rate);
  }

  wallMs(): number {
    return msFromNanos(this.now()) + this.#skew.offsetMs;
  }

  /** True milliseconds in which this clock goes on by `ownMs`. */
  trueMs(ownMs: number): number {
    return ownMs / this.#skew.rate;
  }
}

/** The clock that one life sees. */
export function nodeClock(time: NodeTime, life: Life, clock: VirtualClock): Clock {
  return {
    now: () => time.now(),
    wallMs: () => time.wallMs(),
    timer: (delayMs, fire) => new NodeTimer({ time, life, clock }, delayMs, fire),
    turn: () =>
      new Promise((resolve) => {
        clock.afterDue(() => life.deliver(resolve));
      }),
  };
}

interface Around {
  readonly time: NodeTime;
  readonly life: Life;
  readonly clock: VirtualClock;
}

class NodeTimer implements Timer {
  readonly #around: Around;
  /** The skew that its time was reckoned with. */
  #skew: Skew;
  readonly #due: number;
  #fire: (() => void) | undefined;
  #timer: Timer;

  constructor(around: Around, delayMs: number, fire: () => void) {
    const { time } = around;
    this.#around = around;
    this.#skew = time.skew;
    this.#due = time.now() + Math.max(0, delayMs) * 1e6;
    this.#fire = fire;
    this.#timer = this.#arm(delayMs);
  }

  cancel(): void {
    this.#fire = undefined;
    this.#timer.cancel();
  }

  #arm(ownMs: number): Timer {
    const { time, life, clock } = this.#around;
    return clock.timer(time.trueMs(ownMs), () => {
      // A clock that was slowed down meanwhile is not there yet. One that was sped up finds out late.
      if (this.#skew !== time.skew) {
        this.#skew = time.skew;
        const leftMs = msFromNanos(this.#due - time.now());
        if (leftMs > 0) {
          this.#timer = this.#arm(leftMs);
          return;
        }
      }
      life.deliver(this.#run);
    });
  }

  /** Something that ran earlier on a resumed node may have cancelled it. */
  readonly #run = (): void => {
    const fire = this.#fire;
    this.#fire = undefined;
    fire?.();
  };
}
