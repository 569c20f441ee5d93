/** Calls on keys that etcdctl has no flags for. */
import {
  afterPrefix,
  bytes,
  type CallSequence,
  type CallStep,
  compact,
  EVERY_KEY,
  put,
  type Request,
  range,
  remove,
  txn,
} from '../calls.ts';

/** Three times, so that keys differ in created, modified and version. */
const FILLED: readonly CallStep[] = [
  ...['c', 'a', 'd', 'b', 'e'].map((key, at) => put(`k/${key}`, String(at))),
  put('k/a', '9'),
  put('k/d', '0'),
  put('k/a', '5'),
  remove('k/e'),
  put('k/e', 'again'),
  put('z', 'beyond'),
];
const K: Request = { rangeEnd: afterPrefix('k/') };

const filters: CallSequence = {
  kind: 'calls',
  name: 'range: filters, limits and sorting',
  steps: [
    ...FILLED,
    ...[
      { minModRevision: 5 },
      { maxModRevision: 6 },
      { minModRevision: 5, maxModRevision: 8 },
      { minCreateRevision: 4 },
      { maxCreateRevision: 4 },
      { minCreateRevision: 3, maxModRevision: 8 },
      { minModRevision: 8, maxModRevision: 5 },
      { minModRevision: 5, limit: 1 },
      { minModRevision: 5, limit: 2, sortTarget: 'MOD', sortOrder: 'DESCEND' },
      { minModRevision: 5, countOnly: true },
      { maxModRevision: 4, keysOnly: true, limit: 2 },
      { limit: 3 },
      { limit: 5 },
      { limit: -1 },
      { limit: 2, countOnly: true },
      { keysOnly: true },
      { keysOnly: true, countOnly: true },
      { revision: 4 },
      { revision: 4, limit: 1 },
      { revision: -5 },
      { revision: 4, minModRevision: 3 },
      { serializable: true },
      { serializable: true, revision: 1000 },
      { revision: 9, keysOnly: true, sortTarget: 'VALUE', sortOrder: 'ASCEND' },
    ].map((more) => range('k/', { ...K, ...more })),
    ...['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'].flatMap((sortTarget) =>
      ['NONE', 'ASCEND', 'DESCEND'].flatMap((sortOrder) => [
        range('k/', { ...K, sortTarget, sortOrder }),
        range('k/', { ...K, sortTarget, sortOrder, limit: 3 }),
      ]),
    ),
    range(''),
    range('', { rangeEnd: bytes('k') }),
    range('', { rangeEnd: bytes('\0') }),
    { call: 'KV.Range', request: EVERY_KEY },
    range('\0'),
    range('k/d', { rangeEnd: bytes('k/a') }),
    range('k/d', { rangeEnd: bytes('k/d') }),
    range('k/d', { rangeEnd: bytes('\0') }),
    range('k/d', { rangeEnd: bytes('\0'), limit: 1 }),
    range('k/d', { rangeEnd: bytes('\0\0') }),
    compact(8),
    range('k/', { ...K, revision: 7 }),
    range('k/', { ...K, revision: 8 }),
    range('k/', { ...K, revision: 7, countOnly: true }),
    range('none', { revision: 7 }),
  ],
};

const puts: CallSequence = {
  kind: 'calls',
  name: 'put and delete: everything they can be told',
  steps: [
    put('a', '1', { prevKv: true }),
    put('a', '2', { prevKv: true }),
    put('a', '', { prevKv: true, ignoreValue: true }),
    put('a', 'x', { ignoreValue: true }),
    put('none', '', { ignoreValue: true }),
    put('none', '', { ignoreLease: true }),
    put('', 'x'),
    put('', '', { ignoreValue: true }),
    put('a', '3', { lease: 5 }),
    put('a', '3', { lease: 5, ignoreLease: true }),
    put('a', '3', { lease: -5 }),
    { call: 'Lease.LeaseGrant', request: { ID: 5, TTL: 100 } },
    put('a', '3', { lease: 5, ignoreLease: true }),
    put('a', '3', { lease: 5, prevKv: true }),
    put('a', '4', { ignoreLease: true, prevKv: true }),
    put('a', '', { ignoreLease: true, ignoreValue: true, prevKv: true }),
    put('a', '6', { prevKv: true }),
    put('a\0b', 'with a zero'),
    put('\xff\xff', 'highest'),
    put('\0', 'zero'),
    range('a', { rangeEnd: afterPrefix('a') }),
    { call: 'KV.Range', request: EVERY_KEY },
    remove(''),
    remove('', { rangeEnd: bytes('b') }),
    remove('b', { rangeEnd: bytes('a') }),
    remove('a', { rangeEnd: bytes('a\0'), prevKv: true }),
    remove('a', { rangeEnd: bytes('b'), prevKv: true }),
    remove('\xff', { rangeEnd: bytes('\0'), prevKv: true }),
    { call: 'KV.DeleteRange', request: { ...EVERY_KEY, prevKv: true } },
    { call: 'KV.DeleteRange', request: { ...EVERY_KEY, prevKv: true } },
    put('again', 'after all'),
    range('again'),
  ],
};

const opPut = (key: string, value: string, more: Request = {}): Request => ({
  requestPut: { key: bytes(key), value: bytes(value), ...more },
});
const opRange = (key: string, more: Request = {}): Request => ({
  requestRange: { key: bytes(key), ...more },
});
const opDelete = (key: string, more: Request = {}): Request => ({
  requestDeleteRange: { key: bytes(key), ...more },
});
const opTxn = (
  compare: readonly Request[],
  success: readonly Request[],
  failure: readonly Request[] = [],
): Request => ({ requestTxn: { compare, success, failure } });

const compareOf = (target: string, key: string, result: string, more: Request): Request => ({
  target,
  result,
  key: bytes(key),
  ...more,
});
const RESULTS = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'];

const compares: CallSequence = {
  kind: 'calls',
  name: 'txn: compares of every kind, of one key and of ranges',
  steps: [
    { call: 'Lease.LeaseGrant', request: { ID: 7, TTL: 100 } },
    put('c/a', '5', { lease: 7 }),
    put('c/b', '5'),
    put('c/b', '6'),
    ...['c/a', 'none'].flatMap((key) =>
      RESULTS.flatMap((result) =>
        [
          compareOf('VERSION', key, result, { version: 1 }),
          compareOf('CREATE', key, result, { createRevision: 2 }),
          compareOf('MOD', key, result, { modRevision: 2 }),
          compareOf('VALUE', key, result, { value: bytes('5') }),
          compareOf('LEASE', key, result, { lease: 7 }),
          compareOf('VERSION', key, result, {}),
          compareOf('VALUE', key, result, {}),
          compareOf('LEASE', key, result, {}),
        ].map((compare) => txn([compare], [])),
      ),
    ),
    ...RESULTS.flatMap((result) =>
      [
        compareOf('VALUE', 'c/', result, { value: bytes('5'), rangeEnd: afterPrefix('c/') }),
        compareOf('VERSION', 'c/', result, { version: 0, rangeEnd: afterPrefix('c/') }),
        compareOf('VERSION', 'd/', result, { version: 0, rangeEnd: afterPrefix('d/') }),
        compareOf('VALUE', 'd/', result, { value: bytes(''), rangeEnd: afterPrefix('d/') }),
        compareOf('MOD', 'c/', result, { modRevision: 3, rangeEnd: bytes('\0') }),
      ].map((compare) => txn([compare], [])),
    ),
    txn([compareOf('VERSION', '', 'EQUAL', { version: 0 })], []),
    txn([compareOf('VERSION', '\0', 'GREATER', { version: 0, rangeEnd: bytes('\0') })], []),
    // The field that is set does not belong to the target.
    txn([compareOf('VERSION', 'c/a', 'EQUAL', { value: bytes('5') })], []),
    txn([compareOf('VALUE', 'c/a', 'EQUAL', { version: 1 })], []),
  ],
};

const transactions: CallSequence = {
  kind: 'calls',
  name: 'txn: nested, refused, read-only',
  steps: [
    put('a', '1'),
    txn(
      [],
      [opTxn([], [opPut('b', '1'), opTxn([], [opPut('c', '1'), opRange('b')])]), opRange('c')],
    ),
    txn(
      [compareOf('VERSION', 'a', 'EQUAL', { version: 9 })],
      [],
      [opTxn([compareOf('VALUE', 'a', 'EQUAL', { value: bytes('1') })], [opPut('a', '2')])],
    ),
    // A compare within sees what was written before it.
    txn(
      [],
      [
        opPut('a', '3'),
        opTxn(
          [compareOf('VALUE', 'a', 'EQUAL', { value: bytes('3') })],
          [opRange('a')],
          [opRange('b')],
        ),
      ],
    ),
    txn([], [opTxn([], []), opTxn([], [], [opPut('x', '1')])]),
    txn([], [opPut('a', '1'), opTxn([], [opPut('a', '2')])]),
    txn([], [opDelete('a'), opTxn([], [opPut('a', '2')])]),
    txn([], [opTxn([], [opPut('a', '1')], [opPut('a', '2')])]),
    txn([], [opTxn([], [opPut('a', '1')]), opTxn([], [opPut('a', '2')])]),
    txn([], [opTxn([], [opDelete('a')]), opTxn([], [opDelete('a')])]),
    txn(
      [],
      [opDelete('a', { rangeEnd: bytes('c'), prevKv: true }), opPut('c', '5', { prevKv: true })],
    ),
    txn([], [opDelete('a', { rangeEnd: bytes('c') }), opPut('b', '5')]),
    txn([], [opDelete('', { rangeEnd: bytes('\0') })]),
    txn([], [opRange('')]),
    txn([], [opPut('', '1')]),
    txn([], [], [opPut('', '1')]),
    txn([], [{}]),
    txn([], [opPut('a', '1'), {}]),
    txn([], [opPut('a', '1', { ignoreValue: true })]),
    txn([], [opPut('a', '1', { lease: 99 }), opPut('b', '1')]),
    txn([], [opPut('b', '7'), opPut('none', '', { ignoreValue: true })]),
    txn([], [opPut('b', '7'), opRange('b', { revision: 100 })]),
    txn([], [opPut('b', '8'), opRange('b', { revision: 2 }), opRange('b')]),
    txn([], [opRange('b', { serializable: true }), opRange('c', { serializable: true })]),
    txn([], [opRange('b', { serializable: true }), opRange('c')]),
    txn([], [opRange('b', { revision: 3, countOnly: true }), opRange('c', { keysOnly: true })]),
    txn([], [opRange('', { rangeEnd: bytes('\0'), limit: 1 })]),
    txn([], [opDelete('none')]),
    txn(
      [],
      Array.from({ length: 128 }, (_, at) => opPut(`many/${at}`, '1')),
    ),
    txn(
      [],
      Array.from({ length: 129 }, (_, at) => opPut(`many/${at}`, '2')),
    ),
    txn(
      [],
      [],
      Array.from({ length: 129 }, () => opRange('a')),
    ),
    txn(
      Array.from({ length: 129 }, () => compareOf('VERSION', 'a', 'EQUAL', { version: 1 })),
      [],
    ),
    txn(
      [],
      [
        opTxn(
          [],
          Array.from({ length: 129 }, () => opRange('a')),
        ),
      ],
    ),
    txn(
      [],
      Array.from({ length: 100 }, () =>
        opTxn(
          [],
          Array.from({ length: 2 }, () => opRange('a')),
        ),
      ),
    ),
    range('many/', { rangeEnd: afterPrefix('many/'), countOnly: true }),
    { call: 'KV.Range', request: { ...EVERY_KEY, limit: 4 } },
  ],
};

const MEGABYTE = 2 ** 20;
const limits: CallSequence = {
  kind: 'calls',
  name: 'requests that are too large, compaction, hashes',
  steps: [
    put('a', 'x'.repeat(MEGABYTE)),
    put('a', 'x'.repeat(1.5 * MEGABYTE - 100)),
    put('a', 'x'.repeat(1.5 * MEGABYTE)),
    put('a', 'x'.repeat(1.9 * MEGABYTE)),
    txn([], [opPut('b', 'x'.repeat(MEGABYTE)), opPut('c', 'x'.repeat(MEGABYTE))]),
    range('a', { rangeEnd: bytes('d') }),
    put('a', 'small'),
    remove('a'),
    { call: 'Maintenance.HashKV', request: {} },
    { call: 'Maintenance.HashKV', request: { revision: 2 } },
    { call: 'Maintenance.HashKV', request: { revision: 3 } },
    { call: 'Maintenance.HashKV', request: { revision: 100 } },
    compact(-1),
    compact(0),
    compact(100),
    compact(3),
    { call: 'KV.Compact', request: { revision: 4, physical: true } },
    compact(4),
    compact(3),
    { call: 'Maintenance.HashKV', request: {} },
    { call: 'Maintenance.HashKV', request: { revision: 3 } },
    { call: 'KV.Compact', request: { revision: 5, physical: true } },
    range('a', { revision: 5 }),
    range('a', { revision: 4 }),
    put('a', 'again'),
    range('a'),
    { call: 'Maintenance.HashKV', request: { revision: 4 } },
    { call: 'Maintenance.HashKV', request: { revision: 6 } },
    { call: 'Maintenance.Status', request: {} },
  ],
};

export const KEY_CALLS: readonly CallSequence[] = [filters, puts, compares, transactions, limits];
