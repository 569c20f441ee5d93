import { beforeAll, expect, test } from 'vitest';
import { NO_BUGS } from '../bugs.ts';
import { keyText } from '../mvcc/keys.ts';
import { firsts, lockTrial, type Trial, wasFirst } from './line-testing.ts';

/** Raise it to search for longer. */
const SEEDS: readonly number[] = Array.from({ length: 12 }, (_, at) => at + 1);

/** By seed; in half of them there are compactions. */
const trials = new Map<number, Trial>();
const compacts = (seed: number): boolean => seed % 2 === 0;

beforeAll(async () => {
  for (const seed of SEEDS)
    trials.set(seed, await lockTrial({ seed, bugs: NO_BUGS, compacts: compacts(seed) }));
});

test('enough happens in the trials to prove something', () => {
  const total = (count: (trial: Trial) => number): number =>
    [...trials.values()].reduce((sum, trial) => sum + count(trial), 0);
  const expired = ({ refusals }: Trial): number =>
    refusals.filter((text) => text === 'mutex: session is expired').length;
  expect(total(({ grants }) => grants.length)).toBeGreaterThan(20 * SEEDS.length);
  expect(total(({ cancelled }) => cancelled)).toBeGreaterThan(3 * SEEDS.length);
  expect(total(expired)).toBeGreaterThan(SEEDS.length);
  expect(total(({ told }) => told.length)).toBeGreaterThan(20 * SEEDS.length);
});

test('whoever is told that it holds a lock was first in line then, whatever breaks', () => {
  for (const [seed, { events, grants }] of trials) {
    const wrong = grants.filter((grant) => !wasFirst(events, grant));
    expect({ seed, wrong }).toEqual({ seed, wrong: [] });
  }
});

test('nobody stands in line any more once all leases have ended', () => {
  expect([...trials].filter(([, { left }]) => left !== 0)).toEqual([]);
});

test('who observes is told of each that is first, once and in order', () => {
  const seen = (told: Trial['told']): string[] =>
    told.map(({ kv, revision }) => `${keyText(kv.key)} at ${revision}`);
  for (const [seed, { events, told }] of trials)
    if (!compacts(seed))
      expect({ seed, told: seen(told) }).toEqual({ seed, told: seen(firsts(events)) });
});

test('who observes while compactions overtake it misses some, but is told nothing wrong', () => {
  const places = (told: Trial['told']): number[] => told.map(({ kv }) => kv.createRevision);
  for (const { events, told } of trials.values()) {
    const [all, seen] = [places(firsts(events)), places(told)];
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
    expect(seen.filter((place) => !all.includes(place))).toEqual([]);
    expect(seen.at(-1)).toBe(all.at(-1));
  }
});

test('lock-no-recheck: some are told that they hold a lock whose place was gone', async () => {
  const bugs = new Set(['lock-no-recheck'] as const);
  const { events, grants } = await lockTrial({ seed: 1, bugs, compacts: false });
  expect(grants.filter((grant) => !wasFirst(events, grant)).length).toBeGreaterThan(0);
});
