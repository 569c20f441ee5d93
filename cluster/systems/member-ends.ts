import type { NodeName } from '../../harness/core/units.ts';

/**
 * Which nodes may end by themselves without anything being wrong: one that is being removed, or was,
 * and one that was added and has not served yet, since nobody may be there who lets it join.
 */
export class ExpectedEnds {
  readonly #leaving = new Set<NodeName>();
  readonly #joining = new Set<NodeName>();

  /** Its removal is asked for, and may happen at any time. False: it was before. */
  leaves(node: NodeName): boolean {
    const isNew = !this.#leaving.has(node);
    this.#leaving.add(node);
    return isNew;
  }

  /** Its removal was refused. */
  stays(node: NodeName): void {
    this.#leaving.delete(node);
  }

  /** It starts as a new member. */
  joins(node: NodeName): void {
    this.#leaving.delete(node);
    this.#joining.add(node);
  }

  /** It answers those who ask: from now on it has no reason to end. */
  serves(node: NodeName): void {
    this.#joining.delete(node);
  }

  has(node: NodeName): boolean {
    return this.#leaving.has(node) || this.#joining.has(node);
  }
}
