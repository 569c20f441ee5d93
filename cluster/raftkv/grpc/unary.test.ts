import { describe, expect, test } from 'vitest';
import { FAILURES } from '../failures.ts';
import { CLUSTER, MEMBERS, SELF } from './node-testing.ts';
import { plain, serving } from './serving-testing.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

/** What a node's ids are on the wire. */
const CLUSTER_ID = BigInt(`0x${CLUSTER}`).toString();
const SELF_ID = BigInt(`0x${SELF}`).toString();

describe('KV', () => {
  test('a put is answered with the revision it made, and says who answers', async () => {
    await using s = await serving();
    expect(await s.client.call('KV', 'Put', { key: bytes('a'), value: bytes('1') })).toEqual({
      header: { clusterId: CLUSTER_ID, memberId: SELF_ID, revision: '2', raftTerm: '3' },
    });
    const put = { key: bytes('a'), value: bytes('2'), prevKv: true };
    expect(plain(await s.client.call('KV', 'Put', put))).toEqual({
      prevKv: { key: 'a', value: '1', createRevision: '2', modRevision: '2', version: '1' },
    });
  });

  test('a range is asked for with all that it can say', async () => {
    await using s = await serving();
    await s.client.call('KV', 'Range', {
      key: bytes('a'),
      rangeEnd: bytes('c'),
      limit: 2,
      revision: 1,
      sortOrder: 'DESCEND',
      sortTarget: 'MOD',
      serializable: true,
      keysOnly: true,
      countOnly: true,
      minModRevision: 3,
      maxModRevision: 4,
      minCreateRevision: 5,
      maxCreateRevision: 6,
    });
    await s.client.call('KV', 'Range', { key: bytes('a'), limit: -1, revision: -1 });
    expect(s.node.asked.map(({ args }) => args[0])).toEqual([
      {
        key: bytes('a'),
        end: bytes('c'),
        limit: 2,
        revision: 1,
        sortOrder: 'DESCEND',
        sortTarget: 'MOD',
        serializable: true,
        keysOnly: true,
        countOnly: true,
        minModRevision: 3,
        maxModRevision: 4,
        minCreateRevision: 5,
        maxCreateRevision: 6,
      },
      expect.objectContaining({ key: bytes('a'), limit: 0, revision: 0, serializable: false }),
    ]);
    expect(s.node.asked[1]?.args[0]).not.toHaveProperty('end');
  });

  test('a range is answered with keys, more and count', async () => {
    await using s = await serving();
    const { store } = s.node;
    store.leases.grant('-9223372036854775807', 60);
    for (const key of ['a', 'b', 'c'])
      store.put({ key: bytes(key), value: bytes('v'), lease: '-9223372036854775807' });
    const range = { key: bytes('a'), rangeEnd: bytes('\0'), limit: 1, keysOnly: true };
    expect(plain(await s.client.call('KV', 'Range', range))).toEqual({
      kvs: [
        {
          key: 'a',
          createRevision: '2',
          modRevision: '2',
          version: '1',
          lease: '-9223372036854775807',
        },
      ],
      more: true,
      count: '3',
    });
  });

  test('a deletion says how many, and what they were', async () => {
    await using s = await serving();
    s.node.store.put({ key: bytes('a'), value: bytes('1') });
    s.node.store.put({ key: bytes('b'), value: bytes('2') });
    const request = { key: bytes('a'), rangeEnd: bytes('b'), prevKv: true };
    expect(plain(await s.client.call('KV', 'DeleteRange', request))).toEqual({
      deleted: '1',
      prevKvs: [{ key: 'a', value: '1', createRevision: '2', modRevision: '2', version: '1' }],
    });
  });

  test('a transaction compares all that can be compared and does all that can be done', async () => {
    await using s = await serving();
    s.node.store.leases.grant('9', 60);
    s.node.store.put({ key: bytes('a'), value: bytes('1'), lease: '9' });
    const request = {
      compare: [
        { key: bytes('a'), target: 'VERSION', result: 'EQUAL', version: 1 },
        { key: bytes('a'), target: 'CREATE', result: 'LESS', createRevision: 3 },
        { key: bytes('a'), target: 'MOD', result: 'GREATER', modRevision: 1 },
        { key: bytes('a'), target: 'VALUE', result: 'NOT_EQUAL', value: bytes('2') },
        { key: bytes('a'), rangeEnd: bytes('b'), target: 'LEASE', result: 'EQUAL', lease: 9 },
        { key: bytes('z') },
      ],
      success: [
        { requestRange: { key: bytes('a'), keysOnly: true } },
        { requestPut: { key: bytes('b'), value: bytes('2'), prevKv: true } },
        { requestDeleteRange: { key: bytes('a') } },
        { requestTxn: { failure: [], success: [{ requestRange: { key: bytes('b') } }] } },
      ],
      failure: [{ requestPut: { key: bytes('no') } }],
    };
    const response = await s.client.call('KV', 'Txn', request);
    expect(response).toMatchObject({ header: { revision: '3', raftTerm: '3' }, succeeded: true });
    const [range, put, deletion, inner] = (response as { responses: unknown[] }).responses;
    expect(range).toMatchObject({
      responseRange: { header: { revision: '2' }, count: '1', kvs: [{ lease: '9' }] },
    });
    expect(put).toEqual({ responsePut: { header: { revision: '3' } } });
    expect(deletion).toEqual({ responseDeleteRange: { header: { revision: '3' }, deleted: '1' } });
    // An inner transaction's header is there and says nothing: etcd's way.
    expect(inner).toMatchObject({ responseTxn: { header: {}, succeeded: true } });
    expect(inner).not.toHaveProperty('responseTxn.header.revision');
  });

  test('a compaction is for the revision that was asked', async () => {
    await using s = await serving();
    s.node.store.put({ key: bytes('a'), value: bytes('1') });
    expect(await s.client.call('KV', 'Compact', { revision: 2, physical: true })).toMatchObject({
      header: { revision: '2' },
    });
    expect(await s.client.call('KV', 'Compact', { revision: '9007199254740993' })).toEqual({
      code: 'OUT_OF_RANGE',
      details: FAILURES.futureRevision.message,
    });
  });
});

describe('what a request must not be', () => {
  const { emptyKey, valueProvided, leaseProvided, keyNotFound } = FAILURES;
  const put = { requestPut: { key: bytes('a') } };
  const cases = [
    ['Range', {}, emptyKey],
    ['Put', { value: bytes('1') }, emptyKey],
    ['Put', { key: bytes('a'), value: bytes('1'), ignoreValue: true }, valueProvided],
    ['Put', { key: bytes('a'), lease: 1, ignoreLease: true }, leaseProvided],
    ['DeleteRange', {}, emptyKey],
    ['Txn', { compare: [{}] }, emptyKey],
    ['Txn', { success: [{}] }, keyNotFound],
    ['Txn', { failure: [{ requestTxn: { success: [{}] } }] }, keyNotFound],
    ['Txn', { success: [put, put] }, FAILURES.duplicateKey],
    ['Txn', { success: Array.from({ length: 9 }, () => put) }, FAILURES.tooManyOps],
    ['Range', { key: bytes('a'), sortOrder: 3 }, FAILURES.badSortOption],
    ['Range', { key: bytes('a'), sortTarget: 5 }, FAILURES.badSortOption],
  ] as const;

  test.each(cases)('%s %j is refused before the node sees it', async (method, request, failure) => {
    await using s = await serving();
    expect(await s.client.call('KV', method, request)).toEqual({
      code: failure.status,
      details: failure.message,
    });
    expect(s.node.asked).toEqual([]);
  });

  test('an unknown comparison is refused', async () => {
    await using s = await serving();
    const request = { compare: [{ key: bytes('a'), result: 7 }] };
    expect(await s.client.call('KV', 'Txn', request)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('one that is far too large does not get in', async () => {
    await using s = await serving();
    const request = { key: bytes('a'), value: Buffer.alloc(700_000) };
    expect(await s.client.call('KV', 'Put', request)).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(s.node.asked).toEqual([]);
  });
});

describe('failures', () => {
  test.each(Object.entries(FAILURES))("%s has etcd's code and text", async (_name, failure) => {
    await using s = await serving();
    s.node.state.failure = failure;
    const { status, message } = failure;
    const error = { code: status, details: message };
    expect(await s.client.call('KV', 'Put', { key: bytes('a') })).toEqual(error);
    expect(await s.client.call('Cluster', 'MemberAdd', {})).toEqual(error);
  });

  test('a bug is told and logged, and the server goes on', async () => {
    await using s = await serving();
    s.node.state.bug = new Error('no such thing');
    const answers = await Promise.all([
      s.client.call('KV', 'Put', { key: bytes('a') }),
      s.client.call('Lease', 'LeaseLeases', {}),
    ]);
    for (const answer of answers)
      expect(answer).toEqual({
        code: 'INTERNAL',
        details: expect.stringContaining('no such thing') as string,
      });
    expect(s.errors).toHaveLength(2);
    s.node.state.bug = undefined;
    expect(await s.client.call('KV', 'Put', { key: bytes('a') })).toHaveProperty('header');
  });
});

describe('Lease', () => {
  test('leases live through their ids, all 64 bits of them', async () => {
    await using s = await serving();
    const { client } = s;
    const ID = '9223372036854775807';
    expect(plain(await client.call('Lease', 'LeaseGrant', { ID, TTL: 10 }))).toEqual({
      ID,
      TTL: '10',
    });
    await client.call('KV', 'Put', { key: bytes('a'), lease: ID });
    const ask = { ID, keys: true };
    expect(plain(await client.call('Lease', 'LeaseTimeToLive', ask))).toEqual({
      ID,
      TTL: '5',
      grantedTTL: '10',
      keys: ['a'],
    });
    expect(plain(await client.call('Lease', 'LeaseLeases', {}))).toEqual({ leases: [{ ID }] });
    expect(await client.call('Lease', 'LeaseRevoke', { ID })).toMatchObject({
      header: { revision: '3' },
    });
    expect(plain(await client.call('Lease', 'LeaseTimeToLive', ask))).toEqual({ ID, TTL: '-1' });
    expect(await client.call('Lease', 'LeaseRevoke', { ID })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('the time to live of a lease that the node does not find is -1, too', async () => {
    await using s = await serving();
    s.node.state.failure = FAILURES.leaseNotFound;
    expect(plain(await s.client.call('Lease', 'LeaseTimeToLive', { ID: 5 }))).toEqual({
      ID: '5',
      TTL: '-1',
    });
  });
});

describe('Cluster', () => {
  const wired = MEMBERS.map(({ id, name, peerUrls, clientUrls, isLearner }) => ({
    ID: BigInt(`0x${id}`).toString(),
    name,
    peerURLs: peerUrls,
    ...(clientUrls.length > 0 && { clientURLs: clientUrls }),
    isLearner,
  }));

  test.each([
    ['MemberList', { linearizable: true }, [true]],
    ['MemberList', {}, [false]],
    ['MemberRemove', { ID: SELF_ID }, [SELF]],
    ['MemberPromote', { ID: 7 }, ['7']],
    ['MemberUpdate', { ID: 7, peerURLs: ['http://x:1'] }, ['7', ['http://x:1']]],
  ])('%s %j is answered with the members, and no revision', async (method, request, args) => {
    await using s = await serving();
    const response = await s.client.call('Cluster', method, request);
    expect(response).toEqual({
      header: { clusterId: CLUSTER_ID, memberId: SELF_ID, raftTerm: '3' },
      members: wired,
    });
    expect(s.node.asked[0]?.args).toEqual(args);
  });

  test('a member that is added is named, and is among the others', async () => {
    await using s = await serving();
    const request = { peerURLs: ['http://127.0.0.1:9'], isLearner: true };
    const { member, members } = plain(await s.client.call('Cluster', 'MemberAdd', request));
    expect(member).toMatchObject({ ID: '8', peerURLs: ['http://127.0.0.1:9'], isLearner: true });
    expect(members).toEqual([...wired, member]);
  });
});

describe('Maintenance', () => {
  test('Status says what the node says of itself', async () => {
    await using s = await serving();
    const status = await s.client.call('Maintenance', 'Status', {});
    expect(status).toMatchObject({ header: { revision: '1' } });
    expect(plain(status)).toEqual({
      version: '3.4.0-test',
      dbSize: '4096',
      dbSizeInUse: '1024',
      leader: SELF_ID,
      raftIndex: '12',
      raftTerm: '3',
      raftAppliedIndex: '11',
      isLearner: false,
    });
    s.node.state.leader = undefined;
    const lost = await s.client.call('Maintenance', 'Status', {});
    expect(lost).toMatchObject({ errors: ['etcdserver: no leader'] });
    expect(lost).not.toHaveProperty('leader');
  });

  test('HashKV and MoveLeader ask the node', async () => {
    await using s = await serving();
    const hash = await s.client.call('Maintenance', 'HashKV', { revision: 1 });
    expect(hash).toMatchObject({ header: { revision: '1' }, hash: expect.any(Number) as number });
    expect(await s.client.call('Maintenance', 'MoveLeader', { targetID: SELF_ID })).toEqual({});
    expect(s.node.asked.map(({ args }) => args)).toEqual([[1], [SELF]]);
  });

  test('alarms are raised for a member, listed by type and disarmed one by one', async () => {
    await using s = await serving();
    const alarm = (request: Readonly<Record<string, unknown>>): Promise<unknown> =>
      s.client.call('Maintenance', 'Alarm', request);
    const raised = { memberID: SELF_ID, alarm: 'NOSPACE' };
    expect(await alarm({ action: 'GET' })).toEqual({});
    expect(await alarm({ action: 'DEACTIVATE', ...raised })).toEqual({});
    expect(await alarm({ action: 'ACTIVATE', ...raised })).toEqual({ alarms: [raised] });
    expect(await alarm({ action: 'GET' })).toEqual({ alarms: [raised] });
    expect(await alarm({ action: 'GET', alarm: 'CORRUPT' })).toEqual({});
    expect(await alarm({ action: 'DEACTIVATE', ...raised })).toEqual({ alarms: [raised] });
    expect(await alarm({ action: 'GET' })).toEqual({});
    expect(await alarm({ action: 'ACTIVATE', memberID: SELF_ID, alarm: 'NONE' })).toEqual({});
  });

  test('Defragment asks the node, and answers without a header', async () => {
    await using s = await serving();
    expect(await s.client.call('Maintenance', 'Defragment', {})).toEqual({});
    expect(s.node.asked.map(({ method }) => method)).toEqual(['defragment']);
  });

  test('what is not there says so', async () => {
    await using s = await serving();
    const { client } = s;
    const requests = [
      ['Hash', {}],
      ['Downgrade', {}],
    ] as const;
    for (const [method, request] of requests)
      expect(await client.call('Maintenance', method, request)).toEqual({
        code: 'UNIMPLEMENTED',
        details: expect.stringMatching(/^raftkv does not implement /) as string,
      });
  });
});

describe('who is answered', () => {
  test('a learner serves its status and serializable ranges, nothing else', async () => {
    await using s = await serving();
    const { client, node } = s;
    node.state.isLearner = true;
    const refused = { code: 'UNAVAILABLE', details: FAILURES.learner.message };
    const key = bytes('a');
    expect(await client.call('Maintenance', 'Status', {})).toMatchObject({ isLearner: true });
    expect(await client.call('KV', 'Range', { key, serializable: true })).toHaveProperty('header');
    expect(await client.call('KV', 'Range', { key })).toEqual(refused);
    expect(await client.call('KV', 'Put', { key })).toEqual(refused);
    expect(await client.call('Cluster', 'MemberList', {})).toEqual(refused);
    expect(await client.call('Maintenance', 'HashKV', {})).toEqual(refused);
    for (const [service, method] of [
      ['Watch', 'Watch'],
      ['Lease', 'LeaseKeepAlive'],
    ] as const)
      expect(await client.stream(service, method).next()).toEqual(refused);
    node.state.isLearner = false;
    expect(await client.call('KV', 'Put', { key })).toHaveProperty('header');
  });

  test('a member that turns out to be a learner stops serving within a moment', async () => {
    await using s = await serving();
    const key = bytes('a');
    expect(await s.client.call('KV', 'Range', { key })).toHaveProperty('header');
    s.node.state.isLearner = true;
    await s.advance(100);
    expect(await s.client.call('KV', 'Range', { key })).toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('who requires a leader is refused without one; who does not is answered', async () => {
    await using s = await serving();
    const range = { key: bytes('a'), serializable: true };
    const ask = (metadata: Record<string, string>) => s.client.call('KV', 'Range', range, metadata);
    expect(await ask({ hasleader: 'true' })).toHaveProperty('header');
    s.node.state.leader = undefined;
    const refused = { code: 'UNAVAILABLE', details: 'etcdserver: no leader' };
    expect(await ask({ hasleader: 'true' })).toEqual(refused);
    expect(await ask({ HasLeader: 'True' })).toEqual(refused);
    expect(await ask({ hasleader: 'false' })).toHaveProperty('header');
    expect(await ask({})).toHaveProperty('header');
    const stream = s.client.stream('Watch', 'Watch', { hasleader: 'true' });
    expect(await stream.next()).toEqual(refused);
  });
});
