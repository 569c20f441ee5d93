/** Where the nodes of a cluster live on a container engine: their network, and a namespace each. */
import { lookup } from 'node:dns/promises';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { Endpoint } from '../../network/probe.ts';
import { allDone } from '../../network/served-links.ts';
import type { LinkSite } from '../../network/sites.ts';
import type { Engine } from './engine.ts';
import { PORT } from './labels.ts';
import { type LinksContainer, loopbackOf, startLinks } from './links-containers.ts';
import type { Made } from './made.ts';
import { type OpenDisk, openDisk } from './node-disk.ts';
import { createNetwork, openNodeNetwork } from './node-network.ts';
import type { Topology } from './topology.ts';

export interface MachinesOptions {
  readonly nodes: readonly NodeName[];
  /** Image and command of the link servers. */
  readonly links: { readonly image: string; readonly command: readonly string[] };
  /** Folder of logs. */
  readonly dir: string;
}

/** The part of a topology that is there before and after the nodes. */
export interface Machines extends Omit<Topology, 'nodeContainer' | 'disk'>, AsyncDisposable {
  readonly subnet: string;
  /** For `openSiteLinks`. */
  readonly sites: ReadonlyMap<NodeName, LinkSite>;
  /** A new one each time. */
  openDisk(node: NodeName, bytes: number): Promise<OpenDisk>;
}

/** Throws `engine-failed`, or `process-failed` when a link server does not get ready. */
export async function openMachines(options: MachinesOptions, made: Made): Promise<Machines> {
  const { nodes, links: keeper, dir } = options;
  const { engine, run } = made;
  await using opened = new AsyncDisposableStack();
  const hostIp = await addressOfHost(engine);
  const control = opened.use(await createNetwork(`schism-${run}-control`, made));
  const network = opened.use(await openNodeNetwork(nodes, made));
  const started: LinksContainer[] = [];
  // All at once, unlike a stack does it: the engine takes half a second for each.
  opened.defer(async () => {
    await allDone(started.map(async (each) => each[Symbol.asyncDispose]()));
  });
  const links = new Map(
    await allDone(
      nodes.map(async (node) => {
        const container = await startLinks(
          node,
          { ...keeper, network, control, hostIp, dir },
          made,
        );
        started.push(container);
        return [node, container] as const;
      }),
    ),
  );
  const reach: Machines['reach'] = (node, port) => at(links, node).reach(port);
  const address: Machines['address'] = (node) => at(network.addresses, node);
  let disks = 0;
  const owned = opened.move();
  return {
    engine,
    run,
    network: network.name,
    subnet: network.subnet,
    nodes,
    linksContainer: (node) => at(links, node).id,
    address,
    reach,
    sites: new Map(nodes.map((node) => [node, siteOf(node, nodes, at(links, node), address)])),
    openDisk: (node, bytes) => {
      const name = `${network.name}-${node}-disk${++disks}`;
      return openDisk({ name, node, bytes, keeper, dir }, made);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function siteOf(
  node: NodeName,
  nodes: readonly NodeName[],
  links: LinksContainer,
  address: (node: NodeName) => string,
): LinkSite {
  const reach = (port: number): Endpoint => links.reach(port);
  const peers = [...nodes.entries()].filter(([, peer]) => peer !== node);
  const own = address(node);
  return {
    server: links.server,
    toPeers: new Map(peers.map(([index, peer]) => [peer, `${loopbackOf(index)}:${PORT.peer}`])),
    probes: new Map(
      peers.map(([index, peer]) => {
        const port = PORT.probe + index;
        return [peer, { listen: `${own}:${port}`, reach: reach(port) }];
      }),
    ),
    client: { listen: `${own}:${PORT.clientLink}`, reach: reach(PORT.clientLink) },
    peer: { host: own, port: PORT.peer },
    clients: { host: own, port: PORT.client },
    direct: reach(PORT.peer),
  };
}

/**
 * Where ports are published, if they are: on the address that the engine's host is known by, and
 * never on all that it has, since nothing here has a password.
 */
async function addressOfHost({ host, isLocal }: Engine): Promise<string> {
  if (isLocal || host === 'localhost') return '127.0.0.1';
  try {
    return (await lookup(host, { family: 4 })).address;
  } catch (error) {
    throw new HarnessError(
      'engine-failed',
      `the container engine's host '${host}' has no address: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function at<V>(map: ReadonlyMap<NodeName, V>, node: NodeName): V {
  const value = map.get(node);
  invariant(value !== undefined, `there is no node '${node}'`);
  return value;
}
