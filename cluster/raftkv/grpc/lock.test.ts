import { describe, expect, test } from 'vitest';
import { invariant } from '../../../harness/core/invariant.ts';
import { FAILURES, failed } from '../failures.ts';
import type { NodeApi } from '../server/api.ts';
import type { RawStream } from './client-testing.ts';
import { plain, type Serving, serving } from './serving-testing.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const REFUSED = { code: 'UNKNOWN', details: 'mutex: session is expired' };

/** With leases 1, 2 and 3. */
async function withLeases(options: Parameters<typeof serving>[0] = {}): Promise<Serving> {
  const s = await serving(options);
  for (const id of ['1', '2', '3']) s.node.store.leases.grant(id, 60);
  return s;
}

function lock(s: Serving, lease: number, metadata = {}): RawStream {
  const call = s.client.stream('Lock', 'Lock', metadata);
  call.send({ name: bytes('l'), lease });
  call.halfClose();
  return call;
}

function keys(s: Serving): string[] {
  const all = s.node.store.range({ key: bytes('\0'), end: bytes('\0') });
  invariant(all.ok, 'everything can be read');
  return all.value.kvs.map(({ key }) => Buffer.from(key).toString());
}

/** The server has heard of all that was sent before, once it answers this. */
async function until(s: Serving, holds: () => boolean): Promise<void> {
  for (let rounds = 0; !holds(); rounds++) {
    invariant(rounds < 1_000, 'waited in vain');
    await s.client.call('Maintenance', 'Status', {});
  }
}

const inLine = (s: Serving, count: number): Promise<void> =>
  until(s, () => keys(s).length === count && s.node.store.watches.size === count - 1);

describe('a lock', () => {
  test('is had at once when nobody has it, and again by the same lease', async () => {
    await using s = await withLeases();
    const answer = await lock(s, 1).next();
    expect(answer).toMatchObject({ header: { revision: '2' } });
    expect(plain(answer)).toEqual({ key: 'l/1' });
    expect(plain(await lock(s, 1).next())).toEqual({ key: 'l/1' });
    expect(s.node.store.revision).toBe(2);
  });

  test('has a key that goes with its lease', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    s.node.store.leases.revoke('1');
    expect(keys(s)).toEqual([]);
  });

  test('is bound to a lease of a minute when none is brought', async () => {
    await using s = await serving();
    s.node.store.leases.grant('0', 1);
    await s.client.call('Lock', 'Lock', { name: bytes('l') });
    const grants = s.node.asked.filter(({ method }) => method === 'leaseGrant');
    expect(grants.map(({ args }) => args)).toEqual([['0', 60]]);
  });

  test('is had by those who wait in the order in which they came', async () => {
    await using s = await withLeases();
    await lock(s, 2).next();
    const [third, first] = [lock(s, 3), lock(s, 1)];
    await inLine(s, 3);
    const order: string[] = [];
    const came = keys(s).length;
    expect(came).toBe(3);
    const note = async (call: RawStream, lease: number): Promise<void> => {
      expect(plain(await call.next())).toEqual({ key: `l/${lease}` });
      order.push(`l/${lease}`);
    };
    const both = [note(third, 3), note(first, 1)];
    await s.client.call('Lock', 'Unlock', { key: bytes('l/2') });
    await until(s, () => order.length === 1);
    await s.client.call('Lock', 'Unlock', { key: bytes(order[0] ?? '') });
    await Promise.all(both);
    expect(order).toEqual(['l/3', 'l/1']);
  });

  test('is refused to one whose key went while it waited', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const late = lock(s, 2);
    await inLine(s, 2);
    s.node.store.leases.revoke('2');
    s.node.store.leases.revoke('1');
    expect(await late.next()).toEqual(REFUSED);
  });

  test('lock-no-recheck: is given to one whose key went while it waited', async () => {
    await using s = await withLeases({ bugs: new Set(['lock-no-recheck']) });
    await lock(s, 1).next();
    const late = lock(s, 2);
    await inLine(s, 2);
    s.node.store.leases.revoke('2');
    s.node.store.leases.revoke('1');
    expect(plain(await late.next())).toEqual({ key: 'l/2' });
    expect(keys(s)).toEqual([]);
  });

  test('is refused to one who came back after its key went, and so stands elsewhere', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const first = lock(s, 2);
    await inLine(s, 2);
    s.node.store.leases.revoke('2');
    s.node.store.leases.grant('2', 60);
    const third = lock(s, 3);
    await until(s, () => keys(s).length === 2);
    const again = lock(s, 2);
    await until(s, () => keys(s).length === 3);
    s.node.store.leases.revoke('1');
    expect(await first.next()).toEqual(REFUSED);
    expect(plain(await third.next())).toEqual({ key: 'l/3' });
    // It is not taken out of the line by the one that was refused.
    s.node.store.leases.revoke('3');
    expect(plain(await again.next())).toEqual({ key: 'l/2' });
  });

  test('is had although the one before goes between being seen and being watched', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const { api, store } = s.node;
    const range = api.range.bind(api);
    (api as { range: NodeApi['range'] }).range = async (request) => {
      const seen = await range(request);
      store.deleteRange({ key: bytes('l/1') });
      return seen;
    };
    expect(plain(await lock(s, 2).next())).toEqual({ key: 'l/2' });
  });

  test('is had although a compaction hides that the one before has gone', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const late = lock(s, 2);
    await inLine(s, 2);
    const { store } = s.node;
    store.deleteRange({ key: bytes('l/1') });
    store.put({ key: bytes('x'), value: bytes('1') });
    expect(store.compact(store.revision).ok).toBe(true);
    expect(plain(await late.next())).toEqual({ key: 'l/2' });
    expect(store.watches.size).toBe(0);
  });
});

describe('one who waits for a lock and goes', () => {
  test('gives up its place', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const [gone, stays] = [lock(s, 2), lock(s, 3)];
    await inLine(s, 3);
    gone.cancel();
    await inLine(s, 2);
    expect(keys(s)).toEqual(['l/1', 'l/3']);
    await s.client.call('Lock', 'Unlock', { key: bytes('l/1') });
    expect(plain(await stays.next())).toEqual({ key: 'l/3' });
  });

  test('gives it up when its time is over, too', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const late = lock(s, 2, { 'grpc-timeout': '1m' });
    expect(await late.next()).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await inLine(s, 1);
    expect(s.node.store.watches.size).toBe(0);
  });

  test('leaves no lock behind that it was just about to have', async () => {
    await using s = await withLeases();
    const { api } = s.node;
    const asked = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const txn = api.txn.bind(api);
    (api as { txn: NodeApi['txn'] }).txn = async (request) => {
      asked.resolve();
      await goOn.promise;
      return txn(request);
    };
    const call = lock(s, 1);
    await asked.promise;
    call.cancel();
    await call.next();
    await s.client.call('Maintenance', 'Status', {});
    goOn.resolve();
    await until(s, () => s.node.asked.length === 2);
    expect(keys(s)).toEqual([]);
  });
});

describe('a request for a lock fails', () => {
  test('as a request within it does, but without its code', async () => {
    await using s = await withLeases();
    s.node.state.failure = FAILURES.timedOut;
    const failure = { code: 'UNKNOWN', details: 'etcdserver: request timed out' };
    expect(await s.client.call('Lock', 'Lock', { name: bytes('l') })).toEqual(failure);
    expect(await s.client.call('Lock', 'Lock', { name: bytes('l'), lease: 1 })).toEqual(failure);
    expect(await s.client.call('Lock', 'Unlock', { key: bytes('l/1') })).toEqual(failure);
  });

  test('with a lease that there is not, or no key to unlock', async () => {
    await using s = await serving();
    expect(await lock(s, 1).next()).toEqual({
      code: 'UNKNOWN',
      details: 'etcdserver: requested lease not found',
    });
    expect(await s.client.call('Lock', 'Unlock', {})).toEqual({
      code: 'UNKNOWN',
      details: 'etcdserver: key is not provided',
    });
  });

  test('and gives up its place, when it cannot be seen whether it has its turn', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    const late = lock(s, 2);
    await inLine(s, 2);
    const { api } = s.node;
    (api as { range: NodeApi['range'] }).range = () => Promise.resolve(failed(FAILURES.timedOut));
    s.node.store.leases.revoke('1');
    expect(await late.next()).toMatchObject({ details: 'etcdserver: request timed out' });
    expect(keys(s)).toEqual([]);
  });

  test('when the server stops, and gives up its place', async () => {
    const s = await withLeases();
    await lock(s, 1).next();
    const late = lock(s, 2);
    await inLine(s, 2);
    await s[Symbol.asyncDispose]();
    expect(await late.next()).toEqual({
      code: 'UNAVAILABLE',
      details: 'etcdserver: server stopped',
    });
    expect(keys(s)).toEqual(['l/1']);
  });

  test('at a learner, or where there is no leader for one who insists on it', async () => {
    await using s = await withLeases();
    s.node.state.leader = undefined;
    expect(await lock(s, 1, { hasleader: 'true' }).next()).toMatchObject({
      details: 'etcdserver: no leader',
    });
    s.node.state.isLearner = true;
    await s.advance(100);
    expect(await lock(s, 1).next()).toMatchObject({
      details: 'etcdserver: rpc not supported for learner',
    });
  });

  test('by a bug, which is logged', async () => {
    await using s = await withLeases();
    await lock(s, 1).next();
    s.node.state.bug = new Error('no such thing');
    expect(await lock(s, 2).next()).toMatchObject({ code: 'INTERNAL' });
    expect(s.errors).toHaveLength(1);
  });
});
