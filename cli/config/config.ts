/** What a config file may say: `export default defineConfig({ ... })`. */
import type { NodeName } from '../../harness/core/units.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { BackendName, ReadPromise } from '../../harness/protocols/system.ts';

/** A value that becomes the text of a flag. */
export type ConfigValue = string | number | boolean;

/**
 * Flags of `schism run` as defaults, under the same names: a flag that is given wins. Paths are
 * relative to the file. Durations are texts with a unit: `500ms`, `30s`, `5m`.
 */
export interface SchismConfig {
  readonly system?: string;
  readonly backend?: BackendName;
  readonly systemOptions?: Readonly<Record<string, ConfigValue>>;
  readonly bug?: string;
  /** How many, or their names. */
  readonly nodes?: number | readonly NodeName[];
  readonly workload?: string | readonly string[];
  readonly workloadOptions?: Readonly<Record<string, ConfigValue>>;
  /** `'2n'`: two for each node. */
  readonly clients?: number | string;
  readonly clientTimeout?: string;
  /** Operations a second over all clients; 0: as fast as they go. */
  readonly rate?: number;
  readonly readModes?: readonly ReadMode[];
  readonly promises?: Readonly<Partial<Record<ReadMode, ReadPromise>>>;
  /** False: clients only. */
  readonly faults?: readonly string[] | false;
  readonly requireFaults?: boolean;
  readonly faultInterval?: string;
  readonly faultDuration?: string;
  /** A file of faults at given times. */
  readonly schedule?: string;
  readonly duration?: string;
  readonly quietStart?: string;
  readonly seed?: number | string;
  readonly checkTimeout?: string;
  readonly checkMemory?: string;
  readonly unknown?: 'fail' | 'warn' | 'pass';
  /** Where runs are kept. */
  readonly output?: string;
  /** The cluster for `--backend attach`. */
  readonly attach?: AttachConfig;
}

export interface AttachConfig {
  /** All members of the cluster. Only what stands here is ever asked, broken or mended. */
  readonly nodes: Readonly<Record<NodeName, AttachNodeConfig>>;
  /** What the cluster was started with. Default: etcd's own, 100ms and 1s. */
  readonly timing?: { readonly heartbeat?: string; readonly election?: string };
}

/** Addresses as `host:port` or `http://host:port`. */
export interface AttachNodeConfig {
  /** What clients dial: through the node's link, where it has one. */
  readonly client: string;
  /** Where the node itself serves clients, past any link. Default: `client`. */
  readonly direct?: string;
  /** For faults on links; all nodes have it, or none. */
  readonly links?: AttachLinksConfig;
  /** For kill and pause: the container's full name or id. */
  readonly container?: string;
  /** For kill and pause without a container: programs with their arguments. */
  readonly commands?: AttachCommandsConfig;
}

export interface AttachLinksConfig {
  /**
   * The API of the Toxiproxy that carries what this node says. For node n1 of three it has the
   * proxies `n1>n2`, `n1>n3` and `client>n1`.
   */
  readonly toxiproxy: string;
  /** Where the node itself listens for its peers, past any link. */
  readonly peer: string;
  /** For each peer, where the harness reaches this node's link to it: that is how it measures. */
  readonly probes: Readonly<Record<NodeName, string>>;
}

/** No shell reads them. Each must come back by itself, and soon. */
export interface AttachCommandsConfig {
  /** Ends the node's process at once; goes with `start`, which starts it on its old data. */
  readonly kill?: readonly string[];
  readonly start?: readonly string[];
  /** Stops the process without ending it; goes with `resume`. */
  readonly pause?: readonly string[];
  readonly resume?: readonly string[];
}

/** Gives an editor the types of a config file; returns what it is given. */
export function defineConfig(config: SchismConfig): SchismConfig {
  return config;
}
