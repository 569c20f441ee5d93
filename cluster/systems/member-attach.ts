/** A cluster that speaks etcd's API and is there already: asked, broken and mended, never started. */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { AttachedNodes } from '../../harness/protocols/attach.ts';
import type {
  Cluster,
  Connection,
  DeployRequest,
  RegisterApi,
  Timing,
} from '../../harness/protocols/system.ts';
import { attachLinks } from '../backends/attach/links.ts';
import { attachedNodes } from '../backends/attach/nodes.ts';
import { EtcdClient } from '../etcd-api/client.ts';
import { etcdConnection } from '../etcd-api/connection.ts';
import type { StatusResponse } from '../etcd-api/rpc.ts';
import { ExpectedEnds } from './member-ends.ts';
import { MemberViews } from './member-views.ts';

const ASK_MS_MAX = 5_000;
const ASK_AGAIN_MS = 100;
const CRASHED_MS_MAX = 5_000;

export interface AttachOptions {
  readonly system: string;
  readonly timing: Timing;
  /** Sent to a peer address; every member that is well answers it with at least one byte. */
  readonly probe: Uint8Array;
}

/**
 * Attaches to the cluster of the request. Throws `bad-option` when what the config says of it is not
 * so, `network-failed` and `engine-failed` when a link server or the engine does not answer.
 */
export async function attachMembers(
  request: DeployRequest,
  { system, timing, probe }: AttachOptions,
): Promise<Cluster> {
  const { attach, nodes, clock, runId } = request;
  invariant(attach !== undefined, 'who attaches says to what');
  await using stack = new AsyncDisposableStack();
  const [{ version }] = await meet(attach, clock);
  const running = stack.use(await attachedNodes(attach, request));
  const links = stack.use(await attachLinks(attach, probe, request));
  const addresses = Object.entries(attach).map(([node, { client, direct = client }]) => {
    return [node, { direct, linked: client }] as const;
  });
  const ends = new ExpectedEnds();
  const views = stack.use(new MemberViews(new Map(addresses), clock, ends, links?.network));
  const owned = stack.move();
  const prefix = `schism/${runId}/`;
  return {
    nodes,
    timing,
    facts: { system, version, keys: prefix, members: factsOf(attach) },
    ...(links !== undefined && { network: links.network }),
    ...(running.control !== undefined && { processes: running.control }),
    open: (node) =>
      Promise.resolve(withPrefix(etcdConnection(clientOf(node, attach), clock), prefix)),
    roles: () => views.roles(),
    ready: async (timeoutMs) => {
      const crashed = (node: NodeName): boolean =>
        running.crashed().some((each) => each.node === node);
      const service = { views, clock, timeoutMs, crashed };
      await Promise.all(nodes.map((node) => awaitService(node, service)));
      await views.learnMembers();
    },
    crashed: () => running.crashed(),
    logs: () => running.logs(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function clientOf(node: NodeName, attach: AttachedNodes): string {
  const found = attach[node];
  invariant(found !== undefined, `there is no node '${node}'`);
  return found.client;
}

/** For `run.json`: what was told of each node, but for programs, whose arguments may be secret. */
function factsOf(attach: AttachedNodes): Record<NodeName, JsonValue> {
  return Object.fromEntries(
    Object.entries(attach).map(([node, { client, direct, links, container }]) => [
      node,
      {
        client,
        ...(direct !== undefined && { direct }),
        ...(links !== undefined && { toxiproxy: links.toxiproxy, peer: links.peer }),
        ...(container !== undefined && { container }),
      },
    ]),
  );
}

type Met = readonly [StatusResponse, ...StatusResponse[]];

/**
 * Asks every node who it is. A cluster that the config tells of wrongly is left alone: targets and
 * majorities would be wrong, and strangers be hit.
 */
async function meet(attach: AttachedNodes, clock: Clock): Promise<Met> {
  const met = await Promise.all(
    Object.entries(attach).map(async ([node, where]) => {
      const [address, linked] = [where.direct ?? where.client, where.client];
      const status = await statusOf(node, address, clock);
      const same = address === linked ? status : await statusOf(node, linked, clock);
      if (memberIn(status) !== memberIn(same))
        throw new HarnessError(
          'bad-option',
          `attach.nodes.${node}: client ${linked} and direct ${address} lead to different members`,
        );
      return { node, status, count: await countMembers(node, address, clock) };
    }),
  );
  for (const { node, status, count } of met) {
    const other = met.find(
      (each) => each.node !== node && memberIn(each.status) === memberIn(status),
    );
    if (other !== undefined)
      throw new HarnessError(
        'bad-option',
        `attach.nodes: ${node} and ${other.node} are one member`,
      );
    if (status.header?.clusterId !== met[0]?.status.header?.clusterId)
      throw new HarnessError(
        'bad-option',
        `attach.nodes: ${node} and ${met[0]?.node} are of two clusters`,
      );
    if (count !== met.length)
      throw new HarnessError(
        'bad-option',
        `attach.nodes: the cluster has ${count} members, says ${node}, and the config names ` +
          `${met.length}: name them all`,
      );
  }
  const statuses = met.map(({ status }) => status);
  invariant(statuses.length > 0, 'a cluster has a node');
  return statuses as unknown as Met;
}

function memberIn({ header }: StatusResponse): string | undefined {
  return header?.memberId;
}

async function statusOf(node: NodeName, address: string, clock: Clock): Promise<StatusResponse> {
  using client = new EtcdClient(address, clock);
  const reply = await client.status(ASK_MS_MAX);
  if (reply.ok) return reply.value;
  throw silent(node, address, reply.error);
}

async function countMembers(node: NodeName, address: string, clock: Clock): Promise<number> {
  using client = new EtcdClient(address, clock);
  const reply = await client.memberList(ASK_MS_MAX);
  if (reply.ok) return reply.value.members.length;
  throw silent(node, address, reply.error);
}

function silent(node: NodeName, address: string, error: unknown): HarnessError {
  return new HarnessError(
    'process-failed',
    `${node} does not answer at ${address}: is the cluster there, and does it speak etcd's API?`,
    { cause: error },
  );
}

/** A cluster that holds keys already keeps them: every run has registers of its own. */
function withPrefix(connection: Connection, prefix: string): Connection {
  const { register, ...apis } = connection.apis;
  if (register === undefined) return connection;
  const own: RegisterApi = {
    read: (key, mode, call) => register.read(prefix + key, mode, call),
    write: (key, value, call) => register.write(prefix + key, value, call),
    cas: (key, from, to, call) => register.cas(prefix + key, from, to, call),
  };
  return {
    apis: { ...apis, register: own },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

interface Service {
  readonly views: MemberViews;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly crashed: (node: NodeName) => boolean;
}

async function awaitService(node: NodeName, service: Service): Promise<void> {
  const { views, clock, timeoutMs, crashed } = service;
  const startMs = msFromNanos(clock.now());
  for (;;) {
    const seen = await views.serves(node);
    if (seen === true) return;
    // Whoever watches over the cluster may start it again, and does so soon, or never.
    const limitMs = crashed(node) ? Math.min(timeoutMs, CRASHED_MS_MAX) : timeoutMs;
    if (msFromNanos(clock.now()) - startMs >= limitMs)
      throw new HarnessError(
        'deadline',
        `waited ${limitMs} ms for ${node} to know a leader and serve a linearizable read; ` +
          `last seen: ${seen}`,
      );
    await sleep(clock, ASK_AGAIN_MS);
  }
}
