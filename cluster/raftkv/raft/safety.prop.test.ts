import { expect, test } from 'vitest';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Seen } from './testing-safety.ts';
import { minimise, play } from './testing-schedule.ts';

/** Raise it to search for longer; every schedule is named by its number. */
const SCHEDULES = 300;
const FIRST = 1;
const STEPS = 1000;

/** Fails with the schedule's seed, what it broke, and the least that is needed to break it. */
function runSchedule(seed: number): Seen {
  const { error, actions, seen } = play(seed, STEPS);
  if (error === undefined) return seen;
  const least = minimise(seed, actions);
  const listed = least.map((action) => JSON.stringify(action)).join('\n');
  throw new Error(`schedule ${seed}: ${String(play(seed, 0, least).error)}\n${listed}`, {
    cause: error,
  });
}

test('whatever happens, the properties of figure 3 hold, and once all is well a leader emerges', () => {
  const all = Array.from({ length: SCHEDULES }, (_, at) => runSchedule(FIRST + at));
  const total = (key: keyof Seen): number => all.reduce((sum, seen) => sum + seen[key], 0);

  // Schedules in which nothing happens prove nothing.
  expect(total('elections')).toBeGreaterThan(3 * SCHEDULES);
  expect(total('commits')).toBeGreaterThan(30 * SCHEDULES);
  expect(total('grants')).toBeGreaterThan(5 * SCHEDULES);
  expect(total('installs')).toBeGreaterThan(SCHEDULES / 5);
  expect(total('overwrites')).toBeGreaterThan(SCHEDULES / 5);
  expect(total('configs')).toBeGreaterThan(SCHEDULES / 2);
});

test('a schedule that fails is cut down to what makes it fail', () => {
  const { actions, error } = play(FIRST, 50);
  invariant(error === undefined, 'expected a schedule that passes');
  const broken = [...actions, { kind: 'tick', id: '1' } as const];
  expect(minimise(FIRST, broken)).toHaveLength(broken.length);
});
