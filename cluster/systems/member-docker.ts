/** Members that speak etcd's API in containers, with a link for each pair: etcd and raftkv. */
import type { JsonValue } from '../../harness/core/json.ts';
import { seedFrom } from '../../harness/core/prng.ts';
import type { Cluster, DeployRequest, Timing } from '../../harness/protocols/system.ts';
import {
  type ContainerPlan,
  type ContainerSpec,
  startContainers,
} from '../backends/docker/containers.ts';
import { machineControls } from '../backends/docker/controls.ts';
import { Excuses } from '../backends/docker/excuses.ts';
import { inspectImage, type ResolvedImage, resolveImage } from '../backends/docker/images.ts';
import { IMAGE, LABEL, OFFICIAL_IMAGE, PORT } from '../backends/docker/labels.ts';
import { linksCommand } from '../backends/docker/links-containers.ts';
import { type MachineOptions, machineOptions } from '../backends/docker/machine-options.ts';
import { type Machines, type MachinesOptions, openMachines } from '../backends/docker/machines.ts';
import { beginMaking, type Made } from '../backends/docker/made.ts';
import { DATA_DIR } from '../backends/docker/topology.ts';
import { openSiteLinks } from '../network/site-links.ts';
import { memberCluster } from './member-cluster.ts';
import { ExpectedEnds } from './member-ends.ts';
import {
  inTexts,
  type LinkedMember,
  type MemberLinks,
  memberFacts,
  memberOf,
  memberViews,
  peerUrlOf,
  textOf,
} from './member-links.ts';
import type { MemberFlags } from './member-options.ts';

/** One member's flags, with how it dials each peer: what that advertises, to the link there. */
export interface ContainedMember extends MemberFlags {
  readonly routes: ReadonlyMap<string, string>;
}

/** What tells one system from another in containers. */
export interface ContainedSystem {
  readonly name: string;
  readonly image: { readonly built: string; readonly official?: string };
  /** Sent to a peer address; every member that is well answers it with at least one byte. */
  readonly probe: Uint8Array;
  /** Looks at the image; called while the machines are opened. */
  prepare(image: ResolvedImage, made: Made, request: DeployRequest): Promise<Prepared>;
}

export interface Prepared {
  readonly version: string;
  readonly timing: Timing;
  /** The same for every node. */
  readonly flags: readonly string[];
  spec(member: ContainedMember): Omit<ContainerSpec, 'image'>;
}

export async function deployInContainers(
  system: ContainedSystem,
  request: DeployRequest,
): Promise<Cluster> {
  const { nodes, clock, dir, log } = request;
  const asked = machineOptions(system.name, request.options);
  await using stack = new AsyncDisposableStack();
  const made = stack.use(await beginMaking(request));
  const images = await imagesFor(system, asked, made, request);
  const preparing = system.prepare(images.nodes, made, request);
  // It may be under way when something else fails, with a container of its own.
  const isPrepared = preparing.then(nothing, nothing);
  stack.defer(() => isPrepared);
  const machines = stack.use(await openMachines({ nodes, links: linksProgram(images), dir }, made));
  const prepared = await preparing;
  const members = containedMembers(machines);
  const links = stack.use(
    inTexts(
      await openSiteLinks({
        sites: machines.sites,
        probe: { request: system.probe },
        latencyMs: request.latencyMs,
        clock,
        log,
        create: true,
      }),
    ),
  );
  const ends = new ExpectedEnds();
  const views = stack.use(memberViews(members, links, clock, ends));
  const excuses = new Excuses(clock, log);
  const wiring: Wiring = { members, links, prepared, image: images.nodes.id, request };
  const containers = stack.use(
    await startContainers(
      members.map((member): ContainerPlan => {
        const { node } = member;
        return {
          node,
          spec: specOf(member, wiring),
          readiness: {
            description: 'know a leader and serve a linearizable read',
            probe: () => views.serves(node),
          },
        };
      }),
      {
        made,
        machines,
        limits: asked,
        dir,
        logName: `${system.name}.log`,
        mayEnd: (node, how) => ends.has(node) || excuses.mayEnd(node, how),
      },
    ),
  );
  const machine = stack.use(machineControls({ made, containers, excuses, dir }));
  // Once more, and first: who dials an address that is gone waits for minutes, and holds the process.
  stack.use(views);
  const owned = stack.move();
  return memberCluster({
    request,
    timing: prepared.timing,
    facts: {
      system: system.name,
      version: prepared.version,
      flags: [...prepared.flags],
      ...machineFacts(machines, images),
      members: memberFacts(members, links),
    },
    members,
    links,
    views,
    processes: containers,
    machine,
    ends,
    joining: (node, all) =>
      Promise.resolve(specOf(memberOf(node, members), { ...wiring, joining: all })),
    owned,
  });
}

interface Wiring {
  readonly members: readonly LinkedMember[];
  readonly links: MemberLinks;
  readonly prepared: Prepared;
  readonly image: string;
  readonly request: DeployRequest;
  /** All members by now, for one that was added to them; absent: they all start together. */
  readonly joining?: readonly LinkedMember[];
}

function specOf(
  { node, peer, client }: LinkedMember,
  { members, links, prepared, image, request, joining }: Wiring,
): ContainerSpec {
  const all = joining ?? members;
  const others = members.filter((each) => each.node !== node);
  const member: ContainedMember = {
    node,
    dataDir: `${DATA_DIR}/data`,
    peer,
    client,
    urls: new Map(all.map((each) => [each.node, peerUrlOf(each)])),
    token: request.runId,
    isJoining: joining !== undefined,
    routes: new Map(others.map((other) => [other.advertised, links.peerAddress(node, other.node)])),
  };
  return { image, ...prepared.spec(member) };
}

/** They advertise their names, which in each node's own hosts file lead to its links. */
function containedMembers({ nodes, address, reach }: Machines): readonly LinkedMember[] {
  return nodes.map((node) => ({
    node,
    peer: `${address(node)}:${PORT.peer}`,
    client: `${address(node)}:${PORT.client}`,
    direct: textOf(reach(node, PORT.client)),
    advertised: `${node}:${PORT.peer}`,
  }));
}

interface Images {
  readonly nodes: ResolvedImage;
  readonly links: ResolvedImage & { readonly command: readonly string[] };
}

async function imagesFor(
  { image }: ContainedSystem,
  { image: askedImage, linksImage }: MachineOptions,
  { engine, clock, log }: Made,
  { random }: DeployRequest,
): Promise<Images> {
  const find = (
    known: ContainedSystem['image'],
    asked: string | undefined,
  ): Promise<ResolvedImage> =>
    resolveImage(engine, { ...known, ...(asked !== undefined && { asked }), clock, log });
  const nodes = await find(image, askedImage);
  const links = await find({ built: IMAGE.links, official: OFFICIAL_IMAGE.links }, linksImage);
  const facts = await inspectImage(engine, links.id, clock);
  const seed = seedFrom(random.fork('links').int(0, 0xffff_ffff));
  const isOurs = facts?.labels[LABEL.role] === 'image';
  return { nodes, links: { ...links, command: linksCommand(isOurs, seed) } };
}

/** For `run.json`. */
function machineFacts(machines: Machines, images: Images): Readonly<Record<string, JsonValue>> {
  const { engine, network, subnet, sites } = machines;
  const [site] = sites.values();
  const { name, id, how } = images.links;
  return {
    engine: engine.version,
    network,
    subnet,
    image: { ...images.nodes },
    links: { name, id, how, server: site?.server.kind ?? '', version: site?.server.version ?? '' },
  };
}

function linksProgram({ links }: Images): MachinesOptions['links'] {
  return { image: links.id, command: links.command };
}

function nothing(): void {}
