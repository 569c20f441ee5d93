import type { JsonValue } from '../core/json.ts';
import type { NodeName } from '../core/units.ts';
import type { StateHash } from './maintenance.ts';
import type { Call, Outcome } from './system.ts';

/** What an operator asks of a store in daily life, through one node. Each is sent once. */
export interface AdminApi {
  /**
   * Forgets every version older than the newest but for the last `keep` revisions. Resolves with the
   * revision that it compacted at.
   */
  compact(keep: number, call: Call): Promise<Outcome<{ readonly revision: number }>>;
  /** This node rewrites its own file, and may answer nobody meanwhile. */
  defragment(call: Call): Promise<Outcome<null>>;
  /** Whoever leads hands over to this node; where it leads itself, to another one. */
  moveLeader(call: Call): Promise<Outcome<{ readonly from: NodeName; readonly to: NodeName }>>;
  /**
   * Asks this node for all that it holds, after a linearizable read through it; restores that into a
   * cluster of one new node, which is no part of the run; and says what is found there. Nothing of the
   * new cluster is left when it resolves. A failure has no effect on the store.
   */
  backup(call: Call): Promise<Outcome<Backup>>;
}

/** What a store holds that was restored from a backup. */
export interface Backup {
  readonly revision: number;
  /** Identities of the restored cluster and of its one member. */
  readonly cluster: string;
  readonly member: string;
  /** Of the restored store, at its revision. */
  readonly hash: StateHash;
  /** What the node that was asked says of itself at the same revision; absent: it could not say. */
  readonly source?: StateHash;
  /** Each key with its value and the revision that changed it last. */
  readonly keys: readonly (readonly [key: string, value: JsonValue, modRevision: number])[];
}
