/** raftkv's members as processes of this Node.js, on this machine, with a link for each pair. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeName } from '../../harness/core/units.ts';
import type { Cluster, DeployRequest } from '../../harness/protocols/system.ts';
import { reservePorts } from '../backends/ports.ts';
import { type NodePlan, startProcesses } from '../backends/process.ts';
import { MEMBER_PROGRAM } from '../raftkv/program.ts';
import { VERSION } from '../raftkv/server/node-api.ts';
import { PEER_PROBE } from '../raftkv/server/peer-talk.ts';
import { memberCluster } from './member-cluster.ts';
import { ExpectedEnds } from './member-ends.ts';
import {
  dataDirOf,
  type LinkedMember,
  linkedMembers,
  type MemberLinks,
  memberFacts,
  memberOf,
  memberViews,
  openMemberLinks,
  peerUrlOf,
} from './member-links.ts';
import type { MemberViews } from './member-views.ts';
import {
  memberArgs,
  memberEnvironment,
  type RaftkvSettings,
  routesOf,
  settingsOf,
} from './raftkv-options.ts';

/** Each member dials its peers, and talks on what it dialled alone: it needs no forwarder. */
export async function deployProcesses(request: DeployRequest): Promise<Cluster> {
  const { nodes, clock, options, random } = request;
  const settings = settingsOf(options);

  await using stack = new AsyncDisposableStack();
  const ports = stack.use(await reservePorts(2 * nodes.length, random.fork('ports')));
  const members = linkedMembers(nodes, ports.list);
  const links = stack.use(
    await openMemberLinks(members, request, { probe: PEER_PROBE, forwarders: false }),
  );
  const ends = new ExpectedEnds();
  const views = stack.use(memberViews(members, links, clock, ends));
  const wiring: Wiring = { members, links, views, settings, request };
  const plans = members.map((member) => planOf(member, wiring));
  const mayEnd = (node: NodeName): boolean => ends.has(node);
  const processes = stack.use(await startProcesses(plans, { ...request, mayEnd }));
  const owned = stack.move();
  return memberCluster({
    request,
    timing: settings.timing,
    facts: {
      system: 'raftkv',
      version: VERSION,
      program: MEMBER_PROGRAM.join(' '),
      node: process.version,
      flags: [...settings.flags],
      members: memberFacts(members, links),
    },
    members,
    links,
    views,
    processes,
    ends,
    joining: async (node, all) => {
      await rm(dataDirOf(request, node), { recursive: true, force: true });
      return specOf(memberOf(node, members), { ...wiring, joining: all });
    },
    owned,
  });
}

interface Wiring {
  readonly members: readonly LinkedMember[];
  readonly links: MemberLinks;
  readonly views: MemberViews;
  readonly settings: RaftkvSettings;
  readonly request: DeployRequest;
  /** All members by now, for one that was added to them; absent: they all start together. */
  readonly joining?: readonly LinkedMember[];
}

function planOf(member: LinkedMember, wiring: Wiring): NodePlan {
  const { node } = member;
  return {
    node,
    spec: specOf(member, wiring),
    readiness: {
      description: 'know a leader and serve a linearizable read',
      probe: () => wiring.views.serves(node),
    },
  };
}

function specOf(
  { node, peer, client }: LinkedMember,
  { members, links, settings, request, joining }: Wiring,
): NodePlan['spec'] {
  const urls = new Map((joining ?? members).map((each) => [each.node, peerUrlOf(each)]));
  const routes = routesOf(members, node, (to) => links.peerAddress(node, to));
  const seed = request.random.fork(`seed/${node}`).int(0, 0xffff_ffff);
  const dataDir = dataDirOf(request, node);
  const token = request.runId;
  const isJoining = joining !== undefined;
  const member = { node, dataDir, peer, client, urls, token, isJoining, routes, seed };
  return {
    file: process.execPath,
    args: [...MEMBER_PROGRAM, ...memberArgs(member, settings)],
    env: memberEnvironment(process.env),
    logPath: join(request.dir, node, 'raftkv.log'),
  };
}
