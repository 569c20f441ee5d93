import { describe, expect, it } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Message } from '../raft/types.ts';
import { frameOf } from './peer-frames.ts';
import { bodyOf, messageBody, PEER_PROBE, type Talk } from './peer-talk.ts';
import { OutgoingLink } from './tcp-outgoing.ts';
import {
  CLUSTER,
  clock,
  commitsOf,
  heartbeat,
  openMember,
  openStranger,
  portOf,
  rawConnection,
  type TestMember,
  until,
} from './tcp-testing.ts';

const HELLO: Talk = { type: 'hello', cluster: CLUSTER, from: 'b', to: 'a' };

function frames(...talks: readonly Talk[]): Buffer {
  return Buffer.concat(talks.map((talk) => frameOf(bodyOf(talk))));
}

function messageFrame(message: Message): Buffer {
  return frameOf(messageBody(message));
}

/** Sends `bytes` on a connection of its own and waits until `member` closes it. */
async function refused(member: TestMember, bytes: Uint8Array): Promise<void> {
  using connection = await rawConnection(member.address);
  connection.socket.write(bytes);
  await until('the connection was closed', () => connection.isClosed());
  expect(connection.received()).toHaveLength(0);
}

function reasons(member: TestMember): unknown[] {
  return member.complaints.map(({ fields }) => fields['why']);
}

describe('a member listens to those only who are right here', () => {
  it.each([
    [{ ...HELLO, cluster: 'c2' }, 'b is of another cluster: c2'],
    [{ ...HELLO, to: 'x' }, 'b looks for another member: x'],
    [{ ...HELLO, from: 'a' }, 'a has the name of this member'],
    [{ ...HELLO, from: '../b' }, 'its name is not that of a member'],
    [{ type: 'alive' }, "says 'alive' before its hello"],
  ] as const)('and refuses %o', async (first, why) => {
    await using a = await openMember('a');
    const stream = Buffer.concat([frames(first), messageFrame(heartbeat('b', 'a', 1))]);
    await refused(a, stream);
    expect(a.heard).toEqual([]);
    expect(reasons(a)).toEqual([why]);
    await refused(a, stream);
    expect(reasons(a)).toEqual([why]);
  });

  it('and refuses a second hello on one connection', async () => {
    await using a = await openMember('a');
    await refused(a, frames(HELLO, { ...HELLO, from: 'c' }));
    expect(reasons(a)).toEqual(["says 'hello' after its hello"]);
  });

  it('and a transport of another cluster gets nothing across', async () => {
    await using a = await openMember('a');
    await using b = await openMember('b', { cluster: 'c2' });
    b.transport.setPeers(new Map([['a', a.address]]));
    b.transport.send(heartbeat('b', 'a', 1));
    await until('it was refused', () => a.complaints.length > 0 && b.unreachable.length > 0);
    expect(a.heard).toEqual([]);
    expect(a.transport.activeSinceMs('b')).toBeUndefined();
  });

  it('also when it does not know their address yet', async () => {
    await using a = await openMember('a');
    using connection = await rawConnection(a.address);
    connection.socket.write(frames(HELLO));
    connection.socket.write(messageFrame(heartbeat('b', 'a', 5)));
    await until('it arrived', () => a.heard.length === 1);
    expect(a.heard).toEqual([heartbeat('b', 'a', 5)]);
    expect(a.transport.activeSinceMs('b')).toBeDefined();
  });
});

describe('damage', () => {
  const good = Buffer.concat([frames(HELLO), messageFrame(heartbeat('b', 'a', 1))]);

  it('of a frame ends the connection before anything wrong is heard', async () => {
    await using a = await openMember('a');
    const damaged = messageFrame(heartbeat('b', 'a', 2));
    damaged[damaged.length - 1] = 77;
    const later = messageFrame(heartbeat('b', 'a', 3));
    await refused(a, Buffer.concat([good, damaged, later]));
    expect(commitsOf(a.heard)).toEqual([1]);
    expect(reasons(a)).toEqual(['a checksum is wrong']);
  });

  it('that a checksum cannot see does too: a message that makes no sense', async () => {
    await using a = await openMember('a');
    const nonsense = frames({ type: 'message', data: Buffer.of(200, 1) });
    await refused(a, Buffer.concat([good, nonsense]));
    expect(commitsOf(a.heard)).toEqual([1]);
    expect(reasons(a)).toEqual(['no such message']);
  });

  it('and noise of any kind disturbs nobody else', async () => {
    await using a = await openMember('a');
    await using b = await openMember('b');
    b.transport.setPeers(new Map([['a', a.address]]));
    b.transport.send(heartbeat('b', 'a', 1));
    await refused(a, Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n'));
    await refused(a, Buffer.alloc(100_000, 255));
    await refused(a, Buffer.alloc(8));
    b.transport.send(heartbeat('b', 'a', 2));
    await until('b is heard', () => a.heard.length === 2);
    expect(b.unreachable).toEqual([]);
  });
});

describe('crowds', () => {
  it('of those who say nothing do not keep members out', async () => {
    await using a = await openMember('a');
    const crowd = await Promise.all(Array.from({ length: 80 }, () => rawConnection(a.address)));
    try {
      await until('some had to go', () => crowd.some((one) => one.isClosed()));
      await using b = await openMember('b');
      b.transport.setPeers(new Map([['a', a.address]]));
      b.transport.send(heartbeat('b', 'a', 1));
      await until('b is heard', () => a.heard.length === 1);
      using prober = await rawConnection(a.address);
      prober.socket.write(PEER_PROBE);
      await until('a probe is answered', () => prober.received().length > 0);
    } finally {
      for (const one of crowd) one[Symbol.dispose]();
    }
  });

  it('of one member are one: the newest connection ends the one before', async () => {
    await using a = await openMember('a');
    using before = await rawConnection(a.address);
    before.socket.write(frames(HELLO));
    await until('it is heard', () => a.transport.activeSinceMs('b') !== undefined);
    using newest = await rawConnection(a.address);
    newest.socket.write(frames(HELLO));
    await until('the one before was closed', () => before.isClosed());
    newest.socket.write(messageFrame(heartbeat('b', 'a', 1)));
    await until('the newest is heard', () => a.heard.length === 1);
    expect(a.transport.activeSinceMs('b')).toBeDefined();
  });
});

describe('who is active', () => {
  it('has been since it connected, for as long as it says something', async () => {
    await using a = await openMember('a', { stallMs: 400 });
    expect(a.transport.activeSinceMs('b')).toBeUndefined();
    const startMs = msFromNanos(clock.now());
    using connection = await rawConnection(a.address);
    connection.socket.write(frames(HELLO));
    await until('it is heard', () => a.transport.activeSinceMs('b') !== undefined);
    const since = a.transport.activeSinceMs('b') ?? 0;
    expect(since).toBeGreaterThanOrEqual(startMs);
    await until('it is silent for too long', () => a.transport.activeSinceMs('b') === undefined);
    connection.socket.write(frames({ type: 'alive' }));
    await until('it is heard again', () => a.transport.activeSinceMs('b') !== undefined);
    expect(a.transport.activeSinceMs('b')).toBeGreaterThan(since + 400);
    connection.socket.destroy();
    await until('it is gone', () => a.transport.activeSinceMs('b') === undefined);
  });

  it('stays so without having anything to say', async () => {
    const stallMs = 4000;
    await using a = await openMember('a', { stallMs });
    await using b = await openMember('b', { stallMs });
    b.transport.setPeers(new Map([['a', a.address]]));
    await until('b is heard', () => a.transport.activeSinceMs('b') !== undefined);
    const since = a.transport.activeSinceMs('b') ?? 0;
    await sleep(clock, 1.5 * stallMs);
    expect(a.transport.activeSinceMs('b')).toBe(since);
  });
});

describe('a member that does not read', () => {
  const append = (from: string, to: string): Message => ({
    type: 'append',
    from,
    to,
    term: 1,
    prevIndex: 1,
    prevTerm: 1,
    entries: [
      { index: 2, term: 1, payload: { kind: 'command', data: Buffer.alloc(50_000, 'entry') } },
    ],
    commit: 0,
  });

  it('costs a bounded amount of memory, and is dialled again', async () => {
    await using stalled = await openStranger((socket) => void socket.pause());
    const queueBytesMax = 1_000_000;
    let losses = 0;
    let most = 0;
    using link = new OutgoingLink({
      clock,
      log: silentLog,
      address: { host: '127.0.0.1', port: portOf(stalled.address) },
      hello: { cluster: CLUSTER, from: 'a', to: 'b' },
      stallMs: 300,
      queueBytesMax,
      onLost: () => void losses++,
    });
    await until('it gave up and dialled again', () => {
      for (let count = 0; count < 20; count++) link.say(messageBody(append('a', 'b')), 'ordered');
      most = Math.max(most, link.backlog);
      return stalled.sockets.length >= 2;
    });
    expect(most).toBeGreaterThan(queueBytesMax / 2);
    expect(most).toBeLessThan(queueBytesMax + 100_000);
    expect(losses).toBeGreaterThan(0);
  });

  it('makes a snapshot fail', async () => {
    await using stalled = await openStranger((socket) => void socket.pause());
    await using a = await openMember('a', { stallMs: 200 });
    a.transport.setPeers(new Map([['b', stalled.address]]));
    a.transport.send({
      type: 'snapshot',
      from: 'a',
      to: 'b',
      term: 1,
      meta: { index: 1, term: 1, config: { voters: ['a'], learners: [] } },
      data: Buffer.alloc(30_000_000),
    });
    await until('it failed', () => a.snapshots.length > 0);
    expect(a.snapshots).toEqual([{ member: 'b', sent: false }]);
    await until('that is reported too', () => a.unreachable.length > 0);
    expect(a.unreachable).toContain('b');
  });
});

describe('a member that is not there', () => {
  it('is not dialled in a hot loop, also behind a proxy that accepts for it', async () => {
    const startMs = msFromNanos(clock.now());
    await using closing = await openStranger((socket) => socket.destroy());
    await using a = await openMember('a');
    a.transport.setPeers(new Map([['b', closing.address]]));
    await until('some dials', () => closing.sockets.length >= 6);
    const elapsedMs = msFromNanos(clock.now()) - startMs;
    // Pauses of 50, 100, 200, 400 and then 500 ms.
    expect(elapsedMs).toBeGreaterThan(1200);
    expect(closing.sockets.length).toBeLessThanOrEqual(6 + elapsedMs / 500);
  });

  it('makes a snapshot fail later, not while it is being sent', async () => {
    await using a = await openMember('a');
    const gone = await openMember('b');
    await gone[Symbol.asyncDispose]();
    a.transport.setPeers(new Map([['b', gone.address]]));
    await until('it is known', () => a.unreachable.length > 0);
    const meta = { index: 1, term: 1, config: { voters: ['a'], learners: [] } };
    a.transport.send({ type: 'snapshot', from: 'a', to: 'b', term: 1, meta, data: Buffer.of(1) });
    expect(a.snapshots).toEqual([]);
    await until('it failed', () => a.snapshots.length > 0);
    expect(a.snapshots).toEqual([{ member: 'b', sent: false }]);
  });

  it('causes few reports, however much is lost', async () => {
    await using a = await openMember('a');
    const gone = await openMember('b');
    await gone[Symbol.asyncDispose]();
    a.transport.setPeers(new Map([['b', gone.address]]));
    const startMs = msFromNanos(clock.now());
    for (let turn = 0; turn < 100; turn++) {
      a.transport.send(heartbeat('a', 'b', turn));
      await sleep(clock, 3);
    }
    const elapsedMs = msFromNanos(clock.now()) - startMs;
    expect(a.unreachable.length).toBeGreaterThan(0);
    expect(a.unreachable.length).toBeLessThanOrEqual(2 + elapsedMs / 100);
  });
});

describe('the address to listen on', () => {
  it('is refused with a clear error when it is taken', async () => {
    await using a = await openMember('a');
    await expect(openMember('b', { port: portOf(a.address) })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(a.address),
    });
  });
});
