/**
 * What the log must keep for followers that were sent a snapshot. While one travels and is being
 * installed, the leader's log goes on; if its start did too, the follower would come back only to
 * need the next snapshot, for as long as the load lasts. etcd pauses compaction for this.
 */
import type { Clock } from '../../../harness/core/clock.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { MemberId, RaftStatus } from '../raft/types.ts';

/** A follower that gets no further for so long is given up, or a dead one would keep the log. */
const STANDSTILL_MS_MAX = 15_000;

interface Follower {
  /** Its log matches up to here, or will when the snapshot is installed. */
  readonly from: number;
  readonly movedMs: number;
}

export class CatchUp {
  readonly #clock: Clock;
  readonly #followers = new Map<MemberId, Follower>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  snapshotSent(to: MemberId, index: number): void {
    this.#followers.set(to, { from: index, movedMs: this.#nowMs() });
  }

  /** Where the log may be cut, when `wanted` is where it would be. */
  limit(wanted: number, { progress }: Pick<RaftStatus, 'progress'>): number {
    let index = wanted;
    for (const [member, { from, movedMs }] of this.#followers) {
      const match = progress.get(member)?.match;
      if (match === undefined || match >= wanted || this.#nowMs() - movedMs > STANDSTILL_MS_MAX) {
        this.#followers.delete(member);
        continue;
      }
      if (match > from) this.#followers.set(member, { from: match, movedMs: this.#nowMs() });
      index = Math.min(index, Math.max(from, match));
    }
    return index;
  }

  #nowMs(): number {
    return msFromNanos(this.#clock.now());
  }
}
