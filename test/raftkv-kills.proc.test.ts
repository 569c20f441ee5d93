/** A share of what `npm run soak` does at length. */
import { expect, test } from 'vitest';
import { seedFrom } from '../harness/core/prng.ts';
import { killLoop } from './raftkv-kills.ts';

test('kill -9 under load loses no acknowledged write', async () => {
  const report = await killLoop({ kills: 12, seed: seedFrom(12) });
  expect(report.lost).toEqual([]);
  expect(report.crashed).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(100);
});
