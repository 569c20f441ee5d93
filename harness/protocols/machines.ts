import type { NodeName } from '../core/units.ts';

/** Takes away just the fault that it was returned for. */
export type UndoFault = () => Promise<void>;

/**
 * Disks of machines that can be made to fail: only where machines are simulated. A process that ends
 * because its disk failed is no crash, and is started again once nothing makes the disk fail.
 */
export interface DiskControl {
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

/** `error`: the system's code, `EIO` or `ENOSPC`. */
export type DiskProbe =
  | { readonly syncMs: number }
  | { readonly error: string; readonly syncMs?: number };

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
