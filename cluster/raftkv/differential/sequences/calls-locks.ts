/** The services Lock and Election. */
import {
  afterPrefix,
  bytes,
  type CallSequence,
  type CallStep,
  compact,
  EVERY_KEY,
  messages,
  type OpenStep,
  put,
  type Request,
  type UnaryStep,
} from '../calls.ts';

/** Leases of those who have some; no other has one. */
const [A, B, C, NOBODY] = [7, 8, -9, 77];
const LEASES: readonly UnaryStep[] = [A, B, C].map((ID) => ({
  call: 'Lease.LeaseGrant',
  request: { ID, TTL: 100 },
}));

const ALL: UnaryStep = { call: 'KV.Range', request: EVERY_KEY };

function revoke(ID: number): UnaryStep {
  return { call: 'Lease.LeaseRevoke', request: { ID } };
}

/** Until so many stand in line. */
function inLine(name: string, count: number): UnaryStep {
  return {
    call: 'KV.Range',
    request: { key: bytes(`${name}/`), rangeEnd: afterPrefix(`${name}/`) },
    until: (answer) => answer.type === 'ok' && answer.message['count'] === `${count}`,
  };
}

function lock(name: string, lease: number): UnaryStep {
  return { call: 'Lock.Lock', request: { name: bytes(name), lease } };
}

/** Goes on beside the steps that follow. */
function lockLater(as: string, name: string, lease: number): OpenStep {
  return { open: 'Lock.Lock', as, request: { name: bytes(name), lease } };
}

function unlock(key: string): UnaryStep {
  return { call: 'Lock.Unlock', request: { key: bytes(key) } };
}

const locks: CallSequence = {
  kind: 'calls',
  name: 'locks',
  steps: [
    ...LEASES,
    lock('l', A),
    lock('l', A),
    lock('l/7', A),
    lock('other', C),
    lock('l', NOBODY),
    { call: 'Lock.Lock', request: { lease: B } },
    { call: 'Lock.Lock', request: { name: bytes('with a lease of the server') } },
    ALL,
    lockLater('b', 'l', B),
    inLine('l', 3),
    lockLater('c', 'l', C),
    inLine('l', 4),
    unlock('none'),
    unlock(''),
    unlock('l'),
    unlock('l/7/7'),
    unlock('l/7'),
    { end: 'b' },
    inLine('l', 2),
    unlock('l/8'),
    { end: 'c' },
    lock('l', C),
    unlock('l/-9'),
    ALL,
  ],
};

const waiters: CallSequence = {
  kind: 'calls',
  name: 'locks: those who wait',
  steps: [
    ...LEASES,
    lock('l', A),
    lockLater('gone', 'l', B),
    inLine('l', 2),
    { drop: 'gone' },
    inLine('l', 1),
    // In the middle of the line, and then the holder.
    lockLater('b', 'l', B),
    inLine('l', 2),
    lockLater('c', 'l', C),
    inLine('l', 3),
    { drop: 'b' },
    inLine('l', 2),
    revoke(A),
    { end: 'c' },
    lockLater('b', 'l', B),
    inLine('l', 2),
    put('x', '1'),
    put('x', '2'),
    put('x', '3'),
    compact(13),
    revoke(C),
    { end: 'b' },
    ALL,
  ],
};

const lost: CallSequence = {
  kind: 'calls',
  name: 'locks: a place that is lost',
  steps: [
    ...LEASES,
    lock('l', A),
    lockLater('lost', 'l', B),
    inLine('l', 2),
    revoke(B),
    inLine('l', 1),
    unlock('l/7'),
    { end: 'lost' },
    ALL,
  ],
};

const E: Request = { name: bytes('e') };

function campaign(lease: number, value: string): UnaryStep {
  return { call: 'Election.Campaign', request: { ...E, lease, value: bytes(value) } };
}

function campaignLater(as: string, lease: number, value: string): OpenStep {
  return { open: 'Election.Campaign', as, request: { ...E, lease, value: bytes(value) } };
}

function leaderKey(key: string, rev: number, lease: number): Request {
  return { ...E, key: bytes(key), rev, lease };
}

function proclaim(leader: Request, value: string): UnaryStep {
  return { call: 'Election.Proclaim', request: { leader, value: bytes(value) } };
}

function resign(leader: Request): UnaryStep {
  return { call: 'Election.Resign', request: { leader } };
}

const LEADER: UnaryStep = { call: 'Election.Leader', request: E };
const OBSERVE: OpenStep = { open: 'Election.Observe', as: 'o', request: E };
/** One by one: how etcd cuts revisions into messages is a matter of time. */
const NEXT: CallStep = { receive: 'o', until: messages(1) };

const elections: CallSequence = {
  kind: 'calls',
  name: 'elections',
  steps: [
    ...LEASES,
    LEADER,
    { call: 'Election.Leader', request: {} },
    OBSERVE,
    campaign(A, 'one'),
    NEXT,
    campaign(A, 'one'),
    campaign(A, 'another'),
    NEXT,
    campaign(NOBODY, 'x'),
    { call: 'Election.Campaign', request: { lease: A } },
    LEADER,
    campaignLater('b', B, 'two'),
    inLine('e', 2),
    // One who waits may proclaim, and is not heard before it leads.
    proclaim(leaderKey('e/8', 5, B), 'too early'),
    proclaim(leaderKey('e/7', 2, A), 'third'),
    NEXT,
    campaignLater('c', C, ''),
    inLine('e', 3),
    resign(leaderKey('e/7', 2, A)),
    { end: 'b' },
    NEXT,
    LEADER,
    resign(leaderKey('e/7', 2, A)),
    proclaim(leaderKey('e/7', 2, A), 'too late'),
    revoke(B),
    { end: 'c' },
    NEXT,
    { drop: 'o' },
    LEADER,
    ALL,
  ],
};

const odd: CallSequence = {
  kind: 'calls',
  name: 'elections: keys of leaders that are none',
  steps: [
    ...LEASES,
    { call: 'Election.Proclaim', request: {} },
    { call: 'Election.Resign', request: {} },
    { call: 'Election.Proclaim', request: { leader: {} } },
    { call: 'Election.Resign', request: { leader: {} } },
    campaign(A, 'one'),
    proclaim(leaderKey('e/7', 1, A), 'no'),
    proclaim(leaderKey('e/7', 2, NOBODY), 'no'),
    proclaim(leaderKey('e/7', 2, B), 'with the lease of another'),
    proclaim(leaderKey('nothing', 2, A), 'no'),
    // A key that there is not has no creation: so it is put.
    proclaim(leaderKey('nothing', 0, A), 'something'),
    proclaim(leaderKey('nothing', 0, A), 'something else'),
    resign(leaderKey('e/7', 1, A)),
    resign(leaderKey('nothing', 0, A)),
    ALL,
    revoke(A),
    LEADER,
    revoke(B),
    LEADER,
  ],
};

const observers: CallSequence = {
  kind: 'calls',
  name: 'elections: those who wait, and who looks on',
  steps: [
    ...LEASES,
    campaign(A, 'one'),
    campaignLater('gone', B, 'two'),
    inLine('e', 2),
    { drop: 'gone' },
    inLine('e', 1),
    OBSERVE,
    NEXT,
    put('e/', 'later than the leader'),
    put('x', '1'),
    put('x', '2'),
    compact(7),
    revoke(A),
    NEXT,
    put('e/', 'again'),
    NEXT,
    { call: 'KV.DeleteRange', request: EVERY_KEY },
    campaign(C, 'three'),
    NEXT,
    { drop: 'o' },
  ],
};

const unseated: CallSequence = {
  kind: 'calls',
  name: 'elections: a place that is lost',
  steps: [
    ...LEASES,
    campaign(A, 'one'),
    campaignLater('lost', B, 'two'),
    inLine('e', 2),
    revoke(B),
    inLine('e', 1),
    revoke(A),
    { end: 'lost' },
    LEADER,
  ],
};

const everywhere: CallSequence = {
  kind: 'calls',
  name: 'locks and elections: at every node',
  nodes: 3,
  steps: [
    ...LEASES,
    { ...lock('l', A), at: 'n1' },
    { ...lockLater('b', 'l', B), at: 'n2' },
    inLine('l', 2),
    { ...lockLater('gone', 'l', C), at: 'n3' },
    // Asked where it waits: who goes before its own node knows that it stands in line stays in etcd's.
    { ...inLine('l', 3), at: 'n3' },
    { drop: 'gone' },
    inLine('l', 2),
    { ...unlock('l/7'), at: 'n3' },
    { end: 'b' },
    { ...OBSERVE, at: 'n3' },
    { ...campaign(A, 'one'), at: 'n2' },
    NEXT,
    { ...campaignLater('c', C, 'two'), at: 'n3' },
    inLine('e', 2),
    revoke(A),
    { end: 'c' },
    NEXT,
    { ...LEADER, at: 'n2' },
    { drop: 'o' },
    ALL,
  ],
};

export const LOCK_CALLS: readonly CallSequence[] = [
  locks,
  waiters,
  lost,
  elections,
  odd,
  observers,
  unseated,
  everywhere,
];
