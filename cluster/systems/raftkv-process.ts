/** raftkv's members as processes of this Node.js, on this machine, with a link for each pair. */
import { join } from 'node:path';
import type { Cluster, DeployRequest } from '../../harness/protocols/system.ts';
import { reservePorts } from '../backends/ports.ts';
import { type NodePlan, startProcesses } from '../backends/process.ts';
import { MEMBER_PROGRAM } from '../raftkv/program.ts';
import { VERSION } from '../raftkv/server/node-api.ts';
import { PEER_PROBE } from '../raftkv/server/peer-talk.ts';
import { memberCluster } from './member-cluster.ts';
import {
  type LinkedMember,
  linkedMembers,
  type MemberLinks,
  memberFacts,
  memberViews,
  openMemberLinks,
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
  const views = stack.use(memberViews(members, links, clock));
  const wiring: Wiring = { members, links, views, settings, request };
  const plans = members.map((member) => planOf(member, wiring));
  const processes = stack.use(await startProcesses(plans, request));
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
    links,
    views,
    processes,
    owned,
  });
}

interface Wiring {
  readonly members: readonly LinkedMember[];
  readonly links: MemberLinks;
  readonly views: MemberViews;
  readonly settings: RaftkvSettings;
  readonly request: DeployRequest;
}

function planOf(
  { node, peer, client }: LinkedMember,
  { members, links, views, settings, request }: Wiring,
): NodePlan {
  const dir = join(request.dir, node);
  const urls = new Map(members.map((each) => [each.node, `http://${each.advertised}`]));
  const routes = routesOf(members, node, (to) => links.peerAddress(node, to));
  const seed = request.random.fork(`seed/${node}`).int(0, 0xffff_ffff);
  const dataDir = join(dir, 'data');
  const token = request.runId;
  return {
    node,
    spec: {
      file: process.execPath,
      args: [
        ...MEMBER_PROGRAM,
        ...memberArgs({ node, dataDir, peer, client, urls, token, routes, seed }, settings),
      ],
      env: memberEnvironment(process.env),
      logPath: join(dir, 'raftkv.log'),
    },
    readiness: {
      description: 'know a leader and serve a linearizable read',
      probe: () => views.serves(node),
    },
  };
}
