import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytes, type Message, type Request } from './calls.ts';
import { commandArbitrary } from './lockstep-commands.ts';
import { Model, type OpenWatch, watchOf } from './lockstep-model.ts';
import { type OneSystem, requestFor } from './lockstep-requests.ts';

const SYSTEM: OneSystem = {
  own: '77',
  learner: undefined,
  learnerPort: 2381,
  leads: new Map([['election/11', '9']]),
};

describe('a request', () => {
  test('speaks of revisions before the newest one, of members and of leaders', () => {
    const asked = {
      key: 'k/0',
      revision: { ago: 3 },
      peerURLs: { of: 'learner' },
      success: [{ requestPut: { key: 'a', value: { bytes: 3 } } }],
      compare: [{ modRevision: { ago: 99 } }, { createRevision: { ago: -1 } }],
      ID: { member: 'n1' },
      leader: { rev: { leads: 'election/11' } },
    };
    expect(requestFor(asked, SYSTEM, 10)).toEqual({
      key: bytes('k/0'),
      revision: 7,
      peerURLs: ['http://192.0.2.1:2381'],
      success: [{ requestPut: { key: bytes('a'), value: bytes('xxx') } }],
      compare: [{ modRevision: 0 }, { createRevision: 11 }],
      ID: '77',
      leader: { rev: '9' },
    });
  });

  test('for the learner goes to nobody while there is none', () => {
    const asked = { ID: { member: 'learner' } };
    const nobody = requestFor({ ID: { member: 'nobody' } }, SYSTEM, 1);
    expect(requestFor(asked, SYSTEM, 1)).toEqual(nobody);
    expect(requestFor(asked, { ...SYSTEM, learner: '5' }, 1)).toEqual({ ID: '5' });
  });
});

test('commands are plain data, so that a counterexample can be read and played again', () => {
  const commands = fc.sample(commandArbitrary(100), { numRuns: 2000, seed: 1 });
  for (const command of commands) expect(JSON.parse(JSON.stringify(command))).toEqual(command);
  const calls = new Set(commands.flatMap((each) => ('call' in each ? [each.call] : [])));
  expect([...calls].toSorted()).toEqual([
    'Cluster.MemberAdd',
    'Cluster.MemberList',
    'Cluster.MemberPromote',
    'Cluster.MemberRemove',
    'Cluster.MemberUpdate',
    'Election.Campaign',
    'Election.Leader',
    'Election.Proclaim',
    'Election.Resign',
    'KV.Compact',
    'KV.DeleteRange',
    'KV.Put',
    'KV.Range',
    'KV.Txn',
    'Lease.LeaseGrant',
    'Lease.LeaseLeases',
    'Lease.LeaseRevoke',
    'Lease.LeaseTimeToLive',
    'Lock.Lock',
    'Lock.Unlock',
    'Maintenance.Alarm',
    'Maintenance.Defragment',
    'Maintenance.HashKV',
    'Maintenance.MoveLeader',
    'Maintenance.Status',
  ]);
  const others = new Set(commands.flatMap((each) => ('call' in each ? [] : Object.keys(each))));
  expect(others).toEqual(
    new Set(['watch', 'on', 'cancel', 'progress', 'keepAlive', 'receive', 'restart']),
  );
});

/** After revision 10: puts of `k/1` at 11 and `k/2` at 12, at 13 a deletion of the first. */
function model(): Model {
  const known = new Model(10);
  known.note({
    events: [
      { type: 'PUT', kv: { key: bytes('k/1'), modRevision: '11' } },
      { type: 'PUT', kv: { key: bytes('k/2'), modRevision: '12' } },
      { type: 'DELETE', kv: { key: bytes('k/1'), modRevision: '13' } },
    ],
  } satisfies Message);
  known.revision = 13;
  return known;
}

function watch(key: string, more: Request = {}): OpenWatch {
  return watchOf('0', 'w1', { key: bytes(key), startRevision: 11, ...more }, 10);
}

describe('what a watch is due', () => {
  test.each([
    { of: watch('k/1'), due: 2 },
    { of: watch('k/2'), due: 1 },
    { of: watch('k/3'), due: 0 },
    { of: watch('k/', { rangeEnd: bytes('k0') }), due: 3 },
    { of: watch('k/', { rangeEnd: bytes('k/2') }), due: 2 },
    { of: watch('', { rangeEnd: bytes('\0') }), due: 3 },
    { of: watch(''), due: 0 },
    { of: watch('k/1', { startRevision: 12 }), due: 1 },
    { of: watch('k/1', { startRevision: 14 }), due: 0 },
    { of: watch('k/1', { startRevision: undefined }), due: 2 },
    { of: watch('k/1', { filters: ['NOPUT'] }), due: 1 },
    { of: watch('k/1', { filters: ['NODELETE'] }), due: 1 },
    { of: watch('k/1', { filters: ['NOPUT', 'NODELETE'] }), due: 0 },
    { of: { ...watch('k/1'), told: 12 }, due: 1 },
  ])('$due of its key, its range, its filters and its start', ({ of, due }) => {
    expect(model().due(of)).toBe(due);
  });

  test('is nothing once all is told', () => {
    const known = model();
    const open = watch('k/1');
    known.watches.push(open);
    known.allTold();
    expect(known.due(open)).toBe(0);
  });

  test('may be lost by etcd where a deletion is at the compacted revision', () => {
    const known = model();
    // What was before the sequence may have been one.
    expect(known.isLostAt(10)).toBe(true);
    expect(known.isLostAt(13)).toBe(false);
    known.compactRevision = 12;
    expect(known.isLostAt(12)).toBe(false);
    known.compactRevision = 13;
    expect(known.isLostAt(13)).toBe(true);
  });
});
