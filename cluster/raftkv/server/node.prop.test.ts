import { expect, test } from 'vitest';
import { runTrial } from './testing-trial.ts';
import type { TrialCounts } from './testing-trial-state.ts';

/** Raise it to search for longer; every trial is named by its number. */
const TRIALS = 40;
const FIRST = 1;
const CHAOS_MS = 10_000;

async function counted(seed: number): Promise<TrialCounts> {
  try {
    return await runTrial({ seed, chaosMs: CHAOS_MS });
  } catch (error) {
    throw new Error(`trial ${seed}: ${String(error)}`, { cause: error });
  }
}

test('whatever breaks, no answer contradicts another, and once all is well all members agree', async () => {
  const all: TrialCounts[] = [];
  for (let at = 0; at < TRIALS; at++) all.push(await counted(FIRST + at));
  const total = (key: keyof TrialCounts): number => all.reduce((sum, one) => sum + one[key], 0);

  // Trials in which nothing happens prove nothing.
  expect(total('writes')).toBeGreaterThan(50 * TRIALS);
  expect(total('reads')).toBeGreaterThan(30 * TRIALS);
  expect(total('unknown')).toBeGreaterThan(TRIALS);
  expect(total('crashes')).toBeGreaterThan(3 * TRIALS);
  expect(total('cuts')).toBeGreaterThan(3 * TRIALS);
  expect(total('changes')).toBeGreaterThan(TRIALS);
  expect(total('renewals')).toBeGreaterThan(4 * TRIALS);
  expect(total('expiries')).toBeGreaterThan(TRIALS / 4);
  expect(total('compacted')).toBeGreaterThan(TRIALS / 2);
  expect(total('defragmented')).toBeGreaterThan(TRIALS / 2);
  expect(total('backups')).toBeGreaterThan(TRIALS / 2);
});
