import { describe, expect, test } from 'vitest';
import { cluster, clusterLedBy, ids, PAPER, type Peers } from './testing.ts';

describe('ReadIndex (thesis §6.4)', () => {
  test('a read is granted at what was committed when it was asked, after a round of heartbeats', () => {
    const peers = clusterLedBy('1', 3);
    peers.propose('1', 'x');
    peers.deliver();
    const read = peers.read('1');
    expect(peers.grantOf('1', read)).toBeUndefined();
    peers.deliver();
    expect(peers.grantOf('1', read)).toBe(3);
  });

  test('it needs no write to the log and no disk', () => {
    const peers = clusterLedBy('1', 3);
    const { lastIndex } = peers.status('1');
    peers.holdDisk('1');
    const read = peers.read('1');
    peers.deliver();
    expect(peers.grantOf('1', read)).toBe(2);
    expect(peers.status('1').lastIndex).toBe(lastIndex);
  });

  test.each([2, 3, 4, 5, 6, 7])('of %i voters a majority must answer the round', (n) => {
    const peers = clusterLedBy('1', n);
    const quorum = Math.floor(n / 2) + 1;
    for (const id of ids(n).slice(quorum - 1)) peers.cut(id, '1');
    const read = peers.read('1');
    peers.deliver();
    expect(peers.grantOf('1', read)).toBeUndefined();
    peers.rejoin(ids(n)[quorum - 1] ?? '');
    peers.elapse(1);
    const again = peers.read('1');
    peers.deliver();
    expect(peers.grantOf('1', again)).toBe(2);
  });

  test('a learner`s answer confirms nothing', () => {
    const peers = cluster(2, {}, 3);
    peers.electLeader('1');
    peers.crash('2');
    const read = peers.read('1');
    peers.elapse(3);
    expect(peers.grantOf('1', read)).toBeUndefined();
  });

  test('a single voter grants at once, also with learners', () => {
    const peers = cluster(1, {}, 1);
    peers.electLeader('1');
    peers.crash('2');
    const read = peers.read('1');
    expect(peers.grantOf('1', read)).toBe(2);
  });

  test('a new leader grants nothing before an entry of its own term is committed', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.propose('1', 'x');
    peers.deliver();
    const restore = peers.lose(({ type }) => type === 'append');
    peers.electLeader('2');
    const read = peers.read('2');
    peers.elapse(3);
    expect(peers.status('2').commit).toBeLessThan(4);
    expect(peers.grantOf('2', read)).toBeUndefined();
    restore();
    peers.elapse(6);
    expect(peers.grantOf('2', read)).toBeGreaterThanOrEqual(4);
  });

  test('reads that are asked together share a round', () => {
    const peers = clusterLedBy('1', 3);
    const rounds = peers.watch('heartbeat');
    const raft = peers.raft('1');
    // All in one turn of its driver, as when many clients ask at once.
    peers.act('1', () => [901, 902, 903, 904].map((id) => raft.readIndex(id)));
    peers.deliver();
    expect(peers.member('1').reads.map(({ id }) => id)).toEqual([901, 902, 903, 904]);
    expect(rounds).toHaveLength(2);
  });

  test('a later read does not wait for an earlier round, and needs one of its own', () => {
    const peers = clusterLedBy('1', 3);
    const rounds = peers.watch('heartbeat');
    const first = peers.read('1');
    const second = peers.read('1');
    expect(new Set(rounds.map(({ round }) => round))).toEqual(new Set([1, 2]));
    peers.deliver();
    expect(peers.grantOf('1', first)).toBe(2);
    expect(peers.grantOf('1', second)).toBe(2);
  });

  test('answers to a later round confirm earlier reads too', () => {
    const peers = clusterLedBy('1', 3);
    const restore = peers.lose(({ type }) => type === 'heartbeat-reply');
    const first = peers.read('1');
    peers.deliver();
    restore();
    const second = peers.read('1');
    peers.deliver();
    expect(peers.grantOf('1', first)).toBe(2);
    expect(peers.grantOf('1', second)).toBe(2);
  });
});

describe('acknowledgements of an earlier round never confirm a later read', () => {
  /**
   * The schedule of etcd's issue 20418: the answers to a first round are late; the cluster goes on
   * with another leader and commits; the first leader, cut off, is asked again, and only then gets
   * those answers.
   */
  function lateAnswers(): { peers: Peers; retry: number | undefined; answer: () => void } {
    const peers = clusterLedBy('1', 3, PAPER);
    const late = peers.hold(({ type, to }) => type === 'heartbeat-reply' && to === '1');
    const asked = peers.read('1');
    peers.deliver();
    expect(late.messages).toHaveLength(2);
    expect(peers.grantOf('1', asked)).toBeUndefined();
    peers.isolate('1');
    peers.electLeader('2');
    peers.propose('2', 'newer');
    peers.deliver();
    expect(peers.applied('3')).toEqual(['newer']);
    const retry = peers.read('1');
    peers.heal();
    for (const queue of peers.queues.values()) queue.length = 0;
    return {
      peers,
      retry,
      answer: () => late.messages.forEach((message) => peers.arrive(message)),
    };
  }

  test('when the reads wait, the late answers grant the first and not the retried one', () => {
    const { peers, retry, answer } = lateAnswers();
    expect(peers.status('1').role).toBe('leader');
    answer();
    expect(peers.grantOf('1', retry)).toBeUndefined();
    expect(peers.member('1').reads).toEqual([{ id: 1, index: 2 }]);
  });

  test('also when it is a follower that asks, and asks again', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    const late = peers.hold(({ type, to }) => type === 'heartbeat-reply' && to === '1');
    const asked = peers.read('3');
    peers.deliver();
    const [first] = late.messages;
    expect(first).toMatchObject({ type: 'heartbeat-reply', round: 1 });
    const retry = peers.read('3');
    peers.deliver();
    if (first !== undefined) peers.arrive(first);
    peers.deliver();
    expect(peers.grantOf('3', asked)).toBe(2);
    expect(peers.grantOf('3', retry)).toBeUndefined();
  });

  test('a duplicate of an answer stands for one member, however often it comes', () => {
    const peers = clusterLedBy('1', 5);
    const late = peers.hold(({ type, to }) => type === 'heartbeat-reply' && to === '1');
    const read = peers.read('1');
    peers.deliver();
    const [one] = late.messages;
    for (let n = 0; n < 5; n++) if (one !== undefined) peers.arrive(one);
    expect(one).toBeDefined();
    expect(peers.grantOf('1', read)).toBeUndefined();
  });

  test('answers to a leadership before a restart confirm nothing in the next', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    const late = peers.hold(({ type, to }) => type === 'heartbeat-reply' && to === '1');
    peers.read('1');
    peers.deliver();
    const answers = [...late.messages];
    late.lose();
    peers.crash('1');
    peers.restart('1');
    peers.electLeader('1');
    peers.lose(({ type }) => type === 'heartbeat-reply');
    const read = peers.read('1');
    peers.deliver();
    for (const answer of answers) peers.arrive(answer);
    expect(answers).toHaveLength(2);
    expect(peers.grantOf('1', read)).toBeUndefined();
  });
});

describe('who may grant', () => {
  test('a deposed leader grants nothing, also of what it was asked before', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('1');
    const read = peers.read('1');
    peers.electLeader('2');
    peers.heal();
    peers.elapse(5);
    expect(peers.status('1').role).toBe('follower');
    expect(peers.grantOf('1', read)).toBeUndefined();
  });

  test('a leader that is cut off grants nothing', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('1');
    const read = peers.read('1');
    peers.elapse(30);
    expect(peers.grantOf('1', read)).toBeUndefined();
    expect(peers.read('1')).toBeUndefined();
  });

  test('a follower asks its leader, and gets what was committed there', () => {
    const peers = clusterLedBy('1', 3);
    peers.cut('1', '3');
    peers.propose('1', 'x');
    peers.deliver();
    peers.heal();
    const read = peers.read('3');
    peers.deliver();
    expect(peers.grantOf('3', read)).toBe(3);
  });

  test('a learner asks its leader, too', () => {
    const peers = cluster(3, {}, 1);
    peers.electLeader('1');
    const read = peers.read('4');
    peers.deliver();
    expect(peers.grantOf('4', read)).toBe(2);
  });

  test('what a follower asked is lost with its leader; asked again, the new one answers', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    const read = peers.read('3');
    peers.crash('1');
    peers.electLeader('2');
    peers.elapse(3);
    expect(peers.grantOf('3', read)).toBeUndefined();
    const again = peers.read('3');
    peers.deliver();
    expect(peers.grantOf('3', again)).toBe(3);
  });

  test('an answer that nobody waits for is ignored', () => {
    const peers = clusterLedBy('1', 3);
    const { term } = peers.status('1');
    peers.arrive({ type: 'read-reply', from: '1', to: '2', term, id: 77, index: 1 });
    expect(peers.member('2').reads).toEqual([]);
  });

  test('an answer that comes twice grants once', () => {
    const peers = clusterLedBy('1', 3);
    const replies = peers.hold(({ type }) => type === 'read-reply');
    peers.read('2');
    peers.deliver();
    for (const message of [...replies.messages, ...replies.messages]) peers.arrive(message);
    expect(peers.member('2').reads).toHaveLength(1);
  });
});

describe('lease reads (thesis §6.4.1)', () => {
  /** A leader whom the others have answered lately, and which is then cut off. */
  function cutOffLeader(leaseReads: boolean): { peers: Peers; leader: string } {
    const peers = cluster(3, { leaseReads });
    peers.elapse(60);
    const [leader = ''] = peers.leaders();
    peers.isolate(leader);
    return { peers, leader };
  }

  test('are granted without a round while a quorum has answered lately', () => {
    const { peers, leader } = cutOffLeader(true);
    const read = peers.read(leader);
    expect(peers.grantOf(leader, read)).toBe(2);
  });

  test('are not granted once an election timeout has passed without answers', () => {
    const { peers, leader } = cutOffLeader(true);
    peers.tick(leader, 9);
    const read = peers.read(leader);
    peers.deliver();
    expect(peers.status(leader).role).toBe('leader');
    expect(peers.grantOf(leader, read)).toBeUndefined();
  });

  test('are never granted after the others have elected somebody, on equal clocks', () => {
    const { peers, leader } = cutOffLeader(true);
    let [granted, stale] = [0, 0];
    for (let tick = 0; tick < 60; tick++) {
      peers.elapse(1);
      if (peers.status(leader).role !== 'leader') continue;
      if (peers.grantOf(leader, peers.read(leader)) === undefined) continue;
      granted++;
      if (peers.leaders().length > 1) stale++;
    }
    expect(peers.leaders()).toHaveLength(1);
    expect(granted).toBeGreaterThan(3);
    expect(stale).toBe(0);
  });

  test('when they are off, a leader that is cut off never grants from its own clock', () => {
    const { peers, leader } = cutOffLeader(false);
    const read = peers.read(leader);
    peers.deliver();
    expect(peers.grantOf(leader, read)).toBeUndefined();
  });
});
