/**
 * Links that are carried by several servers, one beside each node. The site of `a` carries `a>b` for
 * each peer `b`, which only `a` itself can dial; `client>a`; and `probe:a>b`, a way from outside into
 * that very link, so that what is measured is what the node would meet.
 */
import { Toxiproxy } from 'toxiproxy-node-client';
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { NodeName } from '../../harness/core/units.ts';
import { LinkNetwork } from './link-network.ts';
import type { Links } from './links.ts';
import { endpointFrom, endpointText, inMap, listed } from './names.ts';
import { allDone, healServed, installedOn, type ServedLinks, sentOn } from './served-links.ts';
import type { LinkSite } from './sites.ts';
import { askServer, callServer, type LinkServer } from './toxiproxy.ts';

export interface OpenSiteLinksOptions {
  readonly sites: ReadonlyMap<NodeName, LinkSite>;
  /** Sent to a node's peer address; any node that is well answers it with at least one byte. */
  readonly probe: { readonly request: Uint8Array };
  /** How long a probe waits on a link that is not slowed; 300 by default. */
  readonly probeWaitMs?: number;
  /** That of the network they make; 0 by default. */
  readonly latencyMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * True: the servers are ours alone, and their proxies are created. False: they are there already,
   * under these names, and stay; others on the same servers are left alone.
   */
  readonly create: boolean;
}

/**
 * Throws `network-failed` when a server refuses, does not answer, or lacks a link that should be
 * there. Disposing takes away what was created, or heals what was there; the servers stay.
 */
export async function openSiteLinks(options: OpenSiteLinksOptions): Promise<Links> {
  const { sites, clock, log, create } = options;
  const nodes = [...sites.keys()];
  const site = (node: NodeName): LinkSite => inMap(sites, node);
  await using opened = new AsyncDisposableStack();
  // Before they are there: what is refused halfway is taken away, too.
  if (create) opened.defer(() => eachQuietly(nodes, log, (node) => removeLinks(node, options)));
  const served = await allDone(
    nodes.map((node) => (create ? createLinks(node, options) : findLinks(node, options))),
  );
  if (!create) opened.defer(() => eachQuietly(served, log, (each) => healServed(clock, each)));
  await allDone(served.map((each) => checkCounters(each, options)));
  const network = new LinkNetwork({
    served,
    clock,
    log,
    probeWaitMs: options.probeWaitMs,
    observe: {
      nodes,
      link: (from, to) => inMap(site(from).probes, to).reach,
      direct: (node) => site(node).direct,
      request: options.probe.request,
    },
  });
  // What is healed when all is over holds that, too.
  opened.defer(() => {
    network.letGo();
    return Promise.resolve();
  });
  await network.slow(options.latencyMs ?? 0);
  log.info('links are open', { servers: served.map(({ server }) => server.url), create });
  const owned = opened.move();
  return {
    network,
    peerAddress: (from, to) => endpointFrom(inMap(site(from).toPeers, to)),
    clientAddress: (node) => site(node).client.reach,
    forwarderUrl: (node) => {
      throw new HarnessError('unsupported', `${node} dials its links itself: it has no forwarder`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface WantedProxy {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
}

/** Everything that the site of a node carries. */
function wantedAt(node: NodeName, sites: ReadonlyMap<NodeName, LinkSite>): readonly WantedProxy[] {
  const { toPeers, probes, client, clients } = inMap(sites, node);
  const wanted = [
    { name: `client>${node}`, listen: client.listen, upstream: endpointText(clients) },
  ];
  for (const [peer, { peer: upstream }] of sites) {
    if (peer === node) continue;
    const name = `${node}>${peer}`;
    const listen = inMap(toPeers, peer);
    wanted.push({ name, listen, upstream: endpointText(upstream) });
    wanted.push({ name: `probe:${name}`, listen: inMap(probes, peer).listen, upstream: listen });
  }
  return wanted;
}

async function createLinks(
  node: NodeName,
  { sites, clock }: OpenSiteLinksOptions,
): Promise<ServedLinks> {
  const { server } = inMap(sites, node);
  const wanted = wantedAt(node, sites);
  await callServer(clock, `create the links of ${node} on ${server.url}`, () =>
    askServer(server, 'POST', '/populate', wanted),
  );
  return await readServed(wanted, server, { clock, isAlone: true });
}

async function findLinks(
  node: NodeName,
  { sites, clock, log }: OpenSiteLinksOptions,
): Promise<ServedLinks> {
  const { server } = inMap(sites, node);
  const served = await readServed(wantedAt(node, sites), server, { clock, isAlone: false });
  const left = await installedOn(clock, served);
  if (left.length > 0) {
    log.warn('found toxics on links, perhaps of a run that was killed: healing', { left });
    await healServed(clock, served);
  }
  return served;
}

/** Finds the proxies by their names. Throws `network-failed`, naming those that are not there. */
async function readServed(
  wanted: readonly WantedProxy[],
  server: LinkServer,
  { clock, isAlone }: { readonly clock: Clock; readonly isAlone: boolean },
): Promise<ServedLinks> {
  const { url } = server;
  const all = await callServer(clock, `read the links of ${url}`, () =>
    new Toxiproxy(url).getAll(),
  );
  const missing = wanted.filter(({ name }) => all[name] === undefined);
  if (missing.length > 0)
    throw new HarnessError(
      'network-failed',
      `link server ${url} has no proxy ${listed(missing.map(describe))}: ` +
        `create ${missing.length === 1 ? 'it' : 'them'} there`,
    );
  const proxies = wanted.flatMap(({ name }) => {
    const proxy = all[name];
    return proxy === undefined ? [] : [[name, proxy] as const];
  });
  const off = proxies.flatMap(([name, { enabled }]) => (enabled ? [] : [name]));
  if (off.length > 0)
    throw new HarnessError(
      'network-failed',
      `link server ${url} has ${listed(off)} disabled: enable what should carry links`,
    );
  return { server, proxies: new Map(proxies), isAlone };
}

function describe({ name, listen, upstream }: WantedProxy): string {
  return `'${name}' (listens on ${listen}, leads to ${upstream})`;
}

/** Without counters a cut cannot be told from a node that says nothing. */
async function checkCounters(
  served: ServedLinks,
  { clock, log }: OpenSiteLinksOptions,
): Promise<void> {
  const counts = await sentOn(clock, served);
  if (counts.size > 0) return;
  const { url } = served.server;
  log.warn('a link server counts no bytes, so no cut can be proven there', {
    url,
    remedy: 'start Toxiproxy with -proxy-metrics',
  });
}

async function removeLinks(node: NodeName, { sites, clock }: OpenSiteLinksOptions): Promise<void> {
  const { server } = inMap(sites, node);
  await callServer(clock, `take the links of ${node} away`, async () => {
    const all = await new Toxiproxy(server.url).getAll();
    await Promise.all(wantedAt(node, sites).map(async ({ name }) => await all[name]?.remove()));
  });
}

/** All at once. A server may be gone already, and everything with it. */
async function eachQuietly<T>(
  items: readonly T[],
  log: Log,
  task: (item: T) => Promise<void>,
): Promise<void> {
  for (const result of await Promise.allSettled(items.map(task)))
    if (result.status === 'rejected')
      log.warn('links were not taken away', { error: messageOf(result.reason) });
}
