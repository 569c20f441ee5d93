/** Whole links, with tiny HTTP servers as nodes. */

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../harness/core/log.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { Shape } from '../../harness/protocols/network.ts';
import { completeGrudge, isolate, majoritiesRing, oneWay } from './grudge.ts';
import { type Links, openLinks } from './links.ts';
import { endpointFrom } from './names.ts';
import { clock, dial, ourServer, type TinyNode, timed, tinyNode, until } from './testing.ts';
import { connectLinkServer, type LinkServer } from './toxiproxy.ts';

const NODES = ['n1', 'n2', 'n3'];
const request = Buffer.from('GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

let server: LinkServer;
let tiny: Map<string, TinyNode>;
let links: Links;

async function open(to: LinkServer, forwarding = false, latencyMs = 0): Promise<Links> {
  const addresses = new Map([...tiny].map(([name, { address }]) => [name, endpointFrom(address)]));
  return await openLinks({
    server: to,
    nodes: NODES,
    peers: addresses,
    clients: addresses,
    ...(forwarding && {
      forwardNames: new Map(NODES.map((name) => [name, `${name}.test:2380`])),
    }),
    probe: { request },
    latencyMs,
    probeWaitMs: 1_000,
    clock,
    log: silentLog,
  });
}

beforeEach(async () => {
  tiny = new Map(
    await Promise.all(NODES.map(async (name) => [name, await tinyNode(name)] as const)),
  );
  server = await ourServer();
  links = await open(server, true);
});
afterEach(async () => {
  await links[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  for (const node of tiny.values()) await node[Symbol.asyncDispose]();
});

/** `n1>n2 cut`, for everything that is not open. */
async function observed(): Promise<string[]> {
  const matrix = await links.network.observe();
  expect(matrix).toHaveLength(6);
  return matrix
    .filter(({ state }) => state !== 'open')
    .map(({ from, to, state }) => `${from}>${to} ${state}`);
}

const latency: Shape = { kind: 'latency', latencyMs: 60, jitterMs: 0 };

describe('links', () => {
  it('lead to their nodes, each by an address of its own', async () => {
    const addresses = NODES.flatMap((from) =>
      NODES.filter((to) => to !== from).map((to) => links.peerAddress(from, to).port),
    );
    expect(new Set([...addresses, ...NODES.map((n) => links.clientAddress(n).port)]).size).toBe(9);
    for (const to of ['n2', 'n3']) {
      const { host, port } = links.peerAddress('n1', to);
      expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe(to);
    }
    const { host, port } = links.clientAddress('n3');
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('n3');
    expect(links.forwarderUrl('n1')).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('are all open at first, and say how long a round trip takes, without waiting', async () => {
    const { value, ms } = await timed(() => links.network.observe());
    expect(value.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'open'));
    expect(value.every(({ rttMs }) => rttMs !== undefined && rttMs >= 0)).toBe(true);
    expect(ms).toBeLessThan(2_000);
  });
});

describe('cuts', () => {
  it('are measured in exactly the directions that were cut', async () => {
    const { network } = links;
    await network.drop(oneWay(['n1'], ['n2']));
    expect(await observed()).toEqual(['n1>n2 cut']);
    await network.heal();
    expect(await observed()).toEqual([]);
    await network.drop(isolate(NODES, 'n2', { direction: 'in' }));
    expect(await observed()).toEqual(['n1>n2 cut', 'n3>n2 cut']);
    await network.heal();
    await network.drop(completeGrudge([['n1'], ['n2', 'n3']]));
    expect(await observed()).toEqual(['n1>n2 cut', 'n1>n3 cut', 'n2>n1 cut', 'n3>n1 cut']);
  });

  it('overlap: a link is open again when the last grudge let it go', async () => {
    const { network } = links;
    const [first, second] = [oneWay(['n1'], ['n2', 'n3']), oneWay(['n1'], ['n2'])];
    await Promise.all([network.drop(first), network.drop(second)]);
    expect(await network.installed()).toHaveLength(4);
    await network.undrop(first);
    expect(await network.installed()).toEqual([
      'cut:n1>n2 on n1>n2 upstream',
      'cut:n1>n2 on n2>n1 downstream',
    ]);
    expect(await observed()).toEqual(['n1>n2 cut']);
    await network.undrop(second);
    await network.undrop(second);
    expect(await network.installed()).toEqual([]);
    expect(await observed()).toEqual([]);
  });

  it('of one stream alone show as half a cut', async () => {
    const add = (name: string, stream: string): Promise<Response> =>
      fetch(`${server.url}/proxies/${encodeURIComponent(name)}/toxics`, {
        method: 'POST',
        body: JSON.stringify({ type: 'cut', stream }),
      });
    await add('n1>n2', 'upstream');
    const matrix = await links.network.observe();
    const half = matrix.filter(({ state }) => state !== 'open');
    expect(half).toMatchObject([
      { from: 'n1', to: 'n2', state: 'unknown', reason: expect.stringContaining('half cut') },
    ]);
  });

  it('of a ring leave everybody a majority', async () => {
    await links.network.drop(majoritiesRing(NODES, Random.stream(seedFrom(3), 'ring')));
    expect(await observed()).toHaveLength(2);
  });

  it('with a dead node: unknown towards it, and no cut is invented', async () => {
    await tiny.get('n3')?.[Symbol.asyncDispose]();
    expect(await observed()).toEqual(['n1>n3 unknown', 'n2>n3 unknown']);
  });

  it('do not name nodes that have no link', async () => {
    await expect(links.network.drop(new Map([['n1', new Set(['n9'])]]))).rejects.toThrow(
      "no link from 'n9' to 'n1'",
    );
    expect(await links.network.installed()).toEqual([]);
  });
});

describe('shapes', () => {
  it('latency slows just its direction of the pair, and goes when it is given back', async () => {
    const { network } = links;
    const undo = await network.shape({ from: 'n1', to: 'n2' }, latency);
    await network.shape({ from: 'n1', to: 'n3' }, { kind: 'bandwidth', rateKBps: 1_000 });
    const matrix = await network.observe();
    const slow = matrix.filter(({ rttMs }) => (rttMs ?? 0) >= 59);
    expect(slow.map(({ from, to }) => `${from}>${to}`)).toEqual(
      expect.arrayContaining(['n1>n2', 'n2>n1']),
    );
    expect(matrix.every(({ state }) => state === 'open')).toBe(true);
    expect(await network.installed()).toEqual(
      expect.arrayContaining(['latency.1:n1>n2 on n1>n2 upstream']),
    );
    await undo();
    await undo();
    expect((await network.installed()).every((name) => name.startsWith('bandwidth.2'))).toBe(true);
    await network.heal();
    expect(await network.installed()).toEqual([]);
  });

  it.each(['hold', 'blackhole'] as const)('%s measures as cut', async (kind) => {
    const undo = await links.network.shape({ from: 'n1', to: 'n2' }, { kind });
    expect(await observed()).toEqual(['n1>n2 cut']);
    await undo();
    expect(await observed()).toEqual([]);
  });

  it('can be put on the way of the clients', async () => {
    await links.network.shape({ from: 'client', to: 'n1' }, latency);
    const { host, port } = links.clientAddress('n1');
    const { ms } = await timed(() => fetch(`http://${host}:${port}/`));
    expect(ms).toBeGreaterThanOrEqual(59);
  });

  it('undone after a heal do not disturb what came later', async () => {
    const undo = await links.network.shape({ from: 'n1', to: 'n2' }, latency);
    await links.network.heal();
    await links.network.shape({ from: 'n1', to: 'n2' }, latency);
    await undo();
    expect(await links.network.installed()).toHaveLength(2);
  });
});

describe('a latency of all links', () => {
  let own: LinkServer;
  let far: Links;
  beforeEach(async () => {
    own = await ourServer();
    far = await open(own, true, 40);
  });
  afterEach(async () => {
    await far[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
  });

  /** The fastest and the slowest way there and back. */
  async function roundTrips(): Promise<readonly [number, number]> {
    const matrix = await far.network.observe();
    expect(matrix.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'open'));
    const times = matrix.map(({ rttMs }) => rttMs ?? 0);
    return [Math.min(...times), Math.max(...times)];
  }

  it('is on every link in both directions, is no fault, and stays through a heal', async () => {
    expect(far.network.latencyMs).toBe(40);
    expect(await far.network.installed()).toEqual([]);
    expect((await roundTrips())[0]).toBeGreaterThanOrEqual(80);
    await far.network.drop(completeGrudge([['n1'], ['n2', 'n3']]));
    const cut = (await far.network.observe()).filter(({ state }) => state === 'cut');
    expect(cut.map(({ from, to }) => `${from}>${to}`)).toEqual([
      'n1>n2',
      'n1>n3',
      'n2>n1',
      'n3>n1',
    ]);
    await far.network.heal();
    expect(await far.network.installed()).toEqual([]);
    expect((await roundTrips())[0]).toBeGreaterThanOrEqual(80);
  });

  it('goes once each way, and leaves clients alone', async () => {
    const on = async (name: string): Promise<string[]> => {
      const reply = await fetch(`${own.url}/proxies/${encodeURIComponent(name)}`);
      const { toxics } = (await reply.json()) as { toxics: { type: string; stream: string }[] };
      return toxics.map(({ type, stream }) => `${type} ${stream}`).toSorted();
    };
    expect(await on('n1>n2')).toEqual(['latency downstream', 'latency upstream']);
    expect(await on('client>n1')).toEqual([]);
  });

  it('and one of a fault add up', async () => {
    await far.network.shape({ from: 'n1', to: 'n2' }, { ...latency, latencyMs: 400 });
    const matrix = await far.network.observe();
    const slow = matrix.filter(({ rttMs }) => (rttMs ?? 0) >= 479);
    expect(slow.map(({ from, to }) => `${from}>${to}`)).toEqual(
      expect.arrayContaining(['n1>n2', 'n2>n1']),
    );
    await far.network.heal();
    expect((await roundTrips())[0]).toBeGreaterThanOrEqual(80);
  });
});

describe('a Toxiproxy that is not ours', () => {
  it('cuts by timeout 0, and refuses what it cannot do', async () => {
    const added: unknown[] = [];
    const fake = createServer((message, response) => {
      const parts: Buffer[] = [];
      message.on('data', (part: Buffer) => parts.push(part));
      message.on('end', () => {
        const body = Buffer.concat(parts).toString();
        if (message.url === '/version') response.end('{"version": "2.12.0"}\n');
        else if (message.url === '/populate')
          response.end(JSON.stringify({ proxies: JSON.parse(body) }));
        else if (message.url?.endsWith('/toxics') === true) {
          added.push(JSON.parse(body));
          response.end(body);
        } else response.end();
      });
    });
    fake.listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const { port } = fake.address() as { port: number };
    const other = await connectLinkServer({
      url: `http://127.0.0.1:${port}`,
      clock,
      log: silentLog,
    });
    expect(other.kind).toBe('toxiproxy');
    const { network, ...rest } = await open(other);
    expect(network.can.has('hold')).toBe(false);
    await expect(network.shape({ from: 'n1', to: 'n2' }, { kind: 'hold' })).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(open(other, true)).rejects.toMatchObject({ code: 'unsupported' });
    await network.drop(oneWay(['n1'], ['n2']));
    expect(added).toMatchObject([
      { name: 'cut:n1>n2', type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
      { name: 'cut:n1>n2', type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } },
    ]);
    await rest[Symbol.asyncDispose]();
    fake.closeAllConnections();
    fake.close();
  });

  it('is told from a server that is none, and from none at all', async () => {
    const address = tiny.get('n1')?.address;
    const connecting = connectLinkServer({ url: `http://${address}`, clock, log: silentLog });
    await expect(connecting).rejects.toMatchObject({ code: 'network-failed' });
    const nobody = connectLinkServer({ url: 'http://127.0.0.1:1', clock, log: silentLog });
    await expect(nobody).rejects.toMatchObject({ code: 'network-failed' });
  });
});

describe('leftovers', () => {
  /** Sockets of the link server process; it has some before anything is opened. */
  const sockets = (): number => {
    const folder = `/proc/${server.pid}/fd`;
    return readdirSync(folder).length;
  };

  it('no listener and no connection stays in the server when links are disposed of', async () => {
    await using fresh = await ourServer();
    const count = (): number => readdirSync(`/proc/${fresh.pid}/fd`).length;
    await fetch(`${fresh.url}/version`);
    const before = count();
    const mine = await open(fresh, true);
    await mine.network.drop(completeGrudge([['n1'], ['n2'], ['n3']]));
    await mine.network.observe();
    const { socket } = await dial(mine.clientAddress('n1'));
    expect(count()).toBeGreaterThan(before + 12);
    await mine[Symbol.asyncDispose]();
    await until('closed sockets', () => count() <= before + 2);
    expect(await (await fetch(`${fresh.url}/proxies`)).json()).toEqual({});
    socket.destroy();
    expect(sockets()).toBeGreaterThan(0);
  });
});
