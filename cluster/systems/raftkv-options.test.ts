import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { parseFlags } from '../raftkv/flags.ts';
import {
  memberArgs,
  memberEnvironment,
  RAFTKV_OPTIONS,
  type RaftkvMember,
  routesOf,
  settingsOf,
} from './raftkv-options.ts';

const member: RaftkvMember = {
  node: 'n2',
  dataDir: 'nodes/n2/data',
  peer: '127.0.0.1:2',
  client: '127.0.0.1:3',
  urls: new Map([
    ['n1', 'http://peer1.test:1'],
    ['n2', 'http://peer2.test:2'],
  ]),
  token: 'run',
  routes: new Map([['peer1.test:1', '127.0.0.1:9']]),
  seed: 7,
};

/** What the program makes of the flags. */
function told(options: Readonly<Record<string, string>>): unknown {
  const parsed = parseFlags(memberArgs(member, settingsOf(options)));
  expect.assert(parsed.type === 'settings');
  return parsed.settings;
}

describe('what a node is told', () => {
  test('its own addresses, its peers, the link to each, and the seed of its chance', () => {
    expect(told({})).toMatchObject({
      config: {
        name: 'n2',
        initialCluster: [
          { name: 'n1', peerUrls: ['http://peer1.test:1'] },
          { name: 'n2', peerUrls: ['http://peer2.test:2'] },
        ],
        initialState: 'new',
        token: 'run',
        heartbeatMs: 50,
        electionMs: 500,
        preVote: true,
        leaseReads: false,
      },
      dataDir: 'nodes/n2/data',
      listenPeer: { host: '127.0.0.1', port: 2 },
      listenClient: { host: '127.0.0.1', port: 3 },
      routes: new Map([['peer1.test:1', '127.0.0.1:9']]),
      seed: 7,
    });
  });

  test('every option', () => {
    const options = {
      heartbeat: '10ms',
      election: '1s',
      'snapshot-count': '100',
      'snapshot-catchup-entries': '7',
      'pre-vote': 'false',
      'strict-reconfig-check': 'false',
      'lease-reads': 'true',
      'max-append-entries': '1',
      'quota-backend-bytes': '16777216',
      'auto-compaction-mode': 'revision',
      'auto-compaction-retention': '1000',
      'experimental-corrupt-check-time': '2s',
      bug: 'figure-8, txn-race',
      extra: ' --max-txn-ops=9  --log-level debug ',
    };
    expect(Object.keys(options).toSorted()).toEqual(Object.keys(RAFTKV_OPTIONS).toSorted());
    expect(told(options)).toMatchObject({
      config: {
        heartbeatMs: 10,
        electionMs: 1000,
        snapshotCount: 100,
        catchUpEntries: 7,
        preVote: false,
        strictReconfigCheck: false,
        leaseReads: true,
        maxAppendEntries: 1,
        maxTxnOps: 9,
        quotaBytes: 16_777_216,
        autoCompaction: { mode: 'revision', retention: 1_000 },
        corruptCheckMs: 2_000,
        bugs: new Set(['figure-8', 'txn-race']),
      },
      logLevel: 'debug',
    });
  });

  test.each([
    [{ election: '200ms' }, 'raftkv option election: 200 ms is less than five heartbeats of 50 ms'],
    [{ 'snapshot-count': 'few' }, "raftkv option snapshot-count: 'few' is not a whole number"],
    [{ 'lease-reads': 'yes' }, "raftkv option lease-reads: 'yes' is not true or false"],
    [
      { bug: 'figure-9' },
      "raftkv has no bug 'figure-9' (did you mean 'figure-8'?); it has: stale-",
    ],
    [{ extra: '--route=a:1=b:2' }, "raftkv option extra: '--route=a:1=b:2' is set by Schism"],
    [{ extra: '--data-dir=/' }, "raftkv option extra: '--data-dir=/' is set by Schism itself"],
  ])('%o is refused', (options, message) => {
    const settings = (): unknown => settingsOf(options);
    expect(settings).toThrow(HarnessError);
    expect(settings).toThrow(message);
  });
});

test('a node dials every other by a link of its own', () => {
  const members = [1, 2, 3].map((at) => ({ node: `n${at}`, advertised: `peer${at}.test:${at}` }));
  const routes = routesOf(members, 'n2', (to) => `n2>${to}`);
  expect([...routes]).toEqual([
    ['peer1.test:1', 'n2>n1'],
    ['peer3.test:3', 'n2>n3'],
  ]);
});

test("what the harness's own Node.js is told does not reach a node", () => {
  const outer = {
    NODE_OPTIONS: '--import=x',
    NODE_ENV: 'test',
    VITEST: '1',
    ETCD_NAME: 'x',
    A: '',
  };
  const env = memberEnvironment(outer);
  expect(Object.keys(env).toSorted()).toEqual(['ETCD_NAME', 'NODE_ENV', 'NODE_OPTIONS', 'VITEST']);
  expect(new Set(Object.values(env))).toEqual(new Set([undefined]));
});
