import type { Clock } from '../../harness/core/clock.ts';

/** Steps between two looks at the clock: each takes 0.1 to 50 microseconds, or more. */
export const SLICE = 2000;
const SLICE_MIN = 1;
const SLICE_FIRST = 64;
/** A slice that took longer than this is followed by a shorter one. */
const SLICE_NANOS_MAX = 5e6;

/** Runs a search slice by slice, so that nobody is away from the clock for long. */
export class Pace {
  readonly #clock: Pick<Clock, 'now'>;
  #slice: number = SLICE_FIRST;
  /** Time that its slices took, in nanoseconds. */
  spent: number;

  constructor(clock: Pick<Clock, 'now'>, spent: number = 0) {
    this.#clock = clock;
    this.spent = spent;
  }

  /** One slice, of at least one step and else no more than `stepsMax`; returns what `go` does. */
  run<T>(go: (steps: number) => T, stepsMax: number): T {
    const before = this.#clock.now();
    const result = go(Math.max(SLICE_MIN, Math.min(this.#slice, stepsMax)));
    const took = this.#clock.now() - before;
    this.spent += took;
    this.#slice =
      took > SLICE_NANOS_MAX
        ? Math.max(SLICE_MIN, this.#slice >> 1)
        : Math.min(SLICE, 2 * this.#slice);
    return result;
  }
}
