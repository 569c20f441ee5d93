/** A share of what `npm run soak -- --histories 100000` does. */
import { expect, test } from 'vitest';
import { MODEL_CASES } from '../testkit/model-cases.ts';
import { type Sounding, soundLarge, soundSmall } from '../testkit/soundness.ts';

function countsOf(soundings: readonly Sounding[]): Record<Sounding['expected'], number> {
  const counts = { valid: 0, invalid: 0, undecided: 0 };
  for (const { expected } of soundings) counts[expected]++;
  return counts;
}

function take(count: number, sound: (seed: number) => Sounding): readonly Sounding[] {
  return Array.from({ length: count }, (_, seed) => sound(seed));
}

test.for(MODEL_CASES)('$model.name: small histories, as the trial of all orders says', (one) => {
  const soundings = take(400, (seed) => soundSmall(one, seed));
  expect(soundings.flatMap(({ problem }) => problem ?? [])).toEqual([]);
  const { valid, invalid } = countsOf(soundings);
  expect(Math.min(valid, invalid)).toBeGreaterThan(80);
});

test.for(MODEL_CASES)('$model.name: larger histories, as the plain search says', (one) => {
  const soundings = take(60, (seed) => soundLarge(one, seed));
  expect(soundings.flatMap(({ problem }) => problem ?? [])).toEqual([]);
  const { valid, invalid } = countsOf(soundings);
  expect(valid).toBeGreaterThan(15);
  expect(invalid).toBeGreaterThan(2);
});
