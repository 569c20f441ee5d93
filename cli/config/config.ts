/** What a config file may say: `export default defineConfig({ ... })`. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { BackendName, ReadPromise, System } from '../../harness/protocols/system.ts';
import type { Workload } from '../../harness/protocols/workload.ts';

/** A value that becomes the text of a flag. */
export type ConfigValue = string | number | boolean;

/**
 * What one run is made of: flags of `schism run`, under the same names. Paths are relative to the
 * file. Durations are texts with a unit: `500ms`, `30s`, `5m`.
 */
export interface RunOptions {
  readonly system?: string;
  readonly backend?: BackendName;
  readonly systemOptions?: Readonly<Record<string, ConfigValue>>;
  readonly bug?: string;
  /** How many, or their names. */
  readonly nodes?: number | readonly NodeName[];
  /** Every message between two nodes takes so much longer, one way, for the whole run. */
  readonly latency?: string;
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
  /** A file of faults at given times, or the faults themselves. */
  readonly schedule?: string | readonly ScheduleLine[];
  readonly duration?: string;
  readonly quietStart?: string;
  readonly seed?: number | string;
  readonly checkTimeout?: string;
  readonly checkMemory?: string;
  readonly unknown?: 'fail' | 'warn' | 'pass';
  /** A metric, such as `availability{window:none}`, and what must hold of it: `['rate>0.999']`. */
  readonly thresholds?: Readonly<Record<string, readonly string[]>>;
  /** What a run must reach at some time, such as `leader-changed-under-load`. */
  readonly sometimes?: readonly string[];
}

/** One fault of a schedule, as its file says it: `{ at: '5s', fault: 'pause', for: '2s', target: 'leader' }`. */
export interface ScheduleLine {
  readonly at: string;
  readonly fault: string;
  readonly for: string;
  /** Its lane, what it waits for, and the fault's own words; see [Schedules](../schedules.md). */
  readonly [option: string]: JsonValue;
}

/** `schism.config.ts`: defaults for every run, and what a suite is made of. */
export interface SchismConfig extends RunOptions {
  /** Stores, workloads and faults of your own, named like the built-in ones. */
  readonly systems?: readonly System[];
  readonly workloads?: readonly Workload[];
  readonly nemeses?: Readonly<Record<string, () => Nemesis>>;
  /** Where runs are kept. */
  readonly output?: string;
  /** The cluster for `--backend attach`. */
  readonly attach?: AttachConfig;
  /** Below it `*.chaos.ts` files are looked for. Default: beside the config, and below `chaos/`. */
  readonly testDir?: string;
  /** Each test once for each project, under the project's options. */
  readonly projects?: readonly ProjectConfig[];
  /** How many tests run at once. Default: 1. */
  readonly workers?: number;
  /** Ends the suite after so many tests that did not pass; 0: never. */
  readonly maxFailures?: number;
  /** How often a test is run again that ended as `error`; never for any other verdict. */
  readonly infraRetries?: number;
  /** `test.only` is an error. Default: when CI is set. */
  readonly forbidOnly?: boolean;
  readonly passWithNoTests?: boolean;
  readonly reporters?: readonly ReporterConfig[];
  readonly retain?: RetainConfig;
}

/** Options of a run, over those of the config and under those of a test. */
export interface ProjectConfig extends RunOptions {
  readonly name: string;
}

/** A reporter by its name, or with the file it writes. */
export type ReporterConfig =
  | string
  | readonly [name: string, options: { readonly outputFile: string }];

/** What is kept of the runs, and for how long; as `schism runs prune` takes it. */
export interface RetainConfig {
  /** `on-failure`: for runs that did not pass. Without its history a run cannot be judged again. */
  readonly history?: 'always' | 'on-failure';
  /** Of the nodes. */
  readonly logs?: 'always' | 'on-failure';
  /** What the nodes stored. Default: `on-failure`. */
  readonly data?: 'always' | 'on-failure' | 'never';
  /** Looked at whenever a run or a suite has ended; absent: nothing is deleted by itself. */
  readonly runs?: {
    readonly max?: number;
    /** `'5GB'` */
    readonly maxSize?: string;
    /** `'30d'`; of runs that passed. */
    readonly maxAge?: string;
    /** Of all others; default: as `maxAge`. */
    readonly failedMaxAge?: string;
  };
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
