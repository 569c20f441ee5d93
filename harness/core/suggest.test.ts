import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kill', 'kill', 0],
    ['kill', 'kil', 1],
    ['partiton', 'partition', 1],
    ['pasue', 'pause', 1],
    ['kitten', 'sitting', 3],
    ['abcd', 'badc', 2],
  ])('from %j to %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('suggest', () => {
  const faults = ['partition', 'kill', 'pause', 'latency'];

  it.each([
    ['partiton', " (did you mean 'partition'?)"],
    ['pasue', " (did you mean 'pause'?)"],
    ['Kill', " (did you mean 'kill'?)"],
    ['latnecy', " (did you mean 'latency'?)"],
  ])('knows what %j was meant to be', (word, text) => {
    expect(suggest(word, faults)).toBe(text);
  });

  it.each(['earthquake', 'x', ''])('says nothing for %j', (word) => {
    expect(suggest(word, faults)).toBe('');
  });

  it('takes the closest of several', () => {
    expect(suggest('holdd', ['hole', 'hold'])).toBe(" (did you mean 'hold'?)");
    expect(suggest('anything', [])).toBe('');
  });
});
