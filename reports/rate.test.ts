import { expect, test } from 'vitest';
import { wilson, wilsonText } from './rate.ts';

test.each([
  [4, 20, '4 of 20 (95 % interval 8 % to 42 %)'],
  [9, 20, '9 of 20 (95 % interval 26 % to 66 %)'],
  [0, 20, '0 of 20 (95 % interval 0 % to 16 %)'],
  [20, 20, '20 of 20 (95 % interval 84 % to 100 %)'],
  [1, 1, '1 of 1 (95 % interval 21 % to 100 %)'],
  [0, 0, '0 of 0 (95 % interval 0 % to 100 %)'],
])('%i of %i', (found, of, text) => {
  expect(wilsonText(wilson(found, of)).replaceAll('\u00a0', ' ')).toBe(text);
});

test('the interval always holds the share, and shrinks with more runs', () => {
  for (let of = 1; of <= 60; of++)
    for (let found = 0; found <= of; found++) {
      const { low, high } = wilson(found, of);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(found / of);
      expect(high).toBeGreaterThanOrEqual(found / of);
      const more = wilson(found * 4, of * 4);
      expect(more.high - more.low).toBeLessThan(high - low);
    }
});
