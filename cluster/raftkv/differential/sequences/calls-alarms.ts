/** Alarms, what they forbid until they are taken back, and defragmentation. */
import {
  bytes,
  type CallSequence,
  type CallStep,
  compact,
  put,
  range,
  remove,
  txn,
  type UnaryStep,
} from '../calls.ts';

function alarm(action: string, type = 'NONE', member = 0): UnaryStep {
  return { call: 'Maintenance.Alarm', request: { action, memberID: member, alarm: type } };
}

const PUT = { requestPut: { key: bytes('t'), value: bytes('1') } };
const RANGE = { requestRange: { key: bytes('a') } };
const DELETE = { requestDeleteRange: { key: bytes('t') } };

function grant(id: number): UnaryStep {
  return { call: 'Lease.LeaseGrant', request: { ID: id, TTL: 1_000 } };
}

function revoke(id: number): UnaryStep {
  return { call: 'Lease.LeaseRevoke', request: { ID: id } };
}

/** Of everything that an alarm may forbid. */
function everything(lease: number): readonly CallStep[] {
  return [
    put('a', '2'),
    range('a'),
    range('a', { serializable: true }),
    remove('b', { prevKv: true }),
    txn([], [PUT]),
    txn([], [RANGE]),
    txn([], [RANGE, DELETE], [PUT]),
    txn([], [DELETE, RANGE]),
    txn([], [{ requestTxn: { success: [PUT] } }]),
    txn([], [{ requestTxn: { success: [RANGE] } }]),
    grant(lease),
    { call: 'Lease.LeaseTimeToLive', request: { ID: 1, keys: true } },
    { call: 'Lease.LeaseLeases', request: {} },
    { call: 'Cluster.MemberList', request: {} },
    { call: 'Maintenance.Status', request: {} },
    { call: 'Maintenance.Defragment', request: {} },
    range('a'),
  ];
}

const noSpace: CallSequence = {
  kind: 'calls',
  name: 'alarms: no space',
  steps: [
    ...['a', 'b', 'c'].map((key) => put(key, '1')),
    grant(1),
    alarm('GET'),
    alarm('DEACTIVATE', 'NOSPACE', 7),
    alarm('ACTIVATE', 'NOSPACE', 7),
    alarm('ACTIVATE', 'NOSPACE', 7),
    alarm('GET'),
    alarm('GET', 'NOSPACE', 9),
    alarm('GET', 'CORRUPT'),
    ...everything(2),
    compact(3),
    range('a', { revision: 2 }),
    { restart: 'n1' },
    alarm('GET'),
    put('a', '3'),
    alarm('ACTIVATE', 'NOSPACE', 8),
    alarm('DEACTIVATE', 'NOSPACE', 7),
    put('a', '4'),
    alarm('DEACTIVATE', 'CORRUPT', 8),
    alarm('DEACTIVATE', 'NOSPACE', 8),
    alarm('GET'),
    ...everything(3),
    revoke(1),
    revoke(3),
  ],
};

const corrupt: CallSequence = {
  kind: 'calls',
  name: 'alarms: corrupt',
  steps: [
    ...['a', 'b', 'c'].map((key) => put(key, '1')),
    grant(1),
    alarm('ACTIVATE', 'CORRUPT', 7),
    alarm('GET', 'CORRUPT'),
    ...everything(2),
    compact(3),
    compact(1_000),
    revoke(1),
    { restart: 'n1' },
    put('a', '3'),
    alarm('DEACTIVATE', 'CORRUPT', 7),
    alarm('GET'),
    ...everything(3),
    compact(3),
    revoke(1),
  ],
};

const both: CallSequence = {
  kind: 'calls',
  name: 'alarms: both',
  steps: [
    put('a', '1'),
    alarm('ACTIVATE', 'CORRUPT', 7),
    alarm('ACTIVATE', 'NOSPACE', 7),
    put('a', '2'),
    alarm('DEACTIVATE', 'NOSPACE', 7),
    alarm('GET'),
    put('a', '3'),
  ],
};

export const ALARM_CALLS: readonly CallSequence[] = [noSpace, corrupt, both];
