import { describe, expect, test } from 'vitest';
import { freshSeed, parseSeed, Random, seedFrom, seedText } from './prng.ts';

const draw = (random: Random): number[] => Array.from({ length: 8 }, () => random.int(0, 999));

describe('streams of chance', () => {
  test('one seed and one name always give the same draws', () => {
    const a = draw(Random.stream(seedFrom(7), 'x'));
    expect(draw(Random.stream(seedFrom(7), 'x'))).toEqual(a);
    expect(draw(Random.stream(seedFrom(8), 'x'))).not.toEqual(a);
    expect(draw(Random.stream(seedFrom(7), 'y'))).not.toEqual(a);
  });

  test('these very draws, so that nobody changes generation unawares', () => {
    expect(draw(Random.stream(seedFrom(42), 'canary'))).toMatchInlineSnapshot(`
      [
        620,
        382,
        376,
        558,
        323,
        798,
        986,
        491,
      ]
    `);
  });

  test('a clone goes on where the original was, and neither moves the other', () => {
    const random = Random.stream(seedFrom(1), 'x');
    random.int(0, 9);
    const clone = random.clone();
    expect(draw(clone)).toEqual(draw(random));
  });

  test('a fork draws nothing from its parent', () => {
    const [a, b] = [Random.stream(seedFrom(1), 'x'), Random.stream(seedFrom(1), 'x')];
    a.fork('child').int(0, 9);
    expect(draw(a)).toEqual(draw(b));
  });

  test('shuffle keeps every element, weighted draws follow the weights', () => {
    const random = Random.stream(seedFrom(3), 'x');
    expect(random.shuffle([1, 2, 3, 4]).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) {
      const at = random.weighted([1, 0, 3]);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(counts[1]).toBe(0);
    expect(counts[0]).toBeGreaterThan(600);
    expect(counts[0]).toBeLessThan(900);
  });

  test('impossible draws are our own bugs', () => {
    const random = Random.stream(seedFrom(3), 'x');
    expect(() => random.pick([])).toThrow('empty list');
    expect(() => random.int(2, 1)).toThrow('empty range');
    expect(() => random.weighted([0, 0])).toThrow('weights');
  });
});

describe('seeds', () => {
  test('are printed and read in hex, and read in decimal', () => {
    expect(seedText(parseSeed('0x5eed1234'))).toBe('0x5eed1234');
    expect(parseSeed('26')).toBe(26);
    expect(seedText(seedFrom(26))).toBe('0x0000001a');
    expect(freshSeed()).toBeLessThan(2 ** 32);
  });

  test.each(['', 'x', '0x', '-1', '4294967296', '0x123456789', '1.5'])('%j is refused', (text) => {
    expect(() => parseSeed(text)).toThrow('is not a seed');
  });
});
