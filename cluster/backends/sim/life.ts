/** What stands between the world and the code of a node. */
import type { VirtualClock } from '../../../harness/core/clock.ts';
import type { NodeName } from '../../../harness/core/units.ts';

/**
 * One life of a node's program, from its start until it ends. Whatever makes its code run goes
 * through `deliver`: timers, messages, the disk, clients. So a dead one never runs again, and a paused
 * one waits.
 */
export class Life {
  readonly node: NodeName;
  readonly #clock: VirtualClock;
  readonly #onError: (error: unknown) => void;
  #state: 'running' | 'paused' | 'dead' = 'running';
  /** What came while it was paused, and since then: order is kept until all of it is done. */
  #backlog: (() => void)[] = [];
  #isDraining = false;

  /** `onError`: an event threw; as a rule this life is over then. */
  constructor(node: NodeName, clock: VirtualClock, onError: (error: unknown) => void) {
    this.node = node;
    this.#clock = clock;
    this.#onError = onError;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  /** Lets the node's code run, within the event of the clock that calls this, or when it may. */
  deliver(event: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused' || this.#backlog.length > 0) this.#backlog.push(event);
    else this.#run(event);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** Everything that waited comes now, in its order, one event after the other. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#drainSoon();
  }

  end(): void {
    this.#state = 'dead';
    this.#backlog = [];
  }

  #drainSoon(): void {
    if (this.#isDraining || this.#backlog.length === 0) return;
    this.#isDraining = true;
    this.#clock.timer(0, () => {
      this.#isDraining = false;
      if (this.#state !== 'running') return;
      const event = this.#backlog.shift();
      if (event !== undefined) this.#run(event);
      this.#drainSoon();
    });
  }

  #run(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#onError(error);
    }
  }
}
