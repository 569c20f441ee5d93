/** How often and how long: repetition, and ends that depend on what happened. */
import { invariant } from '../core/invariant.ts';
import type { Random } from '../core/prng.ts';
import type { Process } from '../history/op.ts';
import { nothing } from './basic.ts';
import type { Context, Generator } from './generator.ts';
import { around, passOn, pending, rewrapped } from './rewrap.ts';

/**
 * The first operation of `gen` again and again, `times` times or forever: what is left of `gen`
 * after it is not used. For operations that differ, see `fromFunction`; for a sequence, `cycle`.
 */
export function repeat(gen: Generator, times: number = Number.POSITIVE_INFINITY): Generator {
  if (times <= 0) return nothing;
  const again = (rest: Generator): Generator => repeat(rest, times);
  return around(gen, again, (offer, _rest, self) => {
    return [offer, times === Number.POSITIVE_INFINITY ? self : repeat(gen, times - 1)];
  });
}

/**
 * The whole of `gen` again each time it is exhausted, `times` times or forever. A generator that
 * draws chance draws the same each time; pass a function of the round to make rounds differ.
 */
export function cycle(
  gen: Generator | ((round: number) => Generator),
  times: number = Number.POSITIVE_INFINITY,
): Generator {
  const make = typeof gen === 'function' ? gen : (): Generator => gen;
  return times <= 0 ? nothing : cycling(make, times, 0, make(0));
}

function cycling(
  make: (round: number) => Generator,
  times: number,
  round: number,
  gen: Generator,
): Generator {
  const again = (rest: Generator): Generator => cycling(make, times, round, rest);
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      if (next !== undefined) return rewrapped(next, self, gen, again);
      if (round + 1 >= times) return undefined;
      const fresh = make(round + 1);
      // An empty round would be followed by empty rounds forever, so it ends them all.
      const first = fresh.next(ctx);
      const later = (rest: Generator): Generator => cycling(make, times, round + 1, rest);
      return rewrapped(first, later(fresh), fresh, later);
    },
    update: (ctx, event) => passOn(self, gen, again, ctx, event),
  };
  return self;
}

/** At most `count` operations; pauses and log lines do not count. */
export function limit(count: number, gen: Generator): Generator {
  if (count <= 0) return nothing;
  const again = (rest: Generator): Generator => limit(count, rest);
  return around(gen, again, (offer, rest) => {
    return [offer, limit(offer.special === undefined ? count - 1 : count, rest)];
  });
}

/** One operation. */
export function once(gen: Generator): Generator {
  return limit(1, gen);
}

/** Stops offering as soon as one of its own operations has completed ok. */
export function untilOk(gen: Generator): Generator {
  return trying(gen, new Set());
}

/** `open`: processes and lanes that run an operation of `gen` now. */
function trying(gen: Generator, open: ReadonlySet<number | string>): Generator {
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      if (offer === 'pending') return pending(self, gen, rest, (left) => trying(left, open));
      if (offer.special !== undefined) return [offer, trying(rest, open)];
      return [offer, trying(rest, new Set([...open, ownerOf(offer)]))];
    },
    update: (ctx, event) => {
      const owner = ownerOf(event);
      const updated = gen.update(ctx, event);
      if (event.type === 'invoke' || !open.has(owner))
        return updated === gen ? self : trying(updated, open);
      // Faults always complete with info; that it was carried out is all that can be known.
      if (event.type === 'ok' || typeof event.process !== 'number') return nothing;
      return trying(updated, new Set([...open].filter((other) => other !== owner)));
    },
  };
  return self;
}

function ownerOf(op: { readonly process: Process; readonly lane?: string }): number | string {
  return typeof op.process === 'number' ? op.process : `lane ${op.lane ?? ''}`;
}

/**
 * Ends before more than `max` client processes could take part, counting all that any of its
 * threads has run. As each unknown outcome makes a new process, this bounds how many operations
 * may still take effect at any time, and with it the work of a checker.
 */
export function processLimit(max: number, gen: Generator): Generator {
  return counting(max, gen, undefined);
}

/** `seen`: undefined when a process may have changed since it was last counted. */
function counting(
  max: number,
  gen: Generator,
  seen: { readonly processes: ReadonlySet<Process>; readonly isStale: boolean } | undefined,
): Generator {
  const self: Generator = {
    next: (ctx) => {
      const processes =
        seen === undefined || seen.isStale ? union(seen?.processes, ctx) : seen.processes;
      if (processes.size > max) return undefined;
      const known = seen?.isStale === false ? seen : { processes, isStale: false };
      const again = (left: Generator): Generator => counting(max, left, known);
      const next = gen.next(ctx);
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      if (offer === 'pending')
        return known === seen ? pending(self, gen, rest, again) : ['pending', again(rest)];
      return [offer, again(rest)];
    },
    update: (ctx, event) => {
      const crashed = event.type === 'info' && typeof event.process === 'number';
      if (!crashed || seen === undefined)
        return passOn(self, gen, (left) => counting(max, left, seen), ctx, event);
      return counting(max, gen.update(ctx, event), { ...seen, isStale: true });
    },
  };
  return self;
}

function union(seen: ReadonlySet<Process> | undefined, ctx: Context): ReadonlySet<Process> {
  const all = new Set(seen);
  for (const thread of ctx.threads) if (typeof thread === 'number') all.add(ctx.processOf(thread));
  return all;
}

/** Pending while `max` or more threads of its context are busy. */
export function concurrencyLimit(max: number, gen: Generator): Generator {
  invariant(max > 0, 'concurrencyLimit: nothing could ever run');
  const again = (rest: Generator): Generator => concurrencyLimit(max, rest);
  const self: Generator = {
    next: (ctx) => {
      if (ctx.threads.length - ctx.freeCount >= max) return ['pending', self];
      return rewrapped(gen.next(ctx), self, gen, again);
    },
    update: (ctx, event) => passOn(self, gen, again, ctx, event),
  };
  return self;
}

/** After each `every` operations, ends with this `probability`: runs of many lengths, cheaply. */
export function earlyTermination(
  options: { readonly every: number; readonly probability: number },
  gen: Generator,
  random: Random,
): Generator {
  invariant(options.every > 0, 'earlyTermination: every must be positive');
  return tossing(options, gen, random, options.every);
}

function tossing(
  options: { readonly every: number; readonly probability: number },
  gen: Generator,
  random: Random,
  left: number,
): Generator {
  const again = (rest: Generator): Generator => tossing(options, rest, random, left);
  return around(gen, again, (offer, rest) => {
    if (offer.special !== undefined) return [offer, again(rest)];
    if (left > 1) return [offer, tossing(options, rest, random, left - 1)];
    const chance = random.clone();
    if (chance.chance(options.probability)) return [offer, nothing];
    return [offer, tossing(options, rest, chance, options.every)];
  });
}
