/** One core and hand-made messages: what a cluster of them shows only by chance. */
import { describe, expect, test } from 'vitest';
import { createRaft } from './raft.ts';
import type { MessageBody } from './state.ts';
import type { Configuration, Message, Persist, Raft, RaftOptions, Restored } from './types.ts';

const ELECTION_TICKS = 10;
const THREE: Configuration = { voters: ['1', '2', '3'], learners: [] };
const NEW: Restored = {
  hardState: { term: 0, vote: null, commit: 0 },
  snapshot: { index: 0, term: 0, config: THREE },
  entries: [],
  applied: 0,
};

function coreOf(options: Partial<RaftOptions> = {}): Raft {
  return createRaft({
    id: '1',
    restored: NEW,
    electionTicks: ELECTION_TICKS,
    heartbeatTicks: 1,
    preVote: false,
    checkQuorum: false,
    maxAppendEntries: 8,
    maxInFlight: 4,
    leaseReads: false,
    random: () => 0,
    ...options,
  });
}

/** From member `from` to member 1. */
function hear(raft: Raft, from: string, term: number, body: MessageBody): void {
  raft.step({ ...body, from, to: '1', term } satisfies Message);
}

/** Everything is persisted and applied at once; what was said, in order. */
function settle(raft: Raft): readonly Message[] {
  const said: Message[] = [];
  for (;;) {
    const messages = raft.takeMessages();
    const committed = raft.takeCommitted();
    const persist = raft.takePersist();
    said.push(...messages, ...(persist?.replies ?? []));
    if (persist !== undefined) raft.persisted();
    else if (messages.length === 0 && committed.length === 0) return said;
  }
}

/** Leader of term 1, with member 2 replicating and the first entry committed. */
function leader(options: Partial<RaftOptions> = {}): Raft {
  const raft = coreOf(options);
  raft.campaign();
  settle(raft);
  hear(raft, '2', 1, { type: 'vote-reply', granted: true });
  settle(raft);
  hear(raft, '2', 1, { type: 'append-reply', ok: true, match: 1 });
  settle(raft);
  return raft;
}

function acknowledge(raft: Raft, from: string): void {
  hear(raft, from, 1, { type: 'append-reply', ok: true, match: raft.status().lastIndex });
}

function to(member: string, messages: readonly Message[]): readonly Message[] {
  return messages.filter((message) => message.to === member);
}

describe('what is on disk', () => {
  test('a candidate counts its own vote only once that is persisted', () => {
    const alone: Configuration = { voters: ['1'], learners: ['2'] };
    const raft = coreOf({ restored: { ...NEW, snapshot: { ...NEW.snapshot, config: alone } } });
    raft.campaign();
    expect(raft.takeMessages()).toEqual([]);
    expect(raft.takePersist()?.hardState).toEqual({ term: 1, vote: '1', commit: 0 });
    expect(raft.status().role).toBe('candidate');
    raft.persisted();
    expect(raft.status().role).toBe('leader');
  });

  test('a leader sends entries at once, but counts its own only once they are persisted', () => {
    const raft = leader();
    raft.propose([new Uint8Array(1)]);
    expect(to('2', raft.takeMessages()).map(({ type }) => type)).toEqual(['append']);
    hear(raft, '2', 1, { type: 'append-reply', ok: true, match: 2 });
    expect(raft.status().commit).toBe(1);
    raft.takePersist();
    expect(raft.status().commit).toBe(1);
    raft.persisted();
    expect(raft.status().commit).toBe(2);
  });

  test('a commit index alone is not worth a write, and comes with the next', () => {
    const raft = leader();
    // The commit index of 1 is newer than what was written last.
    expect(raft.takePersist()).toBeUndefined();
    raft.propose([new Uint8Array(1)]);
    expect(raft.takePersist()).toMatchObject({ hardState: { commit: 1 }, mustSync: true });
  });

  test('answers that promise nothing new need no sync', () => {
    const raft = coreOf();
    hear(raft, '2', 1, { type: 'heartbeat', commit: 0 });
    expect(raft.takePersist()?.mustSync).toBe(true);
    raft.persisted();
    hear(raft, '2', 1, { type: 'heartbeat', commit: 0 });
    expect(raft.takePersist()).toEqual({
      entries: [],
      mustSync: false,
      replies: [{ type: 'heartbeat-reply', from: '1', to: '2', term: 1 }],
    } satisfies Persist);
  });
});

describe('rounds of reads', () => {
  test('an answer confirms its round and those before it, and none that came later', () => {
    const raft = leader();
    raft.readIndex(1);
    const first = to('2', raft.takeMessages()).find(({ type }) => type === 'heartbeat');
    raft.readIndex(2);
    raft.readIndex(3);
    const second = to('2', raft.takeMessages()).find(({ type }) => type === 'heartbeat');
    if (first?.type !== 'heartbeat' || second?.type !== 'heartbeat') throw new Error('no rounds');
    expect(second.round).toBe((first.round ?? 0) + 1);

    hear(raft, '2', 1, { type: 'heartbeat-reply' });
    expect(raft.takeReads()).toEqual([]);
    hear(raft, '2', 1, { type: 'heartbeat-reply', round: first.round ?? 0 });
    hear(raft, '3', 1, { type: 'heartbeat-reply', round: first.round ?? 0 });
    expect(raft.takeReads()).toEqual([{ id: 1, index: 1 }]);
    hear(raft, '3', 1, { type: 'heartbeat-reply', round: second.round ?? 0 });
    expect(raft.takeReads().map(({ id }) => id)).toEqual([2, 3]);
  });

  test('an answer to a round that was never sent confirms nothing', () => {
    const raft = leader();
    raft.readIndex(1);
    raft.takeMessages();
    hear(raft, '2', 1, { type: 'heartbeat-reply', round: 99 });
    expect(raft.takeReads()).toEqual([]);
  });

  test('the newest round is repeated with the regular heartbeat while reads wait', () => {
    const raft = leader();
    raft.readIndex(1);
    const [lost] = to('3', raft.takeMessages());
    raft.tick();
    const repeated = to('3', raft.takeMessages()).filter(({ type }) => type === 'heartbeat');
    expect(lost).toMatchObject({ type: 'heartbeat', round: 1 });
    expect(repeated).toMatchObject([{ round: 1 }]);
  });
});

describe('members that are not there', () => {
  test('one that is silent gets no snapshot, until it is heard from again', () => {
    const raft = leader();
    acknowledge(raft, '3');
    settle(raft);
    for (let n = 0; n < 8; n++) raft.propose([new Uint8Array(1)]);
    settle(raft);
    acknowledge(raft, '2');
    settle(raft);
    raft.compact(raft.status().applied);
    for (let n = 0; n <= ELECTION_TICKS; n++) raft.tick();
    raft.reportUnreachable('3');
    expect(to('3', settle(raft)).map(({ type }) => type)).toEqual(['heartbeat']);
    hear(raft, '3', 1, { type: 'heartbeat-reply' });
    expect(to('3', settle(raft)).map(({ type }) => type)).toEqual(['snapshot']);
    expect(raft.status().progress.get('3')?.state).toBe('snapshot');
  });

  test('one that was removed is told so, then left alone', () => {
    const raft = leader();
    acknowledge(raft, '3');
    settle(raft);
    expect(raft.proposeChange({ type: 'remove', member: '3' }, new Uint8Array())).toBe('accepted');
    const index = raft.status().lastIndex;
    expect([...raft.status().progress.keys()]).toEqual(['2']);
    expect(to('3', settle(raft))).toMatchObject([{ type: 'append', entries: [{ index }] }]);
    acknowledge(raft, '3');
    expect(raft.status().commit).toBe(index - 1);
    acknowledge(raft, '2');
    expect(to('3', settle(raft))).toMatchObject([{ type: 'append', commit: index }]);
    for (let n = 0; n < 2 * ELECTION_TICKS; n++) {
      raft.tick();
      hear(raft, '2', 1, { type: 'heartbeat-reply' });
    }
    settle(raft);
    raft.tick();
    expect(to('3', settle(raft))).toEqual([]);
  });

  test('one that was removed goes on electing until it knows that to be committed', () => {
    const raft = leader();
    raft.proposeChange({ type: 'remove', member: '1' }, new Uint8Array());
    settle(raft);
    // Deposed, with the removal in its log, where those who could go on without it lack it.
    hear(raft, '3', 2, { type: 'vote', lastIndex: 1, lastTerm: 1, transfer: false });
    raft.campaign();
    expect(settle(raft).filter(({ type }) => type === 'vote')).toMatchObject([
      { to: '2', term: 3 },
      { to: '3', term: 3 },
    ]);
    // Its own vote does not count any more.
    hear(raft, '2', 3, { type: 'vote-reply', granted: true });
    expect(raft.status().role).toBe('candidate');
    hear(raft, '3', 3, { type: 'vote-reply', granted: true });
    expect(raft.status().role).toBe('leader');
    settle(raft);
    for (const from of ['2', '3'])
      hear(raft, from, 3, { type: 'append-reply', ok: true, match: raft.status().lastIndex });
    expect(settle(raft).some(({ type }) => type === 'heartbeat')).toBe(true);
    expect(raft.status().role).toBe('follower');
    raft.campaign();
    expect(raft.status().role).toBe('follower');
  });
});

describe('leases', () => {
  test('a restarted member votes for nobody while a leader may still rely on it', () => {
    const restored = { ...NEW, hardState: { term: 1, vote: null, commit: 0 } };
    const raft = coreOf({ restored, checkQuorum: true, leaseReads: true });
    const vote: MessageBody = { type: 'vote', lastIndex: 9, lastTerm: 1, transfer: false };
    hear(raft, '2', 2, vote);
    expect(settle(raft)).toEqual([]);
    for (let n = 0; n < ELECTION_TICKS; n++) raft.tick();
    settle(raft);
    hear(raft, '2', 3, vote);
    expect(settle(raft)).toMatchObject([{ type: 'vote-reply', granted: true }]);
  });

  test('reads need no round while a quorum has answered a recent heartbeat', () => {
    const raft = leader({ checkQuorum: true, leaseReads: true });
    raft.readIndex(1);
    expect(raft.takeReads()).toEqual([]);
    raft.tick();
    settle(raft);
    hear(raft, '2', 1, { type: 'heartbeat-reply', round: 1 });
    raft.takeReads();
    raft.readIndex(2);
    expect(raft.takeReads()).toEqual([{ id: 2, index: 1 }]);
    for (let n = 0; n < ELECTION_TICKS - 1; n++) raft.tick();
    raft.readIndex(3);
    expect(raft.takeReads()).toEqual([]);
  });
});
