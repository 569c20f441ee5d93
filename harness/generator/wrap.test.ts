import { describe, expect, test } from 'vitest';
import { HarnessError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { nanos } from '../core/units.ts';
import type { Op } from '../history/op.ts';
import { never, nothing, op, ops } from './basic.ts';
import { limit, repeat, untilOk } from './bounds.ts';
import { concat } from './combine.ts';
import { ThreadTable } from './context.ts';
import type { Generator, Offer } from './generator.ts';
import { rewrapped } from './rewrap.ts';
import { clients } from './route.ts';
import { perfect, quick, simulate } from './simulate.ts';
import {
  cache,
  filter,
  fMap,
  friendlyErrors,
  ignoreUpdates,
  map,
  onUpdate,
  trace,
  validate,
} from './wrap.ts';

const fs = (list: readonly Op[]): string => list.map(({ f }) => f).join(' ');
const abc = ops([{ f: 'a' }, { f: 'b' }, { f: 'c' }]);
const ctx = () => new ThreadTable({ clients: 2 }).context(nanos(0));
const throwing = (error: Error): Generator => ({
  next: () => {
    throw error;
  },
  update: () => {
    throw error;
  },
});

test('map rewrites, fMap renames both ways, filter drops', () => {
  expect(
    quick(clients(map((offer) => ({ ...offer, value: offer.f }), abc))).map((o) => o.value),
  ).toEqual(['a', 'b', 'c']);
  const heard: string[] = [];
  const listening = onUpdate((gen, _ctx, event) => {
    heard.push(event.f);
    return gen;
  }, abc);
  expect(fs(perfect(clients(fMap({ a: 'start', b: 'stop' }, listening)), { clients: 1 }))).toBe(
    'start stop c',
  );
  expect(heard).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
  expect(() => fMap({ a: 'x', b: 'x' }, abc)).toThrow('the same name');
  expect(fs(quick(clients(filter(({ f }) => f !== 'b', abc))))).toBe('a c');
});

test('filter that drops everything lets the run go on', () => {
  const next = filter(() => false, repeat(op({ f: 'a' }))).next(ctx());
  expect(next?.[0]).toBe('pending');
});

describe('updates', () => {
  test('onUpdate may replace its generator', () => {
    const gen = onUpdate(
      (rest, _ctx, event) => (event.type === 'ok' ? nothing : rest),
      repeat(op({ f: 'a' })),
    );
    expect(fs(perfect(clients(gen), { clients: 1 }))).toBe('a');
  });

  test('ignoreUpdates keeps them away', () => {
    const gen = limit(5, ignoreUpdates(untilOk(repeat(op({ f: 'a' })))));
    expect(perfect(clients(gen), { clients: 1 })).toHaveLength(5);
  });

  test('trace shows both, and changes nothing', () => {
    const lines: string[] = [];
    const write = (message: string): void => {
      lines.push(message);
    };
    const log: Log = { info: write, warn: write, error: write };
    expect(fs(perfect(clients(trace('x', abc, log))))).toBe('a b c');
    expect(new Set(lines)).toEqual(new Set(['x: next', 'x: update']));
  });
});

describe('validate', () => {
  const good = op({ f: 'a' }).next(ctx())?.[0] as Offer;
  test.each([
    [{ time: nanos(-1) }, 'bad time -1'],
    [{ f: '' }, 'it has no f'],
    [{ thread: 7 }, 'not a thread of its context'],
    [{ process: 9 }, 'not 9'],
  ])('%j is a bug', (wrong, message) => {
    const gen: Generator = { next: () => [{ ...good, ...wrong }, nothing], update: () => gen };
    expect(() => validate(gen).next(ctx())).toThrow(message);
  });

  test('work for a busy thread is a bug; anything else passes', () => {
    const table = new ThreadTable({ clients: 2 });
    table.start(good.thread);
    const gen: Generator = { next: () => [good, nothing], update: () => gen };
    expect(() => validate(gen).next(table.context(nanos(0)))).toThrow('it is busy');
    expect(fs(perfect(clients(validate(abc))))).toBe('a b c');
  });
});

test('friendlyErrors says where; errors of the user keep their words', () => {
  const gen = friendlyErrors('workload', throwing(new TypeError('x is not a function')));
  expect(() => gen.next(ctx())).toThrow(
    'generator workload: asked for its next operation at 0 ns with 2 of 2 threads free, it threw: x is not a function',
  );
  const [event] = simulate(clients(op({ f: 'a' })));
  expect(() => gen.update(ctx(), event as Op)).toThrow(/told of entry 0 \(\d invoke a\)/);
  const mine = friendlyErrors('workload', throwing(new HarnessError('bad-option', 'more clients')));
  expect(() => mine.next(ctx())).toThrow(/^more clients$/);
});

describe('cache', () => {
  const counted = (rest: Generator): { readonly gen: Generator; asked: () => number } => {
    let asked = 0;
    const wrap = (gen: Generator): Generator => {
      const self: Generator = {
        next: (inner) => {
          asked++;
          const next = gen.next(inner);
          return rewrapped(next, self, gen, wrap);
        },
        update: (inner, event) => {
          const updated = gen.update(inner, event);
          return updated === gen ? self : wrap(updated);
        },
      };
      return self;
    };
    return { gen: wrap(rest), asked: () => asked };
  };

  test('an offer that was not taken is not computed again', () => {
    const { gen, asked } = counted(abc);
    const cached = cache(10, gen);
    const table = new ThreadTable({ clients: 2 });
    for (let at = 0; at < 9; at++) {
      const next = cached.next(table.context(nanos(at * 1e6)));
      expect(next?.[0]).toMatchObject({ f: 'a', time: at * 1e6 });
    }
    expect(asked()).toBe(1);
    cached.next(table.context(nanos(11e6)));
    expect(asked()).toBe(2);
  });

  test('a thread that was given away meanwhile is not offered', () => {
    const cached = cache(10, abc);
    const table = new ThreadTable({ clients: 2 });
    const first = cached.next(table.context(nanos(0)))?.[0] as Offer;
    table.start(first.thread);
    const second = cached.next(table.context(nanos(1)))?.[0] as Offer;
    expect(second.thread).not.toBe(first.thread);
  });

  test('survives updates, and passes them on', () => {
    expect(fs(perfect(clients(cache(1000, abc)), { clients: 1 }))).toBe('a b c');
    const gen = cache(1000, untilOk(repeat(op({ f: 'a' }))));
    expect(fs(perfect(clients(gen), { clients: 1 }))).toBe('a');
    expect(fs(perfect(clients(limit(2, cache(5, concat(abc, never)))), { clients: 1 }))).toBe(
      'a b',
    );
  });
});
