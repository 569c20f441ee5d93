import type { NodeName } from '../core/units.ts';
import type { Outcome } from './system.ts';

/** A member as one node knows it. */
export interface MemberView {
  readonly id: string;
  /** Undefined: none of the nodes of this run. */
  readonly node: NodeName | undefined;
  readonly isLearner: boolean;
}

/**
 * Changes of who belongs to the cluster, each asked once of one member (`via`) as an operator would.
 * `info`: nobody knows whether it happened, or will. Links, addresses and names belong to nodes, so
 * a node that was removed can come back, as a new member on an empty disk.
 */
export interface Membership {
  /** What `via` itself believes now, however old. */
  list(via: NodeName, timeoutMs: number): Promise<Outcome<readonly MemberView[]>>;
  /**
   * Ends whatever of `node` still runs, empties its disk, and makes it a member; a change that was
   * not refused starts it. It resolves without waiting for it to catch up.
   */
  add(node: NodeName, how: AddMember): Promise<Outcome<null>>;
  /** A learner becomes a voter; refused until it has caught up. */
  promote(node: NodeName, via: NodeName, timeoutMs: number): Promise<Outcome<null>>;
  /**
   * The member may end by itself when it learns of it: no crash. Nobody stops it otherwise, since a
   * removed member that stays is a case worth testing.
   */
  remove(node: NodeName, via: NodeName, timeoutMs: number): Promise<Outcome<null>>;
}

export interface AddMember {
  readonly via: NodeName;
  readonly asLearner: boolean;
  readonly timeoutMs: number;
}
