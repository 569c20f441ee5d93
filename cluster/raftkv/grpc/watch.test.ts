import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../../harness/core/clock.ts';
import { tap } from '../../etcd-api/wire-testing.ts';
import { type RawStream, rawClient } from './client-testing.ts';
import { ELECTION_MS, plain, type Serving, serving } from './serving-testing.ts';

const clock = realClock();
const bytes = (text: string): Buffer => Buffer.from(text);

function put(s: Serving, key: string, value: string | Buffer): number {
  const result = s.node.store.put({ key: bytes(key), value: Buffer.from(value) });
  expect.assert(result.ok);
  return result.value.revision;
}

/** A stream with one watch, whose creation was answered. */
async function watching(
  s: Serving,
  create: Readonly<Record<string, unknown>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<RawStream> {
  const stream = s.client.stream('Watch', 'Watch', metadata);
  stream.send({ createRequest: create });
  expect(await stream.next()).toMatchObject({ created: true });
  return stream;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(clock, 2);
}

async function nextPlain(stream: RawStream): Promise<unknown> {
  return plain(await stream.next());
}

interface Told {
  readonly header: { readonly revision: string };
  readonly fragment?: boolean;
  readonly events: readonly {
    readonly kv: { readonly key: Buffer; readonly modRevision: string };
  }[];
}

/** Responses with events, until one tells of `revision`. */
async function eventsUpTo(stream: RawStream, revision: number): Promise<Told[]> {
  const all: Told[] = [];
  for (;;) {
    const told = (await stream.next()) as unknown as Told;
    expect(told.events.length).toBeGreaterThan(0);
    all.push(told);
    if (Number(told.events.at(-1)?.kv.modRevision) >= revision) return all;
  }
}

function revisionsOf(all: readonly Told[]): number[] {
  return all.flatMap(({ events }) => events.map(({ kv }) => Number(kv.modRevision)));
}

describe('a watch', () => {
  test('tells of what happens from now on, each with the revision it was known at', async () => {
    await using s = await serving();
    put(s, 'a', 'before');
    const stream = await watching(s, { key: bytes('a'), prevKv: true });
    put(s, 'a', '1');
    expect(await stream.next()).toMatchObject({ header: { revision: '3', raftTerm: '3' } });
    put(s, 'b', 'other');
    s.node.store.deleteRange({ key: bytes('a') });
    expect(await nextPlain(stream)).toEqual({
      events: [
        {
          type: 'DELETE',
          kv: { key: 'a', modRevision: '5' },
          prevKv: { key: 'a', value: '1', createRevision: '2', modRevision: '3', version: '2' },
        },
      ],
    });
  });

  test('tells of the past from its start revision, and then goes on', async () => {
    await using s = await serving();
    for (const value of ['1', '2', '3']) put(s, 'a', value);
    const stream = await watching(s, { key: bytes('a'), startRevision: 3 });
    expect(revisionsOf(await eventsUpTo(stream, 4))).toEqual([3, 4]);
    put(s, 'a', '4');
    expect(revisionsOf(await eventsUpTo(stream, 5))).toEqual([5]);
  });

  test('that starts in the future waits for it', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a'), startRevision: 4 });
    for (const value of ['1', '2', '3']) put(s, 'a', value);
    expect(revisionsOf(await eventsUpTo(stream, 4))).toEqual([4]);
  });

  test.each([
    ['one key', { key: bytes('b') }, ['b']],
    ['a range', { key: bytes('b'), rangeEnd: bytes('c') }, ['b', 'bb']],
    ['from a key on', { key: bytes('b'), rangeEnd: bytes('\0') }, ['b', 'bb', 'c']],
    ['all keys', { key: bytes('\0'), rangeEnd: bytes('\0') }, ['a', 'b', 'bb', 'c']],
    ['all keys, with none given', { rangeEnd: bytes('\0') }, ['a', 'b', 'bb', 'c']],
  ])('may be of %s', async (_what, range, keys) => {
    await using s = await serving();
    for (const key of ['a', 'b', 'bb', 'c']) put(s, key, '');
    const last = put(s, keys.at(-1) ?? '', 'last');
    const stream = await watching(s, { ...range, startRevision: 1 });
    const told = (await eventsUpTo(stream, last)).flatMap(({ events }) => events);
    expect(told.map(({ kv }) => kv.key.toString())).toEqual([...keys, keys.at(-1)]);
  });

  test.each([
    ['NOPUT', ['DELETE']],
    ['NODELETE', [undefined, undefined]],
  ])('leaves out what %s says', async (filter, types) => {
    await using s = await serving();
    put(s, 'a', '1');
    s.node.store.deleteRange({ key: bytes('a') });
    put(s, 'a', '2');
    const create = { key: bytes('a'), startRevision: 1, filters: [filter] };
    const stream = await watching(s, create);
    const { events } = (await stream.next()) as unknown as { events: { type?: string }[] };
    expect(events.map(({ type }) => type)).toEqual(types);
  });

  test('whose past is compacted is told so, and is over', async () => {
    await using s = await serving();
    for (const value of ['1', '2', '3']) put(s, 'a', value);
    s.node.store.compact(4);
    const stream = await watching(s, { key: bytes('a'), startRevision: 2, watchId: 6 });
    const last = await stream.next();
    expect(plain(last)).toEqual({ watchId: '6', canceled: true, compactRevision: '4' });
    expect(last).not.toHaveProperty('header.revision');
    expect(s.node.store.watches.size).toBe(0);
    // The stream goes on.
    stream.send({ createRequest: { key: bytes('a'), startRevision: -1 } });
    expect(await nextPlain(stream)).toEqual({ created: true });
    expect(await nextPlain(stream)).toMatchObject({ canceled: true, compactRevision: '4' });
  });
});

describe('a stream of watches', () => {
  test('gives out ids from 0, and takes those that are asked for', async () => {
    await using s = await serving();
    const stream = s.client.stream('Watch', 'Watch');
    const create = async (fields: object): Promise<unknown> => {
      stream.send({ createRequest: { key: bytes('a'), ...fields } });
      return nextPlain(stream);
    };
    expect(await create({})).toEqual({ created: true });
    expect(await create({ watchId: 1 })).toEqual({ created: true, watchId: '1' });
    expect(await create({})).toEqual({ created: true, watchId: '2' });
    const refused = { created: true, canceled: true, watchId: '-1' };
    expect(await create({ watchId: 2 })).toEqual({
      ...refused,
      cancelReason: 'mvcc: duplicate watch ID provided on the WatchStream',
    });
    for (const rangeEnd of ['A', 'a'])
      expect(await create({ rangeEnd: bytes(rangeEnd) })).toEqual({
        ...refused,
        cancelReason: 'mvcc: watcher range is empty',
      });
    expect(s.node.store.watches.size).toBe(3);
  });

  test('keeps the id of a watch that was compacted until it is cancelled too', async () => {
    await using s = await serving();
    for (const value of ['1', '2', '3']) put(s, 'a', value);
    s.node.store.compact(4);
    const stream = await watching(s, { key: bytes('a'), startRevision: 2, watchId: 6 });
    expect(await nextPlain(stream)).toMatchObject({ watchId: '6', canceled: true });
    stream.send({ createRequest: { key: bytes('a'), watchId: 6 } });
    expect(await nextPlain(stream)).toMatchObject({ watchId: '-1', canceled: true });
    stream.send({ cancelRequest: { watchId: 6 } });
    expect(await nextPlain(stream)).toEqual({ watchId: '6', canceled: true });
    stream.send({ createRequest: { key: bytes('a'), watchId: 6 } });
    expect(await nextPlain(stream)).toEqual({ watchId: '6', created: true });
  });

  test('ends a watch that is cancelled, and no other', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a'), watchId: 5 });
    stream.send({ createRequest: { key: bytes('a'), watchId: 6 } });
    await stream.next();
    stream.send({ cancelRequest: { watchId: 99 } });
    stream.send({ cancelRequest: { watchId: 5 } });
    expect(await nextPlain(stream)).toEqual({ watchId: '5', canceled: true });
    expect(s.node.store.watches.size).toBe(1);
    put(s, 'a', '1');
    expect(await nextPlain(stream)).toMatchObject({ watchId: '6' });
    // Its id is free again.
    stream.send({ createRequest: { key: bytes('a'), watchId: 5 } });
    expect(await nextPlain(stream)).toEqual({ created: true, watchId: '5' });
  });

  test('is fair: a watch with much to say does not keep another one waiting', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('long'), watchId: 1 });
    stream.send({ createRequest: { key: bytes('short'), watchId: 2 } });
    await stream.next();
    for (let index = 0; index < 5_000; index++) put(s, 'long', 'x');
    put(s, 'short', 'x');
    const ids = [];
    for (let index = 0; index < 6; index++) ids.push(plain(await stream.next())['watchId']);
    expect(ids).toEqual(['1', '2', '1', '1', '1', '1']);
  });

  test('goes on when the client says that it has no more requests', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a') });
    stream.halfClose();
    put(s, 'a', '1');
    expect(revisionsOf(await eventsUpTo(stream, 2))).toEqual([2]);
  });

  test('leaves no watch behind when the client cancels it or is gone', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a') });
    const through = await tap(`127.0.0.1:${s.server.port}`);
    using other = rawClient(through.address);
    await watching({ ...s, client: other }, { key: bytes('a') });
    expect([s.node.store.watches.size, s.server.streams]).toEqual([2, 2]);
    stream.cancel();
    await until(() => s.node.store.watches.size === 1);
    await through[Symbol.asyncDispose]();
    await until(() => s.server.streams === 0);
    expect(s.node.store.watches.size).toBe(0);
    put(s, 'a', 'to nobody');
  });

  test('ends, and is logged, when it meets a bug', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a') });
    s.node.state.bug = new Error('no such thing');
    stream.send({ createRequest: { key: bytes('a') } });
    expect(await stream.next()).toMatchObject({ code: 'INTERNAL' });
    expect(s.errors).toHaveLength(1);
    expect(s.node.store.watches.size).toBe(0);
  });

  test('ends with the server', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a') });
    const over = s.server[Symbol.asyncDispose]();
    expect(await stream.next()).toEqual({
      code: 'UNAVAILABLE',
      details: 'etcdserver: server stopped',
    });
    s.client[Symbol.dispose]();
    await over;
    expect(s.node.store.watches.size).toBe(0);
  });
});

describe('a client that reads slowly', () => {
  test('is not sent more than it takes, and misses nothing', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a') });
    stream.pause();
    const value = Buffer.alloc(20_000);
    let last = 0;
    for (let index = 0; index < 500; index++) {
      last = put(s, 'a', value);
      // Lets the server send what it may.
      if (index % 10 === 0) await sleep(clock, 1);
    }
    stream.resume();
    const all = await eventsUpTo(stream, last);
    expect(revisionsOf(all)).toEqual(Array.from({ length: 500 }, (_, index) => index + 2));
    // What waited was not kept as one response for each change: it was read when there was room.
    expect(all.length).toBeLessThan(400);
  });
});

describe('progress', () => {
  test('is told when it is asked for, for the whole stream', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a') });
    put(s, 'b', '1');
    stream.send({ progressRequest: {} });
    const told = await stream.next();
    expect(told).toMatchObject({ header: { revision: '2' } });
    expect(plain(told)).toEqual({ watchId: '-1' });
  });

  test('never comes before what it promises to have told', async () => {
    await using s = await serving();
    for (let index = 0; index < 3_000; index++) put(s, 'a', 'x');
    const stream = await watching(s, { key: bytes('a'), startRevision: 1 });
    stream.send({ progressRequest: {} });
    let told = 0;
    for (;;) {
      const response = await stream.next();
      if ('events' in response) told += (response['events'] as unknown[]).length;
      else break;
    }
    expect(told).toBe(3_000);
  });

  test('waits for a watch that is to start in the future', async () => {
    await using s = await serving();
    const stream = await watching(s, { key: bytes('a'), startRevision: 4 });
    stream.send({ progressRequest: {} });
    stream.send({ createRequest: { key: bytes('z'), watchId: 9 } });
    expect(await nextPlain(stream)).toEqual({ created: true, watchId: '9' });
    for (let index = 0; index < 3; index++) put(s, 'b', 'x');
    // Nothing wakes the stream but what it watches, or the client.
    stream.send({ progressRequest: {} });
    expect(await stream.next()).toMatchObject({ header: { revision: '4' }, watchId: '-1' });
  });

  test('is told from time to time to those who asked for it and heard nothing else', async () => {
    await using s = await serving({ progressNotifyMs: 100 });
    const stream = await watching(s, { key: bytes('a'), progressNotify: true });
    stream.send({ createRequest: { key: bytes('a'), watchId: 5 } });
    await stream.next();
    await s.advance(100);
    const told = await stream.next();
    expect(told).toMatchObject({ header: { revision: '1' } });
    expect(plain(told)).toEqual({});
    put(s, 'a', '1');
    expect(await stream.next()).toHaveProperty('events');
    expect(await stream.next()).toHaveProperty('events');
    await s.advance(100);
    await s.advance(100);
    expect(await stream.next()).toMatchObject({ header: { revision: '2' } });
    stream.send({ createRequest: { key: bytes('a'), watchId: 7 } });
    expect(await nextPlain(stream)).toEqual({ created: true, watchId: '7' });
  });
});

describe('a response that is too large', () => {
  test('is divided for those who ask for it; only the last part says that it is whole', async () => {
    await using s = await serving({ maxRequestBytes: 1 });
    const value = Buffer.alloc(200_000);
    for (let index = 0; index < 6; index++) put(s, 'a', value);
    const stream = await watching(s, { key: bytes('a'), startRevision: 1, fragment: true });
    const all = await eventsUpTo(stream, 7);
    expect(all.map(({ events }) => events.length)).toEqual([2, 2, 2]);
    expect(all.map(({ fragment }) => fragment)).toEqual([true, true, undefined]);
    const whole = await watching(s, { key: bytes('a'), startRevision: 1 });
    expect(await eventsUpTo(whole, 7)).toHaveLength(1);
  });
});

describe('a stream that requires a leader', () => {
  test('ends after three looks without one, not before; others go on', async () => {
    await using s = await serving();
    const create = { key: bytes('a') };
    const stream = await watching(s, create, { hasleader: 'true' });
    const other = await watching(s, create);
    s.node.state.leader = undefined;
    await s.advance(2 * ELECTION_MS);
    s.node.state.leader = 'a1';
    await s.advance(ELECTION_MS);
    s.node.state.leader = undefined;
    await s.advance(2 * ELECTION_MS);
    expect(s.server.streams).toBe(2);
    await s.advance(ELECTION_MS);
    expect(await stream.next()).toEqual({ code: 'UNAVAILABLE', details: 'etcdserver: no leader' });
    expect(s.node.store.watches.size).toBe(1);
    put(s, 'a', '1');
    expect(await other.next()).toHaveProperty('events');
  });
});
