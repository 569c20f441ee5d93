import { describe, expect, it } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import type { Message } from '../raft/types.ts';
import { PEER_PROBE } from './peer-talk.ts';
import { findCluster } from './tcp-find.ts';
import {
  CLUSTER,
  clock,
  commitsOf,
  FOUND,
  heartbeat,
  openMember,
  openOneWay,
  openStranger,
  portOf,
  rawConnection,
  until,
  wires,
} from './tcp-testing.ts';

const WIRES = await wires();

describe.each(WIRES)('messages over $wire', ({ open }) => {
  it('arrive in order, those of one turn and those of many', async () => {
    await using a = await open('a');
    await using b = await open('b');
    a.transport.setPeers(new Map([['b', b.address]]));
    const count = 5000;
    for (let commit = 0; commit < count; commit++) {
      a.transport.send(heartbeat('a', 'b', commit));
      if (commit % 500 === 0) await clock.turn();
    }
    await until('all arrived', () => b.heard.length === count);
    expect(commitsOf(b.heard)).toEqual(Array.from({ length: count }, (_, at) => at));
    expect(a.heard).toEqual([]);
    expect(a.unreachable).toEqual([]);
  });

  it('may be long, and do not make a heartbeat wait', async () => {
    await using a = await open('a');
    await using b = await open('b');
    a.transport.setPeers(new Map([['b', b.address]]));
    const data = Buffer.alloc(24 * 1024 * 1024, 'snapshot');
    const config = { voters: ['a', 'b'], learners: [] };
    const snapshot: Message = {
      type: 'snapshot',
      from: 'a',
      to: 'b',
      term: 1,
      meta: { index: 7, term: 1, config },
      data,
    };
    a.transport.send(snapshot);
    a.transport.send(heartbeat('a', 'b', 1));
    await until('both arrived', () => b.heard.length === 2);
    expect(b.heard.map(({ type }) => type)).toEqual(['heartbeat', 'snapshot']);
    const arrived = b.heard[1];
    const arrivedData = Buffer.from((arrived?.type === 'snapshot' && arrived.data) || []);
    // Comparing so many bytes one by one takes seconds.
    expect(arrivedData.equals(data)).toBe(true);
    expect({ ...arrived, data: null }).toEqual({ ...snapshot, data: null });
    expect(a.snapshots).toEqual([{ member: 'b', sent: true }]);
  });

  it('that are appends stay in order when some are long', async () => {
    await using a = await open('a');
    await using b = await open('b');
    a.transport.setPeers(new Map([['b', b.address]]));
    for (let index = 1; index <= 60; index++) {
      const data = Buffer.alloc(index % 3 === 0 ? 300_000 : 10);
      const entries = [{ index, term: 1, payload: { kind: 'command', data } as const }];
      const prev = { prevIndex: index - 1, prevTerm: 1 };
      a.transport.send({
        type: 'append',
        from: 'a',
        to: 'b',
        term: 1,
        ...prev,
        entries,
        commit: 0,
      });
      // There is room for a few long ones only.
      if (index % 10 === 0) await until('they arrived', () => b.heard.length === index);
    }
    const order = b.heard.map((message) => (message.type === 'append' ? message.prevIndex : -1));
    expect(order).toEqual(Array.from({ length: 60 }, (_, at) => at));
  });

  it('to members that nobody knows are lost, and so are those after the end', async () => {
    await using a = await open('a');
    await using b = await open('b');
    a.transport.send(heartbeat('a', 'b', 1));
    a.transport.setPeers(new Map([['b', b.address]]));
    a.transport.send(heartbeat('a', 'b', 2));
    await until('the second arrived', () => b.heard.length > 0);
    await a.transport[Symbol.asyncDispose]();
    a.transport.setPeers(new Map([['b', b.address]]));
    a.transport.send(heartbeat('a', 'b', 3));
    await sleep(clock, 50);
    expect(commitsOf(b.heard)).toEqual([2]);
  });

  it('that were said just before the end still go out', async () => {
    await using b = await open('b');
    const a = await open('a');
    a.transport.setPeers(new Map([['b', b.address]]));
    await until('a is heard', () => b.transport.activeSinceMs('a') !== undefined);
    a.transport.send({ type: 'timeout-now', from: 'a', to: 'b', term: 4 });
    await a[Symbol.asyncDispose]();
    await until('it arrived', () => b.heard.length > 0);
    expect(b.heard).toEqual([{ type: 'timeout-now', from: 'a', to: 'b', term: 4 }]);
  });
});

describe('a link', () => {
  it('works in one direction while nothing at all comes back', async () => {
    await using b = await openMember('b');
    await using oneWay = await openOneWay(b.address);
    // What b says goes nowhere: nobody listens there.
    const dead = await openStranger(() => undefined);
    await dead[Symbol.asyncDispose]();
    await using a = await openMember('a', { routes: new Map([['b:1', oneWay.address]]) });
    b.transport.setPeers(new Map([['a', dead.address]]));
    a.transport.setPeers(new Map([['b', 'b:1']]));
    a.transport.send(heartbeat('a', 'b', 1));
    await until('it arrived', () => b.heard.length === 1);
    b.transport.send(heartbeat('b', 'a', 2));
    await until('the other direction is known to be lost', () => b.unreachable.length > 0);
    a.transport.send(heartbeat('a', 'b', 3));
    await until('it goes on', () => b.heard.length === 2);
    expect(a.heard).toEqual([]);
    expect(a.unreachable).toEqual([]);
    expect(b.transport.activeSinceMs('a')).toBeDefined();
    expect(a.transport.activeSinceMs('b')).toBeUndefined();
  });

  it('to what is no address is not dialled, and somebody is told', async () => {
    await using a = await openMember('a');
    a.transport.setPeers(new Map([['b', 'nowhere']]));
    a.transport.send(heartbeat('a', 'b', 1));
    expect(a.complaints.map(({ fields }) => fields)).toEqual([{ member: 'b', address: 'nowhere' }]);
  });
});

describe.each(WIRES)('a link over $wire', ({ open }) => {
  it('comes back when the member does, at the same address', async () => {
    await using a = await open('a');
    const first = await open('b');
    a.transport.setPeers(new Map([['b', first.address]]));
    a.transport.send(heartbeat('a', 'b', 1));
    await until('it arrived', () => first.heard.length === 1);
    await first[Symbol.asyncDispose]();
    await until('the loss was noticed', () => a.unreachable.length > 0);
    await using second = await open('b', { port: portOf(first.address) });
    await until('a dialled again', () => second.transport.activeSinceMs('a') !== undefined);
    a.transport.send(heartbeat('a', 'b', 2));
    await until('it arrived again', () => second.heard.length > 0);
    expect(commitsOf(second.heard)).toEqual([2]);
  });

  it('is dialled at once when the other side shows a sign of life', async () => {
    await using a = await open('a');
    const gone = await open('b');
    a.transport.setPeers(new Map([['b', gone.address]]));
    await gone[Symbol.asyncDispose]();
    await until('the loss was noticed', () => a.unreachable.length > 0);
    await using b = await open('b', { port: portOf(gone.address) });
    b.transport.setPeers(new Map([['a', a.address]]));
    await until('both hear each other', () => b.transport.activeSinceMs('a') !== undefined);
    expect(a.transport.activeSinceMs('b')).toBeDefined();
  });

  it('that is not changed by new peers is kept; one that moved or left is closed', async () => {
    await using a = await open('a');
    await using b = await open('b');
    await using c = await open('c');
    const peers = new Map([
      ['a', a.address],
      ['b', b.address],
      ['c', c.address],
    ]);
    a.transport.setPeers(peers);
    await until(
      'a is heard',
      () =>
        b.transport.activeSinceMs('a') !== undefined &&
        c.transport.activeSinceMs('a') !== undefined,
    );
    const since = b.transport.activeSinceMs('a');
    a.transport.setPeers(new Map([['b', b.address]]));
    await until('c was left', () => c.transport.activeSinceMs('a') === undefined);
    expect(b.transport.activeSinceMs('a')).toBe(since);
    await using moved = await open('b');
    a.transport.setPeers(new Map([['b', moved.address]]));
    await until('a moved too', () => moved.transport.activeSinceMs('a') !== undefined);
    await until('the old place was left', () => b.transport.activeSinceMs('a') === undefined);
  });
});

describe.each(WIRES)('calls over $wire', ({ open }) => {
  it('are answered on the connection of the other direction', async () => {
    await using a = await open('a');
    await using b = await open('b', {
      call: (from, { method, body }) =>
        Promise.resolve(Buffer.from(`${from} ${method} ${Buffer.from(body).toString()}`)),
    });
    a.transport.setPeers(new Map([['b', b.address]]));
    b.transport.setPeers(new Map([['a', a.address]]));
    await until('both hear', () => a.transport.activeSinceMs('b') !== undefined);
    const many = ['one', 'two', 'three'].map((text) =>
      a.transport.call('b', { method: 'say', body: Buffer.from(text) }, 20_000),
    );
    const answers = await Promise.all(many);
    expect(answers.map((answer) => answer?.toString())).toEqual([
      'a say one',
      'a say two',
      'a say three',
    ]);
  });

  it('may be long', async () => {
    await using a = await open('a');
    await using b = await open('b');
    a.transport.setPeers(new Map([['b', b.address]]));
    b.transport.setPeers(new Map([['a', a.address]]));
    const body = Buffer.alloc(500_000, 'body');
    const answer = await a.transport.call('b', { method: 'echo', body }, 20_000);
    expect(Buffer.from(answer ?? []).equals(body)).toBe(true);
  });

  it('end without an answer when the time is over; one that comes later is ignored', async () => {
    const late = Promise.withResolvers<Buffer>();
    await using a = await open('a');
    await using b = await open('b', {
      call: (_from, { method }) =>
        method === 'late' ? late.promise : Promise.resolve(Buffer.from('prompt')),
    });
    a.transport.setPeers(new Map([['b', b.address]]));
    b.transport.setPeers(new Map([['a', a.address]]));
    const body = Buffer.alloc(0);
    expect(await a.transport.call('b', { method: 'late', body }, 100)).toBeUndefined();
    late.resolve(Buffer.from('late'));
    const next = await a.transport.call('b', { method: 'prompt', body }, 20_000);
    expect(next?.toString()).toBe('prompt');
    expect(await a.transport.call('nobody', { method: 'x', body }, 10)).toBeUndefined();
  });

  it('end when the member that called does', async () => {
    await using b = await open('b', { call: () => new Promise(() => undefined) });
    const a = await open('a');
    a.transport.setPeers(new Map([['b', b.address]]));
    const call = a.transport.call('b', { method: 'x', body: Buffer.alloc(0) }, 1e9);
    await a[Symbol.asyncDispose]();
    expect(await call).toBeUndefined();
    const after = a.transport.call('b', { method: 'x', body: Buffer.alloc(0) }, 1e9);
    expect(await after).toBeUndefined();
  });
});

describe('a probe', () => {
  it('is answered at once by a member that is well, and leaves no trace', async () => {
    await using a = await openMember('a');
    using connection = await rawConnection(a.address);
    connection.socket.write(PEER_PROBE);
    await until('it was answered and closed', () => connection.isClosed());
    expect(connection.received().length).toBeGreaterThan(0);
    expect(a.complaints).toEqual([]);
  });
});

describe('finding a cluster', () => {
  it('asks all, and believes what more than half say', async () => {
    await using silent = await openStranger(() => undefined);
    await using rude = await openStranger((socket) => void socket.end('HTTP/1.1 400\r\n\r\n'));
    await using a = await openMember('a');
    await using b = await openMember('b');
    const routes = new Map([['a:2380', a.address]]);
    const peerUrls = FOUND.members[0]?.peerUrls ?? [];
    const options = { clock, log: silentLog, timeoutMs: 1_000, routes, peerUrls };
    const found = await findCluster([silent.address, 'a:2380', b.address], options);
    expect(found).toEqual(FOUND);
    expect(found.cluster).toBe(CLUSTER);
    await expect(
      findCluster([silent.address, rude.address, 'a:2380'], { ...options, timeoutMs: 2_000 }),
    ).rejects.toMatchObject({
      code: 'network-failed',
      message: expect.stringContaining('of 3 members 1 answered'),
    });
  });

  it('says where it asked when nobody answers', async () => {
    await using silent = await openStranger(() => undefined);
    await expect(
      findCluster([silent.address], { clock, log: silentLog, timeoutMs: 200, peerUrls: [] }),
    ).rejects.toMatchObject({
      code: 'network-failed',
      message: expect.stringContaining(silent.address),
    });
    await expect(
      findCluster(['x'], { clock, log: silentLog, timeoutMs: 200, peerUrls: [] }),
    ).rejects.toMatchObject({
      code: 'bad-option',
    });
  });
});

describe('the end', () => {
  it('leaves no sockets and no timers', async () => {
    const open = (): string[] =>
      process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name));
    await until('earlier ones are gone', () => !open().includes('TCPSocketWrap'));
    const before = open().toSorted();
    const stalled = await openStranger((socket) => void socket.pause());
    const within = open().length;
    {
      await using a = await openMember('a');
      await using b = await openMember('b');
      a.transport.setPeers(
        new Map([
          ['b', b.address],
          ['c', stalled.address],
          ['d', '127.0.0.1:1'],
        ]),
      );
      b.transport.setPeers(new Map([['a', a.address]]));
      void a.transport.call('c', { method: 'x', body: Buffer.alloc(0) }, 1e9);
      await until('they hear', () => b.transport.activeSinceMs('a') !== undefined);
      expect(open().length).toBeGreaterThan(within);
    }
    await stalled[Symbol.asyncDispose]();
    await until('all is closed', () => open().length <= before.length + 1);
    expect(open().filter((name) => name !== 'Timeout')).toEqual(
      before.filter((name) => name !== 'Timeout'),
    );
  });
});
