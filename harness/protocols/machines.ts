import type { NodeName } from '../core/units.ts';

/** Takes away just the fault that it was returned for. */
export type UndoFault = () => Promise<void>;

/** In what ways a disk can be made to fail. */
export type DiskAbility = 'slow' | 'fail-sync' | 'fill';

/**
 * Disks of machines that can be made to fail. A process that ends because its disk failed is no
 * crash, and is started again once nothing makes the disk fail.
 */
export interface DiskControl {
  /** What of it works here; the rest throws `unsupported`. */
  readonly can: ReadonlySet<DiskAbility>;
  /** Each sync takes so much longer. */
  slow(node: NodeName, delayMs: number): Promise<UndoFault>;
  /** Syncs fail with an input/output error. */
  failSync(node: NodeName): Promise<UndoFault>;
  /** So many bytes fit yet, then the disk is full. */
  fill(node: NodeName, roomBytes: number): Promise<UndoFault>;
  /** Writes a megabyte beside the node's files, syncs and removes it: evidence from outside. */
  probe(node: NodeName): Promise<DiskProbe>;
  /** Names of everything now installed, each with its kind and its node in it. */
  installed(): Promise<readonly string[]>;
}

/** Without an error it was written, and synced where `syncMs` says how long that took. */
export interface DiskProbe {
  readonly syncMs?: number;
  /** The system's code, `EIO` or `ENOSPC`. */
  readonly error?: string;
}

/** Clocks of machines that can be wrong: only where machines are simulated. */
export interface ClockControl {
  /** Absolute, not on top of what is set. `rate` 1.1: a tenth too fast. */
  skew(node: NodeName, skew: ClockSkew): Promise<void>;
  /** The node's own time and the world's, in one moment. */
  read(node: NodeName): Promise<{ readonly nodeMs: number; readonly worldMs: number }>;
}

export interface ClockSkew {
  /** The node's time less the world's, at the moment of the change; from then on the rate counts. */
  readonly offsetMs: number;
  /** The node's seconds in one of the world's. */
  readonly rate: number;
}

/** What a machine may use of its host: only where machines are containers. */
export interface ResourceControl {
  /** So many processors at most; 0.05: a twentieth of one. */
  squeezeCpu(node: NodeName, cpus: number): Promise<UndoFault>;
  /**
   * No more memory than it cannot do without now; called again, it follows the node down. A process
   * that ends for lack of memory is no crash, and is started again when the fault ends.
   */
  squeezeMemory(node: NodeName): Promise<UndoFault>;
  /** As the engine counts. */
  usage(node: NodeName): Promise<ResourceUsage>;
  /** Names of everything now installed, each with its kind and its node in it. */
  installed(): Promise<readonly string[]>;
}

export interface ResourceUsage {
  /** Zero: as many as there are. */
  readonly cpuLimit: number;
  /** How often it had to wait for its share, since the container was started. */
  readonly throttled: number;
  readonly memoryBytes: number;
  /** Zero: no limit. */
  readonly memoryLimitBytes: number;
  /** Whether the kernel ended its last life for lack of memory. */
  readonly ranOutOfMemory: boolean;
}

/**
 * The plug of a machine's network, all links and clients at once: only where there is one. What
 * steers the machine's links is reached another way.
 */
export interface PlugControl {
  /** Disconnects the machine from the network; the undo gives it the address that it had. */
  pull(node: NodeName): Promise<UndoFault>;
  /** As the engine has it. */
  isPlugged(node: NodeName): Promise<boolean>;
  installed(): Promise<readonly string[]>;
}

/** Packets that the kernel drops within a machine's network: connections stay, half dead. */
export interface PacketControl {
  /** Drops what `node` would hear from `from`, in the kernel, from now on. */
  drop(node: NodeName, from: readonly NodeName[]): Promise<UndoFault>;
  /** How many packets the rules that this node has now have dropped since they were made. */
  dropped(node: NodeName): Promise<number>;
  installed(): Promise<readonly string[]>;
}
