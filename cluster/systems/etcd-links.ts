/** The links of an unmodified etcd: all its peers dial one name for a member, each its own way. */
import { seedFrom } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Network } from '../../harness/protocols/network.ts';
import type { DeployRequest } from '../../harness/protocols/system.ts';
import { launcherIn } from '../backends/program.ts';
import { openLinks } from '../network/links.ts';
import type { Endpoint } from '../network/probe.ts';
import { startLinkServer } from '../network/toxiproxy.ts';

/** Addresses as `host:port`. */
export interface LinkedMember {
  readonly node: NodeName;
  /** Where it really listens. */
  readonly peer: string;
  readonly client: string;
  /** What its peers dial; only the forwarders know the name. */
  readonly advertised: string;
}

/** Disposing of it closes all links and ends their server. */
export interface EtcdLinks extends AsyncDisposable {
  readonly network: Network;
  /** What clients dial, `host:port`. */
  clientAddress(node: NodeName): string;
  /** For the member's HTTP_PROXY. */
  forwarderUrl(node: NodeName): string;
}

/** Every member answers this to anybody, as soon as it serves its peers. */
const PROBE = 'GET /version HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n';

/** Starts a link server of its own for this cluster. Throws `process-failed`, `network-failed`. */
export async function openEtcdLinks(
  members: readonly LinkedMember[],
  request: DeployRequest,
): Promise<EtcdLinks> {
  const { clock, log, dir, nodes, random } = request;
  await using opened = new AsyncDisposableStack();
  const seed = seedFrom(random.fork('links').int(0, 0xffff_ffff));
  const start = launcherIn(dir, request);
  const server = opened.use(await startLinkServer({ start, clock, log, seed }));
  const links = opened.use(
    await openLinks({
      server,
      nodes,
      peers: byNode(members, ({ peer }) => endpointOf(peer)),
      clients: byNode(members, ({ client }) => endpointOf(client)),
      forwardNames: byNode(members, ({ advertised }) => advertised),
      probe: { request: Buffer.from(PROBE) },
      clock,
      log,
    }),
  );
  const owned = opened.move();
  return {
    network: links.network,
    clientAddress: (node) => {
      const { host, port } = links.clientAddress(node);
      return `${host}:${port}`;
    },
    forwarderUrl: (node) => links.forwarderUrl(node),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function byNode<T>(
  members: readonly LinkedMember[],
  read: (member: LinkedMember) => T,
): ReadonlyMap<NodeName, T> {
  return new Map(members.map((member) => [member.node, read(member)]));
}

function endpointOf(address: string): Endpoint {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
