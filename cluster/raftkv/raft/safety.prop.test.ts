import { describe, expect, test } from 'vitest';
import type { InvariantName } from '../../../harness/protocols/invariants.ts';
import type { Bug } from '../bugs.ts';
import { ids, PAPER, Peers } from './testing.ts';
import { newCluster } from './testing-disk.ts';
import { Safety, type Seen } from './testing-safety.ts';
import { type Action, minimise, play } from './testing-schedule.ts';

/** Raise it to search for longer; every schedule is named by its number. */
const SCHEDULES = 10_000;
const PARTS = 4;
/** Of one schedule, which draws how many it has. */
const STEPS_MAX = 2_000;

/** Fails with the schedule's seed, what it broke, and the least that is needed to break it. */
function runSchedule(seed: number): Seen {
  const { error, actions, seen } = play({ seed, stepsMax: STEPS_MAX });
  if (error === undefined) return seen;
  const again = (part: readonly Action[]): unknown =>
    play({ seed, stepsMax: STEPS_MAX, actions: part }).error;
  const least = minimise(actions, (part) => again(part) !== undefined);
  const listed = least.map((action) => JSON.stringify(action)).join('\n');
  throw new Error(`schedule ${seed}: ${String(again(least))}\n${listed}`, { cause: error });
}

describe('whatever happens, the properties of figure 3 hold, and once all is well a leader emerges', () => {
  const count = SCHEDULES / PARTS;

  test.each(Array.from({ length: PARTS }, (_, part) => part * count + 1))(
    `${count} schedules from %i on`,
    (first) => {
      const all = Array.from({ length: count }, (_, at) => runSchedule(first + at));
      const total = (key: keyof Seen): number => all.reduce((sum, seen) => sum + seen[key], 0);

      // Schedules in which nothing happens prove nothing.
      expect(total('steps')).toBeGreaterThan(500 * count);
      expect(total('elections')).toBeGreaterThan(4 * count);
      expect(total('commits')).toBeGreaterThan(20 * count);
      expect(total('grants')).toBeGreaterThan(4 * count);
      expect(total('installs')).toBeGreaterThan(count / 5);
      expect(total('overwrites')).toBeGreaterThan(count / 2);
      expect(total('configs')).toBeGreaterThan(count / 2);
    },
    180_000,
  );
});

/** What a wrong core breaks of figure 3, and within how many schedules; several times the first. */
const WRONG: readonly {
  readonly bug: Bug;
  readonly breaks: InvariantName;
  readonly within: number;
}[] = [
  { bug: 'vote-not-persisted', breaks: 'election-safety', within: 50 },
  { bug: 'stale-log-vote', breaks: 'leader-completeness', within: 50 },
  { bug: 'no-truncate', breaks: 'log-matching', within: 50 },
  { bug: 'no-truncate', breaks: 'state-machine-safety', within: 50 },
  { bug: 'even-quorum', breaks: 'election-safety', within: 100 },
  { bug: 'figure-8', breaks: 'leader-completeness', within: 300 },
  { bug: 'two-changes', breaks: 'leader-completeness', within: 800 },
  { bug: 'early-change', breaks: 'leader-completeness', within: 4_000 },
  { bug: 'learner-votes', breaks: 'leader-completeness', within: 200 },
  { bug: 'removed-member-votes', breaks: 'leader-completeness', within: 200 },
];

describe('schedules like these find what is wrong on purpose', () => {
  test.each(WRONG)('$bug breaks $breaks, within $within schedules', ({ bug, breaks, within }) => {
    const bugs = new Set([bug]);
    const broken = (seed: number): boolean => {
      const { error } = play({ seed, stepsMax: STEPS_MAX, bugs, isAboutRaft: true });
      return String(error).includes(breaks);
    };
    const seeds = Array.from({ length: within }, (_, at) => at + 1);
    expect(seeds.find(broken)).toBeTypeOf('number');
  });
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
  expect(() => peers.electLeader('2')).toThrow(
    'election-safety: {"term":2,"first":{"node":"1","life":1},"second":{"node":"2","life":1}}',
  );
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
  expect(() => peers.electLeader('3')).toThrow(
    'leader-completeness: {"node":"3","term":3,"index":2',
  );
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
