/**
 * What our server does to bytes otherwise than the original, on purpose: `hold` and `cut` are ours, and
 * `reset_peer` always resets. All the rest is in `toxiproxy-contract-bytes.proc.test.ts`.
 */
import type { Proxy, Toxic, ToxicType } from 'toxiproxy-node-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../../harness/core/clock.ts';
import { client, clock, dial, type Listener, listen, ourServer, type Peer } from '../testing.ts';
import type { LinkServer } from '../toxiproxy.ts';

/** Long enough to notice what should not happen. */
const QUIET_MS = 80;

let server: LinkServer;
let node: Listener;
let proxy: Proxy;
const peers: Peer[] = [];

beforeAll(async () => {
  server = await ourServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  node = await listen();
  proxy = await client(server).createProxy({
    name: 'p',
    listen: '127.0.0.1:0',
    upstream: node.address,
  });
});
afterEach(async () => {
  await proxy.remove();
  for (const { socket } of peers.splice(0)) socket.destroy();
  await node[Symbol.asyncDispose]();
});

async function caller(): Promise<Peer> {
  const peer = await dial(proxy.listen);
  peers.push(peer);
  return peer;
}

function add(
  type: string,
  stream: 'upstream' | 'downstream',
  attributes: Record<string, number> = {},
): Promise<Toxic<Record<string, number>>> {
  return proxy.addToxic({
    name: `${type}_${stream}`,
    type: type as ToxicType,
    stream,
    toxicity: 1,
    attributes,
  });
}

/** A connection through the proxy, both ends, over which both have spoken. */
async function talking(): Promise<{ here: Peer; there: Peer }> {
  const here = await caller();
  const there = await node.next();
  here.socket.write('ping');
  await there.has('ping');
  there.socket.write('pong');
  await here.has('pong');
  return { here, there };
}

/** The counter of bytes that went upstream. */
async function sentUpstream(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/sent_bytes_total\{direction="upstream"[^}]*\} (\d+)/.exec(text)?.[1]);
}

describe('reset_peer', () => {
  it('sends RST on connections that were there before it, too', async () => {
    const idle = await talking();
    const { here, there } = await talking();
    await add('reset_peer', 'upstream', { timeout: 20 });
    here.socket.write('a');
    expect(await here.isOver()).toBe('ECONNRESET');
    expect(await there.isOver()).toBe('ECONNRESET');
    expect(idle.here.over()).toBeUndefined();
  });
});

describe('hold', () => {
  it('keeps all on the living connection, then lets go in order, end and all', async () => {
    const { here, there } = await talking();
    const toxic = await add('hold', 'upstream');
    const late = await caller();
    const lateThere = await node.next();
    for (const text of ['1', '2', '3']) here.socket.write(text);
    late.socket.write('late');
    late.socket.end();
    there.socket.write('!');
    await here.has('pong!');
    await sleep(clock, QUIET_MS);
    expect([there.text(), lateThere.text(), lateThere.over()]).toEqual(['ping', '', undefined]);
    await toxic.remove();
    await there.has('ping123');
    await lateThere.has('late');
    expect(await lateThere.isOver()).toBe('end');
    expect(here.over()).toBeUndefined();
    here.socket.write('4');
    await there.has('ping1234');
  });
});

describe('cut', () => {
  it('one way: says nothing, the other way flows; on removal both ends are reset', async () => {
    const { here, there } = await talking();
    const before = await sentUpstream();
    const toxic = await add('cut', 'upstream');
    here.socket.write('never');
    there.socket.write('!');
    await here.has('pong!');
    await sleep(clock, QUIET_MS);
    expect([there.text(), there.over(), here.over()]).toEqual(['ping', undefined, undefined]);
    expect(await sentUpstream()).toBe(before);
    await toxic.remove();
    expect(await here.isOver()).toBe('ECONNRESET');
    expect(await there.isOver()).toBe('ECONNRESET');
    expect(there.text()).toBe('ping');
  });

  it('hides the death of one end from the other until it is removed', async () => {
    const { here, there } = await talking();
    const toxic = await add('cut', 'upstream');
    here.socket.resetAndDestroy();
    await sleep(clock, QUIET_MS);
    there.socket.write('to the dead');
    await sleep(clock, QUIET_MS);
    expect(there.over()).toBeUndefined();
    await toxic.remove();
    expect(await there.isOver()).toBe('ECONNRESET');
  });

  it('keeps new connections waiting, unserved, and resets them on removal', async () => {
    const toxic = await add('cut', 'upstream');
    const waiting = await caller();
    waiting.socket.write('hello?');
    await sleep(clock, QUIET_MS);
    expect(node.accepted).toEqual([]);
    expect(waiting.over()).toBeUndefined();
    await toxic.remove();
    expect(await waiting.isOver()).toBe('ECONNRESET');
    expect(node.accepted).toEqual([]);
    await talking();
  });

  it('downstream: new requests still arrive, answers do not', async () => {
    await add('cut', 'downstream');
    const here = await caller();
    const there = await node.next();
    here.socket.write('ask');
    await there.has('ask');
    there.socket.write('answer');
    there.socket.end();
    await sleep(clock, QUIET_MS);
    expect([here.text(), here.over()]).toEqual(['', undefined]);
    await client(server).reset();
    expect(await here.isOver()).toBe('ECONNRESET');
    expect(here.text()).toBe('');
  });

  it('both ways: giving back one way must not leak a reset through the other', async () => {
    const { here, there } = await talking();
    const up = await add('cut', 'upstream');
    const down = await add('cut', 'downstream');
    const waiting = await caller();
    await up.remove();
    expect(await there.isOver()).toBe('ECONNRESET');
    await sleep(clock, QUIET_MS);
    expect([here.over(), waiting.over()]).toEqual([undefined, undefined]);
    await down.remove();
    expect(await here.isOver()).toBe('ECONNRESET');
    expect(await waiting.isOver()).toBe('ECONNRESET');
  });

  it('spares the connections that toxicity spares', async () => {
    const { here, there } = await talking();
    const toxic = await proxy.addToxic({
      name: 'rare',
      type: 'cut' as ToxicType,
      stream: 'upstream',
      toxicity: 0,
      attributes: {},
    });
    here.socket.write('!');
    await there.has('ping!');
    await toxic.remove();
    here.socket.write('!');
    await there.has('ping!!');
    expect(here.over()).toBeUndefined();
  });
});
