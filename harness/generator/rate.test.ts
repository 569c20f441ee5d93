import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import { nanos } from '../core/units.ts';
import type { Op } from '../history/op.ts';
import { never, op, ops, sleepFor, sleepUntil } from './basic.ts';
import { limit, repeat } from './bounds.ts';
import { any, concat } from './combine.ts';
import { cycleTimes, delay, stagger, timeLimit } from './rate.ts';
import { clients, nemesis } from './route.ts';
import { perfect, quick, simulate } from './simulate.ts';

const random = Random.stream(seedFrom(1), 'test');
const ms = (list: readonly Op[]): number[] => list.map(({ time }) => time / 1e6);
const reads = repeat(op({ f: 'read' }));

describe('stagger', () => {
  test('has the mean interval that was asked for, whatever the number of threads', () => {
    for (const clientCount of [2, 30]) {
      const gen = clients(limit(2000, stagger(10, reads, random)));
      const times = ms(quick(gen, { clients: clientCount }));
      const mean = (times.at(-1) ?? 0) / (times.length - 1);
      expect(mean).toBeGreaterThan(9.5);
      expect(mean).toBeLessThan(10.5);
      const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(20);
    }
  });

  test('makes up for a short delay, not for a long one', () => {
    // One slow operation on the only thread, for 40 ms or for a second.
    const behind = (latencyMs: number): number => {
      const list = simulate(clients(limit(200, stagger(1, reads, random))), {
        clients: 1,
        model: ({ id }) => ({ type: 'ok', latencyNanos: id === 'c0/0' ? latencyMs * 1e6 : 0 }),
      });
      return (list.at(-1)?.time ?? 0) / 1e6;
    };
    expect(behind(40)).toBe(behind(0));
    expect(behind(1000)).toBeGreaterThan(1000 + behind(0) - 60);
  });
});

test('delay is exact, and catches up when late', () => {
  expect(ms(quick(clients(limit(4, delay(10, reads)))))).toEqual([0, 10, 20, 30]);
  const slow = () => ({ type: 'ok', latencyNanos: 25e6 }) as const;
  const late = simulate(clients(limit(4, delay(10, reads))), { clients: 1, model: slow });
  expect(ms(late.filter(({ type }) => type === 'invoke'))).toEqual([0, 25, 50, 75]);
});

describe('timeLimit', () => {
  test('counts from the first operation, and leaves what is under way to end', () => {
    const gen = concat(sleepFor(1000), timeLimit(30, delay(10, reads)));
    expect(ms(quick(clients(gen)))).toEqual([1000, 1010, 1020]);
  });

  test('lasts its time, even if what is left lies beyond it', () => {
    const gen = concat(timeLimit(25, delay(10, reads)), op({ f: 'after' }));
    expect(ms(quick(clients(gen)))).toEqual([0, 10, 20, 25]);
  });

  test('ends with its generator', () => {
    expect(ms(quick(clients(concat(timeLimit(100, op({ f: 'a' })), op({ f: 'b' })))))).toEqual([
      0, 0,
    ]);
  });
});

describe('cycleTimes', () => {
  test('takes turns by the clock, and each goes on where it stopped', () => {
    const gen = cycleTimes([
      [30, delay(10, ops(['a', 'b', 'c', 'd', 'e'].map((f) => ({ f }))))],
      [20, delay(10, repeat(op({ f: 'quiet' })))],
    ]);
    const list = quick(clients(gen));
    expect(list.map(({ f, time }) => `${f} ${time / 1e6}`)).toEqual([
      'a 0',
      'b 10',
      'c 20',
      'quiet 30',
      'quiet 40',
      'd 50',
      'e 50',
    ]);
  });

  test('turns count from the first question, not from the first operation', () => {
    const late = concat(sleepUntil(nanos(7e6)), op({ f: 'late' }), never);
    const gen = cycleTimes([
      [10, late],
      [10, op({ f: 'second' })],
    ]);
    expect(ms(quick(clients(limit(2, gen))))).toEqual([7, 10]);
  });

  test('a turn that has nothing to say does not put off the next', () => {
    const blocked = op({ f: 'never', thread: 1 });
    const gen = cycleTimes([
      [10, concat(op({ f: 'long', thread: 1 }), blocked)],
      [10, op({ f: 'second', thread: 0 })],
    ]);
    const model = ({ f }: Op) => ({ type: 'ok', latencyNanos: f === 'long' ? 1e12 : 0 }) as const;
    const list = simulate(clients(gen), { model, entriesMax: 3 });
    expect(list.map(({ f, time }) => `${f} ${time / 1e6}`).slice(0, 2)).toEqual([
      'long 0',
      'second 10',
    ]);
  });
});

test('a busy lane with a time ahead does not starve the clients', () => {
  const lane = nemesis('faults', concat(op({ f: 'begin' }), sleepFor(10_000), op({ f: 'end' })));
  const load = clients(limit(50, delay(1, reads)));
  const list = perfect(any([lane, load], random));
  expect(ms(list.filter(({ f }) => f === 'read'))).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(ms(list.filter(({ f }) => f === 'end'))[0]).toBeCloseTo(10_000, 3);
});
