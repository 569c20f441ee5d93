/**
 * The links of a cluster: one proxy for every ordered pair of nodes, `n1>n2`, and one for the
 * clients of every node, `client>n1`, so that each can be broken alone.
 */
import { type Proxy, Toxiproxy } from 'toxiproxy-node-client';
import { z } from 'zod';
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { Log } from '../../harness/core/log.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Network } from '../../harness/protocols/network.ts';
import { LinkNetwork } from './link-network.ts';
import type { SentBytes } from './observe.ts';
import type { Endpoint } from './probe.ts';
import { callServer, type LinkServer } from './toxiproxy.ts';

/** How long a probe waits for bytes on a link that no latency slows. */
const PROBE_WAIT_MS = 300;

export interface OpenLinksOptions {
  readonly server: LinkServer;
  readonly nodes: readonly NodeName[];
  /** Where each node really listens for its peers, and for clients. */
  readonly peers: ReadonlyMap<NodeName, Endpoint>;
  readonly clients: ReadonlyMap<NodeName, Endpoint>;
  /**
   * What each node advertises to its peers, as host:port, for nodes that cannot be told a way of
   * their own to each peer. Each node then gets a forwarder.
   */
  readonly forwardNames?: ReadonlyMap<NodeName, string>;
  /** Sent to a node's peer address; any node that is well answers it with at least one byte. */
  readonly probe: { readonly request: Uint8Array };
  /** How long a probe waits on a link that is not slowed; 300 by default. */
  readonly probeWaitMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Disposing of it takes away its proxies and forwarders; the server stays. */
export interface Links extends AsyncDisposable {
  readonly network: Network;
  /** What `from` must dial to reach `to`. */
  peerAddress(from: NodeName, to: NodeName): Endpoint;
  /** What clients must dial to reach `node`. */
  clientAddress(node: NodeName): Endpoint;
  /** For `HTTP_PROXY` of this node. Only with `forwardNames`. */
  forwarderUrl(node: NodeName): string;
}

/** Throws `network-failed` when the server refuses or does not answer. */
export async function openLinks(options: OpenLinksOptions): Promise<Links> {
  const { server, nodes, clock, log } = options;
  if (options.forwardNames !== undefined && server.kind !== 'schism')
    throw new HarnessError(
      'unsupported',
      `Toxiproxy ${server.version} at ${server.url} has no forwarders; ` +
        'use the link server that comes with the process backend',
    );
  await using opened = new AsyncDisposableStack();
  const proxies = await createProxies(options);
  opened.defer(() => removeProxies(options, proxies));
  const forwarders = await createForwarders(options, proxies, opened);
  const endpoint = (name: string): Endpoint => endpointOf(proxies, name);
  const network = new LinkNetwork({
    server,
    clock,
    log,
    proxies,
    waitMs: options.probeWaitMs ?? PROBE_WAIT_MS,
    observe: {
      nodes,
      link: (from, to) => endpoint(`${from}>${to}`),
      direct: (node) => inMap(options.peers, node),
      request: options.probe.request,
      readSent: () => readSent(options),
    },
  });
  log.info('links are open', { proxies: proxies.size, forwarders: forwarders.size });
  const owned = opened.move();
  return {
    network,
    peerAddress: (from, to) => endpoint(`${from}>${to}`),
    clientAddress: (node) => endpoint(`client>${node}`),
    forwarderUrl: (node) => inMap(forwarders, node),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function createProxies(options: OpenLinksOptions): Promise<ReadonlyMap<string, Proxy>> {
  const { server, nodes, peers, clients, clock } = options;
  const wanted = new Map<string, Endpoint>();
  for (const to of nodes) {
    for (const from of nodes) if (from !== to) wanted.set(`${from}>${to}`, inMap(peers, to));
    wanted.set(`client>${to}`, inMap(clients, to));
  }
  const created = await callServer(clock, `create ${wanted.size} links`, () =>
    new Toxiproxy(server.url).populate(
      [...wanted].map(([name, upstream]) => ({
        name,
        listen: '127.0.0.1:0',
        upstream: `${upstream.host}:${upstream.port}`,
      })),
    ),
  );
  return new Map(Object.entries(created));
}

async function createForwarders(
  options: OpenLinksOptions,
  proxies: ReadonlyMap<string, Proxy>,
  opened: AsyncDisposableStack,
): Promise<ReadonlyMap<NodeName, string>> {
  const { server, nodes, forwardNames, clock } = options;
  const urls = new Map<NodeName, string>();
  if (forwardNames === undefined) return urls;
  for (const node of nodes) {
    const routes = Object.fromEntries(
      nodes
        .filter((to) => to !== node)
        .map((to) => [inMap(forwardNames, to), proxies.get(`${node}>${to}`)?.listen]),
    );
    const created = await callServer(clock, `create the forwarder of ${node}`, () =>
      ask(server, 'POST', '/forwarders', { name: node, listen: '127.0.0.1:0', routes }),
    );
    opened.defer(() => quietly(options, () => ask(server, 'DELETE', `/forwarders/${node}`)));
    urls.set(node, `http://${z.object({ listen: z.string() }).parse(JSON.parse(created)).listen}`);
  }
  return urls;
}

/** The server may be gone already, and everything with it. */
async function removeProxies(
  options: OpenLinksOptions,
  proxies: ReadonlyMap<string, Proxy>,
): Promise<void> {
  await Promise.all([...proxies.values()].map((proxy) => quietly(options, () => proxy.remove())));
}

async function quietly(
  { clock, log }: OpenLinksOptions,
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    await callServer(clock, 'take links away', call);
  } catch (error) {
    log.warn('a link was not taken away', { error: messageOf(error) });
  }
}

/** The extension endpoints, which the client library does not know. */
async function ask(
  server: LinkServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<string> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new HarnessError('network-failed', `${response.status} ${text.trim().slice(0, 500)}`);
  return text;
}

const SENT = /^toxiproxy_proxy_sent_bytes_total\{(?<labels>[^}]*)\} (?<value>\S+)$/;

/** The counters of this cluster's links; undefined from a Toxiproxy without `-proxy-metrics`. */
async function readSent({ server, clock }: OpenLinksOptions): Promise<SentBytes | undefined> {
  const response = await callServer(clock, 'read the counters', async () => {
    const reply = await fetch(`${server.url}/metrics`);
    return { status: reply.status, text: await reply.text() };
  });
  if (response.status === 404) return undefined;
  const sent = new Map<string, { upstream: number; downstream: number }>();
  for (const line of response.text.split('\n')) {
    const { labels = '', value } = SENT.exec(line)?.groups ?? {};
    const proxy = /proxy="(?<name>[^"]*)"/.exec(labels)?.groups?.['name'];
    if (proxy === undefined) continue;
    const entry = sent.get(proxy) ?? { upstream: 0, downstream: 0 };
    entry[labels.includes('direction="upstream"') ? 'upstream' : 'downstream'] = Number(value);
    sent.set(proxy, entry);
  }
  return sent;
}

function endpointOf(proxies: ReadonlyMap<string, Proxy>, name: string): Endpoint {
  const { listen } = inMap(proxies, name);
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon), port: Number(listen.slice(colon + 1)) };
}

function inMap<K extends string, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  invariant(value !== undefined, `links: nothing is known of '${key}'`);
  return value;
}
