/** Ends streams whose clients insist on a leader, once there has been none for too long. */
import type { Clock, Timer } from '../../../harness/core/clock.ts';

/** As etcd: to connect anew costs more than to wait, so that one election ends no stream. */
const LOOKS_WITHOUT_LEADER_MAX = 3;

export interface LeaderRequiredOptions {
  readonly clock: Clock;
  readonly electionMs: number;
  readonly hasLeader: () => boolean;
}

/** Looks once an election timeout, and only while somebody insists. */
export class LeaderRequired implements Disposable {
  readonly #options: LeaderRequiredOptions;
  readonly #lost = new Set<() => void>();
  #timer: Timer | undefined;
  #looksWithout = 0;

  constructor(options: LeaderRequiredOptions) {
    this.#options = options;
  }

  /** `lost` is called at most once; what is returned forgets it. */
  insist(lost: () => void): () => void {
    this.#lost.add(lost);
    this.#timer ??= this.#arm();
    return () => {
      this.#lost.delete(lost);
    };
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lost.clear();
  }

  #arm(): Timer {
    return this.#options.clock.timer(this.#options.electionMs, () => this.#look());
  }

  #look(): void {
    this.#looksWithout = this.#options.hasLeader() ? 0 : this.#looksWithout + 1;
    if (this.#looksWithout >= LOOKS_WITHOUT_LEADER_MAX) {
      const over = [...this.#lost];
      this.#lost.clear();
      for (const lost of over) lost();
    }
    if (this.#lost.size === 0) this.#looksWithout = 0;
    this.#timer = this.#lost.size === 0 ? undefined : this.#arm();
  }
}
