/** What a toxic is made of: one file each beside this one, listed in `registry.ts`. */
import type { Clock } from '../../../../harness/core/clock.ts';
import type { Random } from '../../../../harness/core/prng.ts';
import type { Nanos } from '../../../../harness/core/units.ts';

/** Upstream: from the client to the server of a proxy. */
export type StreamName = 'upstream' | 'downstream';

/** What one read brought. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly arrived: Nanos;
}

/** What a stage had not yet passed on, in order. */
export interface Leftover {
  readonly chunks: readonly Chunk[];
  /** True when the end of the stream had reached the stage, too. */
  readonly ended: boolean;
}

/**
 * One toxic at work on one direction of one connection. Bytes leave through `out`, in the order
 * in which they came, whenever the stage wants.
 */
export interface Stage {
  push(chunk: Chunk): void;
  /** The source has closed; called at most once, after the last `push`. */
  end(): void;
  /** True while nothing more should be read from the source. */
  readonly full: boolean;
  /** Ends the stage: cancels its timers and hands back what it holds. */
  stop(): Leftover;
}

/** Where a stage puts what it lets through. */
export interface Outlet {
  push(chunk: Chunk): void;
  /** Closes the sink once everything before it has been written. */
  end(): void;
  /** Resets the connection (RST), losing what is on its way. */
  reset(): void;
}

export interface StageContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly out: Outlet;
  /** Lives as long as the toxic does on this connection: survives updates of its attributes. */
  readonly memory: Map<string, number>;
}

/** All attributes of all toxics are whole numbers. */
export type Attributes = Readonly<Record<string, number>>;

export interface ToxicKind {
  readonly type: string;
  /** Every attribute with its default; others are ignored, as by the original. */
  readonly defaults: Attributes;
  /**
   * What removing it does to a connection. `deliver`: what it held goes on at once. `close`: the
   * connection ends, even where toxicity had spared it. `reset`: RST for the connections it hit.
   */
  readonly onRemove: 'deliver' | 'close' | 'reset';
  /** On upstream, it keeps new connections from being served at all. */
  readonly blocksAccept: boolean;
  start(attributes: Attributes, context: StageContext): Stage;
}

/** Makes a kind whose `start` sees its attributes by name. */
export function defineToxic<Name extends string>(kind: {
  readonly type: string;
  readonly defaults: Readonly<Record<Name, number>>;
  readonly onRemove?: ToxicKind['onRemove'];
  readonly blocksAccept?: boolean;
  start(attributes: Readonly<Record<Name, number>>, context: StageContext): Stage;
}): ToxicKind {
  return {
    type: kind.type,
    defaults: kind.defaults,
    onRemove: kind.onRemove ?? 'deliver',
    blocksAccept: kind.blocksAccept ?? false,
    start: (attributes, context) => kind.start(attributes, context),
  };
}
