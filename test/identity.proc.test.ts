/** The same seed, two processes: as many seeds as there is time for; `npm run soak` has all of them. */
import { expect, test } from 'vitest';
import { compareProcesses } from './identity.ts';

const SEEDS = 100;

test(`two processes record the same from each of ${SEEDS} seeds, and from no two alike`, async () => {
  const { entries, different, unequal } = await compareProcesses(1, SEEDS);
  expect(unequal).toEqual([]);
  expect(different).toBe(SEEDS);
  expect(entries).toBeGreaterThan(200 * SEEDS);
});
