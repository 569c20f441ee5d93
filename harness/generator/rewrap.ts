/** Moves that every combinator around one generator makes. Both keep identity: see `Next`. */
import type { Op } from '../history/op.ts';
import type { Context, Generator, Next, Offer } from './generator.ts';

/** How a combinator puts itself around what is left of its generator. */
export type Rewrap = (rest: Generator) => Generator;

/** Pending, around `rest`; `self` itself if `gen` did not move. */
export function pending(self: Generator, gen: Generator, rest: Generator, rewrap: Rewrap): Next {
  return ['pending', rest === gen ? self : rewrap(rest)];
}

/** Passes an event on to `gen`; `self` itself if that changes nothing. */
export function passOn(
  self: Generator,
  gen: Generator,
  rewrap: Rewrap,
  ...[ctx, event]: readonly [Context, Op]
): Generator {
  const updated = gen.update(ctx, event);
  return updated === gen ? self : rewrap(updated);
}

/** What `gen` answered, with the combinator around what is left of it. */
export function rewrapped(next: Next, self: Generator, gen: Generator, rewrap: Rewrap): Next {
  if (next === undefined) return undefined;
  const [offer, rest] = next;
  return offer === 'pending' ? pending(self, gen, rest, rewrap) : [offer, rewrap(rest)];
}

/**
 * A combinator around one generator that does something only with its offers: `take` decides what
 * becomes of each. Pending and events pass through, around what is left.
 */
export function around(
  gen: Generator,
  rewrap: Rewrap,
  take: (offer: Offer, rest: Generator, self: Generator) => Next,
): Generator {
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      return offer === 'pending' ? pending(self, gen, rest, rewrap) : take(offer, rest, self);
    },
    update: (ctx, event) => passOn(self, gen, rewrap, ctx, event),
  };
  return self;
}
