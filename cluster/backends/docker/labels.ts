/**
 * The labels of everything that is made on a container engine, so that whoever comes later finds it:
 * the watchdog, `schism doctor`, the next run.
 */
export const LABEL = {
  run: 'schism.run',
  /** The harness that made it: host name, pid and start time, as `host:pid:start`. */
  owner: 'schism.owner',
  /** `node`, `links`, `network`, `volume`, `image`, `helper`. */
  role: 'schism.role',
  node: 'schism.node',
  /** Of images: the hash of what it is made of, and what it was built on. */
  source: 'schism.source',
  base: 'schism.base',
} as const;

/** The name of all images that are built here; the tag tells of the version. */
export const IMAGE = {
  etcd: 'schism/etcd:local',
  raftkv: 'schism/raftkv:local',
  links: 'schism/toxiproxy-server:local',
  harness: 'schism/schism:local',
} as const;

/** What others publish, used where nothing was built here. */
export const OFFICIAL_IMAGE = {
  etcd: 'gcr.io/etcd-development/etcd:v3.5.21',
  links: 'ghcr.io/shopify/toxiproxy:2.12.0',
} as const;

/** Ports in the network namespace of a node, which its links container owns. */
export const PORT = {
  /** Where the node listens for its peers, on its own address; peers dial it by name, on loopback. */
  peer: 2380,
  client: 2379,
  /** The link that clients use. */
  clientLink: 12379,
  /** Toxiproxy's own API. */
  linkServer: 8474,
  /**
   * On its own address, one for each peer in the order of the nodes: leads through the very link to
   * that peer, so that the link can be probed from outside.
   */
  probe: 12400,
} as const;
