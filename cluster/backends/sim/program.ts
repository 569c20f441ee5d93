/**
 * The node side of the simulator. Whatever is written against these ports, and against nothing else
 * outside itself, can be simulated: see docs/simulator.md.
 */
import type { Clock } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { Disk } from '../../raftkv/storage/types.ts';

/** Everything outside one life of a node, from its start until it ends. */
export interface SimHost {
  readonly node: NodeName;
  /**
   * The node's own: its offset and its rate may be off. It never stands still, but fires nothing
   * while the node is paused, and nothing any more once it is dead.
   */
  readonly clock: Clock;
  /** Another stream for every life, so that what a former life drew does not come again. */
  readonly random: Random;
  readonly log: Log;
  /** Outlives this life; what was not synced may not outlive a power failure. */
  readonly disk: Disk;
  readonly net: SimNet;
}

/**
 * Messages are handed over as they are, not copied: neither side may change one after it was sent.
 * A handler that throws ends its node, as an uncaught error ends a process.
 */
export interface SimNet {
  /** All nodes, this one too. */
  readonly nodes: readonly NodeName[];
  /**
   * One stream for each ordered pair: in order while it lasts, lost when it breaks. False: known at
   * once to be lost, because nobody listens there. True promises nothing.
   */
  send(to: NodeName, message: unknown): boolean;
  /** Replaces the handler. Messages that arrive before it is set are lost. */
  receive(handler: (from: NodeName, message: unknown) => void): void;
  /**
   * Replaces the handler, which is told that a stream to or from this peer broke: what was under way
   * is lost. The next `send` makes a new stream. A peer whose power failed cannot say so: its streams
   * break only when it is asked again after its start.
   */
  broken(handler: (peer: NodeName) => void): void;
}

/** What a started program offers. */
export interface SimProcess<Api> {
  /** What clients call, through a simulated link and never directly. */
  readonly api: Api;
  /** Resolves when clients may be served; until then they are refused. */
  readonly serving: Promise<void>;
  /** Resolves with how it ended when it ended by itself. */
  readonly ended?: Promise<string>;
}

/**
 * Starts one life of a node. A rejection ends it, as if the process had exited at once. It is never
 * told to stop: like a process, it is killed.
 */
export type SimProgram<Api> = (host: SimHost) => Promise<SimProcess<Api>>;
