/** When operations come: intervals, pauses, time limits. */
import { invariant } from '../core/invariant.ts';
import type { Random } from '../core/prng.ts';
import { type Nanos, nanos, nanosFromMs } from '../core/units.ts';
import { sleepUntil } from './basic.ts';
import { type Children, choose, updateAll } from './choose.ts';
import type { Generator, Offer } from './generator.ts';
import { around, passOn, pending, rewrapped } from './rewrap.ts';

/**
 * How far `stagger` may fall behind its schedule and still make up for it. Timers are late by
 * about a millisecond, so without it a high rate is never reached; with no bound, a cluster that
 * stood still would be met by a flood.
 */
const CATCH_UP: Nanos = nanosFromMs(50);

/**
 * At random intervals, uniform from 0 to twice `meanMs`, counted over all threads together. Makes
 * up for delays of up to 50 ms.
 */
export function stagger(meanMs: number, gen: Generator, random: Random): Generator {
  invariant(meanMs >= 0, 'stagger: the mean interval is negative');
  return spaced(gen, undefined, CATCH_UP, (chance) => chance.float() * 2 * meanMs, random);
}

/** Exactly `ms` apart; catches up without bound when late. */
export function delay(ms: number, gen: Generator): Generator {
  invariant(ms >= 0, 'delay: the interval is negative');
  return spaced(gen, undefined, Number.POSITIVE_INFINITY, () => ms, undefined);
}

/** `due`: when the next operation may come; undefined before the first, which comes at once. */
function spaced<R extends Random | undefined>(
  gen: Generator,
  due: Nanos | undefined,
  catchUp: number,
  intervalMs: (random: R) => number,
  random: R,
): Generator {
  const again = (rest: Generator): Generator => spaced(rest, due, catchUp, intervalMs, random);
  return around(gen, again, (offer, rest) => {
    if (offer.special !== undefined) return [offer, again(rest)];
    const time = nanos(Math.max(offer.time, due ?? 0));
    const chance = random?.clone() as R;
    const from = Math.max(due ?? time, time - catchUp);
    const later = nanos(from + nanosFromMs(intervalMs(chance)));
    const paced = time === offer.time ? offer : { ...offer, time };
    return [paced, spaced(rest, later, catchUp, intervalMs, chance)];
  });
}

/**
 * Ends exactly `ms` after the first operation that `gen` emits, or when `gen` is exhausted.
 * Operations that lie beyond are not offered; those under way then are left to end.
 */
export function timeLimit(ms: number, gen: Generator): Generator {
  return limited(gen, nanosFromMs(ms), undefined);
}

function limited(gen: Generator, span: Nanos, end: Nanos | undefined): Generator {
  const again = (rest: Generator): Generator => limited(rest, span, end);
  const self: Generator = {
    next: (ctx) => {
      if (end !== undefined && ctx.time >= end) return undefined;
      const next = gen.next(ctx);
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      if (offer === 'pending') return pending(self, gen, rest, again);
      if (offer.special !== undefined && end === undefined) return [offer, again(rest)];
      const cutoff = end ?? nanos(offer.time + span);
      if (offer.time < cutoff) return [offer, limited(rest, span, cutoff)];
      // An event may still bring an operation forward, so the time is waited for.
      return rewrapped(sleepUntil(cutoff).next(ctx), self, self, () => self);
    },
    update: (ctx, event) => passOn(self, gen, again, ctx, event),
  };
  return self;
}

/**
 * Takes turns by the clock: each generator for its time, then the next, and around, from when it is
 * first asked. Each goes on where it stopped, so quiet periods cost no state. Over when
 * the one whose turn it is is exhausted. `cycleTimes([[30_000, busy], [10_000, quiet]])`.
 */
export function cycleTimes(turns: readonly (readonly [ms: number, gen: Generator])[]): Generator {
  invariant(turns.length > 0, 'cycleTimes: no turns');
  const spans = turns.map(([ms]) => nanosFromMs(ms));
  invariant(
    spans.every((span) => span > 0),
    'cycleTimes: a turn of no length',
  );
  return cycling(
    spans,
    turns.map(([, gen]) => gen),
    undefined,
  );
}

function cycling(spans: readonly Nanos[], gens: Children, start: Nanos | undefined): Generator {
  const period = spans.reduce((sum, span) => sum + span, 0);
  const self: Generator = {
    next: (ctx) => {
      // The beginning is fixed before anything is offered: offers that are not taken are forgotten.
      if (start === undefined) return ['pending', cycling(spans, gens, ctx.time)];
      const current = windowAt(spans, start, period, ctx.time);
      // Turns that come later are asked too: what they offer waits for its turn, and is a reason
      // to come back in time even if this turn's generator has nothing to say.
      const windows = spans.map((_, n) => laterWindow(spans, current, n));
      const choice = choose(ctx, gens, current.turn, (child, turn) => {
        const next = child.next(ctx);
        if (next === undefined || next[0] === 'pending') return next;
        const ahead = (turn - current.turn + spans.length) % spans.length;
        return [inWindow(next[0], windows[ahead] as Window, period), next[1]];
      });
      if (choice.children[current.turn] === undefined) return undefined;
      switch (choice.kind) {
        case 'exhausted':
          return undefined;
        case 'pending':
          return [
            'pending',
            choice.children === gens ? self : cycling(spans, choice.children, start),
          ];
        case 'offer':
          return [choice.offer, cycling(spans, choice.children, start)];
      }
    },
    update: (ctx, event) => {
      const updated = updateAll(gens, (child) => child.update(ctx, event));
      return updated === gens ? self : cycling(spans, updated, start);
    },
  };
  return self;
}

interface Window {
  readonly turn: number;
  readonly start: number;
  readonly end: number;
}

function windowAt(spans: readonly Nanos[], from: Nanos, period: number, time: Nanos): Window {
  let start = from + Math.floor((time - from) / period) * period;
  for (const [turn, span] of spans.entries()) {
    if (time < start + span) return { turn, start, end: start + span };
    start += span;
  }
  invariant(false, 'cycleTimes: a time outside of every turn');
}

/** The window `n` turns after `current`. */
function laterWindow(spans: readonly Nanos[], current: Window, n: number): Window {
  let { turn, start, end } = current;
  for (let step = 0; step < n; step++) {
    turn = (turn + 1) % spans.length;
    start = end;
    end = start + (spans[turn] as number);
  }
  return { turn, start, end };
}

/** The offer, moved to the first time within its generator's turns. */
function inWindow(offer: Offer, window: Window, period: number): Offer {
  const time = Math.max(offer.time, window.start);
  if (time < window.end) return time === offer.time ? offer : { ...offer, time: nanos(time) };
  const rounds = Math.floor((time - window.start) / period);
  const start = window.start + rounds * period;
  const end = window.end + rounds * period;
  const moved = time < end ? time : start + period;
  return { ...offer, time: nanos(moved) };
}
