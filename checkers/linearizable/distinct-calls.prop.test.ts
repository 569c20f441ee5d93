import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { type Call, callText } from '../models/model.ts';
import { randomOf } from '../testkit/context.ts';
import { DistinctCalls } from './distinct-calls.ts';
import { PairMap } from './pair-map.ts';
import { ValueNumbers } from './value-numbers.ts';

/** Few and alike, so that many are equal and the others easy to take for each other. */
function valueFrom(random: Random, depth: number = 2): JsonValue {
  const scalar = random.pick<JsonValue>([null, 0, 1, '0', '1', 'null', '[0,1]', true, -1, 0.5]);
  if (depth === 0 || random.chance(0.5)) return scalar;
  const part = (): JsonValue => valueFrom(random, depth - 1);
  const parts = Array.from({ length: random.int(0, 3) }, part);
  return random.chance(0.8) ? parts : { a: part() };
}

function callFrom(random: Random): Call {
  const stamp = random.chance(0.5) ? { revision: random.int(0, 1) } : { version: random.int(0, 1) };
  return {
    f: random.pick(['read', 'cas', 'ok']),
    input: valueFrom(random),
    output: valueFrom(random),
    outcome: random.pick(['ok', 'refused', 'indefinite']),
    ...(random.chance(0.3) && { seen: valueFrom(random) }),
    ...(random.chance(0.3) && { key: random.pick(['0', '1', 'null']) }),
    ...(random.chance(0.3) && { stamp }),
  };
}

/** Whether numbers tell apart just what texts do. */
function expectSameClasses(numbers: readonly number[], texts: readonly string[]): void {
  const both = new Set(numbers.map((number, at) => `${number} ${texts[at]}`));
  expect(both.size).toBe(new Set(texts).size);
  expect(both.size).toBe(new Set(numbers).size);
}

test('calls have the same number just where a model could not tell them apart', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = randomOf(seed);
    const calls = Array.from({ length: 3000 }, () => callFrom(random));
    const distinct = new DistinctCalls();
    const numbers = calls.map((call) => distinct.of(call));
    expectSameClasses(numbers, calls.map(callText));
    expect(distinct.kinds.map((call) => distinct.of(call))).toEqual([...distinct.kinds.keys()]);
  }
});

test('values have the same number just where their JSON is the same', () => {
  const random = randomOf(1);
  const values = Array.from({ length: 5000 }, () => valueFrom(random, 3));
  const numbers = new ValueNumbers();
  expectSameClasses(
    values.map((value) => numbers.of(value)),
    values.map((value) => JSON.stringify(value)),
  );
});

test('a map of pairs is one, however far it grows', () => {
  const random = randomOf(2);
  const map = new PairMap();
  const model = new Map<string, number>();
  for (let at = 0; at < 60_000; at++) {
    const most = random.pick([3, 300, 2 ** 31 - 2]);
    const [a, b] = [random.int(0, most), random.int(0, most)];
    const known = model.get(`${a} ${b}`);
    expect(map.get(a, b)).toBe(known);
    const number = map.numberOf(a, b);
    expect(number).toBe(known ?? model.size);
    model.set(`${a} ${b}`, number);
  }
});
