/** The links of members that all dial one advertised name for each other, each its own way. */
import { join } from 'node:path';
import type { Clock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { seedFrom } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { DeployRequest } from '../../harness/protocols/system.ts';
import { launcherIn } from '../backends/program.ts';
import type { ClientTls } from '../etcd-api/client.ts';
import { type Links, openLinks } from '../network/links.ts';
import type { Endpoint } from '../network/probe.ts';
import { startLinkServer } from '../network/toxiproxy.ts';
import type { ExpectedEnds } from './member-ends.ts';
import { MemberViews } from './member-views.ts';

const HOST = '127.0.0.1';
/**
 * Addresses for documentation (RFC 5737), which no route leads to. Not names: an etcd that joins looks
 * them up, and waits half a minute for those that nobody knows. Not of this machine: Go leaves a
 * proxy out for those.
 */
const NOWHERE = '192.0.2.';

/** Addresses as `host:port`. */
export interface LinkedMember {
  readonly node: NodeName;
  /** Where it really listens. */
  readonly peer: string;
  readonly client: string;
  /** What the harness dials to reach `client` itself. */
  readonly direct: string;
  /** What it tells its peers: nothing that leads to it but through its links. */
  readonly advertised: string;
  /** Its peers speak TLS with it; false by default. */
  readonly isPeerSecure?: boolean;
}

export interface MemberLinksOptions {
  /** Sent to a peer address; every member that is well answers it with at least one byte. */
  readonly probe: Uint8Array;
  /** With a forwarder for each member, for programs that cannot be told a way to each peer. */
  readonly forwarders: boolean;
}

/** Disposing of it closes all links, and ends a server of their own. Addresses as `host:port`. */
export interface MemberLinks extends AsyncDisposable {
  readonly network: Links['network'];
  /** What `from` must dial to reach `to`. */
  peerAddress(from: NodeName, to: NodeName): string;
  /** What clients dial. */
  clientAddress(node: NodeName): string;
  /** For the member's HTTP_PROXY; only with `forwarders`. */
  forwarderUrl(node: NodeName): string;
}

/** The members of a cluster on this machine; takes two ports for each, in turn. */
export function linkedMembers(
  nodes: readonly NodeName[],
  ports: readonly number[],
): readonly LinkedMember[] {
  return nodes.map((node, index) => {
    const [peer, client] = ports.slice(2 * index);
    invariant(peer !== undefined && client !== undefined, 'each member has two ports');
    return {
      node,
      peer: `${HOST}:${peer}`,
      client: `${HOST}:${client}`,
      direct: `${HOST}:${client}`,
      advertised: `${NOWHERE}${index + 1}:${peer}`,
    };
  });
}

export function memberOf(node: NodeName, members: readonly LinkedMember[]): LinkedMember {
  const member = members.find((each) => each.node === node);
  invariant(member !== undefined, `there is no node '${node}'`);
  return member;
}

export function peerUrlOf({
  advertised,
  isPeerSecure = false,
}: Pick<LinkedMember, 'advertised' | 'isPeerSecure'>): string {
  return `${isPeerSecure ? 'https' : 'http'}://${advertised}`;
}

/** The folder of all that a member keeps. */
export function dataDirOf({ dir }: Pick<DeployRequest, 'dir'>, node: NodeName): string {
  return join(dir, node, 'data');
}

/** For `run.json`: where each member is, by name. */
export function memberFacts(
  members: readonly LinkedMember[],
  links: MemberLinks,
): Readonly<Record<NodeName, JsonValue>> {
  return Object.fromEntries(
    members.map(({ node, peer, client, advertised }) => [
      node,
      { peer, client, advertised, clientLink: links.clientAddress(node) },
    ]),
  );
}

/** What each member says of itself, asked straight and through its client link. */
export function memberViews(
  members: readonly LinkedMember[],
  links: MemberLinks,
  clock: Clock,
  ends: ExpectedEnds,
  tls?: ClientTls,
): MemberViews {
  const addresses = members.map(({ node, direct }) => {
    return [node, { direct, linked: links.clientAddress(node) }] as const;
  });
  return new MemberViews(new Map(addresses), clock, ends, links.network, tls);
}

/** Starts a link server of its own for this cluster. Throws `process-failed`, `network-failed`. */
export async function openMemberLinks(
  members: readonly LinkedMember[],
  request: DeployRequest,
  { probe, forwarders }: MemberLinksOptions,
): Promise<MemberLinks> {
  const { clock, log, dir, nodes, random, latencyMs } = request;
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
      ...(forwarders && { forwardNames: byNode(members, ({ advertised }) => advertised) }),
      probe: { request: probe },
      latencyMs,
      clock,
      log,
    }),
  );
  const owned = opened.move();
  return { ...inTexts(links), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The same links, with their addresses as members write them. */
export function inTexts(links: Links): MemberLinks {
  return {
    network: links.network,
    peerAddress: (from, to) => textOf(links.peerAddress(from, to)),
    clientAddress: (node) => textOf(links.clientAddress(node)),
    forwarderUrl: (node) => links.forwarderUrl(node),
    [Symbol.asyncDispose]: () => links[Symbol.asyncDispose](),
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

export function textOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
