import { describe, expect, test } from 'vitest';
import type { Op } from '../history/op.ts';
import { nothing, op, ops } from './basic.ts';
import { limit, repeat, untilOk } from './bounds.ts';
import { concurrentKeys, sequentialKeys } from './independent.ts';
import { clients } from './route.ts';
import { imperfect, perfect, quick } from './simulate.ts';

const shown = (list: readonly Op[]): string => list.map(({ f, key }) => `${key}:${f}`).join(' ');
const ab = ops([{ f: 'a' }, { f: 'b' }]);

describe('sequentialKeys', () => {
  test('key by key', () => {
    const gen = sequentialKeys(['x', 'y', 'z'], (key) => (key === 'y' ? nothing : ab));
    expect(shown(quick(clients(gen)))).toBe('x:a x:b z:a z:b');
  });

  test('keys may be endless', () => {
    const gen = sequentialKeys(
      (n) => `k${n}`,
      () => op({ f: 'a' }),
    );
    expect(shown(quick(clients(limit(3, gen))))).toBe('k0:a k1:a k2:a');
  });

  test('late events of an earlier key are not those of the current one', () => {
    const gen = sequentialKeys(['x', 'y'], (key) =>
      key === 'x' ? ops([{ f: 'a' }]) : untilOk(limit(9, repeat(op({ f: 'a' })))),
    );
    // Alone, `y` has a success of its own before it stops.
    const list = imperfect(clients(gen), { clients: 2 });
    expect(list.some(({ key, type }) => key === 'y' && type === 'ok')).toBe(true);
  });
});

describe('concurrentKeys', () => {
  test('each group of threads works through keys of its own', () => {
    const gen = concurrentKeys(2, ['u', 'v', 'w', 'x', 'y'], () =>
      limit(10, repeat(op({ f: 'a' }))),
    );
    const list = perfect(clients(gen), { clients: 6 });
    expect(list).toHaveLength(50);
    const groups = Map.groupBy(list, ({ key }) => key);
    for (const part of groups.values())
      expect(new Set(part.map(({ process }) => Math.floor(Number(process) / 2))).size).toBe(1);
    const first = list.slice(0, 6).map(({ key }) => key);
    expect(new Set(first)).toEqual(new Set(['u', 'v', 'w']));
  });

  test('no key is used twice, none is left out', () => {
    const gen = concurrentKeys(
      1,
      (n) => (n < 20 ? `k${n}` : undefined),
      () => op({ f: 'a' }),
    );
    const keys = perfect(clients(gen), { clients: 3 }).map(({ key }) => key);
    expect(keys).toHaveLength(20);
    expect(new Set(keys).size).toBe(20);
  });

  test('a number of clients that does not fit is an error of the user', () => {
    const gen = concurrentKeys(2, ['x'], () => ab);
    expect(() => quick(clients(gen), { clients: 5 })).toThrow('a multiple of 2, but it is 5');
  });

  test('events find the key', () => {
    const gen = concurrentKeys(1, ['x', 'y', 'z'], () => untilOk(repeat(op({ f: 'a' }))));
    const ok = imperfect(clients(gen)).filter(({ type }) => type === 'ok');
    expect(new Set(ok.map(({ key }) => key))).toEqual(new Set(['x', 'y', 'z']));
  });
});
