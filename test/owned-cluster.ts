/** A cluster that is there without any harness: nodes and link servers that somebody started by hand. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Toxiproxy } from 'toxiproxy-node-client';
import type { AttachConfig, AttachNodeConfig, SchismConfig } from '../cli/config/config.ts';
import { reservePorts } from '../cluster/backends/ports.ts';
import { EtcdClient } from '../cluster/etcd-api/client.ts';
import { clock, ourServer, until } from '../cluster/network/testing.ts';
import { MEMBER_PROGRAM } from '../cluster/raftkv/program.ts';
import { type LinkedMember, linkedMembers, peerUrlOf } from '../cluster/systems/member-links.ts';
import { memberArgs, routesOf, settingsOf } from '../cluster/systems/raftkv-options.ts';
import { invariant } from '../harness/core/invariant.ts';
import { freshSeed, Random } from '../harness/core/prng.ts';
import type { NodeName } from '../harness/core/units.ts';
import { readStat, sendSignal } from '../harness/runner/watchdog-proc.ts';
import type { OwnedNode } from './owned-node-main.ts';

const NODES = ['n1', 'n2', 'n3'] as const;
const MAIN = join(import.meta.dirname, 'owned-node-main.ts');

/** Disposing of it ends everything. */
export interface OwnedCluster extends AsyncDisposable {
  /** A file for `--config`. */
  readonly config: string;
  readonly attach: AttachConfig;
  /** Toxics that are on any proxy, and nodes that do not run. */
  disturbances(): Promise<readonly string[]>;
  /** Straight to a node. */
  client(node: NodeName): EtcdClient;
}

/** Three nodes of raftkv, each beside a Toxiproxy of ours, as their owner would tell Schism. */
export async function ownedCluster(): Promise<OwnedCluster> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'schism-owned-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const ports = stack.use(await reservePorts(6, Random.stream(freshSeed(), 'owned')));
  const members = linkedMembers(NODES, ports.list);
  const sites = new Map<NodeName, Site>();
  for (const member of members) sites.set(member.node, await startSite(member, members, stack));
  const nodes: Record<NodeName, AttachNodeConfig> = {};
  for (const [at, member] of members.entries()) {
    const { node } = member;
    const site = sites.get(node);
    invariant(site !== undefined, 'each node has a site');
    const file = await writeNode(dir, member, { members, site, seed: at });
    const owner = (what: string): string[] => [process.execPath, MAIN, what, file];
    await execa(process.execPath, owner('start').slice(1));
    stack.defer(() => {
      sendSignal(pidOf(file), 'SIGKILL');
    });
    const commands = {
      kill: owner('kill'),
      start: owner('start'),
      pause: owner('pause'),
      resume: owner('resume'),
    };
    const { url: toxiproxy, client, probes } = site;
    const links = { toxiproxy, peer: member.peer, probes };
    nodes[node] = { client, direct: member.client, links, commands };
  }
  const clients = new Map(
    members.map(({ node, client }) => [node, stack.use(new EtcdClient(client, clock))]),
  );
  const clientOf = (node: NodeName): EtcdClient => {
    const client = clients.get(node);
    invariant(client !== undefined, `there is no node ${node}`);
    return client;
  };
  await until('a leader', async () => {
    const reply = await clientOf('n1').range({ key: Buffer.from('k') }, 500);
    return reply.ok;
  });
  const attach: AttachConfig = { nodes, timing: { heartbeat: '50ms', election: '500ms' } };
  const config: SchismConfig = { backend: 'attach', system: 'raftkv', attach };
  const path = join(dir, 'schism.config.json');
  await writeFile(path, JSON.stringify(config));
  const owned = stack.move();
  return {
    config: path,
    attach,
    client: clientOf,
    disturbances: async () => {
      const states = NODES.flatMap((node) => {
        const state = readStat(pidOf(join(dir, node, 'node.json')))?.state ?? 'gone';
        return ['gone', 'Z', 'T'].includes(state) ? [`${node} is ${state}`] : [];
      });
      const toxics = await Promise.all([...sites.values()].map(({ url }) => toxicsAt(url)));
      return [...states, ...toxics.flat()];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a link server carries; addresses as `host:port`. */
interface Site {
  readonly url: string;
  readonly client: string;
  readonly peers: ReadonlyMap<NodeName, string>;
  readonly probes: Readonly<Record<NodeName, string>>;
}

async function startSite(
  { node, client }: LinkedMember,
  members: readonly LinkedMember[],
  stack: AsyncDisposableStack,
): Promise<Site> {
  const { url } = stack.use(await ourServer());
  const api = new Toxiproxy(url);
  const create = async (name: string, upstream: string): Promise<string> =>
    (await api.createProxy({ name, listen: '127.0.0.1:0', upstream })).listen;
  const peers = new Map<NodeName, string>();
  const probes: Record<NodeName, string> = {};
  for (const peer of members) {
    if (peer.node === node) continue;
    const link = await create(`${node}>${peer.node}`, peer.peer);
    peers.set(peer.node, link);
    probes[peer.node] = await create(`probe:${node}>${peer.node}`, link);
  }
  return { url, client: await create(`client>${node}`, client), peers, probes };
}

async function writeNode(
  dir: string,
  { node, peer, client }: LinkedMember,
  { members, site, seed }: { members: readonly LinkedMember[]; site: Site; seed: number },
): Promise<string> {
  await mkdir(join(dir, node));
  const at = (name: string): string => join(dir, node, name);
  const urls = new Map(members.map((each) => [each.node, peerUrlOf(each)]));
  const routes = routesOf(members, node, (to) => site.peers.get(to) ?? '');
  const flags = { node, dataDir: at('data'), peer, client, urls, token: 'owned', routes, seed };
  const owned: OwnedNode = {
    file: process.execPath,
    args: [...MEMBER_PROGRAM, ...memberArgs(flags, settingsOf({}))],
    log: at('log'),
    pid: at('pid'),
  };
  await writeFile(at('node.json'), JSON.stringify(owned));
  return at('node.json');
}

function pidOf(file: string): number {
  const { pid } = JSON.parse(readFileSync(file, 'utf8')) as OwnedNode;
  return Number(readFileSync(pid, 'utf8'));
}

async function toxicsAt(url: string): Promise<string[]> {
  const reply = await fetch(`${url}/proxies`);
  const proxies = (await reply.json()) as Record<string, { readonly toxics: { name: string }[] }>;
  return Object.entries(proxies).flatMap(([proxy, { toxics }]) =>
    toxics.map(({ name }) => `${name} on ${proxy}`),
  );
}
