import { describe, expect, test } from 'vitest';
import { cluster, clusterLedBy, ids, PAPER, type Peers } from './testing.ts';
import { encodeState } from './testing-disk.ts';

/** 1 leads, has applied c0 to c9 at 3 to 12, and has only the last two in its log. 3 has nothing. */
function behind(): Peers {
  const peers = clusterLedBy('1', 3);
  peers.isolate('3');
  for (let n = 0; n < 10; n++) peers.propose('1', `c${n}`);
  peers.elapse(2);
  peers.compact('1', 10);
  return peers;
}

const TEN = Array.from({ length: 10 }, (_, n) => `c${n}`);

describe('log compaction (§7)', () => {
  test('what is compacted is gone from the log, and its end keeps its index, term and members', () => {
    const peers = behind();
    expect(peers.status('1')).toMatchObject({ firstIndex: 11, lastIndex: 12, applied: 12 });
    expect(peers.raft('1').snapshotMeta(10)).toEqual({
      index: 10,
      term: 2,
      config: { voters: ['1', '2', '3'], learners: [] },
    });
  });

  test('the meta at an index has the configuration that held there, not the newest', () => {
    const peers = clusterLedBy('1', 3);
    peers.propose('1', 'x');
    peers.elapse(1);
    peers.change('1', 'remove', '3');
    peers.elapse(2);
    expect(peers.status('1').applied).toBe(4);
    expect(peers.raft('1').snapshotMeta(3).config.voters).toEqual(['1', '2', '3']);
    expect(peers.raft('1').snapshotMeta(4).config.voters).toEqual(['1', '2']);
    peers.compact('1', 3);
    expect(peers.raft('1').snapshotMeta(3).config.voters).toEqual(['1', '2', '3']);
    expect(peers.status('1').config.voters).toEqual(['1', '2']);
  });

  test('a member restarts from its snapshot and the log after it', () => {
    const peers = behind();
    peers.crash('1');
    peers.restart('1');
    expect(peers.status('1')).toMatchObject({ firstIndex: 11, lastIndex: 12, term: 2 });
    peers.elapse(60);
    expect(peers.applied('1')).toEqual(TEN);
    expect(peers.leaders()).toHaveLength(1);
  });

  test('a member restarts where its state machine is, and applies nothing twice', () => {
    const peers = behind();
    const { machine } = peers.member('1');
    peers.crash('1');
    peers.restart('1', machine);
    expect(peers.status('1')).toMatchObject({ applied: 12, commit: 12 });
    peers.elapse(60);
    expect(peers.applied('1')).toEqual(TEN);
  });

  test('everything can be compacted, and the log goes on', () => {
    const peers = clusterLedBy('1', 3);
    peers.propose('1', 'x');
    peers.elapse(1);
    for (const id of ids(3)) peers.compact(id, 3);
    expect(peers.log('1')).toEqual([]);
    peers.propose('1', 'y');
    peers.elapse(1);
    for (const id of ids(3)) expect(peers.log(id)).toEqual(['2:y']);
    for (const id of ids(3)) expect(peers.applied(id)).toEqual(['x', 'y']);
  });

  test('members with compacted logs elect by the index and term that they end with', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('3');
    peers.propose('1', 'x');
    peers.elapse(1);
    for (const id of ['1', '2']) peers.compact(id, 3);
    peers.heal();
    peers.crash('1');
    peers.campaign('3');
    peers.deliver();
    expect(peers.leaders()).toEqual([]);
    peers.electLeader('2');
    peers.elapse(3);
    expect(peers.applied('3')).toEqual(['x']);
  });
});

describe('a follower that is too far behind (§7)', () => {
  test('gets a snapshot, and then the log', () => {
    const peers = behind();
    const snapshots = peers.watch('snapshot');
    peers.heal();
    peers.elapse(3);
    expect(snapshots).toMatchObject([{ type: 'snapshot', meta: { index: 12, term: 2 } }]);
    expect(peers.applied('3')).toEqual(TEN);
    peers.propose('1', 'more');
    peers.elapse(2);
    expect(peers.applied('3')).toEqual([...TEN, 'more']);
    expect(peers.status('1').progress.get('3')?.state).toBe('replicate');
  });

  test('knows the members from it', () => {
    const peers = cluster(3);
    peers.electLeader('1');
    peers.elapse(1);
    peers.start('4');
    peers.compact('1', 2);
    peers.change('1', 'add-learner', '4');
    peers.elapse(3);
    expect(peers.status('4')).toMatchObject({
      isLearner: true,
      config: { voters: ['1', '2', '3'], learners: ['4'] },
    });
  });

  test('acknowledges it only once it is installed, and applies nothing before', () => {
    const peers = behind();
    peers.heal();
    peers.holdDisk('3');
    peers.elapse(3);
    expect(peers.status('1').progress.get('3')?.match).toBeLessThan(12);
    expect(peers.applied('3')).toEqual([]);
    peers.flush('3');
    peers.elapse(3);
    expect(peers.status('1').progress.get('3')?.match).toBe(12);
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('that crashes while it installs one is as it was before, and gets another', () => {
    const peers = behind();
    peers.heal();
    peers.holdDisk('3');
    peers.elapse(3);
    peers.crash('3');
    peers.restart('3');
    expect(peers.status('3').lastIndex).toBe(2);
    peers.elapse(120);
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('restarts from an installed one', () => {
    const peers = behind();
    peers.heal();
    peers.elapse(3);
    peers.crash('3');
    peers.restart('3');
    expect(peers.status('3')).toMatchObject({ firstIndex: 13, lastIndex: 12, applied: 12 });
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('loses what conflicts with it', () => {
    const peers = clusterLedBy('3', 3, PAPER);
    peers.isolate('3');
    peers.propose('3', 'lost', 'lost', 'lost');
    peers.electLeader('1');
    for (const text of TEN) peers.propose('1', text);
    peers.elapse(1);
    peers.compact('1', 13);
    expect(peers.log('3')).toContain('2:lost');
    peers.heal();
    peers.elapse(5);
    expect(peers.log('3')).toEqual([]);
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('is not sent a second one while the first is under way', () => {
    const peers = behind();
    const held = peers.hold(({ type }) => type === 'snapshot');
    peers.heal();
    for (let n = 0; n < 20; n++) {
      peers.elapse(1);
      peers.propose('1', `m${n}`);
    }
    expect(held.messages).toHaveLength(1);
    held.release();
    peers.elapse(3);
    expect(peers.applied('3')).toEqual(peers.applied('1'));
  });
});

describe('snapshots that are lost or late', () => {
  test('one that could not be sent is sent again', () => {
    const peers = behind();
    const held = peers.hold(({ type }) => type === 'snapshot');
    peers.heal();
    peers.elapse(2);
    expect(held.messages).toHaveLength(1);
    held.lose();
    peers.act('1', (raft) => raft.reportSnapshot('3', false));
    peers.elapse(5);
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('one that was sent and never arrived is sent again', () => {
    const peers = behind();
    const held = peers.hold(({ type }) => type === 'snapshot');
    peers.heal();
    peers.elapse(2);
    held.lose();
    peers.act('1', (raft) => raft.reportSnapshot('3', true));
    peers.elapse(10);
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('one that nobody ever reports on is sent again after a while', () => {
    const peers = behind();
    const held = peers.hold(({ type }) => type === 'snapshot');
    peers.heal();
    peers.elapse(2);
    held.lose();
    expect(peers.status('1').progress.get('3')?.state).toBe('snapshot');
    peers.elapse(150);
    expect(peers.applied('3')).toEqual(TEN);
  });

  test('one that is older than what is committed is ignored, and answered', () => {
    const peers = behind();
    const held = peers.hold(({ type }) => type === 'snapshot');
    peers.heal();
    peers.elapse(2);
    const [snapshot] = held.messages;
    held.release();
    peers.elapse(2);
    peers.propose('1', 'more');
    peers.elapse(2);
    const answers = peers.hold(({ from }) => from === '3');
    if (snapshot !== undefined) peers.arrive(snapshot);
    expect(answers.messages).toMatchObject([{ type: 'append-reply', ok: true, match: 13 }]);
    answers.release();
    peers.elapse(2);
    expect(peers.applied('3')).toEqual([...TEN, 'more']);
  });

  test('one of a past term is not installed', () => {
    const peers = behind();
    const held = peers.hold(({ type }) => type === 'snapshot');
    peers.heal();
    peers.elapse(2);
    const [snapshot] = held.messages;
    peers.arrive({ type: 'heartbeat', from: '2', to: '3', term: 3, commit: 0 });
    if (snapshot !== undefined) peers.arrive(snapshot);
    expect(snapshot).toMatchObject({ type: 'snapshot', term: 2 });
    expect(peers.status('3')).toMatchObject({ lastIndex: 2, term: 3 });
  });

  test('a log that has the snapshot`s end is kept, with what follows it', () => {
    const peers = clusterLedBy('1', 3);
    // What tells 3 that something is committed is lost.
    peers.lose((message) => message.to === '3' && !('entries' in message && message.commit === 2));
    peers.propose('1', 'x', 'y');
    peers.deliver();
    // 3 has both, and knows that neither is committed.
    expect(peers.log('3')).toEqual(['1:{1 2 3}', '2:-', '2:x', '2:y']);
    expect(peers.status('3').commit).toBe(2);
    const meta = peers.raft('1').snapshotMeta(3);
    const data = encodeState({ index: 3, commands: [{ index: 3, command: 'x' }] });
    peers.arrive({ type: 'snapshot', from: '1', to: '3', term: 2, meta, data });
    expect(peers.log('3')).toEqual(['1:{1 2 3}', '2:-', '2:x', '2:y']);
    expect(peers.status('3').commit).toBe(3);
    expect(peers.applied('3')).toEqual(['x']);
  });

  test('appends that arrive while one is installed come after it', () => {
    const peers = behind();
    peers.heal();
    peers.holdDisk('3');
    peers.elapse(3);
    peers.propose('1', 'more');
    const { term } = peers.status('1');
    const entry = {
      index: 13,
      term,
      payload: { kind: 'command', data: Buffer.from('more') },
    } as const;
    const append = { prevIndex: 12, prevTerm: 2, entries: [entry], commit: 13 };
    peers.arrive({ type: 'append', from: '1', to: '3', term, ...append });
    expect(peers.applied('3')).toEqual([]);
    peers.flush('3');
    peers.elapse(3);
    expect(peers.applied('3')).toEqual([...TEN, 'more']);
  });

  test('a follower that is gone gets none until it is heard from', () => {
    const peers = behind();
    const snapshots = peers.watch('snapshot');
    peers.elapse(100);
    expect(snapshots.length).toBeLessThanOrEqual(1);
    peers.heal();
    peers.elapse(150);
    expect(peers.applied('3')).toEqual(TEN);
  });
});
