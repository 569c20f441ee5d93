import type { Clock } from '../core/clock.ts';
import type { JsonValue } from '../core/json.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/prng.ts';
import type { NodeName } from '../core/units.ts';
import type { OpError, ReadMode, ServerStamp } from '../history/op.ts';
import type { AdminApi } from './admin.ts';
import type { AttachedNodes } from './attach.ts';
import type { InvariantWatch } from './invariants.ts';
import type {
  ClockControl,
  DiskControl,
  PacketControl,
  PlugControl,
  ResourceControl,
} from './machines.ts';
import type { HashApi, Maintenance } from './maintenance.ts';
import type { Membership } from './membership.ts';
import type { Network, NetworkAbility } from './network.ts';
import type { UndoRegistry } from './undo.ts';

/**
 * Where nodes live: played inside this process, as processes of this machine, the same program in a
 * simulator, on virtual time, in containers that are started for the run, or already there.
 */
export type BackendName = 'memory' | 'process' | 'sim' | 'docker' | 'attach';

/** How an operation ended, as the system's client reports it. Errors are data: clients never throw. */
export type Outcome<T> =
  | { readonly type: 'ok'; readonly value: T; readonly server?: ServerStamp }
  | {
      readonly type: 'fail';
      readonly error: OpError;
      /** Only for a compare-and-set that was refused: the value it found. */
      readonly seen?: JsonValue;
      readonly server?: ServerStamp;
    }
  | { readonly type: 'info'; readonly error: OpError };

/** Many independent registers, by key. Values are integers or short strings; null means absent. */
export interface RegisterApi {
  read(key: string, mode: ReadMode, call: Call): Promise<Outcome<JsonValue>>;
  /** Null: the key is absent then, whether it was there or not. */
  write(key: string, value: JsonValue, call: Call): Promise<Outcome<null>>;
  /** Sets `to` if the value is `from` (null: absent). A refusal is `fail` with `seen`. */
  cas(key: string, from: JsonValue, to: JsonValue, call: Call): Promise<Outcome<null>>;
}

export interface Call {
  readonly timeoutMs: number;
  /** The operation's id, for stores that can carry it. */
  readonly id?: string;
}

/** What a connection to one node can do. A workload declares which of these it needs. */
export interface Apis {
  readonly register?: RegisterApi;
  readonly hash?: HashApi;
  readonly admin?: AdminApi;
  /** Whatever else a store can do, for workloads that come with it and know its shape. */
  readonly own?: unknown;
}
export type Capability = keyof Apis;

/** One client's connection to one node; it sends each request once and never retries. */
export interface Connection extends AsyncDisposable {
  readonly apis: Apis;
}

export type Role = 'leader' | 'follower' | 'candidate' | 'learner' | 'unknown';

/** What a node says of itself; a deposed leader may still claim to lead. */
export interface RoleSample {
  readonly node: NodeName;
  readonly role: Role;
  /** `unreachable`: it did not answer; then the other fields are absent. */
  readonly state: 'answered' | 'unreachable';
  readonly term?: number;
  /** Whom this node believes to lead. */
  readonly leader?: NodeName;
  readonly applied?: number;
  readonly revision?: number;
}

/** Faults on processes. Every call names a node; waiting for effects is the nemesis's evidence. */
export interface ProcessControl {
  /** Faults that cannot be had here, by name, each with the reason; absent: all can. */
  readonly refused?: Readonly<Record<string, string>>;
  /** SIGKILL or its like; resolves when the process is gone. */
  kill(node: NodeName): Promise<void>;
  /** Starts a killed node again on its old data; resolves when it was launched, not when ready. */
  start(node: NodeName): Promise<void>;
  pause(node: NodeName): Promise<void>;
  resume(node: NodeName): Promise<void>;
  /**
   * `kill`, and everything that the node's disk was not made sure of may be lost: only where machines
   * are simulated. What is asked for several nodes in one go happens at one moment.
   */
  powerFailure?(node: NodeName): Promise<void>;
  /** As the machine sees it now: from `/proc` for processes. */
  state(node: NodeName): Promise<ProcessState>;
}
export type ProcessState =
  | { readonly state: 'running'; readonly pid?: number }
  | { readonly state: 'paused'; readonly pid?: number }
  | { readonly state: 'gone' };

export interface NodeLog {
  readonly node: NodeName;
  /** Absolute path of a file that holds the node's own output. */
  readonly path: string;
}

/** Protocol units: faults and checks scale with them. */
export interface Timing {
  readonly heartbeatMs: number;
  readonly electionMs: number;
}

/** A running cluster. Disposing of it stops everything it started. */
export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly NodeName[];
  readonly timing: Timing;
  /** Versions, addresses, flags: goes into `run.json`. */
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly network?: Network;
  readonly processes?: ProcessControl;
  readonly membership?: Membership;
  readonly maintenance?: Maintenance;
  readonly disks?: DiskControl;
  readonly clocks?: ClockControl;
  readonly resources?: ResourceControl;
  readonly plugs?: PlugControl;
  readonly packets?: PacketControl;
  readonly invariants?: InvariantWatch;
  open(node: NodeName): Promise<Connection>;
  /** Asks every node; never throws, answers within about one second. */
  roles(): Promise<readonly RoleSample[]>;
  /** Resolves when every node serves, or throws `process-failed` or `deadline`. */
  ready(timeoutMs: number): Promise<void>;
  /** Nodes that ended without being killed by a fault, with how they ended. */
  crashed(): readonly { readonly node: NodeName; readonly how: string }[];
  logs(): readonly NodeLog[];
}

export interface DeployRequest {
  readonly backend: BackendName;
  readonly nodes: readonly NodeName[];
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly runId: string;
  /** Existing folder for data, logs and configuration of the nodes. */
  readonly dir: string;
  readonly undo: UndoRegistry;
  /** The system's own options, checked by its `options`. */
  readonly options: Readonly<Record<string, string>>;
  /** The cluster that is there already; only with backend `attach`. */
  readonly attach?: AttachedNodes;
  /** To be that of the cluster's `Network`, from before its nodes start. Absent: 0. */
  readonly latencyMs?: number;
}

/** A store under test: one file. */
export interface System {
  readonly name: string;
  readonly summary: string;
  readonly capabilities: readonly Capability[];
  readonly backends: readonly BackendName[];
  /** What each read mode promises; a run may claim more with `--promise`. */
  readonly promises: Readonly<Record<ReadMode, ReadPromise>>;
  readonly defaultNodes: number;
  /** Its options with a line of help each; an unknown one is an error. */
  readonly options: Readonly<Record<string, string>>;
  /** Known ways in which it can be wrong on purpose: values of its option `bug`. Absent: none. */
  readonly bugs?: readonly string[];
  /** Faults of nemeses it cannot have on this backend, with the reason. */
  readonly network: ReadonlySet<NetworkAbility>;
  /** The protocol's own units under these options; faults can be given in them. */
  timing(options: Readonly<Record<string, string>>): Timing;
  /**
   * True, or why it cannot run on this backend here and what to do about it. Throws `bad-option` for
   * an option that this backend does not have.
   */
  available(
    options: Readonly<Record<string, string>>,
    backend: BackendName,
  ): Promise<true | string>;
  /** Which version would run, where that can be told before it does; asked only of what is available. */
  version?(
    options: Readonly<Record<string, string>>,
    backend: BackendName,
  ): Promise<string | undefined>;
  deploy(request: DeployRequest): Promise<Cluster>;
}

/**
 * `linearizable`: agrees with all writes in real time. `serializable`: some earlier state, and for
 * one process at one node never backwards.
 */
export type ReadPromise = 'linearizable' | 'serializable';
