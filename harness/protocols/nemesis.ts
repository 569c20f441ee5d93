import type { Clock } from '../core/clock.ts';
import type { JsonValue } from '../core/json.ts';
import type { Random } from '../core/prng.ts';
import type { NodeName } from '../core/units.ts';
import type { Generator } from '../generator/generator.ts';
import type { Op } from '../history/op.ts';
import type { Cluster, Timing } from './system.ts';

/** Proof that a fault did what it says, seen from outside the code that injected it. */
export type Evidence =
  | { readonly result: 'installed'; readonly probe: JsonValue }
  | { readonly result: 'skipped'; readonly why: string }
  | { readonly result: 'failed'; readonly why: string };

/**
 * The value of a completed fault event. `begin` and `end` of one fault share `op.id`; between
 * their completions lies its band.
 */
export interface FaultValue {
  readonly stage: 'begin' | 'end';
  /** The family: `partition`, `kill`, `pause`, `latency`, ... as the user asked for it. */
  readonly fault: string;
  /** For people: `isolate n2 (leader), both ways`. */
  readonly text: string;
  readonly targets: readonly NodeName[];
  readonly evidence: Evidence;
  /** Measured after the event, for network faults: `n1>n2` mapped to open, cut or unknown. */
  readonly matrix?: { readonly [link: string]: string };
  /** What a fault that waited had waited for: what came, and after how long. */
  readonly trigger?: { readonly event: string; readonly waitedMs: number };
}

export interface NemesisContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly random: Random;
  /** Which nodes are hit by which lane now: keeps the faults of all lanes below a majority. */
  readonly board: FaultBoard;
  /** The lane it runs in; absent: the one that bears the nemesis's own name. */
  readonly lane?: string;
}

/** Shared between lanes; see `cluster/targets.ts` for who reads it. */
export interface FaultBoard {
  /** Nodes that are now cut off, down or frozen, by lane. */
  readonly hit: Map<string, ReadonlySet<NodeName>>;
  /** Links (`n1>n2`) that each lane disturbs: what another lane's probe misses there is no sign. */
  readonly links?: Map<string, ReadonlySet<string>>;
  /** Who was seen to lead, the newest last; each in a higher term than the one before. */
  readonly led?: Leader[];
}

/** A node that led. Where a store says no terms, they are counted. */
export interface Leader {
  readonly node: NodeName;
  readonly term: number;
}

export interface ScheduleOptions {
  /** The lane they are for; absent: the one that bears the nemesis's own name. */
  readonly lane?: string;
  readonly random: Random;
  readonly timing: Timing;
  /** Mean pause between two faults of a lane, and mean length of a fault. */
  readonly intervalMs: number;
  readonly durationMs: number;
}

/** One fault family: one lane. Its invocations never overlap each other, those of lanes may. */
export interface Nemesis {
  readonly name: string;
  /** True, or why this cluster cannot have it. */
  available(cluster: Cluster): true | string;
  /**
   * Reads the options of a scheduled fault, so that a schedule is refused before anything starts.
   * Throws `bad-input`, beginning with `where`, for a word that it does not know.
   */
  check?(options: Readonly<Record<string, JsonValue>>, where: string): void;
  /** Why there can be no second lane of it, if so: what it changes is there only once. */
  readonly single?: string;
  /** Offers of begin and end, in turns, for its own thread; the value says what and whom. */
  schedule(options: ScheduleOptions): Generator;
  /**
   * Looks at what `invoke` will have to know of the cluster, again and again until the signal, while
   * that begin waits for its event: then the fault is there at once. Never rejects.
   */
  lookAhead?(op: Op, ctx: NemesisContext, signal: AbortSignal): Promise<void>;
  /** Injects or ends a fault; returns the completed event's value. Throws only for our own bugs. */
  invoke(op: Op, ctx: NemesisContext): Promise<FaultValue>;
  /** Undoes everything this lane still has installed; called at heal, and after an interrupt. */
  heal(ctx: NemesisContext): Promise<Evidence>;
}
