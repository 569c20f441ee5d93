import type { JsonValue } from '../core/json.ts';
import type { Nanos, NodeName } from '../core/units.ts';
import type { Op, Process, ReadMode } from '../history/op.ts';

/** A worker: a whole number from 0 for clients; `nemesis:<lane>` for each lane of faults. */
export type Thread = number | `nemesis:${string}`;

/** What a generator sees. Valid only during the call: keep values, never the context. */
export interface Context {
  readonly time: Nanos;
  /** The threads this generator may use; stable order, clients first. */
  readonly threads: readonly Thread[];
  isFree(thread: Thread): boolean;
  /** How many of `threads` are free now. */
  readonly freeCount: number;
  /** The `n`-th free thread, 0 ≤ n < freeCount. */
  freeAt(n: number): Thread;
  /**
   * A free thread drawn at random, or undefined when none is. The draw stays the same until a
   * client takes an operation: polling consumes no chance.
   */
  anyFree(): Thread | undefined;
  /** The process a thread runs now; a client thread takes a new one after an `info`. */
  processOf(thread: Thread): Process;
  /** The thread that runs this process, if it is among `threads`. Lanes: by `op.lane`. */
  threadOf(op: { readonly process: Process; readonly lane?: string }): Thread | undefined;
  /** The node that a client thread talks to, if the run has nodes. */
  nodeOf(thread: Thread): NodeName | undefined;
  /** The same context restricted to some of its threads. */
  narrow(threads: readonly Thread[]): Context;
}

/** An operation that a generator offers. `time` may lie ahead: the interpreter waits for it. */
export interface Offer {
  readonly thread: Thread;
  readonly process: Process;
  readonly time: Nanos;
  readonly f: string;
  readonly key?: string;
  readonly value: JsonValue;
  readonly mode?: ReadMode;
  readonly id?: string;
  readonly lane?: string;
  /** `log` and `sleep` steer the run and never enter the history. */
  readonly special?: 'log' | 'sleep';
}

/**
 * - `[op, rest]`: this operation, then `rest`. If the offer is not taken, the *old* generator is
 *   asked again, so polling never changes what is asked.
 * - `['pending', rest]`: nothing now, perhaps later. `rest` is kept, and is the same object when
 *   nothing changed. What waits for a time, not for an event, does better to offer that time: the
 *   interpreter asks a pending generator again only every few milliseconds.
 * - `undefined`: nothing ever again.
 */
export type Next = readonly [Offer, Generator] | readonly ['pending', Generator] | undefined;

/**
 * An immutable value that yields operations. After Jepsen's `jepsen.generator`. `next` and `update`
 * are pure; what they return replaces the generator, which may still be asked again.
 */
export interface Generator {
  next(ctx: Context): Next;
  /** Called for every invocation and completion that the generator's threads recorded. */
  update(ctx: Context, event: Op): Generator;
}
