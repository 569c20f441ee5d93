import { describe, expect, test } from 'vitest';
import { cluster, clusterLedBy, ids, PAPER, Peers } from './testing.ts';
import { diskWith, newCluster } from './testing-disk.ts';

describe('leader election (§5.2)', () => {
  test('members start as followers and know no leader', () => {
    const peers = cluster(3, PAPER);
    for (const id of ids(3)) {
      expect(peers.status(id)).toMatchObject({ role: 'follower', term: 1, leader: undefined });
      expect(peers.propose(id, 'x')).toBe(false);
      expect(peers.read(id)).toBeUndefined();
    }
  });

  test('a follower starts an election after one to two election timeouts, in a new term', () => {
    const peers = cluster(3, PAPER);
    peers.tick('1', 9);
    expect(peers.status('1').role).toBe('follower');
    peers.tick('1', 11);
    expect(peers.status('1')).toMatchObject({ role: 'candidate', term: 2, vote: '1' });
  });

  test('timeouts are drawn anew for each election', () => {
    const peers = cluster(3, PAPER);
    peers.isolate('1');
    const gaps = new Set<number>();
    for (let ticks = 0, last = 0; ticks < 400; ticks++) {
      const { term } = peers.status('1');
      peers.tick('1');
      if (peers.status('1').term === term) continue;
      gaps.add(ticks - last);
      last = ticks;
    }
    expect(gaps.size).toBeGreaterThan(3);
    expect(Math.max(...gaps)).toBeLessThan(20);
  });

  test('heartbeats keep followers from starting elections', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.elapse(100);
    expect(peers.status('1')).toMatchObject({ role: 'leader', term: 2 });
    expect(peers.status('2')).toMatchObject({ role: 'follower', term: 2, leader: '1' });
  });

  test.each([1, 2, 3, 4, 5, 6, 7])('of %i voters, a majority elects and fewer do not', (n) => {
    const quorum = Math.floor(n / 2) + 1;
    for (const up of [quorum, quorum - 1]) {
      const peers = cluster(n, PAPER);
      for (const id of ids(n).slice(Math.max(up, 1))) peers.crash(id);
      peers.campaign('1');
      peers.deliver();
      expect(peers.leaders()).toEqual(up >= quorum || n === 1 ? ['1'] : []);
    }
  });

  test('a single member elects itself once its vote is on disk, and commits alone', () => {
    const peers = cluster(1, PAPER);
    peers.holdDisk('1');
    peers.tick('1', 20);
    expect(peers.status('1').role).toBe('candidate');
    peers.flush('1');
    expect(peers.status('1').role).toBe('leader');
    peers.propose('1', 'x');
    expect(peers.applied('1')).toEqual(['x']);
  });

  test('a new leader appends an entry of its own term and tells everybody at once (§8)', () => {
    const peers = clusterLedBy('2', 3, PAPER);
    for (const id of ids(3)) expect(peers.log(id)).toEqual(['1:{1 2 3}', '2:-']);
  });

  test('one vote in each term, first come first served', () => {
    const peers = cluster(3, PAPER);
    const votes = peers.watch('vote-reply');
    peers.campaign('1');
    peers.deliverOne('1', '3');
    peers.campaign('2');
    peers.deliver();
    expect(votes).toContainEqual(expect.objectContaining({ from: '3', to: '2', granted: false }));
    expect(peers.leaders()).toEqual(['1']);
  });

  test('a vote is said only once it is on disk, and survives a crash', () => {
    const peers = cluster(3, PAPER);
    const votes = peers.watch('vote-reply');
    peers.holdDisk('3');
    peers.campaign('1');
    peers.deliver();
    expect(votes.map(({ from }) => from)).toEqual(['2']);
    peers.flush('3');
    expect(votes.map(({ from }) => from)).toEqual(['2', '3']);
    peers.crash('3');
    peers.restart('3');
    expect(peers.status('3')).toMatchObject({ term: 2, vote: '1', role: 'follower' });
    const message = { type: 'vote', from: '2', to: '3', term: 2, transfer: false } as const;
    const others = peers.watch('vote-reply');
    peers.arrive({ ...message, lastIndex: 9, lastTerm: 2 });
    expect(others).toMatchObject([{ from: '3', granted: false }]);
  });

  test('a vote that was not on disk when its member crashed was never given', () => {
    const peers = cluster(3, PAPER);
    peers.crash('2');
    peers.holdDisk('3');
    peers.campaign('1');
    peers.deliver();
    peers.crash('3');
    peers.restart('3');
    expect(peers.status('3')).toMatchObject({ term: 1, vote: null });
    expect(peers.leaders()).toEqual([]);
  });

  test('the same candidate asking again gets the same vote again', () => {
    const peers = cluster(3, PAPER);
    const votes = peers.watch('vote-reply');
    peers.campaign('1');
    const again = peers.queues.get('1>3')?.[0];
    peers.deliverOne('1', '3');
    if (again !== undefined) peers.arrive(again);
    expect(votes).toMatchObject([{ granted: true }, { granted: true }]);
  });

  test('a candidate counts no vote of its own that a crash could take back', () => {
    const peers = cluster(3, PAPER);
    peers.holdDisk('1');
    peers.campaign('1');
    peers.deliver();
    expect(peers.leaders()).toEqual([]);
    peers.crash('1');
    peers.restart('1');
    expect(peers.status('1')).toMatchObject({ term: 1, role: 'follower' });
  });

  test('a split vote ends without a leader, and a later term has one', () => {
    const peers = cluster(4, PAPER);
    peers.campaign('1');
    peers.campaign('2');
    peers.deliverOne('1', '3');
    peers.deliverOne('2', '4');
    peers.deliver();
    expect(peers.leaders()).toEqual([]);
    peers.elapse(60);
    expect(peers.leaders()).toHaveLength(1);
    expect(peers.status(peers.leaders()[0] ?? '').term).toBeGreaterThan(2);
  });

  test('a candidate that hears from a leader of its term becomes its follower', () => {
    const peers = cluster(3, PAPER);
    peers.campaign('1');
    peers.campaign('2');
    peers.deliverOne('1', '3');
    peers.deliver();
    expect(peers.status('2')).toMatchObject({ role: 'follower', term: 2, leader: '1' });
  });

  test('a leader that learns of a higher term steps down (§5.1)', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('1');
    peers.electLeader('2');
    expect(peers.leaders()).toEqual(['1', '2']);
    peers.heal();
    peers.elapse(1);
    expect(peers.status('1')).toMatchObject({ role: 'follower', term: 3, leader: '2' });
  });

  test('late votes of an earlier term count for nothing', () => {
    const peers = cluster(3, PAPER);
    peers.crash('3');
    const held = peers.hold(({ type }) => type === 'vote-reply');
    peers.campaign('1');
    peers.deliver();
    const [late] = held.messages;
    held.lose();
    peers.isolate('1');
    peers.campaign('1');
    peers.heal();
    if (late !== undefined) peers.arrive(late);
    expect(late).toMatchObject({ term: 2, granted: true });
    expect(peers.status('1')).toMatchObject({ term: 3, role: 'candidate' });
  });
});

describe('the election restriction (§5.4.1)', () => {
  const voters = ids(2);
  /** Whether 2, whose log has these terms, elects 1, whose log has those. */
  test.each([
    ['a shorter log of the same term', [1, 1], [1, 1, 1], false],
    ['an equal log', [1, 1], [1, 1], true],
    ['a longer log of the same term', [1, 1, 1], [1, 1], true],
    ['a shorter log that ends in a later term', [1, 3], [1, 2, 2, 2], true],
    ['a longer log that ends in an earlier term', [1, 2, 2, 2], [1, 3], false],
  ])('%s: %j against %j', (_, mine, theirs, isElected) => {
    const peers = new Peers({
      disks: new Map([
        ['1', diskWith({ voters, terms: mine, term: 3 })],
        ['2', diskWith({ voters, terms: theirs, term: 3 })],
      ]),
      tuning: PAPER,
    });
    peers.campaign('1');
    peers.deliver();
    expect(peers.leaders()).toEqual(isElected ? ['1'] : []);
    expect(peers.status('2').term).toBe(4);
  });

  test('learners and those who are no members never start an election', () => {
    const peers = cluster(3, {}, 1);
    peers.start('9');
    for (const id of ['4', '9']) {
      peers.tick(id, 100);
      peers.campaign(id);
      expect(peers.status(id).role).toBe('follower');
    }
    expect(peers.status('4')).toMatchObject({ term: 1, isLearner: true });
    expect(peers.status('9')).toMatchObject({ term: 0 });
  });
});

describe('PreVote (thesis §9.6)', () => {
  test('a member that was cut off disturbs nobody when it returns', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('3');
    peers.elapse(200);
    expect(peers.status('3')).toMatchObject({ term: 2, role: 'pre-candidate' });
    peers.heal();
    peers.elapse(20);
    expect(peers.status('1')).toMatchObject({ role: 'leader', term: 2 });
    expect(peers.status('3')).toMatchObject({ role: 'follower', term: 2, leader: '1' });
  });

  test('without it, its term has run ahead and costs the leader its leadership', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('3');
    peers.elapse(200);
    const ahead = peers.status('3').term;
    expect(ahead).toBeGreaterThan(10);
    peers.heal();
    peers.elapse(60);
    expect(peers.status(peers.leaders()[0] ?? '').term).toBeGreaterThanOrEqual(ahead);
  });

  test('a pre-vote changes neither term nor vote, on either side', () => {
    const peers = cluster(3);
    peers.lose(({ type }) => type === 'pre-vote-reply');
    peers.campaign('1');
    peers.deliver();
    for (const id of ids(3)) expect(peers.status(id)).toMatchObject({ term: 1, vote: null });
  });

  test('a log that is behind gets no pre-vote', () => {
    const peers = clusterLedBy('1', 3, { checkQuorum: false });
    peers.isolate('3');
    peers.propose('1', 'x');
    peers.deliver();
    peers.crash('1');
    peers.heal();
    peers.campaign('3');
    peers.deliver();
    expect(peers.status('3').term).toBe(2);
    expect(peers.leaders()).not.toContain('3');
  });

  test('a majority of pre-votes is needed before the term is raised', () => {
    const peers = cluster(5);
    peers.split(['1', '2'], ['3', '4', '5']);
    peers.campaign('1');
    peers.deliver();
    expect(peers.status('1')).toMatchObject({ role: 'pre-candidate', term: 1 });
    peers.heal();
    peers.electLeader('1');
    expect(peers.status('1').term).toBe(2);
  });
});

describe('CheckQuorum and leader stickiness (thesis §6.2, §4.2.3)', () => {
  test('a leader that hears no quorum for an election timeout steps down', () => {
    const peers = clusterLedBy('1', 5);
    peers.split(['1', '2'], ['3', '4', '5']);
    peers.elapse(9);
    expect(peers.status('1').role).toBe('leader');
    peers.elapse(2);
    expect(peers.status('1')).toMatchObject({ role: 'follower', leader: undefined, term: 2 });
    expect(peers.propose('1', 'x')).toBe(false);
  });

  test('a leader that can send but not hear steps down as well', () => {
    const peers = clusterLedBy('1', 3);
    peers.cut('2', '1');
    peers.cut('3', '1');
    peers.elapse(100);
    expect(peers.leaders()).not.toContain('1');
    expect(peers.leaders()).toHaveLength(1);
  });

  test('a leader that hears just a quorum stays', () => {
    const peers = clusterLedBy('1', 5);
    peers.split(['1', '2', '3'], ['4', '5']);
    peers.elapse(100);
    expect(peers.status('1')).toMatchObject({ role: 'leader', term: 2 });
  });

  test('those who hear a leader refuse their vote and ignore the term of who asks', () => {
    const peers = clusterLedBy('1', 3, { preVote: false });
    peers.isolate('3');
    peers.tick('3', 50);
    const { term } = peers.status('3');
    expect(term).toBeGreaterThan(2);
    peers.heal();
    peers.elapse(1);
    peers.campaign('3');
    peers.deliverOne('3', '2');
    expect(peers.status('2')).toMatchObject({ term: 2, leader: '1' });
  });

  test('a stale member with a higher term gets back in: the leader learns of its term', () => {
    const peers = clusterLedBy('1', 3, { preVote: false });
    peers.isolate('3');
    peers.tick('3', 50);
    const { term } = peers.status('3');
    peers.heal();
    peers.elapse(60);
    expect(peers.leaders()).toHaveLength(1);
    const [leader = ''] = peers.leaders();
    expect(peers.status(leader).term).toBeGreaterThanOrEqual(term);
    peers.propose(leader, 'x');
    peers.elapse(1);
    for (const id of ids(3)) expect(peers.applied(id)).toEqual(['x']);
  });

  test('when the leader is gone, the others elect one that has all that was committed', () => {
    const peers = clusterLedBy('1', 3);
    peers.propose('1', 'x');
    peers.deliver();
    peers.crash('1');
    peers.elapse(60);
    const [leader = ''] = peers.leaders();
    expect(['2', '3']).toContain(leader);
    expect(peers.applied(leader)).toEqual(['x']);
  });
});

test('a voter that has seen higher terms brings the others up to them (§5.1)', () => {
  const disks = newCluster(ids(3));
  disks.set('3', diskWith({ voters: ids(3), terms: [1], term: 7 }));
  const peers = new Peers({ disks, tuning: PAPER });
  peers.campaign('1');
  peers.deliver();
  peers.elapse(60);
  expect(peers.leaders()).toHaveLength(1);
  for (const id of ids(3)) expect(peers.status(id).term).toBeGreaterThan(7);
});
