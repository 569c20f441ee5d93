/** Around one generator: what it offers and what it hears, rewritten, watched or remembered. */
import { HarnessError, messageOf } from '../core/errors.ts';
import { InvariantError, invariant } from '../core/invariant.ts';
import type { Log } from '../core/log.ts';
import { type Nanos, nanos, nanosFromMs } from '../core/units.ts';
import type { Op } from '../history/op.ts';
import type { Context, Generator, Offer } from './generator.ts';
import { around, passOn, pending, rewrapped } from './rewrap.ts';

/** Rewrites every operation. `fn` must be pure; pauses and log lines pass as they are. */
export function map(fn: (offer: Offer) => Offer, gen: Generator): Generator {
  const again = (rest: Generator): Generator => map(fn, rest);
  return around(gen, again, (offer, rest) => {
    return [offer.special === undefined ? fn(offer) : offer, again(rest)];
  });
}

/**
 * Renames functions outward, by `names`; events reach `gen` under its own names again. Others stay
 * as they are.
 */
export function fMap(names: Readonly<Record<string, string>>, gen: Generator): Generator {
  const own = new Map(Object.entries(names).map(([inner, outer]) => [outer, inner]));
  invariant(own.size === Object.keys(names).length, 'fMap: two functions get the same name');
  return renaming(names, own, gen);
}

function renaming(
  names: Readonly<Record<string, string>>,
  own: ReadonlyMap<string, string>,
  gen: Generator,
): Generator {
  const again = (rest: Generator): Generator => renaming(names, own, rest);
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      if (offer === 'pending') return pending(self, gen, rest, again);
      const f = offer.special === undefined ? names[offer.f] : undefined;
      return [f === undefined ? offer : { ...offer, f }, again(rest)];
    },
    update: (ctx, event) => {
      const f = own.get(event.f);
      return passOn(self, gen, again, ctx, f === undefined ? event : { ...event, f });
    },
  };
  return self;
}

/** After so many in a row were dropped, `filter` answers pending, so that the run goes on. */
const DROPPED_MAX = 1000;

/** Drops operations for which `keep` does not hold. */
export function filter(keep: (offer: Offer) => boolean, gen: Generator): Generator {
  const again = (rest: Generator): Generator => filter(keep, rest);
  const self: Generator = {
    next: (ctx) => {
      let from = gen;
      for (let dropped = 0; dropped < DROPPED_MAX; dropped++) {
        const next = from.next(ctx);
        if (next === undefined) return undefined;
        const [offer, rest] = next;
        if (offer === 'pending') return pending(self, gen, rest, again);
        if (offer.special !== undefined || keep(offer)) return [offer, again(rest)];
        from = rest;
      }
      return ['pending', again(from)];
    },
    update: (ctx, event) => passOn(self, gen, again, ctx, event),
  };
  return self;
}

/**
 * Hears events instead of `gen`: what `handle` returns replaces `gen` (return it, or
 * `gen.update(ctx, event)`, to go on), and is heard for in the same way.
 */
export function onUpdate(
  handle: (gen: Generator, ctx: Context, event: Op) => Generator,
  gen: Generator,
): Generator {
  const again = (rest: Generator): Generator => onUpdate(handle, rest);
  const self: Generator = {
    next: (ctx) => rewrapped(gen.next(ctx), self, gen, again),
    update: (ctx, event) => {
      const updated = handle(gen, ctx, event);
      return updated === gen ? self : again(updated);
    },
  };
  return self;
}

/** `gen` hears nothing of what happens. Cheaper, where it would not listen anyway. */
export function ignoreUpdates(gen: Generator): Generator {
  const self: Generator = {
    next: (ctx) => rewrapped(gen.next(ctx), self, gen, ignoreUpdates),
    update: () => self,
  };
  return self;
}

/** Writes every question and event that passes here into the log, under `label`. */
export function trace(label: string, gen: Generator, log: Log): Generator {
  const again = (rest: Generator): Generator => trace(label, rest, log);
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      const answer = next === undefined ? 'exhausted' : next[0];
      log.info(`${label}: next`, { time: ctx.time, free: ctx.freeCount, answer });
      return rewrapped(next, self, gen, again);
    },
    update: (ctx, event) => {
      log.info(`${label}: update`, { time: ctx.time, event });
      return passOn(self, gen, again, ctx, event);
    },
  };
  return self;
}

/** Checks that what `gen` offers can be carried out; throws `InvariantError` when not. */
export function validate(gen: Generator): Generator {
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      if (next !== undefined && next[0] !== 'pending') checkOffer(ctx, next[0]);
      return rewrapped(next, self, gen, validate);
    },
    update: (ctx, event) => passOn(self, gen, validate, ctx, event),
  };
  return self;
}

function checkOffer(ctx: Context, offer: Offer): void {
  const what = `the generator offered ${offer.f} on thread ${offer.thread}`;
  invariant(Number.isSafeInteger(offer.time) && offer.time >= 0, `${what}: bad time ${offer.time}`);
  invariant(offer.f !== '', `${what}: it has no f`);
  invariant(ctx.threads.includes(offer.thread), `${what}: not a thread of its context`);
  if (offer.special !== undefined) return;
  invariant(ctx.isFree(offer.thread), `${what}: it is busy`);
  const process = ctx.processOf(offer.thread);
  invariant(offer.process === process, `${what}: it runs ${process}, not ${offer.process}`);
}

/** Says where it happened when `gen` throws: on which question or event, at what time. */
export function friendlyErrors(label: string, gen: Generator): Generator {
  const again = (rest: Generator): Generator => friendlyErrors(label, rest);
  const self: Generator = {
    next: (ctx) =>
      rewrapped(
        named(`${label}: asked for its next operation`, ctx, () => gen.next(ctx)),
        self,
        gen,
        again,
      ),
    update: (ctx, event) => {
      const what = `${label}: told of entry ${event.index} (${event.process} ${event.type} ${event.f})`;
      const updated = named(what, ctx, () => gen.update(ctx, event));
      return updated === gen ? self : again(updated);
    },
  };
  return self;
}

function named<T>(what: string, ctx: Context, run: () => T): T {
  try {
    return run();
  } catch (error) {
    // What the user can mend is said in its own words already.
    if (error instanceof HarnessError) throw error;
    const where = `at ${ctx.time} ns with ${ctx.freeCount} of ${ctx.threads.length} threads free`;
    throw new InvariantError(`generator ${what} ${where}, it threw: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Remembers an offer that was not taken for up to `ms`, for generators that are expensive to ask.
 * Forgets it when its thread was given away, or when an event changes `gen`.
 */
export function cache(ms: number, gen: Generator): Generator {
  const again = (rest: Generator): Generator => cache(ms, rest);
  // A memory only: it never changes what is offered but for how fresh it is.
  let known: { readonly offer: Offer; readonly rest: Generator; readonly at: Nanos } | undefined;
  const self: Generator = {
    next: (ctx) => {
      if (known !== undefined && isUsable(ctx, known, ms)) {
        const { offer, rest } = known;
        return [{ ...offer, time: nanos(Math.max(offer.time, ctx.time)) }, again(rest)];
      }
      const next = gen.next(ctx);
      known =
        next === undefined || next[0] === 'pending'
          ? undefined
          : { offer: next[0], rest: next[1], at: ctx.time };
      return rewrapped(next, self, gen, again);
    },
    update: (ctx, event) => {
      const updated = gen.update(ctx, event);
      if (updated !== gen) return again(updated);
      if (known !== undefined) known = { ...known, rest: known.rest.update(ctx, event) };
      return self;
    },
  };
  return self;
}

function isUsable(
  ctx: Context,
  { offer, at }: { readonly offer: Offer; readonly at: Nanos },
  ms: number,
): boolean {
  if (ctx.time < at || ctx.time - at >= nanosFromMs(ms)) return false;
  return (
    offer.special === undefined &&
    ctx.isFree(offer.thread) &&
    ctx.processOf(offer.thread) === offer.process
  );
}
