/**
 * A cluster that is there already: where it is, and what may be done to it. Plain data, as its owner
 * wrote it; nothing is ever sent to an address, or done to a container, that is not in here.
 */
import type { NodeName } from '../core/units.ts';

export type AttachedNodes = Readonly<Record<NodeName, AttachedNode>>;

/** Addresses as `host:port`. */
export interface AttachedNode {
  /** What clients dial: through the node's link, where it has one. */
  readonly client: string;
  /** Where the node itself serves clients, past any link: asked for its role. Default: `client`. */
  readonly direct?: string;
  /** Absent, and its network is left alone. */
  readonly links?: AttachedLinks;
  /** The full name or id of its container, whose processes may be killed and frozen. */
  readonly container?: string;
  /** The same by programs, for nodes that are no containers. */
  readonly commands?: AttachedCommands;
}

/** The Toxiproxy that carries what this node says to each of the others. */
export interface AttachedLinks {
  /** Its API: `http://127.0.0.1:8474`. */
  readonly toxiproxy: string;
  /** Where the node itself listens for its peers: tells a dead node from a dead link. */
  readonly peer: string;
  /** For each peer, where the harness reaches this node's link to it, to measure that. */
  readonly probes: Readonly<Record<NodeName, string>>;
}

/** Each is a program with its arguments; none goes through a shell. */
export interface AttachedCommands {
  readonly kill?: readonly string[];
  /** Starts a killed node again on its old data. */
  readonly start?: readonly string[];
  readonly pause?: readonly string[];
  readonly resume?: readonly string[];
}
