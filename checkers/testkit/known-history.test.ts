import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { importHistory } from '../../harness/history/formats/import.ts';
import { historyOf } from '../../harness/history/history.ts';
import { WellFormed } from '../../harness/history/well-formed.ts';
import { checkHistory } from '../check-history.ts';
import { bruteForceLinearizable } from './brute-force.ts';
import { type KnownOptions, knownHistory } from './known-history.ts';
import { historyOfKnown, knownOps } from './known-history-forms.ts';
import { type KnownHistory, NEVER, READ } from './known-history-rows.ts';

function known(seed: number, options: Partial<KnownOptions>): KnownHistory {
  return knownHistory(Random.stream(seedFrom(seed), 'known'), options);
}

const STALE = { kind: 'stale-read', at: 0.5 } as const;
const PHANTOM = { kind: 'phantom-read', at: 0.5 } as const;

const FEW = { kind: 'too-few-writes', at: 0.5 } as const;

const PLAIN: readonly Partial<KnownOptions>[] = [
  {},
  { values: 2, cas: 0.6 },
  { values: 'unique' },
  { indefinite: 0.2 },
  { indefinite: 0.2, values: 'unique' },
  { keys: 3 },
  { keys: 3, spread: 'at-random', indefinite: 0.1 },
];
const SORTS: readonly Partial<KnownOptions>[] = [
  ...PLAIN,
  ...PLAIN.map((sort) => ({ ...sort, violation: STALE })),
  ...PLAIN.map((sort) => ({ ...sort, violation: PHANTOM })),
  ...PLAIN.filter(({ values }) => values !== 'unique').map((sort) => ({ ...sort, violation: FEW })),
];

describe('the verdict that is known', () => {
  test.each(SORTS)(
    'is found by the search: %j',
    (sort) => {
      for (let seed = 0; seed < 20; seed++) {
        const options = { operations: 10 + 2 * seed, clients: 1 + (seed % 6), ...sort };
        const one = known(seed, options);
        const { verdict } = checkHistory(historyOfKnown(one));
        expect({ seed, verdict }).toEqual({ seed, verdict: one.expected });
      }
    },
    30_000,
  );

  const some = { indefinite: 0.1 };
  test.each([
    some,
    { ...some, violation: STALE },
    { ...some, violation: PHANTOM },
    { violation: FEW },
  ])('is that of all orders, tried one by one: %j', (sort) => {
    let tried = 0;
    for (let seed = 0; seed < 400 && tried < 60; seed++) {
      const one = known(seed, { operations: 6, clients: 2, values: 2, ...sort });
      // Two clients and few lost answers leave few orders to try.
      const lost = one.ret.filter((ret) => ret === NEVER).length;
      if (one.length + 3 * lost > 22) continue;
      tried++;
      const history = historyOfKnown(one);
      expect({ seed, valid: bruteForceLinearizable(history, 'k0') }).toEqual({
        seed,
        valid: one.expected === 'valid',
      });
    }
    expect(tried).toBeGreaterThan(20);
  });

  test('stands at the place that was asked for, and rests on that one answer', () => {
    for (const at of [0.2, 0.5, 0.9]) {
      const options = { operations: 2000, violation: { kind: 'stale-read', at } } as const;
      const one = known(3, options);
      expect(one.f[one.wrong]).toBe(READ);
      expect(Math.abs(one.wrong - at * 2000)).toBeLessThan(150);
      const text = [...knownOps(one)].toSpliced(one.wrong, 1).join('\n');
      expect(checkHistory(text).verdict).toBe('valid');
    }
  });
});

describe('too few writes', () => {
  test.each([0, 0.05])('only the last of the sightings is one too many: %j', (indefinite) => {
    for (let seed = 0; seed < 10; seed++) {
      const one = known(seed, { operations: 200, clients: 6, indefinite, violation: FEW });
      expect(one.f[one.wrong]).toBe(READ);
      const lines = [...knownOps(one)];
      const { verdict, anomalies } = checkHistory(lines.join('\n'));
      expect(verdict).toBe('invalid');
      expect(anomalies.map(({ kind }) => kind)).toEqual(['not-linearizable']);
      expect(checkHistory(lines.toSpliced(one.wrong, 1).join('\n')).verdict).toBe('valid');
    }
  });

  test('stand at the place that was asked for', () => {
    for (const at of [0.3, 0.5, 0.9]) {
      const one = known(4, { operations: 5000, violation: { kind: 'too-few-writes', at } });
      expect(Math.abs(one.wrong - at * 5000)).toBeLessThan(300);
      expect(one.length).toBe(5000);
    }
  });
});

test('a stale read is named even where fifty clients are too many for the search', () => {
  for (let seed = 0; seed < 5; seed++) {
    const options = { operations: 1000, clients: 50, indefinite: 0.05, violation: STALE } as const;
    const { verdict, anomalies } = checkHistory(historyOfKnown(known(seed, options)));
    expect(verdict).toBe('invalid');
    expect(anomalies[0]?.certificate).toMatchObject({ by: 'writers' });
  }
});

test('the same seed gives the same history, and another another', () => {
  const lines = (seed: number): string =>
    [...knownOps(known(seed, { indefinite: 0.1 }))].join('\n');
  expect(lines(7)).toBe(lines(7));
  expect(lines(7)).not.toBe(lines(8));
});

test('it is as wide, as long and as doubtful as was asked', () => {
  const clients = 20;
  const one = known(1, { operations: 20_000, clients, indefinite: 0.05, keys: 10 });
  expect(one.length).toBe(20_000);
  expect(new Set(one.key).size).toBe(10);
  const lost = one.ret.reduce((count, ret) => count + (ret === NEVER ? 1 : 0), 0);
  expect(lost / one.length).toBeCloseTo(0.05, 2);
  let [sum, open] = [0, 0];
  const definite = [...one.ret.keys()].filter((row) => one.ret[row] !== NEVER);
  const calls = new Set(definite.map((row) => one.call[row]));
  const rets = new Set(definite.map((row) => one.ret[row]));
  for (let moment = 0; moment < one.moments; moment++) {
    if (calls.has(moment)) open++;
    if (rets.has(moment)) open--;
    sum += open;
  }
  expect(sum / one.moments).toBeGreaterThan(0.75 * clients);
});

test('as entries and as lines it is the same well-formed history', () => {
  const options = { operations: 500, indefinite: 0.1, keys: 3, spread: 'at-random' } as const;
  for (const values of [3, 'unique'] as const) {
    const one = known(2, { ...options, values });
    const wellFormed = new WellFormed();
    const entries = [...historyOfKnown(one).ops()];
    for (const op of entries) expect(wellFormed.problem(op)).toBeUndefined();
    const lines = importHistory([...knownOps(one)].join('\n'), 'ops').history;
    const simple = (ops: typeof entries): unknown[] =>
      ops
        .filter(({ type }) => type !== 'info')
        .map(({ type, f, key, value, seen }) => [type, f, key, value, seen]);
    expect(simple([...lines.ops()])).toEqual(simple([...historyOf(entries).ops()]));
  }
});
