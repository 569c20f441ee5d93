import { expect, test } from 'vitest';
import { FaultStrip } from './fault-strip.ts';

/** Ten cells of a second each. */
function drawn(strip: FaultStrip, nowSeconds: number): string {
  return strip.text(nowSeconds * 1e9, 10_000, 10);
}

test('the strip shows when faults were on, where the run is, and what is to come', () => {
  const strip = new FaultStrip();
  strip.phase('setup', 0);
  expect(drawn(strip, 0)).toBe('');
  strip.phase('main', 0);
  strip.faults(2.5e9, 1);
  strip.faults(3e9, 2);
  strip.faults(3.5e9, 1);
  strip.faults(4.2e9, 0);
  expect(drawn(strip, 7.1)).toBe('──▓▓▓──┃··');
  strip.faults(7.5e9, 1);
  expect(drawn(strip, 9)).toBe('──▓▓▓──▓▓┃');
  strip.phase('heal', 10e9);
  strip.faults(10.5e9, 0);
  expect(drawn(strip, 60)).toBe('──▓▓▓──▓▓▓');
});

test('without room, or without a length, there is no strip', () => {
  const strip = new FaultStrip();
  strip.phase('main', 0);
  expect(strip.text(1e9, 10_000, 9)).toBe('');
  expect(strip.text(1e9, 0, 40)).toBe('');
});
