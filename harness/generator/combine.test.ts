import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import type { Op } from '../history/op.ts';
import { never, nothing, op, ops, sleepFor } from './basic.ts';
import { limit, repeat, untilOk } from './bounds.ts';
import {
  andThen,
  any,
  concat,
  flipFlop,
  mix,
  phases,
  shortestAny,
  synchronize,
} from './combine.ts';
import type { Generator } from './generator.ts';
import { delay } from './rate.ts';
import { clients, nemesis, onThreads } from './route.ts';
import { perfect, quick, simulate } from './simulate.ts';

const random = Random.stream(seedFrom(1), 'test');
const fs = (list: readonly Op[]): string => list.map(({ f }) => f).join(' ');
const many = (f: string): Generator => repeat(op({ f }));
const count = (list: readonly Op[], f: string): number => list.filter((o) => o.f === f).length;

describe('any', () => {
  test('takes the soonest, and shares ties fairly', () => {
    const list = quick(clients(limit(600, any([many('a'), many('b'), many('c')], random))));
    for (const f of ['a', 'b', 'c']) {
      expect(count(list, f)).toBeGreaterThan(150);
      expect(count(list, f)).toBeLessThan(250);
    }
  });

  test('is exhausted when all are', () => {
    const list = quick(
      clients(any([op({ f: 'a' }), nothing, ops([{ f: 'b' }, { f: 'c' }])], random)),
    );
    expect(fs(list).split(' ').toSorted()).toEqual(['a', 'b', 'c']);
    expect(quick(any([], random))).toEqual([]);
  });

  test('a pending one holds nobody up', () => {
    expect(fs(quick(clients(limit(3, any([never, many('a')], random)))))).toBe('a a a');
  });

  test('all hear every event', () => {
    const gen = any([untilOk(repeat(op({ f: 'a' }))), untilOk(repeat(op({ f: 'b' })))], random);
    const list = perfect(clients(gen), { clients: 1 });
    expect(fs(list).split(' ').toSorted()).toEqual(['a', 'b']);
  });
});

test('shortestAny is over with the first that is', () => {
  const list = quick(clients(shortestAny([many('a'), delay(1, limit(5, many('b')))], random)), {
    model: () => ({ type: 'ok', latencyNanos: 1e5 }),
  });
  expect(count(list, 'b')).toBe(5);
  expect(count(list, 'a')).toBeGreaterThan(20);
  expect(count(list, 'a')).toBeLessThan(1000);
});

describe('mix', () => {
  test('draws uniformly, or by weight', () => {
    const even = quick(clients(limit(1000, mix([many('a'), many('b')], random))));
    expect(Math.abs(count(even, 'a') - 500)).toBeLessThan(80);
    const odd = quick(clients(limit(1000, mix([many('a'), many('b')], random, [9, 1]))));
    expect(Math.abs(count(odd, 'a') - 900)).toBeLessThan(50);
  });

  test('one that is pending does not block the others', () => {
    const busy = op({ f: 'slow', thread: 0 });
    const gen = limit(40, mix([concat(busy, busy), onThreads((t) => t !== 0, many('a'))], random));
    const model = ({ f }: Op) => ({ type: 'ok', latencyNanos: f === 'slow' ? 1e9 : 10 }) as const;
    const list = simulate(clients(gen), { model }).filter(({ type }) => type === 'invoke');
    expect(list.at(-1)?.time).toBeLessThan(1e9);
  });

  test('goes on with those that are left', () => {
    const list = quick(clients(mix([limit(2, many('a')), limit(5, many('b'))], random)));
    expect([count(list, 'a'), count(list, 'b')]).toEqual([2, 5]);
  });

  test('a pause of one of them is kept while another has something for later', () => {
    const paused = concat(sleepFor(10), op({ f: 'paused' }));
    const later = concat(op({ f: 'now' }), delay(1000, ops([{ f: 'x' }])));
    const list = quick(clients(mix([paused, later], random)));
    expect(list.find(({ f }) => f === 'paused')?.time).toBe(10e6);
  });
});

describe('one after another', () => {
  const slow = { model: () => ({ type: 'ok', latencyNanos: 100 }) as const, clients: 3 };
  const times = (gen: Generator): string =>
    simulate(clients(gen), slow)
      .filter(({ type }) => type === 'invoke')
      .map(({ f, time }) => `${f}${time}`)
      .join(' ');

  test('concat does not wait for what is under way', () => {
    expect(times(concat(ops([{ f: 'a' }, { f: 'b' }]), nothing, op({ f: 'c' })))).toBe('a0 b0 c0');
  });

  test('phases and andThen do', () => {
    const [a, b, c] = [op({ f: 'a' }), op({ f: 'b' }), op({ f: 'c' })];
    expect(times(phases(a, b, c))).toBe('a0 b100 c200');
    expect(times(andThen(concat(a, b), c))).toBe('a0 b0 c100');
    expect(times(concat(a, synchronize(concat(b, c))))).toBe('a0 b100 c100');
  });

  test('events reach the current one only', () => {
    const gen = concat(untilOk(many('a')), untilOk(many('b')));
    expect(fs(perfect(clients(gen), { clients: 1 }))).toBe('a b');
  });
});

describe('flipFlop', () => {
  test('takes strict turns until one is exhausted', () => {
    expect(fs(quick(clients(flipFlop(many('a'), limit(2, many('b'))))))).toBe('a b a b a');
  });

  test('a pause is not a turn', () => {
    const begin = repeat(op({ f: 'begin' }));
    const end = concat(sleepFor(5), op({ f: 'end' }), sleepFor(5), op({ f: 'end' }));
    const list = quick(nemesis('faults', limit(4, flipFlop(begin, end))));
    expect(list.map(({ f, time }) => `${f} ${time / 1e6}`)).toEqual([
      'begin 0',
      'end 5',
      'begin 5',
      'end 10',
    ]);
  });
});
