import { describe, expect, test } from 'vitest';
import { invariant } from '../../../harness/core/invariant.ts';
import { FAILURES, failed } from '../failures.ts';
import type { NodeApi } from '../server/api.ts';
import type { RawMessage, RawStream } from './client-testing.ts';
import { ELECTION_MS, plain, type Serving, serving } from './serving-testing.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const E = { name: bytes('e') };

/** With leases 1, 2 and 3. */
async function withLeases(options: Parameters<typeof serving>[0] = {}): Promise<Serving> {
  const s = await serving(options);
  for (const id of ['1', '2', '3']) s.node.store.leases.grant(id, 60);
  return s;
}

function ask(s: Serving, method: string, request: RawMessage, metadata = {}): RawStream {
  const call = s.client.stream('Election', method, metadata);
  call.send(request);
  call.halfClose();
  return call;
}

function campaign(s: Serving, lease: number, value: string): RawStream {
  return ask(s, 'Campaign', { ...E, lease, value: bytes(value) });
}

/** The server has heard of all that was sent before, once it answers this. */
async function until(s: Serving, holds: () => boolean): Promise<void> {
  for (let rounds = 0; !holds(); rounds++) {
    invariant(rounds < 1_000, 'waited in vain');
    await s.client.call('Maintenance', 'Status', {});
  }
}

const watched = (s: Serving, count: number): Promise<void> =>
  until(s, () => s.node.store.watches.size === count);

function put(s: Serving, key: string, value: string): void {
  expect(s.node.store.put({ key: bytes(key), value: bytes(value) }).ok).toBe(true);
}

function remove(s: Serving, key: string): void {
  expect(s.node.store.deleteRange({ key: bytes(key) }).ok).toBe(true);
}

/** What the next message of an observer says: the revision, and what is proclaimed. */
async function told(observer: RawStream): Promise<string> {
  const message = await observer.next();
  if ('code' in message) return `${String(message['code'])}: ${String(message['details'])}`;
  const { header, kv } = message as {
    readonly header: { readonly revision: string };
    readonly kv: { readonly value: Buffer };
  };
  return `${header.revision} ${kv.value.toString()}`;
}

describe('a campaign', () => {
  test('is won at once when nobody leads, and says by what it can be proved', async () => {
    await using s = await withLeases();
    const answer = await campaign(s, 1, 'one').next();
    expect(answer).toMatchObject({ header: { revision: '2' } });
    expect(plain(answer)).toEqual({ leader: { name: 'e', key: 'e/1', rev: '2', lease: '1' } });
  });

  test('by one who stands proclaims the new value, and keeps the place', async () => {
    await using s = await withLeases();
    await campaign(s, 1, 'one').next();
    expect(plain(await campaign(s, 1, 'one').next())).toHaveProperty('leader.rev', '2');
    expect(s.node.store.revision).toBe(2);
    expect(plain(await campaign(s, 1, 'two').next())).toHaveProperty('leader.rev', '2');
    expect(await told(ask(s, 'Leader', E))).toBe('3 two');
  });

  test('is won when all who came before are gone', async () => {
    await using s = await withLeases();
    await campaign(s, 1, 'one').next();
    const second = campaign(s, 2, 'two');
    await watched(s, 1);
    await ask(s, 'Resign', { leader: { key: bytes('e/1'), rev: 2 } }).next();
    expect(plain(await second.next())).toEqual({
      leader: { name: 'e', key: 'e/2', rev: '3', lease: '2' },
    });
    expect(s.node.store.watches.size).toBe(0);
  });

  test('is lost by one whose key went while it waited, unless it has the bug', async () => {
    for (const bugs of [[], ['lock-no-recheck'] as const]) {
      await using s = await withLeases({ bugs: new Set(bugs) });
      await campaign(s, 1, 'one').next();
      const late = campaign(s, 2, 'two');
      await watched(s, 1);
      s.node.store.leases.revoke('2');
      s.node.store.leases.revoke('1');
      const answer = plain(await late.next());
      if (bugs.length === 0)
        expect(answer).toEqual({ code: 'UNKNOWN', details: 'election: not leader' });
      else expect(answer).toHaveProperty('leader.key', 'e/2');
    }
  });

  test('is given up by one who goes', async () => {
    await using s = await withLeases();
    await campaign(s, 1, 'one').next();
    const gone = campaign(s, 2, 'two');
    await watched(s, 1);
    gone.cancel();
    await watched(s, 0);
    await until(s, () => s.node.store.revision === 4);
    await ask(s, 'Resign', { leader: { key: bytes('e/1'), rev: 2 } }).next();
    expect(await told(ask(s, 'Leader', E))).toBe('UNKNOWN: election: no leader');
  });

  test('is given up when the new value cannot be proclaimed', async () => {
    await using s = await withLeases();
    await campaign(s, 1, 'one').next();
    const { api, store } = s.node;
    const txn = api.txn.bind(api);
    let count = 0;
    (api as { txn: NodeApi['txn'] }).txn = (request) =>
      ++count === 2 ? Promise.resolve(failed(FAILURES.timedOut)) : txn(request);
    expect(await campaign(s, 1, 'two').next()).toEqual({
      code: 'UNKNOWN',
      details: 'etcdserver: request timed out',
    });
    expect(store.range({ key: bytes('e/1') })).toMatchObject({ value: { count: 0 } });
  });
});

describe('who leads', () => {
  test('proclaims what it likes for as long as its key has the same creation', async () => {
    await using s = await withLeases();
    await campaign(s, 1, 'one').next();
    const proclaim = async (rev: number, value: string): Promise<RawMessage> => {
      const request = { leader: { key: bytes('e/1'), rev, lease: 1 }, value: bytes(value) };
      return plain(await ask(s, 'Proclaim', request).next());
    };
    expect(await proclaim(2, 'two')).toEqual({});
    expect(await told(ask(s, 'Leader', E))).toBe('3 two');
    expect(s.node.store.leases.get('1')?.keys).toHaveLength(1);
    const refused = { code: 'UNKNOWN', details: 'election: not leader' };
    expect(await proclaim(3, 'no')).toEqual(refused);
    remove(s, 'e/1');
    expect(await proclaim(2, 'no')).toEqual(refused);
    await campaign(s, 1, 'again').next();
    expect(await proclaim(2, 'no')).toEqual(refused);
  });

  test('resigns once; to do it again changes nothing', async () => {
    await using s = await withLeases();
    await campaign(s, 1, 'one').next();
    const request = { leader: { key: bytes('e/1'), rev: 2 } };
    expect(await ask(s, 'Resign', request).next()).toMatchObject({ header: { revision: '3' } });
    expect(await ask(s, 'Resign', request).next()).toMatchObject({ header: { revision: '3' } });
  });

  test('must say who it is', async () => {
    await using s = await serving();
    for (const method of ['Proclaim', 'Resign']) {
      const [none, empty] = [await ask(s, method, {}).next(), ask(s, method, { leader: {} })];
      expect(none).toEqual({ code: 'UNKNOWN', details: '"leader" field must be provided' });
      expect(await empty.next()).toMatchObject({ details: 'etcdserver: key is not provided' });
    }
  });
});

describe('one who observes', () => {
  test('is told of who leads now, and then of all that is proclaimed by who leads', async () => {
    await using s = await withLeases();
    const [early, deaf] = [ask(s, 'Observe', E), ask(s, 'Observe', { name: bytes('f') })];
    await watched(s, 2);
    await campaign(s, 1, 'one').next();
    const late = ask(s, 'Observe', E);
    await watched(s, 3);
    put(s, 'e/1', 'two');
    put(s, 'elsewhere', 'x');
    put(s, 'e/2', 'not first');
    put(s, 'e/2', 'next');
    put(s, 'e/1', 'three');
    remove(s, 'e/1');
    remove(s, 'e/2');
    put(s, 'e/3', 'last');
    const after = ['3 two', '7 three', '8 next', '10 last'];
    for (const text of ['2 one', ...after]) expect(await told(early)).toBe(text);
    for (const text of ['2 one', ...after]) expect(await told(late)).toBe(text);
    for (const each of [early, late, deaf]) each.cancel();
    await watched(s, 0);
    expect(s.server.streams).toBe(0);
  });

  test('is told what is left when a compaction overtakes it, and nothing twice', async () => {
    await using s = await withLeases();
    put(s, 'e/1', 'one');
    const observer = ask(s, 'Observe', E);
    expect(await told(observer)).toBe('2 one');
    const { store } = s.node;
    // All at once: it has not read on when the past is gone.
    put(s, 'e/2', 'next');
    put(s, 'x', 'x');
    store.compact(store.revision);
    await s.client.call('Maintenance', 'Status', {});
    put(s, 'e/1', 'two');
    put(s, 'e/1', 'three');
    remove(s, 'e/1');
    put(s, 'x', 'x');
    store.compact(store.revision);
    expect(await told(observer)).toBe('8 next');
    put(s, 'e/2', 'last');
    expect(await told(observer)).toBe('9 last');
  });

  test('costs no memory when it does not read, and is told the rest when it does', async () => {
    await using s = await withLeases();
    const observer = ask(s, 'Observe', E);
    await watched(s, 1);
    observer.pause();
    const value = 'v'.repeat(50_000);
    const COUNT = 100;
    for (let n = 0; n < COUNT; n++) put(s, 'e/1', `${n} ${value}`);
    await s.client.call('Maintenance', 'Status', {});
    const { store } = s.node;
    store.compact(store.revision - 1);
    await s.client.call('Maintenance', 'Status', {});
    observer.resume();
    const seen: number[] = [];
    while (seen.at(-1) !== COUNT - 1)
      seen.push(Number(/^\d+ (\d+) /.exec(await told(observer))?.[1]));
    expect(seen.length).toBeLessThan(COUNT);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('hears the end of it when the server stops, or there is no leader for too long', async () => {
    const s = await withLeases();
    const [insisting, other] = [ask(s, 'Observe', E, { hasleader: 'true' }), ask(s, 'Observe', E)];
    await watched(s, 2);
    s.node.state.leader = undefined;
    for (let looks = 0; looks < 3; looks++) await s.advance(ELECTION_MS);
    expect(await told(insisting)).toBe('UNAVAILABLE: etcdserver: no leader');
    await s[Symbol.asyncDispose]();
    expect(await told(other)).toBe('UNAVAILABLE: etcdserver: server stopped');
    expect(s.node.store.watches.size).toBe(0);
  });

  test('hears the end of it when nothing can be read, or of a bug', async () => {
    await using s = await withLeases();
    s.node.state.failure = FAILURES.timedOut;
    expect(await told(ask(s, 'Observe', E))).toBe('UNKNOWN: election: observe closed early');
    s.node.state.bug = new Error('no such thing');
    expect(await told(ask(s, 'Observe', E))).toMatch(/^INTERNAL: /);
    expect(s.errors).toHaveLength(1);
  });
});
