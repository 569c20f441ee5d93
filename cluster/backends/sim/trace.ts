/** What happened in a simulation, as text: for people, and to compare two runs. */
import { createHash } from 'node:crypto';
import type { VirtualClock } from '../../../harness/core/clock.ts';

/** Takes one event; undefined: nobody wants to know. */
export type Trace = ((event: string) => void) | undefined;

/** A digest of all events of a run with their times; keeps the last lines for people. */
export class TraceDigest {
  readonly #clock: VirtualClock;
  readonly #hash = createHash('sha256');
  #events = 0;
  readonly lines: string[] = [];
  readonly #keep: number;

  constructor(clock: VirtualClock, keepLines = 0) {
    this.#clock = clock;
    this.#keep = keepLines;
  }

  get events(): number {
    return this.#events;
  }

  readonly trace = (event: string): void => {
    const line = `${this.#clock.now()} ${event}\n`;
    this.#hash.update(line);
    this.#events++;
    if (this.#keep === 0) return;
    if (this.lines.length === this.#keep) this.lines.shift();
    this.lines.push(line);
  };

  /** Of everything so far, hexadecimal. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
