import type { NodeName } from '../../harness/core/units.ts';

/** A member that contradicts itself more often than this means it. */
const ODD_VIEWS_MAX = 3;

/**
 * etcd reads leader and term one after the other, so around an election a reply may name the new
 * leader with the old term: another leader in the same term. Such a view is taken for torn, not for
 * two leaders in one term, unless the member insists.
 */
export class TornViews {
  readonly #said = new Map<NodeName, { leader: string; term: string; odd: number }>();

  /** Whether what a member says now, of a leader it knows, contradicts what it last said. */
  isTorn(node: NodeName, leader: string, term: string): boolean {
    const said = this.#said.get(node);
    const isOdd = said !== undefined && said.term === term && said.leader !== leader;
    if (isOdd && ++said.odd <= ODD_VIEWS_MAX) return true;
    this.#said.set(node, { leader, term, odd: 0 });
    return false;
  }
}
