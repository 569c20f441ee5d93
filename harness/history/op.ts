import type { JsonValue } from '../core/json.ts';
import type { Nanos, NodeName } from '../core/units.ts';

/**
 * `ok`: it happened. `fail`: it did not, and never will. `info`: nobody knows; it may take effect
 * at any later time. An invocation without a completion is read as `info`.
 */
export type OpType = 'invoke' | 'ok' | 'fail' | 'info';
export type CompletionType = Exclude<OpType, 'invoke'>;

/**
 * A client is a whole number from 0. `nemesis` injects faults: each of its events is an `invoke`
 * and an `info` that share lane and id. `observer` records what it saw of the cluster (roles,
 * connectivity) as single `info` entries.
 */
export type Process = number | 'nemesis' | 'observer';

/** The part of the run an operation belongs to; see the nine steps in `runner/run.ts`. */
export type Phase = 'quiet' | 'main' | 'heal' | 'recover' | 'final';

/** How a read asks: which guarantee it wants from the store. */
export type ReadMode = 'linearizable' | 'serializable';

export interface OpError {
  /** Short and stable, from the system's error table: `request-timed-out`, `compacted`, ... */
  readonly code: string;
  /** True only when the error proves that the operation did not and never will happen. */
  readonly definite: boolean;
  /** The store's or transport's own words. Data: never markup, never a command. */
  readonly message?: string;
}

/** What the server said about its own state in a reply. All optional: stores differ. */
export interface ServerStamp {
  /** The store's revision when it answered. */
  readonly revision?: number;
  /** The revision that last changed the key read; 0 when the key does not exist. */
  readonly modRevision?: number;
  /** How often the key was changed since it was created. */
  readonly version?: number;
  readonly term?: number;
  /** Identity of the answering member and of its cluster, as text (64 bits). */
  readonly member?: string;
  readonly cluster?: string;
}

/** One entry of a history. */
export interface Op {
  /** Dense from 0. Index order is real-time order: checkers use it, not `time`. */
  readonly index: number;
  readonly time: Nanos;
  readonly process: Process;
  readonly type: OpType;
  /** The function: `read`, `write`, `cas`, `partition`, `roles`, ... */
  readonly f: string;
  /** The object it is about; keys are judged apart where the model allows. */
  readonly key?: string;
  /** `read`: null at invoke, the value (null: absent) at ok. `write`: the value. `cas`: [from, to]. */
  readonly value: JsonValue;
  readonly phase: Phase;
  readonly node?: NodeName;
  readonly mode?: ReadMode;
  readonly error?: OpError;
  /** A `cas` that failed because the value was another: what it saw instead (null: absent). */
  readonly seen?: JsonValue;
  readonly server?: ServerStamp;
  /** `c5/880`: process and a count; sent to the store where the protocol can carry it. */
  readonly id?: string;
  /** Fault events only: lanes run in parallel; begin and end of one fault share `lane` and `id`. */
  readonly lane?: string;
}

/** An entry before the recorder gave it its index and time. */
export type OpDraft = Omit<Op, 'index' | 'time'>;
