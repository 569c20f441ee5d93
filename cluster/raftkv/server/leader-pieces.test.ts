/** What only a leader may answer, by itself: calls, leases, changes of members. */

import { describe, expect, test } from 'vitest';
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { NO_BUGS } from '../bugs.ts';
import { FAILURES, failed, ok } from '../failures.ts';
import { createStore } from '../mvcc/store.ts';
import type { ChangeRefusal, Raft } from '../raft/types.ts';
import { LeaderCalls } from './calls.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { addressOf, MemberChanges } from './member-changes.ts';
import { Members } from './members.ts';

const random = Random.stream(seedFrom(1), 'pieces');
const writer = { put: () => undefined, delete: () => undefined };

function callsOn(clock: VirtualClock): LeaderCalls {
  return new LeaderCalls({
    self: 'a',
    clock,
    timeoutMs: 6_000,
    leader: () => 'a',
    transport: () => Promise.reject(new Error('nobody else is there')),
  });
}

describe('calls of the leader', () => {
  test('one that has only just begun to lead is asked again, even by itself', async () => {
    const clock = new VirtualClock();
    const calls = callsOn(clock);
    let asked = 0;
    calls.serve('x', async () => (++asked < 3 ? failed(FAILURES.notLeader) : ok('done')));
    expect(await clock.run(calls.ask('x', null, false))).toEqual(ok('done'));
    expect(asked).toBe(3);
  });

  test('give up in time, also when the leader itself waits for the others', async () => {
    const clock = new VirtualClock();
    let leader: string | undefined;
    const calls = new LeaderCalls({
      self: 'a',
      clock,
      timeoutMs: 6_000,
      leader: () => leader,
      transport: () => Promise.reject(new Error('nobody else is there')),
    });
    calls.serve('x', async () => {
      await sleep(clock, 6_000);
      return ok('too late');
    });
    clock.timer(3_000, () => {
      leader = 'a';
    });
    expect(await clock.run(calls.ask('x', null, true))).toEqual(failed(FAILURES.timedOut));
    expect(clock.wallMs()).toBe(6_000);
  });
});

describe('leases', () => {
  test('have their whole time anew when leadership went and came back between two ticks', async () => {
    const clock = new VirtualClock();
    const store = createStore(writer);
    let term: number | undefined = 1;
    const revoked: string[] = [];
    const calls = callsOn(clock);
    const keeper = new LeaseKeeper({
      bugs: NO_BUGS,
      clock,
      random,
      electionMs: 500,
      calls,
      store: () => store,
      leadsInTerm: () => term,
      confirmLeadership: async () => ok(null),
      propose: async (command) => {
        if (command.type === 'lease-revoke') revoked.push(command.id);
        return ok(null);
      },
    });
    keeper.tick();
    store.leases.grant('7', 2);
    keeper.applied({ type: 'lease-grant', id: '7', ttlSeconds: 2 });
    await clock.run(sleep(clock, 1_900));
    keeper.tick();
    // Another one led in term 2, and renewed it.
    term = 3;
    const renewal = { method: 'lease-renew', body: Buffer.from(JSON.stringify('7')) };
    expect(String(await calls.answer('b', renewal))).toContain('not leader');
    keeper.tick();
    expect(String(await calls.answer('b', renewal))).toContain('"value":2');
    await clock.run(sleep(clock, 2_400));
    keeper.tick();
    expect(revoked).toEqual([]);
    await clock.run(sleep(clock, 200));
    keeper.tick();
    expect(revoked).toEqual(['7']);
  });
});

test('a lease that this leader is the last to apply is renewed, not said to be over', async () => {
  const clock = new VirtualClock();
  const store = createStore(writer);
  const calls = callsOn(clock);
  const keeper: LeaseKeeper = new LeaseKeeper({
    bugs: NO_BUGS,
    clock,
    random,
    electionMs: 500,
    calls,
    store: () => store,
    leadsInTerm: () => 1,
    confirmLeadership: async () => {
      // What is committed has been applied when this resolves.
      store.leases.grant('7', 2);
      keeper.applied({ type: 'lease-grant', id: '7', ttlSeconds: 2 });
      return ok(null);
    },
    propose: async () => ok(null),
  });
  keeper.tick();
  const renewal = { method: 'lease-renew', body: Buffer.from(JSON.stringify('7')) };
  expect(String(await calls.answer('b', renewal))).toContain('"value":2');
});

describe('changes of members', () => {
  test('whose time was over before their turn came are never proposed', async () => {
    const clock = new VirtualClock();
    const calls = callsOn(clock);
    let answer: ChangeRefusal | 'accepted' = 'change-pending';
    const proposed: string[] = [];
    const raft = {
      proposeChange: ({ type }: { readonly type: string }) => {
        proposed.push(type);
        return answer;
      },
      status: () => ({ id: 'a', progress: new Map(), lastIndex: 0 }),
    } as unknown as Raft;
    const changes = new MemberChanges({
      bugs: NO_BUGS,
      self: 'a',
      token: 't',
      raft,
      clock,
      random,
      timeoutMs: 6_000,
      strict: false,
      calls,
      members: () => new Members(new Map(), writer),
      activeSinceMs: () => 0,
      nextSequence: () => 1,
      wait: async () => ok([]),
      wake: () => undefined,
    });
    const voter = { type: 'add', peerUrls: ['http://b:1'], isLearner: false } as const;
    const first = changes.change(voter);
    const second = changes.change({ ...voter, isLearner: true });
    expect(await clock.run(first)).toEqual(failed(FAILURES.timedOut));
    answer = 'accepted';
    expect(await clock.run(second)).toEqual(failed(FAILURES.timedOut));
    expect(new Set(proposed)).toEqual(new Set(['add-voter']));
  });

  test('a peer URL may leave out the port that goes without saying', () => {
    expect(addressOf('http://n1.test:80')).toBe('n1.test:80');
    expect(addressOf('https://n1.test:443')).toBe('n1.test:443');
    expect(addressOf('http://[::1]:2380')).toBe('[::1]:2380');
  });
});
