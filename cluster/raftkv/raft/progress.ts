/** What a leader knows of one follower (§5.3: nextIndex and matchIndex) and may send to it. */
import type { MemberProgress } from './types.ts';

/**
 * Fields are the leader's to read; `state`, `next` and what is in flight change together, by the
 * methods. Times are in ticks of the leadership.
 */
export class Progress {
  /** The follower's log is known to equal the leader's up to here. */
  match = 0;
  /** The next entry to send. */
  next: number;
  state: MemberProgress['state'] = 'probe';
  /** In `probe`: the one message is out, and nothing was heard since. */
  isPaused = false;
  /** In `snapshot`: the index of the one that was sent. */
  snapshotIndex = 0;
  /** In `snapshot`: since when, in the leader's ticks. */
  snapshotSince = 0;
  /** The leader's tick at which this member was last heard from. */
  heardAt: number;
  /** The newest round of reads that this member has answered (thesis §6.4). */
  round = 0;
  /** The leader's tick at which the newest heartbeat that was answered had been sent. */
  leaseFrom: number = Number.NEGATIVE_INFINITY;
  /** The commit index that this member was told with an append. */
  toldCommit = 0;
  /** The index of the configuration that this member is not of any more; 0: it is a member. */
  leavingAt = 0;
  /** The leader's tick since when it is leaving. */
  leavingSince = 0;

  /** The last index of each append with entries that is not answered yet, ascending. */
  #inFlight: number[] = [];
  /** What had been sent when a heartbeat was answered before, and when that was. */
  #mark = 0;
  #markedAt: number;
  #answeredSinceMark = false;

  constructor(next: number, now: number) {
    this.next = next;
    this.heardAt = now;
    this.#markedAt = now;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  probe(next: number): void {
    this.state = 'probe';
    this.next = next;
    this.isPaused = false;
    this.#inFlight = [];
    this.toldCommit = 0;
  }

  replicate(): void {
    this.state = 'replicate';
    this.next = this.match + 1;
    this.isPaused = false;
    this.#inFlight = [];
  }

  awaitSnapshot(index: number, now: number): void {
    this.state = 'snapshot';
    this.snapshotIndex = index;
    this.snapshotSince = now;
    this.isPaused = false;
    this.#inFlight = [];
  }

  /** An append with entries up to `last` goes out; when pipelining it is assumed to arrive. */
  sent(last: number): void {
    if (this.state === 'probe') return;
    this.next = last + 1;
    this.#inFlight.push(last);
  }

  /** The follower's log matches up to `match`. True when that is news. */
  matched(match: number): boolean {
    const isNews = match > this.match;
    this.#answeredSinceMark = true;
    this.match = Math.max(this.match, match);
    this.next = Math.max(this.next, this.match + 1);
    if (this.state === 'replicate') {
      const open = this.#inFlight.findIndex((last) => last > match);
      if (open !== 0) this.#inFlight.splice(0, open === -1 ? this.#inFlight.length : open);
    } else if (this.state === 'probe') {
      // An answer to an older message says nothing about the one that probes.
      if (match >= this.match) this.replicate();
    } else if (this.match >= this.snapshotIndex) {
      this.replicate();
    }
    return isNews;
  }

  /**
   * The append after `prevIndex` did not fit; it may after `agreed`. False: the answer is late, and
   * about what is settled since.
   */
  refused(prevIndex: number, agreed: number): boolean {
    this.#answeredSinceMark = true;
    if (prevIndex <= this.match || this.state === 'snapshot') return false;
    if (this.state === 'probe' && prevIndex !== this.next - 1) return false;
    this.probe(Math.max(this.match + 1, Math.min(prevIndex, agreed + 1)));
    return true;
  }

  /**
   * A heartbeat was answered, so the follower is there. True when an append must have been lost:
   * what had been sent a heartbeat ago is still not acknowledged, and nothing else was either.
   */
  heartbeatAnswered(now: number, heartbeatTicks: number): boolean {
    this.isPaused = false;
    if (now - this.#markedAt < heartbeatTicks) return false;
    const isLost =
      this.state === 'replicate' && this.match < this.#mark && !this.#answeredSinceMark;
    this.#mark = this.next - 1;
    this.#markedAt = now;
    this.#answeredSinceMark = false;
    return isLost;
  }
}
