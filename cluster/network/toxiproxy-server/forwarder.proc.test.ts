import type { Proxy, ToxicType } from 'toxiproxy-node-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import {
  client,
  clock,
  dial,
  type Listener,
  listen,
  ourServer,
  type Peer,
  until,
} from '../testing.ts';
import type { LinkServer } from '../toxiproxy.ts';

let server: LinkServer;
let n2: Listener;
let n3: Listener;
let toN2: Proxy;
let toN3: Proxy;
let forwarder: string;
const peers: Peer[] = [];

beforeAll(async () => {
  server = await ourServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  [n2, n3] = [await listen(), await listen()];
  [toN2, toN3] = [await link('n1>n2', n2), await link('n1>n3', n3)];
  const created = await post({
    name: 'n1',
    listen: '127.0.0.1:0',
    routes: { 'peer2.test:2380': toN2.listen, 'peer3.test:2380': toN3.listen },
  });
  forwarder = ((await created.json()) as { listen: string }).listen;
});
afterEach(async () => {
  await fetch(`${server.url}/forwarders/n1`, { method: 'DELETE' });
  for (const { socket } of peers.splice(0)) socket.destroy();
  await Promise.all([toN2.remove(), toN3.remove()]);
  await Promise.all([n2[Symbol.asyncDispose](), n3[Symbol.asyncDispose]()]);
});

function link(name: string, { address }: Listener): Promise<Proxy> {
  return client(server).createProxy({ name, listen: '127.0.0.1:0', upstream: address });
}

function post(body: unknown): Promise<Response> {
  return fetch(`${server.url}/forwarders`, { method: 'POST', body: JSON.stringify(body) });
}

async function caller(): Promise<Peer> {
  const peer = await dial(forwarder);
  peers.push(peer);
  return peer;
}

const get = (url: string): string =>
  `GET ${url} HTTP/1.1\r\nHost: h\r\nX-Raft-To: 5\r\nProxy-Connection: keep-alive\r\n\r\n`;
const answer = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const shows = (peer: Peer, what: RegExp): Promise<void> =>
  until(`${what} (so far '${peer.text()}')`, () => what.test(peer.text()));

describe('requests', () => {
  it('on one pooled connection each go to their own target, on a link connection each', async () => {
    const here = await caller();
    const hops = [
      { host: 'peer2.test', node: n2, path: '/raft/stream/message/1' },
      { host: 'PEER3.test', node: n3, path: '/raft?x=y' },
      { host: 'peer2.test', node: n2, path: '/version' },
    ];
    for (const { host, node, path } of hops) {
      here.socket.write(get(`http://${host}:2380${path}`));
      const there = await node.next();
      await shows(there, /\r\n\r\n$/);
      expect(there.text().split(' ').slice(0, 2)).toEqual(['GET', path]);
      expect(there.text()).toContain('\r\nX-Raft-To: 5\r\n');
      expect(there.text()).not.toContain('Proxy-Connection');
      there.socket.write(answer(`from ${path}`));
      await until('the answer', () => here.text().endsWith(`from ${path}`));
    }
    expect([n2.accepted.length, n3.accepted.length]).toEqual([2, 1]);
    expect(here.text().match(/HTTP\/1.1 200 OK/g)).toHaveLength(3);
    expect(here.over()).toBeUndefined();
  });

  it('stream: headers go at once both ways, bodies as they come', async () => {
    const here = await caller();
    here.socket.write(
      'POST http://peer2.test:2380/raft HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const there = await n2.next();
    await shows(there, /^POST \/raft HTTP\/1.1\r\n[^]*\r\n\r\n$/);
    here.socket.write('3\r\nabc\r\n');
    await shows(there, /abc/);
    there.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await shows(here, /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/);
    for (const part of ['one', 'two']) {
      there.socket.write(`3\r\n${part}\r\n`);
      await shows(here, new RegExp(part));
    }
    here.socket.write('0\r\n\r\n');
    await shows(there, /0\r\n\r\n$/);
  });

  it('end when the node goes away', async () => {
    const here = await caller();
    here.socket.write(get('http://peer2.test:2380/'));
    const there = await n2.next();
    await shows(there, /\r\n\r\n$/);
    here.socket.destroy();
    expect(await there.isOver()).toBe('end');
  });
});

describe('a link that dies', () => {
  it.each(['before the answer', 'within the answer'])('%s resets the node', async (when) => {
    const here = await caller();
    here.socket.write(get('http://peer2.test:2380/'));
    const there = await n2.next();
    await shows(there, /\r\n\r\n$/);
    if (when === 'within the answer') {
      there.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
      await shows(here, /part$/);
    }
    there.socket.resetAndDestroy();
    expect(await here.isOver()).toBe('ECONNRESET');
  });

  it('by a cut is silence until the cut is gone', async () => {
    const here = await caller();
    const toxic = await toN2.addToxic({
      name: 'cut',
      type: 'cut' as ToxicType,
      stream: 'upstream',
      toxicity: 1,
      attributes: {},
    });
    here.socket.write(get('http://peer2.test:2380/'));
    // So long that the server has dialled by then: who comes later is not cut off.
    await sleep(clock, 1_000);
    expect([n2.accepted.length, here.over()]).toEqual([0, undefined]);
    await toxic.remove();
    expect(await here.isOver()).toBe('ECONNRESET');
    expect(here.text()).toBe('');
  });
});

describe('what has no route', () => {
  it.each([
    ['http://peer9.test:2380/', '502 Bad Gateway', "no route to 'peer9.test:2380'"],
    ['http://peer2.test/', '502 Bad Gateway', "no route to 'peer2.test'"],
    ['/version', '400 Bad Request', 'absolute http:// requests only'],
    ['https://peer2.test:2380/', '400 Bad Request', 'absolute http:// requests only'],
  ])('%s: %s', async (url, status, text) => {
    const here = await caller();
    here.socket.write(get(url));
    await shows(here, /\n$/);
    await until(text, () => here.text().includes(text));
    expect(here.text()).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
  });

  it('is refused to tunnels, too; others carry bytes and resets', async () => {
    const lost = await caller();
    lost.socket.write('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
    await shows(lost, /^HTTP\/1.1 502 [^]*no route to 'example.org:443'/);
    const here = await caller();
    here.socket.write('CONNECT peer3.test:2380 HTTP/1.1\r\nHost: h\r\n\r\n');
    await shows(here, /^HTTP\/1.1 200 [^]*\r\n\r\n$/);
    here.socket.write('tls bytes');
    const there = await n3.next();
    await there.has('tls bytes');
    there.socket.write('back');
    await shows(here, /back$/);
    there.socket.resetAndDestroy();
    await here.isOver();
  });
});

describe('the endpoint', () => {
  it('lists, refuses twice the same name and ways off this machine, and removes', async () => {
    const listed = (await (await fetch(`${server.url}/forwarders`)).json()) as object;
    expect(listed).toEqual({
      n1: {
        name: 'n1',
        listen: forwarder,
        routes: { 'peer2.test:2380': toN2.listen, 'peer3.test:2380': toN3.listen },
      },
    });
    expect((await post({ name: 'n1', routes: {} })).status).toBe(409);
    expect((await post({ name: 'x', routes: { 'a:1': '10.0.0.1:1' } })).status).toBe(400);
    expect((await post({ name: 'x', listen: '192.0.2.1:0', routes: {} })).status).toBe(400);
    const here = await caller();
    await fetch(`${server.url}/forwarders/n1`, { method: 'DELETE' });
    expect(await here.isOver()).toMatch(/end|ECONNRESET/);
    expect((await fetch(`${server.url}/forwarders/n1`)).status).toBe(404);
  });
});
