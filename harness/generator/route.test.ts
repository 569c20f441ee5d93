import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import type { Op } from '../history/op.ts';
import { fromFunction, nothing, op, ops } from './basic.ts';
import { limit, repeat, untilOk } from './bounds.ts';
import { any, concat } from './combine.ts';
import { clients, eachProcess, eachThread, nemesis, onThreads, reserve } from './route.ts';
import { imperfect, infoModel, perfect, quick, simulate } from './simulate.ts';

const random = Random.stream(seedFrom(1), 'test');
const many = (f: string) => repeat(op({ f }));
const who = (list: readonly Op[]): string[] => [
  ...new Set(list.map(({ f, process }) => `${f} ${process}`)),
];

describe('some of the threads', () => {
  test('clients, lanes, or any choice', () => {
    const gen = any(
      [
        nemesis('kill', limit(5, many('kill'))),
        limit(
          60,
          onThreads((thread) => thread === 1 || thread === 3, many('odd')),
        ),
      ],
      random,
    );
    const list = perfect(gen, { clients: 4, lanes: ['pause', 'kill'] });
    expect(who(list).toSorted()).toEqual(['kill nemesis', 'odd 1', 'odd 3']);
    expect(new Set(list.map(({ lane }) => lane))).toEqual(new Set(['kill', undefined]));
  });

  test('a lane that is not there is exhausted', () => {
    expect(quick(nemesis('missing', many('a')))).toEqual([]);
    expect(quick(clients(onThreads((thread) => thread === 9, many('a'))))).toEqual([]);
  });

  test('only their own events come through', () => {
    const gen = any(
      [nemesis('faults', limit(3, many('kill'))), clients(untilOk(many('probe')))],
      random,
    );
    // The nemesis ends its operations too, but that is no success of the probe.
    const model = ({ index }: Op) =>
      ({ type: index > 8 ? 'ok' : 'fail', latencyNanos: 10 }) as const;
    const list = simulate(gen, { model, clients: 1 });
    expect(list.filter(({ type }) => type === 'ok').map(({ f }) => f)).toEqual(['probe']);
  });
});

describe('a copy each', () => {
  test('eachThread: every thread runs all of it', () => {
    const list = perfect(clients(eachThread(ops([{ f: 'a' }, { f: 'b' }]))));
    for (const process of [0, 1, 2])
      expect(list.filter((o) => o.process === process).map(({ f }) => f)).toEqual(['a', 'b']);
    expect(list).toHaveLength(6);
  });

  test('copies differ when they are made for their thread', () => {
    const gen = eachThread((thread) =>
      limit(
        5,
        fromFunction(
          (chance) => ({ f: 'a', value: chance.int(0, 1e9) }),
          random.fork(String(thread)),
        ),
      ),
    );
    expect(new Set(perfect(clients(gen)).map(({ value }) => value)).size).toBe(15);
  });

  test('eachThread goes on after a crash, eachProcess begins anew', () => {
    const two = ops([{ f: 'a' }, { f: 'b' }]);
    expect(simulate(clients(eachThread(two)), { model: infoModel })).toHaveLength(12);
    const list = simulate(clients(limit(9, eachProcess(two))), { model: infoModel });
    expect(new Set(list.map(({ f }) => f))).toEqual(new Set(['a']));
    const calm = perfect(clients(eachProcess(two)));
    expect(calm).toHaveLength(6);
  });

  test('each copy hears the events of its own thread', () => {
    const list = imperfect(clients(eachThread(untilOk(many('probe')))));
    const done = list.filter(({ type }) => type === 'ok').map(({ process }) => Number(process) % 3);
    expect([done.length, new Set(done)]).toEqual([3, new Set([0, 1, 2])]);
  });
});

describe('reserve', () => {
  test('splits the threads, and all of them work', () => {
    const gen = reserve(
      [
        [2, many('read')],
        [1, many('write')],
      ],
      many('cas'),
    );
    const list = perfect(clients(limit(400, gen)), { clients: 6 });
    expect(who(list).toSorted()).toEqual([
      'cas 3',
      'cas 4',
      'cas 5',
      'read 0',
      'read 1',
      'write 2',
    ]);
  });

  test('nests: it counts the threads that it was given', () => {
    const inner = reserve([[1, many('c')]], many('d'));
    const gen = reserve([[2, reserve([[1, many('a')]], many('b'))]], inner);
    expect(who(perfect(clients(limit(300, gen)), { clients: 5 })).toSorted()).toEqual([
      'a 0',
      'b 1',
      'c 2',
      'd 3',
      'd 4',
    ]);
  });

  test('a part that is exhausted or pending leaves the others alone', () => {
    const list = perfect(clients(limit(20, reserve([[1, nothing]], many('a')))));
    expect(who(list).toSorted()).toEqual(['a 1', 'a 2']);
    expect(perfect(clients(reserve([[1, op({ f: 'a' })]], concat(op({ f: 'b' })))))).toHaveLength(
      2,
    );
  });

  test('more than there are is an error of the user', () => {
    expect(() => quick(clients(reserve([[7, many('a')]], many('b'))))).toThrow(
      'reserves 7 client threads but there are only 3',
    );
  });
});
