import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { type Outcome, roundsOf, runHere, type Searches, type Size } from './rounds.ts';
import type { UnknownReason } from './wgl.ts';

/** What a key takes, and what comes of it then. */
interface Key extends Partial<Size> {
  readonly steps: number;
  readonly result?: 'valid' | 'invalid';
  readonly reason?: UnknownReason;
  readonly refuted?: boolean;
}

const BUDGET = { clock: { now: () => nanos(0) }, deadline: nanos(1), memoryBytes: 2 ** 20 };

/** The outcomes, and which key was searched with how many steps, in order. */
function played(keys: readonly Key[]): {
  readonly outcomes: readonly string[];
  readonly searched: readonly (readonly [number, number])[];
} {
  const searched: (readonly [number, number])[] = [];
  const decide = (key: number, { steps }: { readonly steps: number }): Outcome => {
    searched.push([key, steps]);
    const { steps: needed, result = 'valid', reason } = keys[key] as Key;
    const effort = { steps: Math.min(steps, needed), configurations: 0, states: 0, width: 0 };
    if (reason !== undefined) return { ...effort, result: 'unknown', reason };
    return steps < needed
      ? { ...effort, result: 'unknown', reason: 'steps', blocked: steps }
      : { ...effort, result };
  };
  const sizes = keys.map(({ operations = 1, indefinite = 0 }) => ({ operations, indefinite }));
  const refuted = (asked: readonly number[]): readonly number[] =>
    asked.filter((key) => keys[key]?.refuted === true);
  const outcomes = runHere(roundsOf(sizes, { decide }, refuted), BUDGET);
  return { outcomes: outcomes.map(({ result, reason }) => reason ?? result), searched };
}

test('all get a little, the cheapest first, then four times as much, and the last one all', () => {
  const { outcomes, searched } = played([
    { steps: 300_000, operations: 90 },
    { steps: 10, operations: 2, indefinite: 3 },
    { steps: 50_000, operations: 100 },
  ]);
  expect(outcomes).toEqual(['valid', 'valid', 'valid']);
  expect(searched).toEqual([
    ...[0, 2, 1].map((key) => [key, 20_000]),
    ...[0, 2].map((key) => [key, 80_000]),
    [0, Infinity],
  ]);
});

test('long keys get more from the beginning', () => {
  const { searched } = played([{ steps: 1, operations: 100_000 }]);
  expect(searched).toEqual([[0, 2_000_000]]);
});

test('a violation ends the search after its round, and says which keys were left', () => {
  const { outcomes, searched } = played([
    { steps: 1e12 },
    { steps: 30_000, result: 'invalid' },
    { steps: 50_000 },
    { steps: 90_000 },
  ]);
  expect(outcomes).toEqual(['steps', 'invalid', 'valid', 'steps']);
  expect(searched.length).toBe(8);
});

test('so does one that can be seen without a search, of those that take too long', () => {
  const { outcomes, searched } = played([{ steps: 1e12, refuted: true }, { steps: 1e12 }]);
  expect(outcomes).toEqual(['steps', 'steps']);
  expect(searched.length).toBe(2);
});

test.for([true, false])('one that is alone goes on unless it can be seen without: %s', (isSeen) => {
  const effort = { configurations: 0, states: 0, width: 0 };
  const searched: number[] = [];
  const asked: (readonly number[])[] = [];
  const decide: Searches['decide'] = (_, { steps, goesOn }) => {
    searched.push(steps);
    return goesOn?.() === true
      ? { ...effort, result: 'valid', steps: 1e9 }
      : { ...effort, result: 'unknown', reason: 'steps', steps };
  };
  const refuted = (keys: readonly number[]): readonly number[] => {
    asked.push(keys);
    return isSeen ? keys : [];
  };
  const [outcome] = runHere(
    roundsOf([{ operations: 9, indefinite: 0 }], { decide }, refuted),
    BUDGET,
  );
  expect(outcome?.result).toBe(isSeen ? 'unknown' : 'valid');
  expect([searched, asked]).toEqual([[20_000], [[0]]]);
});

test('what more steps cannot help is not tried again', () => {
  const { outcomes, searched } = played([
    { steps: 1, reason: 'memory' },
    { steps: 1, reason: 'states' },
    { steps: 50_000 },
  ]);
  expect(outcomes).toEqual(['memory', 'states', 'valid']);
  expect(searched.length).toBe(4);
});

test('a last search that was cut off at once does not hide how far the one before it got', () => {
  let round = 0;
  const decide = (): Outcome => {
    const effort = { configurations: 0, states: 0, width: 0 };
    return round++ === 0
      ? { ...effort, result: 'unknown', reason: 'steps', steps: 20_000, blocked: 7 }
      : { ...effort, result: 'unknown', reason: 'time', steps: 0 };
  };
  const rounds = roundsOf([{ operations: 9, indefinite: 0 }], { decide }, () => []);
  expect(runHere(rounds, BUDGET)).toMatchObject([{ reason: 'time', blocked: 7, steps: 20_000 }]);
});
