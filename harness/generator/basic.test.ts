import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../core/json.ts';
import { Random, seedFrom } from '../core/prng.ts';
import type { Op } from '../history/op.ts';
import { fromFunction, log, never, nothing, op, ops, sleepFor, unfold } from './basic.ts';
import { limit } from './bounds.ts';
import { any, concat } from './combine.ts';
import { clients, nemesis } from './route.ts';
import { perfect, quick, simulate } from './simulate.ts';

const random = Random.stream(seedFrom(1), 'test');
const values = (list: readonly Op[]): JsonValue[] => list.map(({ value }) => value);
const ms = (list: readonly Op[]): number[] => list.map(({ time }) => time / 1e6);

describe('op', () => {
  test('yields one operation, filled in from the context', () => {
    const [only, ...more] = perfect(clients(op({ f: 'read', key: 'x', mode: 'serializable' })));
    expect(more).toEqual([]);
    expect(only).toMatchObject({ f: 'read', key: 'x', value: null, mode: 'serializable', time: 0 });
    expect(only?.id).toBe(`c${only?.process}/0`);
  });

  test('goes to any free thread, and over time to all', () => {
    const threads = new Set(
      quick(clients(ops(Array.from({ length: 60 }, () => ({ f: 'read' }))))).map(
        ({ process }) => process,
      ),
    );
    expect(threads).toEqual(new Set([0, 1, 2]));
  });

  test('with a thread, waits for that one', () => {
    const list = perfect(
      ops([
        { f: 'a', thread: 2 },
        { f: 'b', thread: 2 },
        { f: 'c', thread: 0 },
      ]),
    );
    expect(list.map(({ f, process, time }) => [f, process, time])).toEqual([
      ['a', 2, 0],
      ['b', 2, 10],
      ['c', 0, 10],
    ]);
  });

  test('on a thread of faults it carries the lane', () => {
    expect(perfect(nemesis('faults', op({ f: 'kill' })))[0]).toMatchObject({
      process: 'nemesis',
      lane: 'faults',
    });
  });

  test('a thread that its context does not have is a bug', () => {
    expect(() => perfect(op({ f: 'a', thread: 9 }))).toThrow('thread 9 is not among those');
  });
});

test('nothing yields nothing; never keeps waiting', () => {
  expect(perfect(nothing)).toEqual([]);
  expect(() => perfect(never)).toThrow('pending and nothing is under way');
});

test('ops yields each in turn, without waiting for the last to end', () => {
  const list = perfect(clients(ops([{ f: 'a' }, { f: 'b' }, { f: 'c' }, { f: 'd' }])));
  expect(list.map(({ f, time }) => [f, time])).toEqual([
    ['a', 0],
    ['b', 0],
    ['c', 0],
    ['d', 10],
  ]);
});

describe('fromFunction', () => {
  test('is called for each operation, with chance of its own', () => {
    const gen = fromFunction((chance) => ({ f: 'write', value: chance.int(0, 1e9) }), random);
    const first = values(quick(clients(limit(20, gen))));
    expect(new Set(first).size).toBe(20);
    expect(values(quick(clients(limit(20, gen))))).toEqual(first);
  });

  test('uses up a generator that it returns, then is called again', () => {
    let calls = 0;
    const gen = fromFunction(() => {
      calls++;
      return ops([{ f: 'a' }, { f: 'b' }]);
    }, random);
    expect(quick(clients(limit(5, gen))).map(({ f }) => f)).toEqual(['a', 'b', 'a', 'b', 'a']);
    expect(calls).toBe(3);
  });

  test('ends with undefined; an endless supply of nothing is a bug', () => {
    expect(quick(fromFunction(() => undefined, random))).toEqual([]);
    expect(() => quick(fromFunction(() => nothing, random))).toThrow('one empty generator');
  });
});

test('unfold keeps its state only for offers that are taken: values are unique and dense', () => {
  const gen = unfold(0, (n) => (n < 30 ? [{ f: 'write', value: n }, n + 1] : undefined), random);
  // Beside a generator that is asked equally often, many of its offers are not taken.
  const both = clients(
    any(
      [
        gen,
        limit(
          30,
          fromFunction(() => ({ f: 'read' }), random),
        ),
      ],
      random,
    ),
  );
  const writes = simulate(both).filter(({ f, type }) => f === 'write' && type === 'invoke');
  expect(values(writes)).toEqual(Array.from({ length: 30 }, (_, n) => n));
});

describe('pauses', () => {
  test('sleepFor lasts from when it is first asked', () => {
    const gen = concat(op({ f: 'a' }), sleepFor(50), op({ f: 'b' }), sleepFor(7), op({ f: 'c' }));
    expect(ms(quick(clients(gen)))).toEqual([0, 50, 57]);
  });

  test('on one thread it begins when the operation before has ended', () => {
    const gen = nemesis('faults', concat(op({ f: 'begin' }), sleepFor(50), op({ f: 'end' })));
    const slow = () => ({ type: 'ok', latencyNanos: 30e6 }) as const;
    expect(ms(simulate(gen, { model: slow }))).toEqual([0, 30, 80, 110]);
  });

  test('beside others it neither holds them up nor is put off by them', () => {
    const pause = concat(sleepFor(20), op({ f: 'late' }));
    const next = concat(sleepFor(500), op({ f: 'later' }));
    const list = quick(clients(any([next, pause], random)));
    expect(list.map(({ f, time }) => [f, time / 1e6])).toEqual([
      ['late', 20],
      ['later', 500],
    ]);
  });

  test('log and sleep never enter the history', () => {
    expect(quick(concat(log('begin'), op({ f: 'a' }), log('end'))).map(({ f }) => f)).toEqual([
      'a',
    ]);
  });
});
