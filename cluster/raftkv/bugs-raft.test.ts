/** The planted bugs of consensus, on bare cores: the same schedule with the bug and without. */
import { describe, expect, test } from 'vitest';
import { type Bug, type Bugs, NO_BUGS } from './bugs.ts';
import { cluster, ids, PAPER, Peers } from './raft/testing.ts';
import { diskWith, newCluster } from './raft/testing-disk.ts';

interface Schedule {
  readonly bug: Bug;
  readonly shows: string;
  /** Everything that tells the two apart. */
  readonly play: (bugs: Bugs) => unknown;
  readonly wrong: unknown;
  readonly right: unknown;
}

/** Led by 1; whoever campaigns is heard at once, as in the paper. */
function led(n: number, bugs: Bugs, learners = 0): Peers {
  const peers = cluster(n, { ...PAPER, bugs }, learners);
  peers.electLeader('1');
  return peers;
}

/** Each side is asked to lead, writes, and applies what it may. */
function writeOnBothSides(peers: Peers, one: string[], other: string[]): Record<string, string[]> {
  peers.split(one, other);
  const [old = '', next = ''] = [one[0], other[0]];
  peers.propose(old, 'old');
  peers.deliver();
  peers.campaign(next);
  peers.deliver();
  peers.propose(next, 'new');
  peers.deliver();
  return { [old]: peers.applied(old), [next]: peers.applied(next) };
}

function readOnOldLeader(bugs: Bugs): unknown {
  const peers = cluster(3, { bugs });
  peers.electLeader('1');
  peers.isolate('1');
  peers.elapse(30);
  const [next = ''] = peers.leaders().filter((id) => id !== '1');
  peers.propose(next, 'newer');
  peers.deliver();
  return { newest: peers.applied(next), granted: peers.grantOf('1', peers.read('1')) };
}

/** 901 is granted; its late answer comes when 902 waits, and 901 is asked for once more. */
function lateAnswers(bugs: Bugs): unknown {
  const peers = led(3, bugs);
  const { term } = peers.status('1');
  const late = peers.hold(({ type, from }) => type === 'heartbeat-reply' && from === '3');
  const request = { type: 'read-request', from: '2', to: '1', term, id: 901 } as const;
  peers.arrive(request);
  peers.deliver();
  peers.isolate('1');
  peers.electLeader('2');
  peers.propose('2', 'newer');
  peers.deliver();
  peers.act('1', (raft) => raft.readIndex(902));
  peers.heal();
  peers.arrive(request);
  for (const message of late.messages) peers.arrive(message);
  return { newest: peers.applied('2'), granted: peers.member('1').reads };
}

function restartWithoutVote(bugs: Bugs): unknown {
  const peers = led(3, bugs);
  peers.isolate('1');
  for (const id of ['2', '3']) peers.crash(id);
  for (const id of ['2', '3']) peers.restart(id);
  peers.electLeader('2');
  return peers.leaders().map((id) => [id, peers.status(id).term]);
}

function electWhoIsBehind(bugs: Bugs): unknown {
  const peers = led(3, bugs);
  peers.isolate('3');
  peers.propose('1', 'acknowledged');
  peers.deliver();
  expect(peers.applied('1')).toEqual(['acknowledged']);
  peers.crash('1');
  peers.heal();
  peers.campaign('3');
  peers.deliver();
  return { leaders: peers.leaders(), log: peers.log('3').slice(0, 3) };
}

/** From (c) of figure 8 on: 1 leads term 4 and spreads its entry of term 2; then 5 wins. */
function figure8(bugs: Bugs): unknown {
  const voters = ids(5);
  const terms: Readonly<Record<string, number[]>> = { 1: [1, 2], 2: [1, 2], 5: [1, 3] };
  const disks = new Map(
    voters.map((id) => [id, diskWith({ voters, terms: terms[id] ?? [1], term: 3 })]),
  );
  const peers = new Peers({ disks, tuning: { ...PAPER, maxAppendEntries: 1, bugs } });
  peers.isolate('5');
  // Nobody gets its entry of term 4; what is refused anyway passes, so that it goes back.
  const restore = peers.lose(
    (message) =>
      message.type === 'append' &&
      message.entries.some(({ index }) => index > 2) &&
      message.prevIndex <= peers.status(message.to).lastIndex,
  );
  peers.electLeader('1');
  peers.elapse(3);
  const byLeader = peers.applied('1');
  peers.crash('1');
  restore();
  peers.heal();
  peers.campaign('5');
  peers.deliver();
  peers.electLeader('5');
  peers.elapse(3);
  return { byLeader, afterwards: peers.applied('5') };
}

function keepSuffix(bugs: Bugs): unknown {
  const peers = led(3, bugs);
  peers.isolate('1');
  peers.propose('1', 'lost');
  peers.electLeader('2');
  peers.propose('2', 'kept');
  peers.heal();
  peers.elapse(5);
  peers.propose('2', 'later');
  peers.elapse(5);
  return ids(3).map((id) => peers.applied(id));
}

function addTwo(bugs: Bugs): unknown {
  const peers = new Peers({ disks: newCluster(ids(3)), tuning: { ...PAPER, bugs } });
  peers.electLeader('1');
  for (const id of ['4', '5']) peers.start(id);
  peers.split(['1', '4', '5'], ['2', '3']);
  const answers = ['4', '5'].map((id) => peers.change('1', 'add-voter', id));
  peers.elapse(3);
  return { answers, ...writeOnBothSides(peers, ['1', '4', '5'], ['2', '3']) };
}

/** The schedule of the correction of 2015: two leaders change the members, each its own way. */
function changeEarly(bugs: Bugs): unknown {
  const peers = led(4, bugs);
  peers.start('5');
  peers.split(['1', '5'], ['2', '3', '4']);
  expect(peers.change('1', 'add-voter', '5')).toBe('accepted');
  peers.elapse(3);
  peers.lose(({ type, from, to }) => type === 'append' && from === '2' && to === '4');
  peers.electLeader('2');
  const answer = peers.change('2', 'remove', '1');
  peers.propose('2', 'new');
  peers.elapse(3);
  peers.crash('1');
  peers.restart('1');
  peers.heal();
  peers.split(['1', '4', '5'], ['2', '3']);
  peers.campaign('1');
  peers.deliver();
  peers.electLeader('1');
  peers.propose('1', 'old');
  peers.elapse(3);
  return { answer, 1: peers.applied('1'), 2: peers.applied('2') };
}

function removeOne(bugs: Bugs): unknown {
  const peers = led(4, bugs);
  expect(peers.change('1', 'remove', '4')).toBe('accepted');
  peers.elapse(3);
  return writeOnBothSides(peers, ['1', '4'], ['2', '3']);
}

const BOTH = { 1: ['old'], 2: ['new'] };
const ONE = { 1: [], 2: ['new'] };

const SCHEDULES: readonly Schedule[] = [
  {
    bug: 'stale-leader-read',
    shows: 'a leader that is cut off for good still grants reads',
    play: readOnOldLeader,
    wrong: { newest: ['newer'], granted: 2 },
    right: { newest: ['newer'], granted: undefined },
  },
  {
    bug: 'read-index-retry',
    shows: 'a late answer to a request releases what was asked for since',
    play: lateAnswers,
    wrong: { newest: ['newer'], granted: [{ id: 902, index: 2 }] },
    right: { newest: ['newer'], granted: [] },
  },
  {
    bug: 'vote-not-persisted',
    shows: 'two lead in one term, since those who voted have forgotten it',
    play: restartWithoutVote,
    wrong: [
      ['1', 2],
      ['2', 2],
    ],
    right: [
      ['1', 2],
      ['2', 3],
    ],
  },
  {
    bug: 'stale-log-vote',
    shows: 'a member that lacks a committed entry is elected',
    play: electWhoIsBehind,
    wrong: { leaders: ['3'], log: ['1:{1 2 3}', '2:-', '3:-'] },
    right: { leaders: [], log: ['1:{1 2 3}', '2:-'] },
  },
  {
    bug: 'figure-8',
    shows: 'an entry that was applied is overwritten',
    play: figure8,
    wrong: { byLeader: ['2@2'], afterwards: ['2@3'] },
    right: { byLeader: [], afterwards: ['2@3'] },
  },
  {
    bug: 'even-quorum',
    shows: 'both halves of four commit',
    play: (bugs) => writeOnBothSides(led(4, bugs), ['1', '3'], ['2', '4']),
    wrong: BOTH,
    right: { 1: [], 2: [] },
  },
  {
    bug: 'no-truncate',
    shows: 'a deposed leader applies what nobody else has',
    play: keepSuffix,
    wrong: [
      ['lost', 'kept', 'later'],
      ['kept', 'later'],
      ['kept', 'later'],
    ],
    right: ids(3).map(() => ['kept', 'later']),
  },
  {
    bug: 'two-changes',
    shows: 'five that were three have two majorities',
    play: addTwo,
    wrong: { answers: ['accepted', 'accepted'], ...BOTH },
    right: { answers: ['accepted', 'change-pending'], ...ONE },
  },
  {
    bug: 'early-change',
    shows: 'a leader removes who was about to add another, and both commit',
    play: changeEarly,
    wrong: { answer: 'accepted', ...BOTH },
    right: { answer: 'no-commit-in-term', 1: ['old'], 2: [] },
  },
  {
    bug: 'learner-votes',
    shows: 'a leader commits with a learner what a majority of the voters lacks',
    play: (bugs) => writeOnBothSides(led(3, bugs, 1), ['1', '4'], ['2', '3']),
    wrong: BOTH,
    right: ONE,
  },
  {
    bug: 'removed-member-votes',
    shows: 'a leader commits with one that was removed what a majority lacks',
    play: removeOne,
    wrong: BOTH,
    right: ONE,
  },
];

describe.each(SCHEDULES)('$bug', ({ bug, shows, play, wrong, right }) => {
  test(`it shows: ${shows}`, () => {
    expect(play(new Set([bug]))).toEqual(wrong);
  });

  test('without it the same schedule does no harm', () => {
    expect(play(NO_BUGS)).toEqual(right);
  });

  test('a cluster that is left alone looks well', () => {
    const peers = cluster(5, { bugs: new Set([bug]) });
    peers.electLeader('1');
    for (let n = 0; n < 20; n++) {
      peers.propose(String(1 + (n % 5)), `${n}`);
      peers.elapse(1);
    }
    const read = peers.read('3');
    peers.elapse(3);
    for (const id of ids(5)) expect(peers.applied(id)).toEqual(peers.applied('1'));
    expect(peers.applied('1')).toHaveLength(20);
    expect(peers.grantOf('3', read)).toBe(peers.status('1').commit);
    expect(peers.leaders()).toEqual(['1']);
  });
});
