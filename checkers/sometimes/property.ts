import type { History } from '../../harness/history/history.ts';
import type { CheckContext } from '../../harness/protocols/checker.ts';
import type { SometimesRow } from '../../harness/protocols/details.ts';
import { type Band, faultBands } from '../fault-bands.ts';
import { type RolesSeen, rolesSeen } from './roles.ts';

/** What several properties look at, read once. */
export interface Material {
  readonly history: History;
  /** In order. */
  readonly roles: readonly RolesSeen[];
  /** Faults that took effect, in order. */
  readonly bands: readonly Band[];
}

/** How often it was reached, and the first time. */
export type Reached = Pick<SometimesRow, 'count' | 'first'>;

/** What a run should reach at some time, so that passing means something. */
export interface Property {
  readonly name: string;
  /** What to change so that a run reaches it: the rest of a sentence. */
  readonly advice: string;
  /** Why it cannot be asked for yet. */
  readonly refused?: string;
  /** `nothing`: why this run cannot tell, the rest of a sentence. Reads the history once or twice. */
  find(
    material: Material,
    ctx: CheckContext,
  ): Reached | { readonly nothing: string } | Promise<Reached | { readonly nothing: string }>;
}

export function materialOf(history: History): Material {
  return {
    history,
    roles: rolesSeen(history),
    bands: faultBands(history).filter(({ band }) => band.result === 'installed'),
  };
}

/** Counts, and keeps the first. */
export class Tally {
  #count = 0;
  #first: Reached['first'];

  add(text: () => string, at?: { readonly index: number; readonly timeNanos: number }): void {
    this.#count++;
    this.#first ??= { text: text(), ...at };
  }

  reached(): Reached {
    return { count: this.#count, ...(this.#first !== undefined && { first: this.#first }) };
  }
}

/** The least place of a sorted list whose number is greater. */
export function firstAfter(sorted: ArrayLike<number>, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Number.POSITIVE_INFINITY) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

export const NO_ROLES = 'nobody said which node leads in this run';
