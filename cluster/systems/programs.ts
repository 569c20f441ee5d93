/** A cluster of anybody's programs on this machine, behind links that faults can break. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { seedFrom } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type {
  Cluster,
  Connection,
  DeployRequest,
  RoleSample,
  Timing,
} from '../../harness/protocols/system.ts';
import { reservePorts } from '../backends/ports.ts';
import { startProcesses } from '../backends/process.ts';
import { launcherIn } from '../backends/program.ts';
import { type Links, openLinks } from '../network/links.ts';
import { startLinkServer } from '../network/toxiproxy.ts';

const HOST = '127.0.0.1';

/** What one node must know. Addresses are `host:port`. */
export interface ProgramNode {
  readonly node: NodeName;
  /** Where it must listen, for its peers and for clients. */
  readonly listen: string;
  /** What it must dial to reach each peer: the link to it, which faults break. */
  readonly peers: Readonly<Record<NodeName, string>>;
  /** A folder of its own, which outlives kills. */
  readonly dir: string;
}

/** What only the author of a system knows of its programs. */
export interface Programs {
  readonly timing: Timing;
  /** Goes into `run.json`: versions, flags. */
  readonly facts: Readonly<Record<string, JsonValue>>;
  /** What a node is started with, at first and after each kill. */
  command(node: ProgramNode): {
    /** A path, or a name that is looked up on PATH. */
    readonly file: string;
    readonly args: readonly string[];
    /** Added to the harness's own environment. */
    readonly env?: Readonly<Record<string, string>>;
  };
  /** Sent to where a node listens: one that is well answers at least a byte. Tells cut links from open ones. */
  readonly probe: string;
  /** True when the node at this address serves; else, or thrown, what was seen instead. */
  serves(address: string): Promise<true | string>;
  /** One client's connection to the node at this address. */
  open(address: string): Connection;
  /** What the node at this address says of itself, within a second; throws when it does not answer. */
  role(address: string): Promise<Omit<RoleSample, 'node' | 'state'>>;
}

/** Starts a node each, for backend `process`. Throws `process-failed`, `network-failed`. */
export async function deployPrograms(request: DeployRequest, programs: Programs): Promise<Cluster> {
  const { nodes, random, dir } = request;
  await using stack = new AsyncDisposableStack();
  const ports = stack.use(await reservePorts(nodes.length, random.fork('ports')));
  const portOf = new Map(nodes.map((node, index) => [node, ports.list[index] ?? 0]));
  const links = await linksTo(portOf, programs, request, stack);
  const direct = (node: NodeName): string => addressOf(portOf, node);
  const processes = stack.use(
    await startProcesses(
      nodes.map((node) => ({
        node,
        spec: {
          ...programs.command(programNode(node, { links, direct, request })),
          logPath: join(dir, node, `${node}.log`),
        },
        readiness: { description: 'serve', probe: () => programs.serves(direct(node)) },
      })),
      request,
    ),
  );
  const owned = stack.move();
  return {
    nodes,
    timing: programs.timing,
    facts: { ...programs.facts, members: addressesOf(nodes, direct, links) },
    network: links.network,
    processes: processes.control,
    open: (node) => {
      const { host, port } = links.clientAddress(node);
      return Promise.resolve(programs.open(`${host}:${port}`));
    },
    roles: () => Promise.all(nodes.map((node) => sampleOf(node, programs, direct(node)))),
    ready: (timeoutMs) => processes.ready(timeoutMs),
    crashed: () => processes.crashed(),
    logs: () => processes.logs(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A link for each ordered pair of nodes, and one for the clients of each. */
async function linksTo(
  ports: ReadonlyMap<NodeName, number>,
  { probe }: Programs,
  { nodes, clock, log, dir, random, undo, latencyMs }: DeployRequest,
  stack: AsyncDisposableStack,
): Promise<Links> {
  const seed = seedFrom(random.fork('links').int(0, 0xffff_ffff));
  const start = launcherIn(dir, { undo, clock, log });
  const server = stack.use(await startLinkServer({ start, clock, log, seed }));
  const at = new Map([...ports].map(([node, port]) => [node, { host: HOST, port }]));
  const request = new TextEncoder().encode(probe);
  return stack.use(
    await openLinks({
      server,
      nodes,
      peers: at,
      clients: at,
      probe: { request },
      latencyMs,
      clock,
      log,
    }),
  );
}

function programNode(
  node: NodeName,
  {
    links,
    direct,
    request,
  }: {
    readonly links: Links;
    readonly direct: (node: NodeName) => string;
    readonly request: DeployRequest;
  },
): ProgramNode {
  const dir = join(request.dir, node, 'data');
  mkdirSync(dir, { recursive: true });
  const peers = request.nodes
    .filter((peer) => peer !== node)
    .map((peer): [NodeName, string] => {
      const { host, port } = links.peerAddress(node, peer);
      return [peer, `${host}:${port}`];
    });
  return { node, listen: direct(node), peers: Object.fromEntries(peers), dir };
}

/** Where each node is, and where clients go. */
function addressesOf(
  nodes: readonly NodeName[],
  direct: (node: NodeName) => string,
  links: Links,
): Readonly<Record<NodeName, JsonValue>> {
  const entries = nodes.map((node) => {
    const { host, port } = links.clientAddress(node);
    return [node, { client: direct(node), clientLink: `${host}:${port}` }] as const;
  });
  return Object.fromEntries(entries);
}

function addressOf(ports: ReadonlyMap<NodeName, number>, node: NodeName): string {
  const port = ports.get(node);
  invariant(port !== undefined, `there is no node '${node}'`);
  return `${HOST}:${port}`;
}

async function sampleOf(node: NodeName, programs: Programs, address: string): Promise<RoleSample> {
  try {
    return { node, state: 'answered', ...(await programs.role(address)) };
  } catch {
    // Frozen, dead or starting: the observer writes it down as just that.
    return { node, role: 'unknown', state: 'unreachable' };
  }
}
