import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import type { Op } from '../history/op.ts';
import { fromFunction, log, nothing, op, ops, sleepFor } from './basic.ts';
import {
  concurrencyLimit,
  cycle,
  earlyTermination,
  limit,
  once,
  processLimit,
  repeat,
  untilOk,
} from './bounds.ts';
import { concat } from './combine.ts';
import { clients, nemesis } from './route.ts';
import { imperfect, imperfectModel, infoModel, quick, simulate } from './simulate.ts';

const random = Random.stream(seedFrom(1), 'test');
const fs = (list: readonly Op[]): string => list.map(({ f }) => f).join(' ');
const abc = ops([{ f: 'a' }, { f: 'b' }, { f: 'c' }]);

test('repeat yields the first operation again and again', () => {
  expect(fs(quick(clients(repeat(abc, 3))))).toBe('a a a');
  expect(quick(repeat(nothing))).toEqual([]);
  expect(quick(repeat(abc, 0))).toEqual([]);
});

describe('cycle', () => {
  test('begins anew when exhausted', () => {
    expect(fs(quick(clients(cycle(abc, 2))))).toBe('a b c a b c');
    expect(fs(quick(clients(limit(4, cycle(abc)))))).toBe('a b c a');
    expect(quick(cycle(nothing))).toEqual([]);
  });

  test('rounds may differ', () => {
    const gen = cycle((round) => op({ f: `round${round}` }), 3);
    expect(fs(quick(clients(gen)))).toBe('round0 round1 round2');
  });

  test('hears events in its current round', () => {
    const model = imperfectModel;
    const list = simulate(clients(cycle(untilOk(repeat(op({ f: 'a' }))), 2)), {
      clients: 1,
      model,
    });
    expect(list.filter(({ type }) => type === 'ok')).toHaveLength(2);
  });
});

test('limit counts operations only; once is one', () => {
  expect(fs(quick(clients(limit(2, concat(log('x'), sleepFor(1), abc)))))).toBe('a b');
  expect(fs(quick(clients(once(abc))))).toBe('a');
  expect(quick(limit(0, abc))).toEqual([]);
});

describe('untilOk', () => {
  test('stops after one of its own has succeeded', () => {
    const list = imperfect(clients(untilOk(repeat(op({ f: 'probe' })))), { clients: 1 });
    expect(list.at(-1)?.type).toBe('ok');
    expect(list.filter(({ type }) => type === 'ok')).toHaveLength(1);
  });

  test('the success of another does not count', () => {
    // The first operation is still under way when the second generator begins.
    const gen = concat(op({ f: 'first' }), untilOk(limit(1, repeat(op({ f: 'second' })))));
    const model = ({ f }: Op) =>
      f === 'first'
        ? ({ type: 'ok', latencyNanos: 10 } as const)
        : ({ type: 'fail', latencyNanos: 20 } as const);
    expect(fs(simulate(clients(gen), { model }))).toBe('first second first second');
  });

  test('a fault that was carried out is enough', () => {
    expect(fs(quick(nemesis('faults', untilOk(repeat(op({ f: 'kill' }))))))).toBe('kill');
  });
});

test('processLimit bounds how many processes can ever take part', () => {
  const gen = clients(processLimit(10, repeat(op({ f: 'a' }))));
  const processes = new Set(simulate(gen, { model: infoModel }).map(({ process }) => process));
  expect(processes.size).toBeLessThanOrEqual(10);
  expect(processes.size).toBeGreaterThanOrEqual(8);
  expect(quick(clients(processLimit(2, repeat(op({ f: 'a' })))), { clients: 3 })).toEqual([]);
  expect(quick(clients(limit(99, processLimit(3, repeat(op({ f: 'a' }))))))).toHaveLength(99);
});

test('concurrencyLimit keeps threads free', () => {
  const list = simulate(clients(limit(50, concurrencyLimit(2, repeat(op({ f: 'a' }))))), {
    clients: 5,
  });
  let [open, most] = [0, 0];
  for (const { type } of list) {
    open += type === 'invoke' ? 1 : -1;
    most = Math.max(most, open);
  }
  expect(most).toBe(2);
  expect(list).toHaveLength(100);
});

test('earlyTermination ends at a multiple, sooner or later', () => {
  const lengths = Array.from({ length: 200 }, (_, n) => {
    const gen = fromFunction(() => ({ f: 'a' }), random);
    const options = { every: 5, probability: 0.5 };
    return quick(clients(earlyTermination(options, gen, random.fork(String(n))))).length;
  });
  expect(lengths.every((length) => length % 5 === 0 && length > 0)).toBe(true);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  expect(Math.abs(mean - 10)).toBeLessThan(2);
});
