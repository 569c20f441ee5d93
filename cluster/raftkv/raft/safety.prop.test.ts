import { expect, test } from 'vitest';
import { ids, PAPER, Peers } from './testing.ts';
import { newCluster } from './testing-disk.ts';
import { Safety, type Seen } from './testing-safety.ts';
import { type Action, minimise, play } from './testing-schedule.ts';

/** Raise it to search for longer; every schedule is named by its number. */
const SCHEDULES = 2000;
const FIRST = 1;
const STEPS = 1000;

/** Fails with the schedule's seed, what it broke, and the least that is needed to break it. */
function runSchedule(seed: number): Seen {
  const { error, actions, seen } = play(seed, STEPS);
  if (error === undefined) return seen;
  const fails = (part: readonly Action[]): boolean => play(seed, 0, part).error !== undefined;
  const least = minimise(actions, fails);
  const listed = least.map((action) => JSON.stringify(action)).join('\n');
  throw new Error(`schedule ${seed}: ${String(play(seed, 0, least).error)}\n${listed}`, {
    cause: error,
  });
}

test('whatever happens, the properties of figure 3 hold, and once all is well a leader emerges', () => {
  const all = Array.from({ length: SCHEDULES }, (_, at) => runSchedule(FIRST + at));
  const total = (key: keyof Seen): number => all.reduce((sum, seen) => sum + seen[key], 0);

  // Schedules in which nothing happens prove nothing.
  expect(total('elections')).toBeGreaterThan(2 * SCHEDULES);
  expect(total('commits')).toBeGreaterThan(20 * SCHEDULES);
  expect(total('grants')).toBeGreaterThan(4 * SCHEDULES);
  expect(total('installs')).toBeGreaterThan(SCHEDULES / 5);
  expect(total('overwrites')).toBeGreaterThan(SCHEDULES / 5);
  expect(total('configs')).toBeGreaterThan(SCHEDULES / 2);
});

test('a failing schedule is cut down to what makes it fail', () => {
  const all = Array.from({ length: 100 }, (_, at) => at);
  const least = minimise(all, (part) => part.includes(7) && part.includes(61));
  expect(least).toEqual([7, 61]);
});

/** A cluster that is watched, of which a test breaks the promises itself. */
function watched(): { peers: Peers; safety: Safety } {
  const safety = new Safety();
  const peers = new Peers({ disks: newCluster(ids(3)), tuning: PAPER, observer: safety });
  return { peers, safety };
}

test('a disk that forgets a vote is seen: two leaders in one term', () => {
  const { peers } = watched();
  const before = peers.member('3').disk;
  peers.isolate('2');
  peers.electLeader('1');
  peers.crash('3', before);
  peers.isolate('1');
  peers.rejoin('2');
  peers.isolate('1');
  peers.restart('3');
  expect(() => peers.electLeader('2')).toThrow('Election Safety: 1, life 1 and 2, life 1');
});

test('a disk that forgets entries is seen: a leader without what is committed', () => {
  const { peers } = watched();
  const before = peers.member('2').disk;
  peers.isolate('3');
  peers.electLeader('1');
  peers.propose('1', 'x');
  peers.elapse(2);
  peers.crash('2', before);
  peers.crash('1');
  // Nobody hears of its candidacy in term 2.
  peers.campaign('3');
  peers.heal();
  peers.restart('2');
  expect(() => peers.electLeader('3')).toThrow('Leader Completeness: 3 leads term 3 without');
});

test('a stale read is seen: a grant below what was committed when it was asked', () => {
  const { peers, safety } = watched();
  peers.electLeader('1');
  peers.propose('1', 'x');
  peers.deliver();
  safety.asked(peers.nextRead, '2');
  const { term } = peers.status('1');
  const stale = { type: 'read-reply', from: '1', to: '2', term, id: 1, index: 1 } as const;
  peers.read('2');
  expect(() => peers.arrive(stale)).toThrow('Stale read: 2 may read at 1, but 3');
});
