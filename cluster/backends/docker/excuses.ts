/** Ends of nodes that a fault brings about without asking for them: none of them is a crash. */
import type { Clock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import { type NodeName, nanosFromMs } from '../../../harness/core/units.ts';

/** A node may hear late that its disk was full, and the engine tells late that it ended. */
const LATE_MS = 3_000;

interface Excuse {
  readonly node: NodeName;
  /** What an end looks like that the fault brought about. */
  readonly covers: (how: string) => boolean;
  readonly startAgain: () => Promise<void>;
  hasEnded: boolean;
  /** When the fault was over; undefined while it lasts. */
  over: number | undefined;
}

/** Shared by the backend, which asks when a node ended, and the faults that may end one. */
export class Excuses {
  readonly #clock: Clock;
  readonly #log: Log;
  #excuses: readonly Excuse[] = [];

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * From now until the returned function is called such an end of the node is no crash; then a node
   * that ended so is started again. By default any end.
   */
  excuse(
    node: NodeName,
    startAgain: () => Promise<void>,
    covers: (how: string) => boolean = () => true,
  ): () => Promise<void> {
    const excuse: Excuse = { node, covers, startAgain, hasEnded: false, over: undefined };
    this.#excuses = [...this.#excuses, excuse];
    return async () => {
      excuse.over ??= this.#clock.now();
      if (!excuse.hasEnded) return;
      await startAgain();
      excuse.hasEnded = false;
    };
  }

  /** To be asked once for each end that nobody asked for. */
  mayEnd(node: NodeName, how: string): boolean {
    const now = this.#clock.now();
    const isLate = ({ over }: Excuse): boolean =>
      over !== undefined && now - over > nanosFromMs(LATE_MS);
    this.#excuses = this.#excuses.filter((excuse) => !isLate(excuse));
    const mine = this.#excuses.filter((excuse) => excuse.node === node && excuse.covers(how));
    const lasting = mine.find(({ over }) => over === undefined);
    if (lasting !== undefined) lasting.hasEnded = true;
    else
      mine
        .at(-1)
        ?.startAgain()
        .catch((error: unknown) => {
          this.#log.warn('a node was not started again', { node, error: messageOf(error) });
        });
    return mine.length > 0;
  }
}
