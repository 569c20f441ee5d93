/** How long something takes in the simulator: drawn anew each time. */
import { unreachable } from '../../../harness/core/invariant.ts';
import type { Random } from '../../../harness/core/prng.ts';

/** `exponential`: `minMs`, and on top a wait without memory, so that now and then one is long. */
export type DelayDistribution =
  | { readonly kind: 'constant'; readonly ms: number }
  | { readonly kind: 'uniform'; readonly minMs: number; readonly maxMs: number }
  | { readonly kind: 'exponential'; readonly minMs: number; readonly meanMs: number };

/** The same, and so much longer each time. */
export function longer(delay: DelayDistribution, byMs: number): DelayDistribution {
  switch (delay.kind) {
    case 'constant':
      return { ...delay, ms: delay.ms + byMs };
    case 'uniform':
      return { ...delay, minMs: delay.minMs + byMs, maxMs: delay.maxMs + byMs };
    case 'exponential':
      return { ...delay, minMs: delay.minMs + byMs, meanMs: delay.meanMs + byMs };
    default:
      return unreachable(delay);
  }
}

/** Milliseconds, never below zero; `constant` draws nothing. */
export function drawMs(delay: DelayDistribution, random: Random): number {
  switch (delay.kind) {
    case 'constant':
      return delay.ms;
    case 'uniform':
      return delay.minMs + random.float() * (delay.maxMs - delay.minMs);
    case 'exponential':
      return delay.minMs + exponential(random) * (delay.meanMs - delay.minMs);
    default:
      return unreachable(delay);
  }
}

/**
 * Mean 1, by von Neumann's comparison of uniform draws: a logarithm may differ in its last bit from
 * one machine to another, and the same seed must give the same run on all.
 */
function exponential(random: Random): number {
  for (let whole = 0; ; whole++) {
    const first = random.float();
    let last = first;
    for (let falling = 1; ; falling++) {
      const next = random.float();
      if (next < last) {
        last = next;
        continue;
      }
      if (falling % 2 === 1) return whole + first;
      break;
    }
  }
}
