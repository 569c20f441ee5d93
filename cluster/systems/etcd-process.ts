/** The real etcd as processes of this machine, with a link for each pair by way of forwarders. */
import { rm } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { HarnessError } from '../../harness/core/errors.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Cluster, DeployRequest } from '../../harness/protocols/system.ts';
import { reservePorts } from '../backends/ports.ts';
import { type NodePlan, startProcesses } from '../backends/process.ts';
import {
  binaryOf,
  ETCD_PROBE,
  type EtcdSettings,
  type EtcdVersion,
  memberArgs,
  memberEnvironment,
  parseVersion,
  restoreProgram,
  settingsOf,
} from './etcd-options.ts';
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

const VERSION_MS_MAX = 5_000;

/**
 * All its peers see one advertised URL of a member; that each ordered pair still has a link of its
 * own is the forwarders' doing.
 */
export async function deployProcesses(request: DeployRequest): Promise<Cluster> {
  const { nodes, clock, options, random } = request;
  const version = await findVersion(binaryOf(options));
  if (typeof version === 'string') throw new HarnessError('binary-missing', version);
  const settings = settingsOf(options, version);
  const tls = tlsOf('etcd', options);

  await using stack = new AsyncDisposableStack();
  const ports = stack.use(await reservePorts(2 * nodes.length, random.fork('ports')));
  const members = linkedMembers(nodes, ports.list);
  const links = stack.use(
    await openMemberLinks(members, request, { probe: ETCD_PROBE, forwarders: true }),
  );
  const ends = new ExpectedEnds();
  const views = stack.use(memberViews(members, links, clock, ends, tls.client));
  const wiring: Wiring = { members, links, views, settings, tls, request };
  const plans = members.map((member) => planOf(member, wiring));
  const mayEnd = (node: NodeName): boolean => ends.has(node);
  const processes = stack.use(await startProcesses(plans, { ...request, mayEnd }));
  const restorer = stack.use(
    new ProcessRestorer(request, {
      tool: (file, member) => restoreProgram(file, member, settings, version),
      member: (member) => ({
        file: settings.binary,
        args: memberArgs(member, settings),
        env: memberEnvironment(undefined, process.env),
      }),
    }),
  );
  const owned = stack.move();
  return memberCluster({
    request,
    timing: settings.timing,
    facts: {
      system: 'etcd',
      version: version.text,
      binary: settings.binary,
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

interface Wiring {
  readonly members: readonly LinkedMember[];
  readonly links: MemberLinks;
  readonly views: MemberViews;
  readonly settings: EtcdSettings;
  readonly tls: MembersTls;
  readonly request: DeployRequest;
  /** All members by now, for one that was added to them; absent: they all start together. */
  readonly joining?: readonly LinkedMember[];
}

function planOf(member: LinkedMember, wiring: Wiring): NodePlan {
  const { node, peer } = member;
  return {
    node,
    spec: specOf(member, wiring),
    readiness: {
      description: 'know a leader and serve a linearizable read',
      probe: () => wiring.views.serves(node),
    },
    settled: () => servesPeers(peer),
  };
}

function specOf(
  { node, peer, client }: LinkedMember,
  { members, links, settings, tls, request, joining }: Wiring,
): NodePlan['spec'] {
  const urls = new Map((joining ?? members).map((each) => [each.node, peerUrlOf(each)]));
  const dataDir = dataDirOf(request, node);
  const token = request.runId;
  const isJoining = joining !== undefined;
  const isClientSecure = tls.client !== undefined;
  return {
    file: settings.binary,
    args: [
      ...memberArgs(
        { node, dataDir, peer, client, urls, token, isJoining, isClientSecure },
        settings,
      ),
      ...tls.flags,
    ],
    env: memberEnvironment(links.forwarderUrl(node), process.env),
    logPath: join(request.dir, node, 'etcd.log'),
  };
}

/**
 * A new member first asks each of its peers whether it has been here before. A peer that listens
 * and does not serve yet makes it wait for a second, so members are started one by one: those that
 * are not there refuse at once, and those that serve answer at once.
 */
function servesPeers(peer: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(`http://${peer}/version`, { agent: false, timeout: 100 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/** The version of a program, or why it has none, for people. */
export async function findVersion(binary: string): Promise<EtcdVersion | string> {
  const result = await execa(binary, ['--version'], {
    reject: false,
    timeout: VERSION_MS_MAX,
    stdin: 'ignore',
  });
  if (result.code === 'ENOENT' || result.code === 'EACCES') {
    const where = binary.includes('/') ? `'${binary}' cannot be run` : `'${binary}' is not on PATH`;
    return `${where}; install it (Debian: apt-get install etcd-server) or pass --system raftkv`;
  }
  return parseVersion(result.stdout) ?? `'${binary} --version' did not answer as etcd does`;
}
