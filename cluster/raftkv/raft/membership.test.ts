import { describe, expect, test } from 'vitest';
import { cluster, clusterLedBy, ids, PAPER } from './testing.ts';

describe('changes of the configuration, one at a time (thesis §4.1)', () => {
  test('a configuration holds as soon as it is appended, on the leader and on followers', () => {
    const peers = clusterLedBy('1', 3);
    peers.start('4');
    peers.cut('2', '1');
    peers.cut('3', '1');
    expect(peers.change('1', 'add-voter', '4')).toBe('accepted');
    expect(peers.status('1').config.voters).toEqual(['1', '2', '3', '4']);
    peers.deliver();
    expect(peers.status('2').config.voters).toEqual(['1', '2', '3', '4']);
    expect(peers.status('1').commit).toBe(2);
  });

  test('it is undone when its entry is truncated', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('1');
    peers.change('1', 'remove', '3');
    expect(peers.status('1').config.voters).toEqual(['1', '2']);
    peers.electLeader('2');
    peers.heal();
    peers.elapse(3);
    expect(peers.log('1')).toEqual(['1:{1 2 3}', '2:-', '3:-']);
    expect(peers.status('1').config.voters).toEqual(['1', '2', '3']);
  });

  test('it is still there after a restart, committed or not', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('1');
    peers.change('1', 'remove', '3');
    peers.crash('1');
    peers.restart('1');
    expect(peers.status('1').config.voters).toEqual(['1', '2']);
  });

  test('a member that joins with nothing gets the whole log and counts', () => {
    const peers = clusterLedBy('1', 1);
    peers.propose('1', 'x');
    peers.start('2');
    expect(peers.change('1', 'add-voter', '2')).toBe('accepted');
    expect(peers.status('1').commit).toBe(3);
    peers.elapse(3);
    expect(peers.applied('2')).toEqual(['x']);
    expect(peers.status('1').commit).toBe(4);
    expect(peers.status('2').config.voters).toEqual(['1', '2']);
    peers.crash('2');
    peers.propose('1', 'y');
    peers.elapse(3);
    expect(peers.applied('1')).toEqual(['x']);
  });

  test('a restarted leader gets the vote of a new member that knows of no configuration', () => {
    const peers = clusterLedBy('1', 1);
    peers.start('2');
    peers.cut('1', '2');
    peers.change('1', 'add-voter', '2');
    peers.crash('1');
    peers.heal();
    peers.restart('1');
    peers.elapse(60);
    expect(peers.leaders()).toEqual(['1']);
    expect(peers.log('2')).toEqual(peers.log('1'));
  });
});

describe('refusals', () => {
  test('not-leader: followers change nothing', () => {
    expect(clusterLedBy('1', 3).change('2', 'remove', '3')).toBe('not-leader');
  });

  test('change-pending: the last change is not committed yet', () => {
    const peers = clusterLedBy('1', 5);
    peers.isolate('1');
    expect(peers.change('1', 'remove', '5')).toBe('accepted');
    expect(peers.change('1', 'remove', '4')).toBe('change-pending');
    peers.heal();
    peers.elapse(3);
    expect(peers.change('1', 'remove', '4')).toBe('accepted');
  });

  test('change-pending: also one that an earlier leader left behind', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.lose(({ type }) => type === 'append-reply');
    peers.change('1', 'add-learner', '4');
    peers.deliver();
    peers.crash('1');
    peers.electLeader('2');
    expect(peers.status('2').config.learners).toEqual(['4']);
    expect(peers.change('2', 'remove', '3')).toBe('change-pending');
    peers.heal();
    peers.elapse(6);
    expect(peers.change('2', 'remove', '3')).toBe('accepted');
  });

  test('no-commit-in-term: the leader may not know yet what is committed (2015`s bug)', () => {
    const peers = cluster(4, PAPER);
    peers.lose(({ type }) => type === 'append');
    peers.electLeader('1');
    expect(peers.change('1', 'remove', '4')).toBe('no-commit-in-term');
    peers.heal();
    peers.elapse(6);
    expect(peers.change('1', 'remove', '4')).toBe('accepted');
  });

  test('transferring: leadership is about to go elsewhere', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('3');
    peers.transfer('1', '3');
    expect(peers.change('1', 'remove', '2')).toBe('transferring');
  });

  test.each([
    ['add-voter', '2'],
    ['add-voter', '4'],
    ['add-learner', '2'],
    ['add-learner', '4'],
    ['promote', '2'],
    ['promote', '9'],
    ['remove', '9'],
  ] as const)('no-effect: %s of %s', (type, member) => {
    const peers = cluster(3, {}, 1);
    peers.electLeader('1');
    expect(peers.change('1', type, member)).toBe('no-effect');
    expect(peers.log('1')).toHaveLength(2);
  });

  test('no-voter-left: the last voter stays, though there are learners', () => {
    const peers = cluster(1, {}, 1);
    peers.electLeader('1');
    expect(peers.change('1', 'remove', '1')).toBe('no-voter-left');
    expect(peers.status('1').config).toEqual({ voters: ['1'], learners: ['2'] });
  });
});

describe('learners', () => {
  test('get the log and apply it, and count in no quorum', () => {
    const peers = cluster(3, {}, 2);
    peers.electLeader('1');
    peers.propose('1', 'x');
    peers.deliver();
    expect(peers.applied('4')).toEqual(['x']);
    peers.crash('2');
    peers.crash('3');
    peers.propose('1', 'y');
    peers.elapse(3);
    expect(peers.applied('1')).toEqual(['x']);
  });

  test('are not waited for either', () => {
    const peers = cluster(3, {}, 4);
    peers.electLeader('1');
    for (const id of ['4', '5', '6', '7']) peers.crash(id);
    peers.crash('2');
    peers.propose('1', 'x');
    peers.elapse(30);
    expect(peers.applied('1')).toEqual(['x']);
    expect(peers.leaders()).toEqual(['1']);
  });

  test('elect nobody: their votes do not count', () => {
    const peers = cluster(3, PAPER, 4);
    peers.crash('2');
    peers.crash('3');
    peers.campaign('1');
    const { term } = peers.status('1');
    for (const from of ['4', '5', '6', '7'])
      peers.arrive({ type: 'vote-reply', from, to: '1', term, granted: true });
    expect(peers.status('1').role).toBe('candidate');
  });

  test('become voters by promotion, and count from then on', () => {
    const peers = cluster(1, {}, 1);
    peers.electLeader('1');
    expect(peers.change('1', 'promote', '2')).toBe('accepted');
    peers.elapse(3);
    expect(peers.status('2')).toMatchObject({ isLearner: false });
    expect(peers.status('2').config).toEqual({ voters: ['1', '2'], learners: [] });
    peers.crash('2');
    peers.propose('1', 'x');
    peers.elapse(3);
    expect(peers.applied('1')).toEqual([]);
  });

  test('added to a running cluster, they catch up', () => {
    const peers = clusterLedBy('1', 3);
    for (let n = 0; n < 20; n++) peers.propose('1', `c${n}`);
    peers.deliver();
    peers.start('4');
    peers.change('1', 'add-learner', '4');
    peers.elapse(5);
    expect(peers.status('4').isLearner).toBe(true);
    expect(peers.applied('4')).toHaveLength(20);
  });
});

describe('removal (thesis §4.2.2, §4.2.3)', () => {
  test('a removed follower does not count any more', () => {
    const peers = clusterLedBy('1', 4);
    expect(peers.change('1', 'remove', '4')).toBe('accepted');
    peers.elapse(3);
    peers.crash('3');
    peers.crash('4');
    peers.propose('1', 'x');
    peers.elapse(3);
    expect(peers.applied('2')).toEqual(['x']);
  });

  test('a leader that removes itself leads until that is committed, without its own vote', () => {
    const peers = clusterLedBy('1', 3);
    const held = peers.hold(({ type, from }) => type === 'append-reply' && from === '3');
    peers.change('1', 'remove', '1');
    expect(peers.status('1').config.voters).toEqual(['2', '3']);
    peers.deliver();
    // 1 and 2 have it, and would be a quorum of the old configuration: it is not one of {2 3}.
    expect(peers.status('1')).toMatchObject({ role: 'leader', commit: 2 });
    held.release();
    peers.deliver();
    expect(peers.status('1')).toMatchObject({ role: 'follower', commit: 3 });
    expect(peers.status('2').commit).toBe(3);
    peers.elapse(60);
    expect(peers.leaders()).toHaveLength(1);
    expect(peers.leaders()).not.toContain('1');
  });

  test('a member that knows it was removed asks for no votes and takes no proposals', () => {
    const peers = clusterLedBy('1', 3);
    peers.change('1', 'remove', '1');
    peers.elapse(60);
    const { term } = peers.status('1');
    peers.tick('1', 200);
    peers.campaign('1');
    expect(peers.status('1')).toMatchObject({ role: 'follower', term });
    expect(peers.propose('1', 'x')).toBe(false);
  });

  test('a removed member that does not know it disturbs nobody', () => {
    const peers = clusterLedBy('1', 4);
    peers.isolate('4');
    peers.change('1', 'remove', '4');
    peers.elapse(40);
    peers.heal();
    const { term } = peers.status('1');
    peers.elapse(200);
    expect(peers.status('1')).toMatchObject({ role: 'leader', term });
    expect(peers.status('4').role).not.toBe('leader');
  });

  test('nor when it asks for votes at once: those who hear the leader do not listen', () => {
    const peers = clusterLedBy('1', 4, { preVote: false });
    peers.isolate('4');
    peers.change('1', 'remove', '4');
    peers.elapse(40);
    peers.heal();
    const { term } = peers.status('1');
    peers.elapse(200);
    expect(peers.status('1')).toMatchObject({ role: 'leader', term });
  });

  test('the only one who holds its own removal is elected nonetheless, and completes it', () => {
    const peers = clusterLedBy('1', 2);
    peers.isolate('1');
    peers.change('1', 'remove', '1');
    peers.crash('1');
    peers.restart('1');
    peers.heal();
    // 2 lacks the entry, so that 1 denies it its vote; it needs that vote as long as it lacks it.
    peers.elapse(200);
    expect(peers.leaders()).toEqual(['2']);
    expect(peers.status('2')).toMatchObject({ config: { voters: ['2'] } });
  });

  test('a removed member can be added again', () => {
    const peers = clusterLedBy('1', 3);
    peers.change('1', 'remove', '3');
    peers.elapse(40);
    peers.propose('1', 'x');
    peers.elapse(1);
    expect(peers.applied('3')).toEqual([]);
    expect(peers.change('1', 'add-voter', '3')).toBe('accepted');
    peers.elapse(5);
    expect(peers.applied('3')).toEqual(['x']);
  });
});

describe('quorums', () => {
  const TOLERATED = [0, 0, 1, 1, 2, 2, 3];

  test.each(TOLERATED.map((failures, at) => [at + 1, failures] as const))(
    '%i voters go on with %i crashed, and not with one more',
    (n, failures) => {
      const peers = clusterLedBy('1', n);
      const victims = ids(n).toReversed();
      for (const id of victims.slice(0, failures)) peers.crash(id);
      peers.propose('1', 'with');
      peers.elapse(30);
      expect(peers.applied('1')).toEqual(['with']);
      const [next] = victims.slice(failures);
      if (next === undefined || next === '1') return;
      peers.crash(next);
      peers.propose('1', 'without');
      peers.elapse(200);
      expect(peers.applied('1')).toEqual(['with']);
      expect(peers.leaders()).toEqual([]);
    },
  );

  test.each(TOLERATED.map((failures, at) => [at + 1, failures] as const))(
    '%i voters of which %i are down, the leader first, elect a new one; with one more they do not',
    (n, failures) => {
      for (const down of [failures, failures + 1]) {
        const peers = clusterLedBy('1', n);
        peers.propose('1', 'x');
        peers.elapse(1);
        for (const id of ids(n).slice(0, down)) peers.crash(id);
        peers.elapse(200);
        expect(peers.leaders()).toHaveLength(down === failures ? 1 : 0);
        for (const leader of peers.leaders()) expect(peers.applied(leader)).toEqual(['x']);
      }
    },
  );

  test('six cut 3-3 stop on both sides', () => {
    const peers = clusterLedBy('1', 6);
    peers.split(['1', '2', '3'], ['4', '5', '6']);
    peers.propose('1', 'x');
    peers.elapse(200);
    expect(peers.leaders()).toEqual([]);
    for (const id of ids(6)) expect(peers.applied(id)).toEqual([]);
  });

  test.each([
    ['with', '1', '4'],
    ['without', '4', '1'],
  ])('seven cut 4-3 go on where four are, %s their old leader', (_, leader, other) => {
    const peers = clusterLedBy(leader, 7);
    peers.split(['1', '2', '3', '7'], ['4', '5', '6']);
    peers.elapse(200);
    const [only = '', ...more] = peers.leaders();
    expect(more).toEqual([]);
    expect(['1', '2', '3', '7']).toContain(only);
    peers.propose(only, 'x');
    peers.elapse(3);
    expect(peers.applied('7')).toEqual(['x']);
    expect(peers.applied(leader === '1' ? other : leader)).toEqual([]);
    peers.heal();
    peers.elapse(60);
    for (const id of ids(7)) expect(peers.applied(id)).toEqual(['x']);
  });
});
