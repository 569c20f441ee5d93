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
import { TLS_PROBE } from '../raftkv/tls-probe.ts';
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
import { type MembersTls, tlsOf } from './member-tls.ts';
import type { MemberViews } from './member-views.ts';
import { ProcessRestorer } from './process-restorer.ts';
import {
  memberArgs,
  memberEnvironment,
  type RaftkvSettings,
  restoreArgs,
  routesOf,
  settingsOf,
} from './raftkv-options.ts';

/** Each member dials its peers, and talks on what it dialled alone: it needs no forwarder. */
export async function deployProcesses(request: DeployRequest): Promise<Cluster> {
  const { nodes, clock, options, random } = request;
  const settings = settingsOf(options);
  const tls = tlsOf('raftkv', options);
  const { isPeerSecure } = tls;

  await using stack = new AsyncDisposableStack();
  const ports = stack.use(await reservePorts(2 * nodes.length, random.fork('ports')));
  const members = linkedMembers(nodes, ports.list).map((each) => ({ ...each, isPeerSecure }));
  const links = stack.use(
    await openMemberLinks(members, request, {
      probe: isPeerSecure ? TLS_PROBE : PEER_PROBE,
      forwarders: false,
    }),
  );
  const ends = new ExpectedEnds();
  const views = stack.use(memberViews(members, links, clock, ends, tls.client));
  const wiring: Wiring = { members, links, views, settings, tls, request };
  const plans = members.map((member) => planOf(member, wiring));
  const mayEnd = (node: NodeName): boolean => ends.has(node);
  const processes = stack.use(await startProcesses(plans, { ...request, mayEnd }));
  const restorer = stack.use(
    new ProcessRestorer(request, {
      tool: (file, member) => program(['restore', file, ...restoreArgs(member, settings)]),
      member: (member) =>
        program(memberArgs({ ...member, routes: new Map(), seed: LONE_SEED }, settings)),
    }),
  );
  const owned = stack.move();
  return memberCluster({
    request,
    timing: settings.timing,
    facts: {
      system: 'raftkv',
      version: VERSION,
      program: MEMBER_PROGRAM.join(' '),
      node: process.version,
      flags: [...settings.flags, ...tls.flags],
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
    restorer,
    ...(tls.client !== undefined && { clientTls: tls.client }),
    owned,
  });
}

/** A member without others has nobody to be elected against. */
const LONE_SEED = 0;

function program(args: readonly string[]): Pick<NodePlan['spec'], 'file' | 'args' | 'env'> {
  return {
    file: process.execPath,
    args: [...MEMBER_PROGRAM, ...args],
    env: memberEnvironment(process.env),
  };
}

interface Wiring {
  readonly members: readonly LinkedMember[];
  readonly links: MemberLinks;
  readonly views: MemberViews;
  readonly settings: RaftkvSettings;
  readonly tls: MembersTls;
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
  { members, links, settings, tls, request, joining }: Wiring,
): NodePlan['spec'] {
  const urls = new Map((joining ?? members).map((each) => [each.node, peerUrlOf(each)]));
  const routes = routesOf(members, node, (to) => links.peerAddress(node, to));
  const seed = request.random.fork(`seed/${node}`).int(0, 0xffff_ffff);
  const dataDir = dataDirOf(request, node);
  const token = request.runId;
  const isJoining = joining !== undefined;
  const secured = { isClientSecure: tls.client !== undefined, isPeerSecure: tls.isPeerSecure };
  const member = { node, dataDir, peer, client, urls, token, isJoining, routes, seed, ...secured };
  return {
    ...program([...memberArgs(member, settings), ...tls.flags]),
    logPath: join(request.dir, node, 'raftkv.log'),
  };
}
