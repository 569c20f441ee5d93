import { describe, expect, test } from 'vitest';
import { invariant } from '../../../harness/core/invariant.ts';
import { cluster, clusterLedBy, ids, type OfType, PAPER, Peers } from './testing.ts';
import { diskWith } from './testing-disk.ts';
import type { Message } from './types.ts';

type Append = OfType<'append'>;

const APPEND: Append = {
  type: 'append',
  from: '1',
  to: '2',
  term: 9,
  prevIndex: 1,
  prevTerm: 1,
  entries: [],
  commit: 1,
};

/** 2 alone, in term 9, with these terms in its log. */
function followerWith(terms: readonly number[]): Peers {
  const disk = diskWith({ voters: ids(3), terms, term: 9 });
  return new Peers({ disks: new Map([['2', disk]]), tuning: PAPER });
}

/** What it answers to one append. */
function answer(terms: readonly number[], append: Partial<Append>): Message {
  const peers = followerWith(terms);
  const answers = peers.watch('append-reply');
  peers.arrive({ ...APPEND, ...append });
  const [first] = answers;
  invariant(first !== undefined, 'no answer');
  return first;
}

describe('log replication (§5.3)', () => {
  test('a command is applied by everybody, in order, once a majority has it', () => {
    const peers = clusterLedBy('1', 3);
    expect(peers.propose('1', 'x', 'y')).toBe(true);
    expect(peers.applied('1')).toEqual([]);
    peers.deliver();
    for (const id of ids(3)) {
      expect(peers.log(id)).toEqual(['1:{1 2 3}', '2:-', '2:x', '2:y']);
      expect(peers.applied(id)).toEqual(['x', 'y']);
    }
  });

  test('without a majority nothing is committed; with it, what was left is', () => {
    const peers = clusterLedBy('1', 5, PAPER);
    peers.split(['1', '2'], ['3', '4', '5']);
    peers.propose('1', 'x');
    peers.elapse(3);
    expect(peers.applied('1')).toEqual([]);
    expect(peers.log('2')).toContain('2:x');
    peers.heal();
    peers.elapse(3);
    for (const id of ids(5)) expect(peers.applied(id)).toEqual(['x']);
  });

  test('what a minority had is replaced by what the majority decided', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('1');
    peers.propose('1', 'lost', 'too');
    peers.electLeader('2');
    peers.propose('2', 'kept');
    peers.deliver();
    expect(peers.log('1')).toContain('2:lost');
    peers.heal();
    peers.elapse(3);
    for (const id of ids(3)) {
      expect(peers.log(id)).toEqual(['1:{1 2 3}', '2:-', '3:-', '3:kept']);
      expect(peers.applied(id)).toEqual(['kept']);
    }
  });

  test('a follower acknowledges only what is on its disk', () => {
    const peers = clusterLedBy('1', 3);
    peers.crash('3');
    peers.holdDisk('2');
    peers.propose('1', 'x');
    peers.deliver();
    expect(peers.applied('1')).toEqual([]);
    peers.flush('2');
    peers.deliver();
    expect(peers.applied('1')).toEqual(['x']);
  });

  test('a leader sends before its own disk has it, and then counts only the others', () => {
    const peers = clusterLedBy('1', 3);
    peers.holdDisk('1');
    peers.propose('1', 'x');
    peers.crash('3');
    peers.deliver();
    expect(peers.log('2')).toContain('2:x');
    expect(peers.status('1').commit).toBe(2);
    peers.flush('1');
    expect(peers.status('1').commit).toBe(3);
  });

  test('others may commit without the leader`s disk; it applies what is on its own only', () => {
    const peers = clusterLedBy('1', 3);
    peers.holdDisk('1');
    peers.propose('1', 'x');
    peers.deliver();
    expect(peers.status('1').commit).toBe(3);
    expect(peers.applied('2')).toEqual(['x']);
    expect(peers.applied('1')).toEqual([]);
    peers.flush('1');
    expect(peers.applied('1')).toEqual(['x']);
  });

  test('a follower applies what is on its own disk only', () => {
    const peers = clusterLedBy('1', 3);
    peers.holdDisk('2');
    peers.propose('1', 'x');
    peers.deliver();
    peers.elapse(2);
    expect(peers.status('2').commit).toBe(3);
    expect(peers.applied('2')).toEqual([]);
    peers.flush('2');
    expect(peers.applied('2')).toEqual(['x']);
  });

  test('a restarted member has its log, and applies again what it knew to be committed', () => {
    const peers = clusterLedBy('1', 3);
    peers.propose('1', 'x');
    peers.elapse(2);
    const log = peers.log('2');
    peers.crash('2');
    peers.restart('2');
    expect(peers.log('2')).toEqual(log);
    peers.elapse(2);
    expect(peers.applied('2')).toEqual(['x']);
  });

  test('a leader that lost what only it had is given the log of the others', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    peers.isolate('1');
    peers.holdDisk('1');
    peers.propose('1', 'lost');
    peers.crash('1');
    peers.restart('1');
    expect(peers.log('1')).not.toContain('2:lost');
    peers.electLeader('3');
    peers.heal();
    peers.elapse(3);
    expect(peers.log('1')).toEqual(['1:{1 2 3}', '2:-', '3:-']);
  });
});

describe('the consistency check (§5.3)', () => {
  test('an append after what the follower has is accepted', () => {
    const entry = { index: 3, term: 9, payload: { kind: 'none' } } as const;
    const append = { prevIndex: 2, prevTerm: 2, entries: [entry] };
    expect(answer([1, 2], append)).toMatchObject({ type: 'append-reply', ok: true, match: 3 });
  });

  test('an append after what the follower lacks is refused, with where its log ends', () => {
    expect(answer([1, 2], { prevIndex: 7, prevTerm: 2 })).toMatchObject({
      ok: false,
      prevIndex: 7,
      hintIndex: 2,
      hintTerm: 2,
    });
  });

  test('an append after what conflicts is refused, and the hint skips the whole later term', () => {
    const append = { prevIndex: 6, prevTerm: 2 };
    expect(answer([1, 2, 4, 4, 4, 4], append)).toMatchObject({
      ok: false,
      hintIndex: 2,
      hintTerm: 2,
    });
  });

  test('an append of an earlier term is refused with the newer one', () => {
    expect(answer([1, 2], { term: 8 })).toMatchObject({ ok: false, term: 9 });
  });

  test('an append commits no further than it reaches: what follows may conflict', () => {
    const peers = followerWith([1, 2, 4, 4]);
    peers.arrive({ ...APPEND, prevIndex: 2, prevTerm: 2, commit: 4 });
    expect(peers.status('2')).toMatchObject({ commit: 2, lastIndex: 4 });
  });

  test('a late append takes nothing away that came after it', () => {
    const peers = clusterLedBy('1', 3);
    const appends = peers.watch('append');
    peers.cut('2', '1');
    peers.cut('3', '1');
    peers.propose('1', 'x');
    peers.propose('1', 'y');
    peers.deliver();
    expect(peers.status('2').commit).toBe(2);
    expect(peers.log('2').slice(2)).toEqual(['2:x', '2:y']);
    for (const append of appends.toReversed()) peers.arrive(append);
    peers.deliver();
    expect(peers.log('2').slice(2)).toEqual(['2:x', '2:y']);
  });

  test.each([1, 3, 64])('rounds are few when terms conflict, with appends of %i entries', (max) => {
    const [voters, many] = [ids(2), Array.from({ length: 100 }, () => 3)];
    const disks = new Map([
      ['1', diskWith({ voters, terms: [1, ...Array.from({ length: 100 }, () => 2), 4] })],
      ['2', diskWith({ voters, terms: [1, ...many, ...many], term: 4 })],
    ]);
    const peers = new Peers({ disks, tuning: { ...PAPER, maxAppendEntries: max } });
    const answers = peers.watch('append-reply');
    peers.electLeader('1');
    peers.elapse(3);
    expect(peers.terms('2')).toEqual(peers.terms('1'));
    expect(answers.filter(({ ok }) => !ok).length).toBeLessThanOrEqual(2);
  });
});

describe('messages that are lost, late, or come twice', () => {
  test('everything twice changes nothing', () => {
    const peers = cluster(3);
    const seen = peers.watch();
    peers.electLeader('1');
    peers.propose('1', 'x', 'y');
    peers.deliver();
    for (const message of seen.slice()) peers.arrive(message);
    peers.elapse(5);
    for (const id of ids(3)) expect(peers.applied(id)).toEqual(['x', 'y']);
    expect(peers.leaders()).toEqual(['1']);
  });

  test('lost appends are sent again within a few heartbeats', () => {
    const peers = clusterLedBy('1', 3);
    const restore = peers.lose(({ type, to }) => type === 'append' && to === '2');
    for (const text of ['a', 'b', 'c']) peers.propose('1', text);
    peers.deliver();
    restore();
    expect(peers.log('2')).toHaveLength(2);
    peers.elapse(6);
    expect(peers.applied('2')).toEqual(['a', 'b', 'c']);
  });

  test('lost acknowledgements are made up for as well', () => {
    const peers = clusterLedBy('1', 3);
    peers.crash('3');
    const restore = peers.lose(({ type }) => type === 'append-reply');
    peers.propose('1', 'x');
    peers.deliver();
    expect(peers.applied('1')).toEqual([]);
    restore();
    peers.elapse(6);
    expect(peers.applied('1')).toEqual(['x']);
  });

  test('a late acknowledgement lowers nothing', () => {
    const peers = clusterLedBy('1', 3);
    const answers = peers.watch('append-reply');
    for (const text of ['a', 'b', 'c']) peers.propose('1', text);
    peers.deliver();
    for (const message of answers.toReversed()) peers.arrive(message);
    expect(peers.status('1').progress.get('2')).toMatchObject({ match: 5, next: 6 });
  });

  test('an acknowledgement of an earlier term counts for nothing in a later one', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    const late = peers.hold(({ type, from }) => type === 'append-reply' && from === '2');
    peers.isolate('3');
    peers.holdDisk('1');
    peers.propose('1', 'x');
    peers.deliver();
    peers.crash('1');
    peers.restart('1');
    peers.heal();
    peers.isolate('2');
    peers.lose(({ type, from }) => type === 'append-reply' && from === '3');
    peers.electLeader('1');
    expect(peers.log('1')).toEqual(['1:{1 2 3}', '2:-', '3:-']);
    peers.rejoin('2');
    expect(late.messages).toMatchObject([{ term: 2, match: 3 }]);
    for (const message of late.messages) peers.arrive(message);
    expect(peers.status('1').commit).toBeLessThan(3);
  });

  test('what a transport reports as lost is sent again without waiting', () => {
    const peers = clusterLedBy('1', 3);
    const restore = peers.lose(({ type, to }) => type === 'append' && to === '2');
    peers.propose('1', 'x');
    peers.deliver();
    restore();
    peers.act('1', (raft) => raft.reportUnreachable('2'));
    peers.deliver();
    expect(peers.log('2')).toContain('2:x');
  });

  test('appends in the wrong order come right', () => {
    const peers = clusterLedBy('1', 2, { maxAppendEntries: 1 });
    peers.propose('1', 'a', 'b', 'c', 'd');
    const queue = peers.queues.get('1>2') ?? [];
    expect(queue.length).toBeGreaterThan(1);
    queue.reverse();
    peers.deliver();
    peers.elapse(6);
    expect(peers.applied('2')).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a member that was down for long is brought up to date', () => {
    const peers = clusterLedBy('1', 3, { maxAppendEntries: 3 });
    peers.crash('3');
    const texts = Array.from({ length: 40 }, (_, at) => `c${at}`);
    for (const text of texts) peers.propose('1', text);
    peers.elapse(3);
    peers.restart('3');
    peers.elapse(5);
    expect(peers.applied('3')).toEqual(texts);
  });
});

describe('batches and pipelines', () => {
  test.each([1, 2, 5])('one append never has more than %i entries', (maxAppendEntries) => {
    const peers = clusterLedBy('1', 3, { maxAppendEntries });
    const appends = peers.watch('append');
    const texts = Array.from({ length: 11 }, (_, at) => `c${at}`);
    peers.propose('1', ...texts);
    peers.deliver();
    const sizes = appends.map(({ entries }) => entries.length);
    expect(Math.max(...sizes)).toBe(maxAppendEntries);
    expect(peers.applied('2')).toEqual(texts);
  });

  test('one entry alone goes out whatever its size', () => {
    const peers = clusterLedBy('1', 3);
    const large = 'x'.repeat(3 << 20);
    peers.propose('1', large, 'small');
    peers.deliver();
    expect(peers.applied('3')).toEqual([large, 'small']);
  });

  test('appends follow each other without waiting, up to maxInFlight', () => {
    const peers = clusterLedBy('1', 3, { maxInFlight: 4 });
    const appends = peers.watch('append');
    for (let n = 0; n < 10; n++) peers.propose('1', `c${n}`);
    const unanswered = appends.filter(({ to, entries }) => to === '2' && entries.length > 0);
    expect(unanswered).toHaveLength(4);
    peers.deliver();
    expect(peers.applied('2')).toHaveLength(10);
  });

  test('a follower that does not answer is probed, not flooded', () => {
    const peers = clusterLedBy('1', 3);
    peers.crash('3');
    peers.act('1', (raft) => raft.reportUnreachable('3'));
    const appends = peers.watch('append');
    for (let n = 0; n < 30; n++) {
      peers.propose('1', `c${n}`);
      peers.elapse(1);
    }
    expect(peers.status('1').progress.get('3')).toMatchObject({ isActive: false, state: 'probe' });
    expect(appends.filter(({ to }) => to === '3').length).toBeLessThanOrEqual(2);
    expect(peers.applied('1')).toHaveLength(30);
  });
});

describe('proposals', () => {
  test('a follower forwards to the leader', () => {
    const peers = clusterLedBy('1', 3);
    expect(peers.propose('2', 'x', 'y')).toBe(true);
    peers.deliver();
    for (const id of ids(3)) expect(peers.applied(id)).toEqual(['x', 'y']);
  });

  test('a learner forwards too', () => {
    const peers = cluster(3, {}, 1);
    peers.electLeader('1');
    expect(peers.propose('4', 'x')).toBe(true);
    peers.deliver();
    expect(peers.applied('4')).toEqual(['x']);
  });

  test('what is forwarded to a member that leads no more is lost, and never done twice', () => {
    const peers = clusterLedBy('1', 3, PAPER);
    const held = peers.hold(({ type }) => type === 'propose');
    peers.propose('2', 'x');
    peers.isolate('1');
    peers.electLeader('2');
    peers.heal();
    peers.elapse(2);
    held.release();
    peers.elapse(2);
    for (const id of ids(3)) expect(peers.applied(id)).toEqual([]);
  });

  test('without a leader they are refused at once', () => {
    const peers = clusterLedBy('1', 3);
    peers.crash('1');
    peers.cut('2', '3');
    peers.cut('3', '2');
    peers.elapse(40);
    expect(peers.propose('2', 'x')).toBe(false);
  });
});
