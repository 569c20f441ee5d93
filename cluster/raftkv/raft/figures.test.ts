import { describe, expect, test } from 'vitest';
import { ids, PAPER, Peers } from './testing.ts';
import { type DiskState, diskWith } from './testing-disk.ts';

/** Figure 7: the log of the leader of term 8, and those of its possible followers. */
const LEADER = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
const FOLLOWERS: Readonly<Record<string, readonly number[]>> = {
  a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
  b: [1, 1, 1, 4],
  c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
  d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
  e: [1, 1, 1, 4, 4, 4, 4],
  f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
};

function figure7(maxAppendEntries: number): Peers {
  const voters = ['0', ...Object.keys(FOLLOWERS)];
  const disks = new Map<string, DiskState>();
  disks.set('0', diskWith({ voters, terms: LEADER, term: 7 }));
  for (const [id, terms] of Object.entries(FOLLOWERS))
    disks.set(id, diskWith({ voters, terms, term: 7 }));
  return new Peers({ disks, tuning: { ...PAPER, maxAppendEntries } });
}

describe('figure 7: whatever a follower has, it comes to have the leader`s log', () => {
  test('the leader of term 8 is elected by those whose logs are not ahead: a, b, e and f', () => {
    const peers = figure7(64);
    const votes = peers.watch('vote-reply');
    peers.electLeader('0');
    expect(peers.status('0')).toMatchObject({ role: 'leader', term: 8 });
    const granted = votes.filter((vote) => vote.granted);
    expect(granted.map(({ from }) => from).toSorted()).toEqual(['a', 'b', 'e', 'f']);
  });

  describe.each([1, 2, 64])('with at most %i entries in an append', (maxAppendEntries) => {
    test.each(Object.entries(FOLLOWERS))('(%s) %j', (id) => {
      const peers = figure7(maxAppendEntries);
      peers.electLeader('0');
      peers.elapse(3);
      expect(peers.terms('0')).toEqual([...LEADER, 8]);
      expect(peers.log(id)).toEqual(peers.log('0'));
      expect(peers.applied(id)).toEqual(peers.applied('0'));
      expect(peers.applied(id)).toHaveLength(LEADER.length - 1);
    });
  });

  test.each(Object.keys(FOLLOWERS))('(%s) also when every other message is lost', (id) => {
    const peers = figure7(2);
    peers.electLeader('0');
    let count = 0;
    peers.lose(() => count++ % 2 === 0);
    peers.elapse(100);
    expect(peers.log(id)).toEqual(peers.log('0'));
  });
});

/**
 * Figure 8, step by step. Index 1 is the configuration, so that indices are those of the figure;
 * what is written at index 2 and 3 are the first entries of the leaders of their terms.
 */
class Figure8 {
  readonly peers: Peers;

  constructor() {
    const disk = diskWith({ voters: ids(5) });
    const disks = new Map(ids(5).map((id) => [id, disk]));
    this.peers = new Peers({ disks, tuning: { ...PAPER, maxAppendEntries: 1 } });
  }

  /** Its elections of earlier terms are heard by nobody; what it says as leader is lost, too. */
  elect(leader: string, term: number, voters: readonly string[]): void {
    const { peers } = this;
    const deafen = peers.lose(({ from }) => from === leader);
    while (peers.status(leader).term < term - 1) peers.campaign(leader);
    deafen();
    const restore = peers.lose(
      ({ type, to }) => type === 'append' || (type === 'vote' && !voters.includes(to)),
    );
    peers.electLeader(leader);
    restore();
    expect(peers.status(leader).term).toBe(term);
  }

  /** The leader brings `to` up to `last`, and no further; what `to` refuses may go beyond. */
  replicate(leader: string, to: string, last: number): void {
    const restore = this.peers.lose(
      (message) =>
        (message.to !== to && message.from === leader) ||
        (message.type === 'append' &&
          message.entries.some(({ index }) => index > last) &&
          message.prevIndex <= this.peers.status(to).lastIndex),
    );
    for (let n = 0; n < 10; n++) {
      this.peers.tick(leader);
      this.peers.deliver();
    }
    restore();
  }

  /** (a): S1 leads term 2 and has its entry at index 2 on S2 only. */
  a(): void {
    this.elect('1', 2, ['2', '3']);
    this.replicate('1', '2', 2);
  }

  /** (b): S1 crashes; S5 is elected by S3, S4 and itself, and has another entry at index 2. */
  b(): void {
    this.a();
    this.peers.crash('1');
    this.elect('5', 3, ['3', '4']);
  }

  /** (c): S5 crashes; S1 is elected, and has the entry of term 2 on a majority. */
  c(): void {
    this.b();
    this.peers.crash('5');
    this.peers.restart('1');
    this.elect('1', 4, ['2', '3']);
    this.replicate('1', '3', 2);
    // S2 has it since (a), and says so when the new leader asks, as with the paper's heartbeats.
    const restore = this.peers.lose(({ from }) => from === '1');
    const [prevIndex, prevTerm] = [2, 2];
    const empty = { prevIndex, prevTerm, entries: [], commit: 1 } as const;
    this.peers.arrive({ type: 'append', from: '1', to: '2', term: 4, ...empty });
    this.peers.deliver();
    restore();
  }
}

describe('figure 8: entries of earlier terms are never committed by counting (§5.4.2)', () => {
  test('(a) and (b): two entries compete for index 2', () => {
    const figure = new Figure8();
    figure.b();
    const { peers } = figure;
    expect(ids(5).map((id) => peers.terms(id))).toEqual([[1, 2], [1, 2], [1], [1], [1, 3]]);
  });

  test('(c): the entry of term 2 is on a majority, and is not committed', () => {
    const figure = new Figure8();
    figure.c();
    const { peers } = figure;
    expect(peers.status('1')).toMatchObject({ role: 'leader', term: 4, commit: 1 });
    expect(peers.terms('1')).toEqual([1, 2, 4]);
    expect(peers.terms('2')).toEqual([1, 2]);
    expect(peers.terms('3')).toEqual([1, 2]);
    // S2 and S3 have acknowledged it to this very leader.
    expect(peers.status('1').progress.get('2')?.match).toBe(2);
    expect(peers.status('1').progress.get('3')?.match).toBe(2);
    expect(peers.status('1').commit).toBe(1);
  });

  test('(d): S1 crashes, S5 is elected and overwrites it everywhere', () => {
    const figure = new Figure8();
    figure.c();
    const { peers } = figure;
    peers.crash('1');
    peers.restart('5');
    figure.elect('5', 5, ['2', '3', '4']);
    peers.elapse(6);
    const log = ['1:{1 2 3 4 5}', '3:-'];
    for (const id of ['2', '3', '4', '5']) expect(peers.log(id).slice(0, 2)).toEqual(log);
    expect(peers.status('5').commit).toBe(3);
    peers.restart('1');
    peers.elapse(3);
    expect(peers.log('1')).toEqual(peers.log('5'));
  });

  test('(e): with an entry of term 4 on a majority both are committed, and S5 cannot win', () => {
    const figure = new Figure8();
    figure.c();
    const { peers } = figure;
    figure.replicate('1', '2', 3);
    expect(peers.status('1').commit).toBe(1);
    figure.replicate('1', '3', 3);
    expect(peers.status('1').commit).toBe(3);
    expect(peers.member('1').machine.index).toBe(3);
    peers.crash('1');
    peers.restart('5');
    for (let n = 0; n < 3; n++) {
      peers.campaign('5');
      peers.deliver();
    }
    expect(peers.leaders()).toEqual([]);
    peers.electLeader('2');
    peers.elapse(3);
    expect(peers.terms('5').slice(0, 3)).toEqual([1, 2, 4]);
  });
});
