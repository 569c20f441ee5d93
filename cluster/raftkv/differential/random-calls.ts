/** Calls by chance: with one client and a fresh cluster both systems must answer alike, all along. */
import type { Random } from '../../../harness/core/prng.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import {
  afterPrefix,
  bytes,
  type CallSequence,
  type CallStep,
  EVERY_KEY,
  type Message,
  messages,
  put,
  type Request,
  type RequestAt,
} from './calls.ts';

const KEYS = ['k/0', 'k/1', 'k/2', 'k/3', 'k/4', 'k/5'];
const LEASES = [11, 12, 13];
const SORT_TARGETS = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'];
const SORT_ORDERS = ['NONE', 'ASCEND', 'DESCEND'];
const RESULTS = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'];
const NESTED_MAX = 2;

type Draw = (random: Random, revision: number) => Request;

export interface RandomOptions {
  readonly count: number;
  readonly nodes: number;
  /** Kill and start a node after every 40 calls; a watch would not live through it. */
  readonly restarts: boolean;
}

const CALLS_A_LIFE = 40;

/**
 * A watch of all keys goes along from the start. At the end every node must have the same keys, and
 * the same hash of them. Several nodes take turns, and must answer as the one node of etcd does:
 * several of etcd's own do not, when a transaction reads a compacted revision (etcd #18667). What a
 * node answers from its own state is asked of one node alone only.
 */
export function randomCalls(
  random: Random,
  { count, nodes, restarts }: RandomOptions,
): CallSequence {
  const names = Array.from({ length: nodes }, (_, at): NodeName => `n${at + 1}`);
  const calls: readonly (readonly [number, string, Draw])[] = [
    [30, 'KV.Put', putOf],
    [22, 'KV.Range', (chance, revision) => rangeOf(chance, revision, nodes === 1)],
    [12, 'KV.DeleteRange', deleteOf],
    // Without any request it counts as a read that may be stale, in etcd too.
    [22, 'KV.Txn', (chance, revision) => txnOf(chance, revision, NESTED_MAX, nodes === 1 ? 0 : 1)],
    [4, 'KV.Compact', (chance, revision) => ({ revision: Math.max(1, nearly(chance, revision)) })],
    [4, 'Lease.LeaseGrant', (chance) => ({ ID: chance.pick(LEASES), TTL: chance.int(500, 900) })],
    [2, 'Lease.LeaseRevoke', (chance) => ({ ID: chance.pick(LEASES) })],
    // The leader answers, but the header is that of the node that was asked.
    [
      nodes === 1 ? 2 : 0,
      'Lease.LeaseTimeToLive',
      (chance) => ({ ID: chance.pick(LEASES), keys: true }),
    ],
  ];
  const weights = calls.map(([weight]) => weight);
  const steps = Array.from({ length: count }, (_, at): CallStep => {
    const chosen = calls[random.weighted(weights)];
    const [, call, draw] = chosen ?? calls[0] ?? [0, 'KV.Range', () => EVERY_KEY];
    const own = random.fork(`call ${at}`);
    // Drawn when it is asked, from a copy, so that both systems are asked the same.
    const request: RequestAt = (revision) => draw(own.clone(), revision);
    return nodes === 1 ? { call, request } : { call, request, at: random.pick(names) };
  });
  return {
    kind: 'calls',
    name: `${count} random calls to ${nodes === 1 ? 'one node' : `${nodes} nodes`}`,
    nodes,
    anyMember: true,
    steps: [
      ...(restarts ? [] : WATCH_ALL),
      ...steps.flatMap((step, at): CallStep[] =>
        restarts && at % CALLS_A_LIFE === CALLS_A_LIFE - 1
          ? [step, { restart: random.pick(names) }]
          : [step],
      ),
      ...names.flatMap((at): CallStep[] => [
        { call: 'KV.Range', request: EVERY_KEY, at },
        { call: 'Maintenance.HashKV', request: {}, at },
        { call: 'Maintenance.HashKV', request: (revision) => ({ revision }), at },
      ]),
      put('the end', 'of it'),
      ...(restarts ? [] : [{ receive: 'all', until: saysTheEnd }]),
    ],
  };
}

const WATCH_ALL: readonly CallStep[] = [
  { open: 'Watch.Watch', as: 'all' },
  { send: 'all', request: { createRequest: EVERY_KEY } },
  { receive: 'all', until: messages(1) },
];

function saysTheEnd(got: readonly Message[]): boolean {
  // As JSON writes a buffer.
  return JSON.stringify(got.at(-1)).includes(JSON.stringify(bytes('the end')));
}

const putOf: Draw = (random) => ({
  ...plainPutOf(random),
  ...(random.chance(0.08) && { ignoreValue: true, value: bytes('') }),
  ...(random.chance(0.08) && { ignoreLease: true }),
});

function plainPutOf(random: Random): Request {
  return {
    key: bytes(random.pick(KEYS)),
    value: valueOf(random),
    ...(random.chance(0.2) && { lease: random.pick(LEASES) }),
    ...(random.chance(0.5) && { prevKv: true }),
  };
}

const deleteOf: Draw = (random) => ({ ...keysOf(random), prevKv: random.chance(0.5) });

function rangeOf(random: Random, revision: number, mayBeStale: boolean): Request {
  return {
    ...keysOf(random),
    ...(random.chance(0.4) && { revision: nearly(random, revision) }),
    ...(random.chance(0.3) && { limit: random.int(0, 4) }),
    ...(random.chance(0.4) && {
      sortTarget: random.pick(SORT_TARGETS),
      sortOrder: random.pick(SORT_ORDERS),
    }),
    ...(random.chance(0.1) && { keysOnly: true }),
    ...(random.chance(0.1) && { countOnly: true }),
    ...(random.chance(0.1) && { minModRevision: random.int(0, revision) }),
    ...(random.chance(0.1) && { maxModRevision: random.int(0, revision) }),
    ...(random.chance(0.1) && { minCreateRevision: random.int(0, revision) }),
    ...(random.chance(0.1) && { maxCreateRevision: random.int(0, revision) }),
    ...(mayBeStale && random.chance(0.2) && { serializable: true }),
  };
}

function txnOf(random: Random, revision: number, nested: number, opsMin: number): Request {
  const ops = (): Request[] =>
    Array.from({ length: random.int(opsMin, 3) }, () => opOf(random, revision, nested));
  return {
    compare: Array.from({ length: random.int(0, 2) }, () => compareOf(random, revision)),
    success: ops(),
    failure: ops(),
  };
}

function opOf(random: Random, revision: number, nested: number): Request {
  switch (random.weighted([4, 3, 2, nested > 0 ? 1 : 0])) {
    case 0:
      // One that keeps the value of a key that was deleted just before ends etcd with a panic.
      return { requestPut: plainPutOf(random) };
    case 1:
      return { requestRange: rangeOf(random, revision, false) };
    case 2:
      return { requestDeleteRange: deleteOf(random, revision) };
    default:
      return { requestTxn: txnOf(random, revision, nested - 1, 0) };
  }
}

function compareOf(random: Random, revision: number): Request {
  const [target, operand] = random.pick<readonly [string, Request]>([
    ['VERSION', { version: random.int(0, 3) }],
    ['CREATE', { createRevision: random.chance(0.3) ? 0 : random.int(0, revision) }],
    ['MOD', { modRevision: random.chance(0.3) ? 0 : random.int(0, revision) }],
    ['VALUE', { value: valueOf(random) }],
    ['LEASE', { lease: random.chance(0.5) ? 0 : random.pick(LEASES) }],
  ]);
  return {
    ...(random.chance(0.8) ? { key: bytes(random.pick(KEYS)) } : keysOf(random)),
    result: random.pick(RESULTS),
    target,
    ...operand,
  };
}

/** One key, some, all of a prefix, or all from one on; sometimes none at all. */
function keysOf(random: Random): Request {
  const key = bytes(random.pick(KEYS));
  switch (random.weighted([5, 2, 2, 1])) {
    case 0:
      return { key };
    case 1:
      return { key, rangeEnd: bytes(random.pick(KEYS)) };
    case 2:
      return { key: bytes('k/'), rangeEnd: afterPrefix('k/') };
    default:
      return { key, rangeEnd: bytes('\0') };
  }
}

function valueOf(random: Random): Buffer {
  return bytes(String(random.int(0, 9)));
}

/** A revision that is there, was compacted, or is to come. */
function nearly(random: Random, revision: number): number {
  return random.int(Math.max(0, revision - 25), revision + 1);
}
