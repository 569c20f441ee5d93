/**
 * The links of a cluster: one proxy for every ordered pair of nodes, `n1>n2`, and one for the
 * clients of every node, `client>n1`, so that each can be broken alone.
 */
import { type Proxy, Toxiproxy } from 'toxiproxy-node-client';
import { z } from 'zod';
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Network } from '../../harness/protocols/network.ts';
import { LinkNetwork } from './link-network.ts';
import { endpointFrom, endpointText, inMap } from './names.ts';
import type { Endpoint } from './probe.ts';
import { askServer, callServer, type LinkServer } from './toxiproxy.ts';

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
  /** That of the network they make; 0 by default. */
  readonly latencyMs?: number | undefined;
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
  const endpoint = (name: string): Endpoint => endpointFrom(inMap(proxies, name).listen);
  const network = new LinkNetwork({
    served: [{ server, proxies, isAlone: true }],
    clock,
    log,
    probeWaitMs: options.probeWaitMs,
    observe: {
      nodes,
      link: (from, to) => endpoint(`${from}>${to}`),
      direct: (node) => inMap(options.peers, node),
      request: options.probe.request,
    },
  });
  await network.slow(options.latencyMs ?? 0);
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
        upstream: endpointText(upstream),
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
      askServer(server, 'POST', '/forwarders', { name: node, listen: '127.0.0.1:0', routes }),
    );
    opened.defer(() => quietly(options, () => askServer(server, 'DELETE', `/forwarders/${node}`)));
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
