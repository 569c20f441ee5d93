import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import { keyHistories } from '../key-history.ts';
import type { Call } from '../models/model.ts';
import { register } from '../models/register.ts';
import { randomOf } from '../testkit/context.ts';
import { anythingBut, columnsOf, NEVER, NONE, ranksOf } from './columns.ts';

const keys = keyHistories(
  parseHistory(`
    0 invoke write x 1; 1 invoke write y 1; 0 ok rev=7; 2 invoke cas x [1,[1,2]]; 1 ok rev=8
    2 info err=timeout?; 0 invoke read x; 0 ok read x [1,2] rev=9
    1 invoke cas y 1>1; 1 ok rev=10; 1 invoke cas y 1>5; 1 fail err=cas-mismatch! seen=1
    3 invoke cas y 3>5; 3 fail err=cas-mismatch! seen=1 rev=10`),
  register,
  ['linearizable'],
);

function write(value: JsonValue): Call {
  return { f: 'write', input: value, output: null, outcome: 'ok' };
}

test('every operation needs a value or none and puts a value or none', () => {
  const columns = columnsOf(keys);
  const name = (id: number): JsonValue | undefined =>
    id === NONE ? undefined : columns.values[id];
  expect(columns.keys).toEqual(['x', 'y']);
  expect([...columns.needs].map(name)).toEqual([undefined, 1, [1, 2], undefined, 1, 1, 1]);
  expect([...columns.puts].map(name)).toEqual([
    1,
    [1, 2],
    undefined,
    1,
    undefined,
    undefined,
    undefined,
  ]);
  expect([...columns.key]).toEqual([0, 0, 0, 1, 1, 1, 1]);
  expect([...columns.revision]).toEqual([7, NONE, 9, 8, 10, NONE, 10]);
  expect([...columns.initial].map(name)).toEqual([null, null]);
  expect([...columns.initial].map((id) => columns.keyOf[id])).toEqual([0, 1]);
});

test('equal values of one key are one, those of two keys are two', () => {
  const { needs, puts } = columnsOf(keys);
  expect(needs[1]).toBe(puts[0]);
  expect(needs[2]).toBe(puts[1]);
  expect(puts[3]).not.toBe(puts[0]);
});

test('a refusal by what it expected needs something that nobody puts', () => {
  const { needs, puts } = columnsOf(keys);
  expect(needs[5]).not.toBe(needs[4]);
  expect([...puts]).not.toContain(needs[5]);
  expect(needs[6]).toBe(needs[4]);
});

test('a refusal that does not say what it saw needs anything but what it expected', () => {
  const silent = parseHistory('0 invoke cas x 3>4; 0 fail err=cas-mismatch!');
  const columns = columnsOf(keyHistories(silent, register, ['linearizable']));
  expect(columns.needs[0]).toBeLessThan(NONE);
  expect(columns.values[anythingBut(columns.needs[0] ?? NONE)]).toBe(3);
  expect(columns.puts[0]).toBe(NONE);
});

test('moments are ranked within a key, or among all keys in order of invocation', () => {
  const apart = columnsOf(keys);
  expect([...apart.call.subarray(0, 3)]).toEqual([0, 2, 3]);
  expect([...apart.ret.subarray(0, 3)]).toEqual([1, NEVER, 4]);
  expect(apart.call[3]).toBeGreaterThan(4);
  const together = columnsOf(keys, 'call');
  expect([...together.call]).toEqual([...together.call].toSorted((a, b) => a - b));
  expect([...together.key]).toEqual([0, 1, 0, 0, 1, 1, 1]);
  expect(Math.max(...together.call)).toBeLessThan(together.moments);
});

test.for([1, 1000, 0.25, 2 ** 40])(
  'of equal moments invocations come first, in units of %d',
  (unit) => {
    const ops = [
      { call: write(1), start: 0, end: 3 * unit },
      { call: write(2), start: 3 * unit, end: 5 * unit },
      { call: write(3), start: 3 * unit, end: Infinity },
    ];
    const { call, ret } = columnsOf([{ key: 'x', ops }]);
    expect([...call]).toEqual([0, 1, 2]);
    expect([...ret]).toEqual([3, 4, NEVER]);
  },
);

test('moments have the same order in any unit', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomOf(seed);
    const ops = Array.from({ length: random.int(0, 20) }, () => {
      const start = random.int(5, 40);
      return {
        call: write(1),
        start,
        end: random.chance(0.2) ? Infinity : start + random.int(0, 9),
      };
    });
    const inUnits = (unit: number): number[] => [
      ...ranksOf(ops.map((op) => ({ ...op, start: unit * op.start, end: unit * op.end }))),
    ];
    const ranks = inUnits(1);
    for (const unit of [1000, 0.25]) expect(inUnits(unit)).toEqual(ranks);
  }
});
