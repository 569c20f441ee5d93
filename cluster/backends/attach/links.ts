/** Links on Toxiproxies that are there already, as the config names them. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { AttachedNodes } from '../../../harness/protocols/attach.ts';
import type { DeployRequest } from '../../../harness/protocols/system.ts';
import type { Links } from '../../network/links.ts';
import { endpointFrom, linkName, listed } from '../../network/names.ts';
import { openSiteLinks } from '../../network/site-links.ts';
import type { LinkSite } from '../../network/sites.ts';
import { connectLinkServer } from '../../network/toxiproxy.ts';
import { restoring } from './restore.ts';

const OPEN_MS_MAX = 5_000;
const LOOK_AGAIN_MS = 200;

/**
 * Opens the links of all nodes; undefined when the config gives none. Throws `network-failed` when
 * something is missing, or when bytes do not pass on a link though nothing was done to it yet.
 */
export async function attachLinks(
  attach: AttachedNodes,
  probe: Uint8Array,
  { undo, clock, log, latencyMs }: Pick<DeployRequest, 'undo' | 'clock' | 'log' | 'latencyMs'>,
): Promise<Links | undefined> {
  const nodes = Object.keys(attach);
  const sites = new Map<NodeName, LinkSite>();
  await Promise.all(
    Object.entries(attach).map(async ([node, { links, client, direct }]) => {
      if (links === undefined) return;
      const server = await connectLinkServer({ url: links.toxiproxy, clock, log });
      const peers = nodes.filter((peer) => peer !== node);
      const probes = peers.map((peer) => {
        const reach = endpointFrom(links.probes[peer] ?? '');
        return [peer, { listen: links.probes[peer] ?? '', reach }] as const;
      });
      sites.set(node, {
        server,
        toPeers: new Map(peers.map((peer) => [peer, `where ${node} dials ${peer}`])),
        probes: new Map(probes),
        client: { listen: client, reach: endpointFrom(client) },
        peer: endpointFrom(links.peer),
        clients: endpointFrom(direct ?? client),
        direct: endpointFrom(links.peer),
      });
    }),
  );
  if (sites.size === 0) return undefined;
  const inOrder = new Map([...sites].toSorted(([a], [b]) => nodes.indexOf(a) - nodes.indexOf(b)));
  await using opened = new AsyncDisposableStack();
  const withdraw = await undo.add(
    restoring({
      kind: 'links',
      sites: [...sites].map(([node, { server }]) => ({
        url: server.url,
        proxies: proxiesOf(node, nodes),
      })),
    }),
  );
  let links: Links | undefined;
  opened.defer(async () => {
    // What could not be taken away stays with the watchdog, which tries once more.
    if (links === undefined || (await isHealed(links, log))) withdraw();
  });
  const found = opened.use(
    await openSiteLinks({
      sites: inOrder,
      probe: { request: probe },
      latencyMs,
      clock,
      log,
      create: false,
    }),
  );
  links = found;
  await expectOpen(found, clock);
  const owned = opened.move();
  return { ...found, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function isHealed({ network }: Links, log: Log): Promise<boolean> {
  try {
    const left = await network.installed();
    if (left.length > 0) log.warn('toxics stay on the links', { left });
    return left.length === 0;
  } catch (error) {
    log.warn('nobody knows whether toxics stay on the links', { error: messageOf(error) });
    return false;
  }
}

/** The names that a node's Toxiproxy must have. */
export function proxiesOf(node: NodeName, nodes: readonly NodeName[]): string[] {
  const peers = nodes.filter((peer) => peer !== node);
  const names = peers.map((peer) => linkName({ from: node, to: peer }));
  return [`client>${node}`, ...names, ...names.map((name) => `probe:${name}`)];
}

/**
 * A link that is dead before anything was done to it makes every measurement worthless. Looks again,
 * since a busy machine may be too slow for a probe.
 */
async function expectOpen({ network }: Links, clock: Clock): Promise<void> {
  const endMs = msFromNanos(clock.now()) + OPEN_MS_MAX;
  for (;;) {
    const shut = (await network.observe()).filter(({ state }) => state !== 'open');
    if (shut.length === 0) return;
    const texts = shut.map((link) => `${linkName(link)} (${link.reason ?? link.state})`);
    if (msFromNanos(clock.now()) >= endMs)
      throw new HarnessError(
        'network-failed',
        `before any fault no bytes pass on ${listed(texts)}: see peer and probes in the config`,
      );
    await sleep(clock, LOOK_AGAIN_MS);
  }
}
