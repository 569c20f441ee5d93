import type { NodeName } from '../core/units.ts';

/** A node mapped to the nodes it must not hear from. Direction matters. */
export type Grudge = ReadonlyMap<NodeName, ReadonlySet<NodeName>>;

/** Messages from `from` to `to`; whichever side dialled the connection they travel on. */
export interface DirectedLink {
  readonly from: NodeName;
  readonly to: NodeName;
}

/** What can be done to the bytes of one direction of a link. */
export type Shape =
  | { readonly kind: 'latency'; readonly latencyMs: number; readonly jitterMs: number }
  /** Kilobytes (1000 bytes) per second. */
  | { readonly kind: 'bandwidth'; readonly rateKBps: number }
  /** Buffers everything; on heal it is delivered at once, in order, on the living connection. */
  | { readonly kind: 'hold' }
  /** Swallows everything, silently. */
  | { readonly kind: 'blackhole' }
  /** Resets each connection `afterMs` after its first bytes. */
  | { readonly kind: 'reset'; readonly afterMs: number }
  | { readonly kind: 'slow-close'; readonly delayMs: number };
export type ShapeKind = Shape['kind'];

export type NetworkAbility = 'cut' | ShapeKind;

/** Everything that a link layer may be able to do. */
export const NETWORK_ABILITIES: readonly NetworkAbility[] = [
  'cut',
  'latency',
  'bandwidth',
  'hold',
  'blackhole',
  'reset',
  'slow-close',
];

/**
 * What a probe saw of one direction. `open`: bytes arrived. `cut`: none did. `unknown`: the probe
 * could not tell, for example because the node is down.
 */
export interface LinkState {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly state: 'open' | 'cut' | 'unknown';
  /** Round trip of the probe on this pair of links, where it came back. */
  readonly rttMs?: number;
  /** Why it is not simply open, for people: `n2 does not answer`. */
  readonly reason?: string;
}
/** One entry for each ordered pair of different nodes. */
export type Matrix = readonly LinkState[];

export interface Network {
  readonly can: ReadonlySet<NetworkAbility>;
  /**
   * How much longer every message between two nodes takes, one way, for as long as the cluster lives.
   * It is where the cluster is and no fault: `heal` keeps it, `installed` does not list it. Absent: 0.
   */
  readonly latencyMs?: number;
  /** Adds to what is already cut. */
  drop(grudge: Grudge): Promise<void>;
  /** Undoes just these cuts, as far as nobody else dropped the same link. */
  undrop(grudge: Grudge): Promise<void>;
  /** Adds a shape to a direction, returns how to take just this one away again. */
  shape(link: DirectedLink, shape: Shape): Promise<() => Promise<void>>;
  /** Takes away everything that is installed on any link. */
  heal(): Promise<void>;
  /** Names of everything now installed, each with its kind in it; empty after `heal`. */
  installed(): Promise<readonly string[]>;
  /** Probes every ordered pair with real bytes. */
  observe(): Promise<Matrix>;
}
