/** Faults in their places: what every pattern is made of. */
import type { Arbitrary } from 'fast-check';
import type { Options } from './draw-faults.ts';
import type { Step } from './plan.ts';

/** Faults that belong together; the first begins at 0. */
export type Pattern = Arbitrary<readonly Step[]>;

/** Kinds by which a node is gone, or as good as gone, until it comes back. */
export const ENDING: readonly string[] = ['kill', 'power', 'pause'];
/** Kinds by which messages are lost or late. */
export const CUTTING: readonly string[] = ['hold', 'blackhole'];

export function step(fault: string, at: number, duration: number, options: Options): Step {
  return { at, for: duration, fault, options };
}

/** When the last of them ends. */
export function endOf(steps: readonly Step[]): number {
  return Math.max(0, ...steps.map(({ at, for: duration }) => at + duration));
}

export function shifted(steps: readonly Step[], by: number): readonly Step[] {
  return steps.map((each) => ({ ...each, at: each.at + by }));
}
