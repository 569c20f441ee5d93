/** raftkv's members in the simulator: the same code as in a process, on virtual time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VirtualClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Cluster, DeployRequest } from '../../harness/protocols/system.ts';
import { clockControl, diskControl } from '../backends/sim/controls.ts';
import type { SimProgram } from '../backends/sim/program.ts';
import { SimWorld } from '../backends/sim/world.ts';
import { etcdHash } from '../etcd-api/hash.ts';
import { etcdRegister } from '../etcd-api/register.ts';
import { parseFlags } from '../raftkv/flags.ts';
import { jsonLog } from '../raftkv/json-log.ts';
import { RaftInvariants } from '../raftkv/raft/invariants.ts';
import type { NodeApi, NodeEnd } from '../raftkv/server/api.ts';
import type { NodeConfig } from '../raftkv/server/config.ts';
import { memberIdOf } from '../raftkv/server/identity.ts';
import { startNode } from '../raftkv/server/node.ts';
import { VERSION } from '../raftkv/server/node-api.ts';
import { adminOf } from './member-admin.ts';
import { ExpectedEnds } from './member-ends.ts';
import { maintenanceOf, membershipOf, type OperatedCluster } from './member-operator.ts';
import { memberArgs, type RaftkvSettings, settingsOf } from './raftkv-options.ts';
import { simClient } from './raftkv-sim-client.ts';
import { simOperator } from './raftkv-sim-operator.ts';
import { SimRestorer } from './raftkv-sim-restorer.ts';
import { findOnSim, simPeerUrl, simTransport } from './raftkv-sim-transport.ts';
import { SimViews } from './raftkv-sim-views.ts';

/** Goes into all ids, which stand in the history: the same in every run. */
const TOKEN = 'schism';

/** The clock of the request must be virtual, and run while this waits. */
export async function deploySimulated(request: DeployRequest): Promise<Cluster> {
  const { clock, nodes, random, log, options, dir } = request;
  invariant(clock instanceof VirtualClock, 'the simulator runs on virtual time');
  const settings = settingsOf(options);
  const logs = new NodeLogs(nodes);
  const configs = new Map(nodes.map((node) => [node, configOf(node, nodes, settings)]));
  const invariants = new RaftInvariants();
  const ends = new ExpectedEnds();
  const world = new SimWorld<NodeApi>({
    clock,
    random: random.fork('world'),
    log,
    nodes,
    latencyMs: request.latencyMs,
    mayEnd: (node) => ends.has(node),
    program: programOf(configs, logs, invariants),
  });
  const ids = new Map(nodes.map((node) => [memberIdOf([simPeerUrl(node)], TOKEN), node]));
  const views = new SimViews({ world, clock, nodes, ids, ends });
  const operated: OperatedCluster = {
    nodes,
    clock,
    ends,
    calls: (node) => simOperator(world, node),
    peerUrl: simPeerUrl,
    renew: async (node, members) => {
      await world.erase(node);
      configs.set(node, configOf(node, members, settings, true));
      await world.processes.start(node);
    },
    start: (node) => world.processes.start(node),
  };
  const [config] = configs.values();
  invariant(config !== undefined, 'a cluster has at least one node');
  const restorer = new SimRestorer({
    clock,
    random: random.fork('restorer'),
    config: (node) => configOf(node, [node], settings),
  });
  await world.start();
  return {
    nodes,
    timing: settings.timing,
    facts: { system: 'raftkv', version: VERSION, simulated: true, flags: [...settings.flags] },
    network: world.network,
    processes: {
      ...world.processes,
      powerFailure: (node) => world.powerFailure([node]),
    },
    membership: membershipOf(operated),
    maintenance: maintenanceOf(operated),
    open: (node) => {
      const client = simClient(world, node, config.maxTxnOps);
      const admin = adminOf({ ...operated, restorer }, node);
      const apis = { register: etcdRegister(client), hash: etcdHash(client), admin };
      return Promise.resolve({ apis, [Symbol.asyncDispose]: nothingToClose });
    },
    invariants,
    disks: diskControl(world, nodes),
    clocks: clockControl(world, clock),
    roles: () => views.roles(),
    ready: (timeoutMs) => views.ready(timeoutMs),
    crashed: () => world.crashed(),
    logs: () => (dir === '' ? [] : nodes.map((node) => ({ node, path: logPath(dir, node) }))),
    [Symbol.asyncDispose]: async () => {
      await restorer[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
      if (dir !== '') logs.writeTo((node) => logPath(dir, node));
    },
  };
}

const nothingToClose = (): Promise<void> => Promise.resolve();

function logPath(dir: string, node: NodeName): string {
  return join(dir, node, 'raftkv.log');
}

/** One life of a member after another: what `process.ts` does for one process. */
function programOf(
  configs: ReadonlyMap<NodeName, NodeConfig>,
  logs: NodeLogs,
  invariants: RaftInvariants,
): SimProgram<NodeApi> {
  return async ({ node: name, clock, random, disk, net }) => {
    const config = configs.get(name);
    invariant(config !== undefined, `there is no node '${name}'`);
    const log = jsonLog('info', clock, (line) => logs.add(name, line));
    log.info('starting', { name });
    if (config.bugs !== undefined)
      log.warn('this member is wrong on purpose: --bug', { bugs: [...config.bugs] });
    const { api, serving, ended } = await startNode(config, {
      clock,
      log,
      random,
      disk,
      openTransport: simTransport(net, clock),
      findCluster: () => findOnSim(net, clock, config),
      watchRaft: (view) => invariants.watch(name, view),
    });
    return { api, serving, ended: ended.then(endText) };
  };
}

function endText(end: NodeEnd): string {
  switch (end.why) {
    case 'removed':
      return 'removed from its cluster';
    case 'disk-failed':
      return `its disk failed: ${String(end.error)}`;
    case 'disposed':
      return 'stopped';
  }
}

/** From the flags that a process would be started with, so that every flag means the same here. */
function configOf(
  node: NodeName,
  nodes: readonly NodeName[],
  settings: RaftkvSettings,
  isJoining = false,
): NodeConfig {
  const member = {
    node,
    dataDir: node,
    peer: '127.0.0.1:2380',
    client: '127.0.0.1:2379',
    urls: new Map(nodes.map((each) => [each, simPeerUrl(each)])),
    token: TOKEN,
    isJoining,
    routes: new Map<string, string>(),
    seed: 0,
  };
  const parsed = parseFlags(memberArgs(member, settings));
  if (parsed.type !== 'settings')
    throw new HarnessError('bad-option', 'raftkv option extra: it asks for help, and nothing runs');
  return parsed.settings.config;
}

/** What the members write, kept until the cluster is stopped: no file is touched before. */
class NodeLogs {
  readonly #lines: ReadonlyMap<NodeName, string[]>;

  constructor(nodes: readonly NodeName[]) {
    this.#lines = new Map(nodes.map((node) => [node, []]));
  }

  add(node: NodeName, line: string): void {
    this.#lines.get(node)?.push(line);
  }

  writeTo(path: (node: NodeName) => string): void {
    for (const [node, lines] of this.#lines) {
      mkdirSync(dirname(path(node)), { recursive: true });
      writeFileSync(path(node), lines.join(''));
    }
  }
}
