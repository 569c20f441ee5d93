import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { type Authority, certificateAuthority } from '../testing-certificates.ts';
import type { TlsKeys } from '../tls-files.ts';
import { TLS_PROBE } from '../tls-probe.ts';
import { bodyOf, PEER_PROBE } from './peer-talk.ts';
import { findCluster } from './tcp-find.ts';
import { OutgoingLink } from './tcp-outgoing.ts';
import {
  CLUSTER,
  clock,
  commitsOf,
  FOUND,
  heartbeat,
  openMember,
  openProxy,
  openStranger,
  portOf,
  rawConnection,
  type TestMember,
  until,
} from './tcp-testing.ts';

const authority: Authority = await certificateAuthority();
const tls: TlsKeys = await authority.keys();
const other: Authority = await certificateAuthority('another authority');

function reasons({ complaints }: TestMember): unknown[] {
  return complaints.map(({ fields }) => fields['why']);
}

/** Why a member could not reach another one. */
function losses({ notes }: TestMember): unknown[] {
  return notes
    .filter(({ message }) => message === 'no connection to a member')
    .map(({ fields }) => fields['why']);
}

/** `a` tries to talk to `b`; resolves when it knows that it cannot. */
async function inVain(a: TestMember, b: TestMember): Promise<void> {
  a.transport.setPeers(new Map([['b', b.address]]));
  a.transport.send(heartbeat('a', 'b', 1));
  await until('it is known', () => losses(a).length > 0);
  expect(b.heard).toEqual([]);
  expect(b.transport.activeSinceMs('a')).toBeUndefined();
}

describe('a member with TLS is not reached', () => {
  it('by one without', async () => {
    await using a = await openMember('a');
    await using b = await openMember('b', { tls });
    await inVain(a, b);
    await until('it was refused', () => b.complaints.length > 0);
    expect(reasons(b)).toEqual([expect.stringMatching(/^TLS failed: /)]);
  });

  it('by one whose certificate another authority signed', async () => {
    const strange = { ...(await other.sign()), ca: authority.cert };
    await using a = await openMember('a', { tls: strange });
    await using b = await openMember('b', { tls });
    await inVain(a, b);
    await until('it was refused', () => b.complaints.length > 0);
    expect(reasons(b)).toEqual([expect.stringContaining('UNABLE_TO_VERIFY_LEAF_SIGNATURE')]);
  });

  it('by one whose certificate has expired', async () => {
    await using a = await openMember('a', { tls: await authority.keys({ isExpired: true }) });
    await using b = await openMember('b', { tls });
    await inVain(a, b);
    await until('it was refused', () => b.complaints.length > 0);
    expect(reasons(b)).toEqual([expect.stringContaining('CERT_HAS_EXPIRED')]);
  });
});

describe('a member with TLS does not talk', () => {
  it('to one without', async () => {
    await using a = await openMember('a', { tls });
    await using b = await openMember('b');
    await inVain(a, b);
    await until('that is reported too', () => a.unreachable.length > 0);
    expect(a.unreachable).toContain('b');
  });

  it.each([
    ['that another authority signed', () => other.sign(), /unable to verify/],
    ['that has expired', () => authority.sign({ isExpired: true }), /expired/],
    ['of another host', () => authority.sign({ hosts: ['n9.test', '192.0.2.9'] }), /127\.0\.0\.1/],
  ])('to one that shows a certificate %s', async (_which, certificate, why) => {
    await using a = await openMember('a', { tls });
    await using b = await openMember('b', {
      tls: { ...(await certificate()), ca: authority.cert },
    });
    await inVain(a, b);
    expect(losses(a)).toEqual([expect.stringMatching(why)]);
  });
});

describe('the certificate', () => {
  it('is for what a member advertises, whatever leads there', async () => {
    await using b = await openMember('b', { tls: await authority.keys({ hosts: ['b.test'] }) });
    await using proxy = await openProxy(b.address);
    const routes = new Map([['b.test:2380', proxy.address]]);
    await using a = await openMember('a', { tls, routes });
    a.transport.setPeers(new Map([['b', 'b.test:2380']]));
    a.transport.send(heartbeat('a', 'b', 1));
    await until('it arrived', () => b.heard.length === 1);
    a.transport.setPeers(new Map([['b', proxy.address]]));
    await until('the same by another name is refused', () => losses(a).length > 0);
    expect(losses(a)).toEqual([expect.stringContaining('altnames: IP: 127.0.0.1 is not in')]);
  });

  it('may be for an address', async () => {
    await using b = await openMember('b', { tls: await authority.keys({ hosts: ['192.0.2.2'] }) });
    const routes = new Map([['192.0.2.2:2380', b.address]]);
    await using a = await openMember('a', { tls, routes });
    a.transport.setPeers(new Map([['b', '192.0.2.2:2380']]));
    a.transport.send(heartbeat('a', 'b', 1));
    await until('it arrived', () => b.heard.length === 1);
    expect(losses(a)).toEqual([]);
  });
});

describe('a handshake that fails', () => {
  it.each([
    ['that the other side refuses', async () => ({ ...(await other.sign()), ca: authority.cert })],
    ['that is refused here', () => other.keys()],
  ])('%s is tried again in good time only, and mentioned once', async (_which, keys) => {
    const startMs = msFromNanos(clock.now());
    await using b = await openMember('b', { tls });
    await using proxy = await openProxy(b.address);
    await using a = await openMember('a', { tls: await keys() });
    a.transport.setPeers(new Map([['b', proxy.address]]));
    await until('some dials', () => proxy.sockets.length >= 6);
    const elapsedMs = msFromNanos(clock.now()) - startMs;
    // Pauses of 50, 100, 200, 400 and then 500 ms.
    expect(elapsedMs).toBeGreaterThan(1200);
    expect(losses(a)).toHaveLength(1);
    expect(b.complaints.length).toBeLessThanOrEqual(1);
  });

  it('does not keep one out whose certificate is good from now on', async () => {
    await using wrong = await openMember('b', { tls: await other.keys() });
    await using a = await openMember('a', { tls });
    await inVain(a, wrong);
    await wrong[Symbol.asyncDispose]();
    await using b = await openMember('b', { tls, port: portOf(wrong.address) });
    await until('a dialled again', () => b.transport.activeSinceMs('a') !== undefined);
    a.transport.send(heartbeat('a', 'b', 2));
    await until('it arrived', () => b.heard.length > 0);
    expect(commitsOf(b.heard)).toEqual([2]);
  });
});

describe('noise', () => {
  it('of any kind disturbs nobody else, and is complained of once', async () => {
    await using b = await openMember('b', { tls });
    await using a = await openMember('a', { tls });
    a.transport.setPeers(new Map([['b', b.address]]));
    a.transport.send(heartbeat('a', 'b', 1));
    const noises = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), PEER_PROBE, TLS_PROBE.subarray(0, 40)];
    for (const noise of [...noises, ...noises]) {
      using connection = await rawConnection(b.address);
      connection.socket.end(noise);
      await until('it was closed', () => connection.isClosed());
    }
    a.transport.send(heartbeat('a', 'b', 2));
    await until('a is heard', () => b.heard.length === 2);
    expect(a.unreachable).toEqual([]);
    expect(b.complaints.length).toBeGreaterThan(0);
    expect(b.complaints.length).toBeLessThanOrEqual(noises.length);
  });

  it('of those who begin no handshake does not keep members out', async () => {
    await using b = await openMember('b', { tls });
    const crowd = await Promise.all(Array.from({ length: 80 }, () => rawConnection(b.address)));
    try {
      await until('some had to go', () => crowd.some((one) => one.isClosed()));
      await using a = await openMember('a', { tls });
      a.transport.setPeers(new Map([['b', b.address]]));
      a.transport.send(heartbeat('a', 'b', 1));
      await until('a is heard', () => b.heard.length === 1);
      expect(losses(a)).toEqual([]);
    } finally {
      for (const one of crowd) one[Symbol.dispose]();
    }
  });

  it('is not what a probe is: it is answered, and leaves no trace', async () => {
    await using b = await openMember('b', { tls });
    using connection = await rawConnection(b.address);
    connection.socket.write(TLS_PROBE);
    await until('it was answered', () => connection.received().length > 0);
    // A handshake record, and in it the hello of a server.
    expect([connection.received()[0], connection.received()[5]]).toEqual([0x16, 0x02]);
    connection.socket.destroy();
    await sleep(clock, 50);
    expect(b.complaints).toEqual([]);
  });
});

describe('a member with TLS that does not read', () => {
  it('costs a bounded amount of memory, and is dialled again', async () => {
    const queueBytesMax = 1_000_000;
    await using b = await openMember('b', { tls });
    // The handshake and little more passes: then the link is full.
    await using stalling = await openStranger((socket) => passSome(socket, b.address, 10_000));
    let most = 0;
    using link = new OutgoingLink({
      clock,
      log: silentLog,
      address: { host: '127.0.0.1', port: portOf(stalling.address) },
      tls: { keys: tls, host: '127.0.0.1' },
      hello: { cluster: CLUSTER, from: 'a', to: 'b' },
      stallMs: 300,
      queueBytesMax,
      onLost: () => undefined,
    });
    const long = bodyOf({ type: 'call', id: 1, method: 'x', body: Buffer.alloc(50_000) });
    await until('it gave up and dialled again', () => {
      for (let count = 0; count < 20; count++) link.say(long, 'ordered');
      most = Math.max(most, link.backlog);
      return stalling.sockets.length >= 2;
    });
    expect(most).toBeGreaterThan(queueBytesMax / 2);
    expect(most).toBeLessThan(queueBytesMax + 100_000);
  });
});

/** A link that takes nothing more once it has passed on so many bytes. */
function passSome(socket: Socket, address: string, bytes: number): void {
  const onward = connect({ host: '127.0.0.1', port: portOf(address) });
  onward.on('error', () => undefined);
  onward.pipe(socket);
  let passed = 0;
  socket.on('data', (chunk: Buffer) => {
    onward.write(chunk);
    passed += chunk.length;
    if (passed > bytes) socket.pause();
  });
  socket.once('close', () => onward.destroy());
}

describe('finding a cluster', () => {
  it('works over TLS, and says why it does not', async () => {
    await using b = await openMember('b', { tls });
    const peerUrls = FOUND.members[0]?.peerUrls ?? [];
    const options = { clock, log: silentLog, timeoutMs: 20_000, peerUrls };
    expect(await findCluster([b.address], { ...options, tls })).toEqual(FOUND);
    const told: unknown[] = [];
    const log = {
      ...silentLog,
      warn: (_message: string, fields = {}) => void told.push(fields),
    };
    const strange = await other.keys();
    const lost = findCluster([b.address], { ...options, timeoutMs: 3_000, log, tls: strange });
    await expect(lost).rejects.toMatchObject({ code: 'network-failed' });
    expect(told).toEqual([{ address: b.address, why: expect.stringContaining('self-signed') }]);
    const plain = findCluster([b.address], { ...options, timeoutMs: 300 });
    await expect(plain).rejects.toMatchObject({ code: 'network-failed' });
  });
});

describe('the end', () => {
  it('leaves no sockets, in whatever state they are', async () => {
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name)).length;
    await until('earlier ones are gone', () => sockets() === 0);
    {
      await using silent = await openStranger(() => undefined);
      await using b = await openMember('b', { tls });
      await using a = await openMember('a', { tls });
      using raw = await rawConnection(b.address);
      raw.socket.write(TLS_PROBE);
      a.transport.setPeers(
        new Map([
          ['b', b.address],
          ['c', silent.address],
        ]),
      );
      await until('a is heard', () => b.transport.activeSinceMs('a') !== undefined);
      expect(sockets()).toBeGreaterThan(0);
    }
    await until('all is closed', () => sockets() === 0);
    expect(sockets()).toBe(0);
  });
});
