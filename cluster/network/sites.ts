/** Links that are carried by several servers: one beside each node, in its network namespace. */
import type { NodeName } from '../../harness/core/units.ts';
import type { Endpoint } from './probe.ts';
import type { LinkServer } from './toxiproxy.ts';

/** What one node's link server carries, and where. Listeners as `host:port`, as the server sees them. */
export interface LinkSite {
  readonly server: LinkServer;
  /** What the node itself dials to reach each peer: `127.0.1.2:2380`. */
  readonly toPeers: ReadonlyMap<NodeName, string>;
  /** For each peer, a way from outside into that very link. */
  readonly probes: ReadonlyMap<NodeName, { readonly listen: string; readonly reach: Endpoint }>;
  /** The link that clients of this node use, and how they reach it. */
  readonly client: { readonly listen: string; readonly reach: Endpoint };
  /** Where the node listens, as every link server reaches it. */
  readonly peer: Endpoint;
  readonly clients: Endpoint;
  /** The same peer address, as the harness reaches it: tells a dead node from a dead link. */
  readonly direct: Endpoint;
}
