/** Links over several servers: each beside its node, as in containers. */
import { afterEach, describe, expect, it } from 'vitest';
import type { DirectedLink } from '../../harness/protocols/network.ts';
import { completeGrudge, isolate, oneWay } from './grudge.ts';
import type { Links } from './links.ts';
import { client } from './testing.ts';
import { type TestSites, type TestSitesOptions, testSites } from './testing-sites.ts';
import type { LinkServer } from './toxiproxy.ts';

let sites: TestSites;
let links: Links;
let opened: AsyncDisposableStack;

async function open(options: TestSitesOptions = {}): Promise<void> {
  opened = new AsyncDisposableStack();
  sites = opened.use(await testSites(options));
  links = opened.use(await sites.open({ create: true }));
}
afterEach(() => opened.disposeAsync());

/** `n1>n2 cut`, for everything that is not open. */
async function observed(): Promise<string[]> {
  const matrix = await links.network.observe();
  return matrix
    .filter(({ state }) => state !== 'open')
    .map(({ from, to, state }) => `${from}>${to} ${state}`);
}

function server(node: string): LinkServer {
  const found = sites.servers.get(node);
  if (found === undefined) throw new Error(`no server of ${node}`);
  return found;
}

async function toxicsOn(node: string): Promise<string[]> {
  const reply = await fetch(`${server(node).url}/proxies`);
  const proxies = (await reply.json()) as Record<string, { toxics: { type: string }[] }>;
  return Object.entries(proxies).flatMap(([name, { toxics }]) =>
    toxics.map(({ type }) => `${type} on ${name}`),
  );
}

const between = (from: string, to: string): DirectedLink => ({ from, to });
const everybody = completeGrudge([['n1'], ['n2'], ['n3']]);

describe('links beside their nodes', () => {
  it('are on the server of the node that dials them, and lead to their nodes', async () => {
    await open();
    expect(Object.keys(await client(server('n2')).getAll())).toEqual([
      'client>n2',
      'n2>n1',
      'n2>n3',
      'probe:n2>n1',
      'probe:n2>n3',
    ]);
    for (const { host, port } of [links.peerAddress('n2', 'n3'), links.clientAddress('n3')])
      expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('n3');
    expect(await observed()).toEqual([]);
    expect(() => links.forwarderUrl('n1')).toThrow('no forwarder');
  });

  it('are measured to be cut in exactly the directions that were cut', async () => {
    await open();
    const { network } = links;
    await network.drop(oneWay(['n1'], ['n2']));
    expect(await network.installed()).toEqual([
      'cut:n1>n2 on n1>n2 upstream',
      'cut:n1>n2 on n2>n1 downstream',
    ]);
    expect(await observed()).toEqual(['n1>n2 cut']);
    await network.undrop(oneWay(['n1'], ['n2']));
    expect(await observed()).toEqual([]);
    await network.drop(isolate(['n1', 'n2', 'n3'], 'n3'));
    expect(await observed()).toEqual(['n1>n3 cut', 'n2>n3 cut', 'n3>n1 cut', 'n3>n2 cut']);
    await network.heal();
    expect(await observed()).toEqual([]);
  });

  it('are taken away when they are disposed of, toxics and all', async () => {
    await open();
    await links.network.drop(everybody);
    await links[Symbol.asyncDispose]();
    for (const each of sites.servers.values()) expect(await client(each).getAll()).toEqual({});
  });

  it('are taken away when one of their servers refuses, and say why', async () => {
    await open();
    await links[Symbol.asyncDispose]();
    const taken = sites.sites.get('n3')?.client.listen ?? '';
    await client(server('n3')).createProxy({ name: 'mine', listen: taken, upstream: taken });
    await expect(sites.open({ create: true })).rejects.toMatchObject({
      code: 'network-failed',
      message: expect.stringMatching(/links of n3 .*address already in use/),
    });
    expect(await client(server('n1')).getAll()).toEqual({});
    expect(Object.keys(await client(server('n3')).getAll())).toEqual(['mine']);
  });
});

describe('a server that does not answer', () => {
  it('leaves nothing of a half-made cut, and does not hide what the others know', async () => {
    await open();
    const { network } = links;
    await sites.end('n3');
    await expect(network.drop(everybody)).rejects.toMatchObject({ code: 'network-failed' });
    expect([...(await toxicsOn('n1')), ...(await toxicsOn('n2'))]).toEqual([]);
    await network.drop(oneWay(['n1'], ['n2']));
    await expect(network.installed()).rejects.toThrow(
      /the links of .*; on the other links: cut:n1>n2 on n1>n2 upstream/,
    );
    expect(await observed()).toEqual(['n1>n2 cut', 'n3>n1 unknown', 'n3>n2 unknown']);
    await expect(network.heal()).rejects.toMatchObject({ code: 'network-failed' });
    expect([...(await toxicsOn('n1')), ...(await toxicsOn('n2'))]).toEqual([]);
  });

  it('that was started anew has lost its links, and whoever asks is told', async () => {
    await open();
    const { network } = links;
    await sites.restart('n2');
    const lost = /has lost client>n2, n2>n1, probe:n2>n1 and 2 more: it was started anew/;
    await expect(network.drop(oneWay(['n1'], ['n2']))).rejects.toThrow(lost);
    await expect(network.heal()).rejects.toThrow(lost);
    await expect(network.installed()).rejects.toThrow(lost);
    expect(await toxicsOn('n1')).toEqual([]);
  });
});

describe('links that were there already', () => {
  /** As if somebody else had made them. */
  async function prepare(): Promise<void> {
    await open();
    for (const [node, each] of sites.servers) {
      await client(each).createProxy({
        name: 'theirs',
        listen: '127.0.0.1:0',
        upstream: '127.0.0.1:9',
      });
      await addToxic(node, 'theirs');
    }
  }
  async function addToxic(node: string, proxy: string): Promise<void> {
    const url = `${server(node).url}/proxies/${encodeURIComponent(proxy)}/toxics`;
    const body = JSON.stringify({ type: 'latency', attributes: { latency: 1 } });
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
  }

  it('are used and left behind healed; the proxies of others are not touched', async () => {
    await prepare();
    await addToxic('n1', 'n1>n2');
    const found = await sites.open({ create: false });
    expect(await found.network.installed()).toEqual([]);
    await found.network.drop(everybody);
    expect(await found.network.installed()).toHaveLength(12);
    await client(server('n2'))
      .get('n2>n3')
      .then((proxy) => proxy.update({ ...proxy.toJson(), enabled: false }));
    await found.network.heal();
    expect(await found.network.installed()).toEqual([]);
    expect((await client(server('n2')).get('n2>n3')).enabled).toBe(true);
    await found.network.drop(everybody);
    await found[Symbol.asyncDispose]();
    for (const node of sites.nodes.keys())
      expect(await toxicsOn(node)).toEqual(['latency on theirs']);
    expect(await observed()).toEqual([]);
  });

  it('are refused, by name, when one is missing or disabled', async () => {
    await prepare();
    const proxy = await client(server('n3')).get('n3>n1');
    await proxy.update({ ...proxy.toJson(), enabled: false });
    await expect(sites.open({ create: false })).rejects.toThrow(/has n3>n1 disabled/);
    await proxy.remove();
    await (await client(server('n3')).get('probe:n3>n1')).remove();
    await expect(sites.open({ create: false })).rejects.toMatchObject({
      code: 'network-failed',
      message: expect.stringMatching(
        /has no proxy 'n3>n1' \(listens on [\d.]+:2380, leads to [\d.:]+\), 'probe:n3>n1' .*: create them/,
      ),
    });
  });
});

describe('a latency of all links', () => {
  const roundTrips = async ({ network }: Links): Promise<number[]> =>
    (await network.observe()).map(({ rttMs }) => rttMs ?? 0);

  it('stays through a heal, on servers of either kind, and goes with the links', async () => {
    await open({ original: 'n2' });
    await links[Symbol.asyncDispose]();
    const far = await sites.open({ create: true, latencyMs: 30, probeWaitMs: 10_000 });
    expect(await far.network.installed()).toEqual([]);
    expect(Math.min(...(await roundTrips(far)))).toBeGreaterThanOrEqual(60);
    const latency = { kind: 'latency', latencyMs: 300, jitterMs: 0 } as const;
    await far.network.shape(between('n1', 'n2'), latency);
    await far.network.drop(oneWay(['n1'], ['n3']));
    await far.network.heal();
    expect(await far.network.installed()).toEqual([]);
    const healed = await roundTrips(far);
    expect(Math.min(...healed)).toBeGreaterThanOrEqual(60);
    expect(await toxicsOn('n3')).toHaveLength(4);
    await far[Symbol.asyncDispose]();
    expect(await client(server('n3')).getAll()).toEqual({});
  });

  it('is taken from links that were there already, in the end', async () => {
    await open();
    const far = await sites.open({ create: false, latencyMs: 30, probeWaitMs: 10_000 });
    expect(Math.min(...(await roundTrips(far)))).toBeGreaterThanOrEqual(60);
    await far.network.heal();
    expect(await toxicsOn('n1')).toHaveLength(4);
    await far[Symbol.asyncDispose]();
    expect(await toxicsOn('n1')).toEqual([]);
    expect(await far.network.installed()).toEqual([]);
  });

  it('that is still there when it should be gone is seen by whoever asks', async () => {
    await open();
    const far = await sites.open({ create: false, latencyMs: 30, probeWaitMs: 10_000 });
    const url = `${server('n1').url}/proxies/${encodeURIComponent('n1>n2')}/toxics`;
    const [toxic] = (await (await fetch(url)).json()) as { name: string }[];
    await far[Symbol.asyncDispose]();
    const body = JSON.stringify({ ...toxic, stream: 'upstream' });
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    expect(await far.network.installed()).toEqual([`${toxic?.name} on n1>n2 upstream`]);
  });
});

describe('one original among servers of ours', () => {
  it('cuts by its own means, and holds nowhere', async () => {
    await open({ original: 'n2' });
    const { network } = links;
    expect(network.can.has('hold')).toBe(false);
    expect(network.can.has('cut')).toBe(true);
    await expect(network.shape(between('n1', 'n3'), { kind: 'hold' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(`Toxiproxy 2.12.0 at ${server('n2').url}`),
    });
    await network.drop(oneWay(['n1'], ['n2']));
    expect(await toxicsOn('n1')).toEqual(['cut on n1>n2']);
    expect(await toxicsOn('n2')).toEqual(['timeout on n2>n1']);
    expect(await observed()).toEqual(['n1>n2 cut']);
    await network.drop(oneWay(['n2'], ['n3']));
    expect(await observed()).toEqual(['n1>n2 cut', 'n2>n3 cut']);
    await network.heal();
    expect(await observed()).toEqual([]);
    expect(await network.installed()).toEqual([]);
  });
});
