import { describe, expect, test } from 'vitest';
import { LeaseClock } from './lease-clock.ts';

/** The primary since time 0. */
function primary(): LeaseClock {
  const clock = new LeaseClock();
  clock.promote(0, 0);
  return clock;
}

describe('the primary', () => {
  test('names a lease when its time is over and not a moment earlier', () => {
    const clock = primary();
    clock.granted('7', 5, 1000);
    expect(clock.remainingMs('7', 1000)).toBe(5000);
    expect(clock.expired(5999, 10)).toEqual([]);
    expect(clock.expired(6000, 10)).toEqual(['7']);
    expect(clock.remainingMs('7', 7000)).toBe(0);
  });

  test('names the oldest first, and at most as many as asked for', () => {
    const clock = primary();
    for (const [id, ttl] of [
      ['c', 3],
      ['a', 1],
      ['d', 4],
      ['b', 2],
      ['b2', 2],
    ] as const)
      clock.granted(id, ttl, 0);
    expect(clock.expired(10_000, 3)).toEqual(['a', 'b', 'b2']);
    expect(clock.expired(10_000, 3)).toEqual(['c', 'd']);
  });

  test('names a lease again after three seconds, for as long as it is not revoked', () => {
    const clock = primary();
    clock.granted('7', 1, 0);
    expect(clock.expired(1000, 10)).toEqual(['7']);
    expect(clock.expired(3999, 10)).toEqual([]);
    expect(clock.expired(4000, 10)).toEqual(['7']);
    clock.revoked('7');
    expect(clock.expired(60_000, 10)).toEqual([]);
  });

  test('a renewed lease has its full time again', () => {
    const clock = primary();
    clock.granted('7', 5, 0);
    expect(clock.renew('7', 4000)).toBe(5);
    expect(clock.expired(8999, 10)).toEqual([]);
    expect(clock.expired(9000, 10)).toEqual(['7']);
  });

  test('what has expired is not renewed, revoked or not', () => {
    const clock = primary();
    clock.granted('7', 5, 0);
    expect(clock.renew('7', 5000)).toBeUndefined();
    expect(clock.renew('8', 0)).toBeUndefined();
  });

  test('an id that is granted anew is another lease', () => {
    const clock = primary();
    clock.granted('7', 1, 0);
    clock.revoked('7');
    clock.granted('7', 10, 500);
    expect(clock.expired(5000, 10)).toEqual([]);
    expect(clock.expired(10_500, 10)).toEqual(['7']);
  });
});

describe('a change of primary', () => {
  test('others keep no time: nothing expires, is renewed or has time left', () => {
    const clock = new LeaseClock();
    clock.granted('7', 1, 0);
    expect(clock.isPrimary).toBe(false);
    expect(clock.expired(60_000, 10)).toEqual([]);
    expect(clock.renew('7', 500)).toBeUndefined();
    expect(clock.remainingMs('7', 500)).toBeUndefined();
  });

  test('a new one gives every lease its full time and the extension', () => {
    const clock = new LeaseClock();
    clock.granted('7', 5, 0);
    clock.promote(60_000, 1000);
    expect(clock.remainingMs('7', 60_000)).toBe(6000);
    expect(clock.expired(65_999, 10)).toEqual([]);
    expect(clock.expired(66_000, 10)).toEqual(['7']);
  });

  test('a renewal takes nothing of the extension away', () => {
    const clock = new LeaseClock();
    clock.granted('7', 5, 0);
    clock.promote(0, 3000);
    expect(clock.renew('7', 1000)).toBe(5);
    expect(clock.remainingMs('7', 1000)).toBe(7000);
  });

  test('one that was deposed and is back forgets what it knew of the time between', () => {
    const clock = primary();
    clock.granted('7', 5, 0);
    clock.demote();
    expect(clock.expired(60_000, 10)).toEqual([]);
    clock.promote(60_000, 0);
    expect(clock.expired(64_999, 10)).toEqual([]);
    expect(clock.expired(65_000, 10)).toEqual(['7']);
    expect(clock.expired(65_000, 10)).toEqual([]);
  });
});

test('ten thousand leases, half of them renewed, all expire in the order of their ends', () => {
  const clock = primary();
  const ends = new Map<string, number>();
  for (let i = 0; i < 10_000; i++) {
    const ttl = 10 + ((i * 7919) % 1000);
    clock.granted(String(i), ttl, 0);
    ends.set(String(i), ttl * 1000);
    if (i % 2 === 0) continue;
    clock.renew(String(i), 5000);
    ends.set(String(i), 5000 + ttl * 1000);
  }
  const named: string[] = [];
  for (let now = 0; now <= 1_100_000; now += 2000) {
    const found = clock.expired(now, 1000);
    for (const id of found) clock.revoked(id);
    expect(found.every((id) => (ends.get(id) ?? Infinity) <= now)).toBe(true);
    named.push(...found);
  }
  expect(named.length).toBe(10_000);
  const times = named.map((id) => ends.get(id) ?? 0);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
