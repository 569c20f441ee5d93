/** What holds for every generator, on random towers of combinators. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import type { Op } from '../history/op.ts';
import { WellFormed } from '../history/well-formed.ts';
import { fromFunction, op, ops, sleepFor, unfold } from './basic.ts';
import {
  concurrencyLimit,
  cycle,
  earlyTermination,
  limit,
  processLimit,
  repeat,
  untilOk,
} from './bounds.ts';
import { any, concat, flipFlop, mix, phases, shortestAny } from './combine.ts';
import type { Generator } from './generator.ts';
import { concurrentKeys, sequentialKeys } from './independent.ts';
import { cycleTimes, delay, stagger, timeLimit } from './rate.ts';
import { rewrapped } from './rewrap.ts';
import { clients, eachProcess, eachThread, nemesis, onThreads, reserve } from './route.ts';
import { imperfectModel, type LatencyModel, type SimulateOptions, simulate } from './simulate.ts';
import { cache, filter, fMap, ignoreUpdates, map, validate } from './wrap.ts';

const root = Random.stream(seedFrom(7), 'laws');

const leaf: fc.Arbitrary<Generator> = fc.oneof(
  fc.constantFrom('a', 'b').map((f) => op({ f })),
  fc.constant(ops([{ f: 'a' }, { f: 'b', value: 1 }, { f: 'c' }])),
  fc.nat(50).map((ms) => concat(sleepFor(ms), op({ f: 'late' }))),
  fc
    .nat(3)
    .map((n) =>
      fromFunction((chance) => ({ f: 'w', value: chance.int(0, 9) }), root.fork(`f${n}`)),
    ),
  fc.nat(3).map((n) => unfold(0, (k) => [{ f: 'u', value: k }, k + 1], root.fork(`u${n}`))),
);

const { tower } = fc.letrec<{ tower: Generator; two: readonly [Generator, Generator, Random] }>(
  (tie) => ({
    two: fc.tuple(
      tie('tower'),
      tie('tower'),
      fc.nat(9).map((n) => root.fork(`two${n}`)),
    ),
    tower: fc.oneof(
      { depthSize: 'large', withCrossShrink: true, maxDepth: 4 },
      leaf,
      leaf,
      tie('two').map(([a, b, random]) => any([a, b], random)),
      tie('two').map(([a, b, random]) => mix([a, b], random, [2, 1])),
      tie('two').map(([a, b, random]) => shortestAny([a, b], random)),
      tie('two').map(([a, b]) => concat(a, b)),
      tie('two').map(([a, b]) => phases(limit(3, a), b)),
      tie('two').map(([a, b]) => flipFlop(a, b)),
      tie('two').map(([a, b]) => reserve([[1, a]], b)),
      tie('two').map(([a, b]) =>
        cycleTimes([
          [5, a],
          [3, b],
        ]),
      ),
      tie('two').map(([a, , random]) => stagger(2, a, random)),
      tie('two').map(([a, , random]) =>
        earlyTermination({ every: 3, probability: 0.3 }, a, random),
      ),
      tie('tower').map((a) => delay(1, a)),
      tie('tower').map((a) => timeLimit(40, a)),
      tie('tower').map((a) => repeat(a, 4)),
      tie('tower').map((a) => cycle(a, 2)),
      tie('tower').map((a) => untilOk(a)),
      tie('tower').map((a) => processLimit(9, a)),
      tie('tower').map((a) => concurrencyLimit(2, a)),
      tie('tower').map((a) => eachThread(a)),
      tie('tower').map((a) => eachProcess(limit(3, a))),
      tie('tower').map((a) => onThreads((thread) => thread !== 1, a)),
      tie('tower').map((a) => map((offer) => ({ ...offer, value: 7 }), a)),
      tie('tower').map((a) => fMap({ a: 'x' }, a)),
      tie('tower').map((a) => filter(({ f }) => f !== 'b', a)),
      tie('tower').map((a) => ignoreUpdates(a)),
      tie('tower').map((a) => sequentialKeys(['k1', 'k2'], () => limit(4, a))),
      tie('tower').map((a) => concurrentKeys(1, ['k1', 'k2', 'k3', 'k4'], () => limit(4, a))),
    ),
  }),
);

/** Beside a lane of faults, so that times ahead and clients meet. */
const whole = tower.map((gen) => {
  const lane = concat(op({ f: 'begin' }), sleepFor(9), op({ f: 'end' }), sleepFor(4));
  const load = clients(validate(gen));
  return { gen: limit(80, any([load, nemesis('faults', cycle(lane, 3))], root.fork('any'))), load };
});

const model: LatencyModel = (invoke) => ({
  ...imperfectModel(invoke),
  latencyNanos: ((invoke.index * 7919) % 13) * 3e5,
});
// Towers may contain one whose threads another has taken: it waits forever, which is no error here.
const options: SimulateOptions = { clients: 4, model, entriesMax: 300 };

function play(gen: Generator, more: SimulateOptions = {}): Op[] | 'stuck' {
  try {
    return simulate(gen, { ...options, ...more });
  } catch (error) {
    if (error instanceof Error && /multiple of|reserves|is pending/.test(error.message))
      return 'stuck';
    throw error;
  }
}

/** Asks `times` times, and uses the last answer. */
function pestered(times: number, gen: Generator): Generator {
  const again = (rest: Generator): Generator => pestered(times, rest);
  const self: Generator = {
    next: (ctx) => {
      for (let n = 1; n < times; n++) gen.next(ctx);
      return rewrapped(gen.next(ctx), self, gen, again);
    },
    update: (ctx, event) => again(gen.update(ctx, event)),
  };
  return self;
}

test('the same seed gives the same operations, and well-formed histories', () => {
  fc.assert(
    fc.property(whole, ({ gen }) => {
      const first = play(gen);
      expect(play(gen)).toEqual(first);
      if (first === 'stuck') return;
      const wellFormed = new WellFormed();
      expect(first.flatMap((entry) => wellFormed.problem(entry) ?? [])).toEqual([]);
      expect(first.filter(({ type }) => type === 'invoke').length).toBeLessThanOrEqual(80);
    }),
    { numRuns: 300 },
  );
});

test('asking often changes nothing', () => {
  fc.assert(
    fc.property(tower, fc.integer({ min: 2, max: 5 }), (gen, times) => {
      const once = play(clients(limit(60, gen)));
      if (once === 'stuck') return;
      const often = play(pestered(times, clients(limit(60, gen))));
      expect(often).toEqual(once);
    }),
    { numRuns: 300 },
  );
});

test('caching what is offered keeps what is asked', () => {
  fc.assert(
    fc.property(tower, (gen) => {
      const bare = play(clients(limit(60, gen)));
      if (bare === 'stuck') return;
      const kept = play(clients(limit(60, cache(0, gen))));
      expect(kept).toEqual(bare);
    }),
    { numRuns: 100 },
  );
});

test('limit(n) of an endless generator yields n, on any number of threads', () => {
  const endless = fc.constantFrom(
    repeat(op({ f: 'a' })),
    fromFunction(() => ({ f: 'b' }), root),
    cycle(ops([{ f: 'a' }, { f: 'b' }])),
    stagger(1, repeat(op({ f: 'a' })), root),
    mix([repeat(op({ f: 'a' })), repeat(op({ f: 'b' }))], root),
    any([delay(3, repeat(op({ f: 'a' }))), repeat(op({ f: 'b' }))], root),
    eachThread(repeat(op({ f: 'a' }))),
    eachProcess(repeat(op({ f: 'a' }))),
    cycle(concat(op({ f: 'a' }), sleepFor(2))),
  );
  fc.assert(
    fc.property(endless, fc.nat(100), fc.integer({ min: 1, max: 70 }), (gen, n, count) => {
      const list = simulate(clients(validate(limit(n, gen))), { ...options, clients: count });
      expect(list.filter(({ type }) => type === 'invoke').length).toBe(n);
    }),
    { numRuns: 200 },
  );
});
