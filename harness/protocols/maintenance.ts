import type { NodeName } from '../core/units.ts';
import type { Call, Outcome } from './system.ts';

/** What an operator does to a store's past. */
export interface Maintenance {
  /**
   * Forgets every version older than the newest that `via` knows, but for the last `keep` revisions;
   * what is current stays. Resolves with the revision that it compacted at.
   */
  compact(via: NodeName, keep: number, timeoutMs: number): Promise<Outcome<{ revision: number }>>;
  /** Whether `via` itself can still be read as it was at this revision; false: it is compacted. */
  remembers(via: NodeName, revision: number, timeoutMs: number): Promise<Outcome<boolean>>;
}

/** A node's whole state at one revision, as one number. */
export interface StateHash {
  readonly hash: number;
  /** The revision that was hashed. */
  readonly revision: number;
  /** The node's last compaction: hashes compare only where these are equal. -1: never. */
  readonly compactRevision: number;
}

/** The state of the one node that is connected to, not of the cluster. */
export interface HashApi {
  /** At this revision; 0: at the node's newest. A node that is not there yet says `future-revision`. */
  hash(revision: number, call: Call): Promise<Outcome<StateHash>>;
}
