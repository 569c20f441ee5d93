/** What all who take part in a trial share: the cluster, what was seen of it, and what went wrong. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Result } from '../failures.ts';
import type { Node, NodeEnd } from './api.ts';
import type { MemoryCluster } from './testing.ts';
import { Truth } from './testing-truth.ts';

/** Five seconds, two elections, and a moment. */
const ANSWER_MS_MAX = 6_100;

type Counted =
  | 'crashes'
  | 'cuts'
  | 'changes'
  | 'renewals'
  | 'expiries'
  | 'compacted'
  | 'defragmented'
  | 'backups';
export type TrialCounts = Truth['counts'] & Record<Counted, number>;

export class TrialState {
  readonly cluster: MemoryCluster;
  readonly clock: Clock;
  readonly truth: Truth = new Truth();
  /** Of a key that hangs on a lease: when it was seen to go first. */
  readonly goneMs: Map<string, number> = new Map();
  readonly ends: Map<Node, NodeEnd> = new Map();
  readonly counts: Record<Counted, number> = {
    crashes: 0,
    cuts: 0,
    changes: 0,
    renewals: 0,
    expiries: 0,
    compacted: 0,
    defragmented: 0,
    backups: 0,
  };
  /** Nobody begins anything any more. */
  isOver = false;
  /** Everything that was begun has ended. */
  isQuiet = false;
  problem: unknown;
  #value = 0;

  constructor(cluster: MemoryCluster) {
    this.cluster = cluster;
    this.clock = cluster.clock;
  }

  get all(): TrialCounts {
    return { ...this.truth.counts, ...this.counts };
  }

  /** Never the same again. */
  nextValue(): number {
    this.#value += 1;
    return this.#value;
  }

  async guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.problem ??= error;
      this.isOver = true;
    }
  }

  get nowMs(): number {
    return msFromNanos(this.clock.now());
  }

  async pause(random: Random, maxMs: number): Promise<void> {
    await sleep(this.clock, random.int(1, maxMs));
  }

  someNode(random: Random): Node | undefined {
    return this.cluster.running(random.pick(this.cluster.names));
  }

  /** Every call answers in time, whatever happens to the node. */
  async call<T>(
    what: string,
    call: Promise<Result<T>>,
    maxMs: number = ANSWER_MS_MAX,
  ): Promise<Result<T>> {
    const startMs = this.nowMs;
    let isDone = false;
    const late = this.clock.timer(maxMs, () => {
      if (isDone) return;
      this.problem ??= new Error(`${what}: no answer since ${startMs}`);
      this.isOver = true;
    });
    const result = await call;
    isDone = true;
    late.cancel();
    return result;
  }
}
