/** Real clusters of raftkv and of etcd, run alike, for tests that compare or break them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, realClock, sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { silentLog } from '../../harness/core/log.ts';
import { freshSeed, Random } from '../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { NodeLog, ProcessControl } from '../../harness/protocols/system.ts';
import type { UndoRegistry } from '../../harness/protocols/undo.ts';
import { startWatchdog } from '../../harness/runner/undo.ts';
import type { ChildContext } from '../backends/child.ts';
import type { Crash } from '../backends/nodes.ts';
import { reservePorts } from '../backends/ports.ts';
import { type LocalProcesses, type NodePlan, startProcesses } from '../backends/process.ts';
import { EtcdClient } from '../etcd-api/client.ts';
import { MEMBER_PROGRAM } from './program.ts';

const HOST = '127.0.0.1';
const READY_MS_MAX = 30_000;
const ASK_MS_MAX = 500;
const ASK_INTERVAL_MS = 20;

export type SystemUnderTest = 'etcd' | 'raftkv';

export interface TestClusterOptions {
  /** Members it starts with: `n1`, `n2`, ... */
  readonly nodes: number;
  /** Further members that have addresses but are not started: for `join`. */
  readonly spares?: number;
  /** Added to every node's flags; both systems take etcd's. */
  readonly flags?: readonly string[];
  /** 50 ms by default. */
  readonly heartbeatMs?: number;
  /** 500 ms by default. */
  readonly electionMs?: number;
  /** Keeps data and logs, and stays; by default a folder that is removed at the end. */
  readonly dir?: string;
  /** Ends what is left if this process dies; by default the cluster has a watchdog of its own. */
  readonly undo?: UndoRegistry;
}

/** Disposing of it kills every node, paused ones too, and leaves nothing. */
export interface TestCluster extends AsyncDisposable {
  readonly system: SystemUnderTest;
  /** Those it started with; then those that joined. */
  readonly nodes: readonly NodeName[];
  /** Those that may still join, too. */
  readonly all: readonly NodeName[];
  /** Of the data and the logs of all nodes. */
  readonly dir: string;
  /** `127.0.0.1:port`, for clients; also of a spare. */
  address(node: NodeName): string;
  peerUrl(node: NodeName): string;
  /** One connection a node, shared by all who ask. */
  client(node: NodeName): EtcdClient;
  /** A kill is `kill -9`; a start waits for nothing: see `ready`. */
  readonly control: ProcessControl;
  /** Waits until each of them serves a linearizable read; all nodes by default. */
  ready(nodes?: readonly NodeName[], timeoutMs?: number): Promise<void>;
  /**
   * Starts a spare that was added to the members. `members`: all there are now, itself too; by
   * default all nodes that ever were, and itself. Waits for nothing.
   */
  join(spare: NodeName, members?: readonly NodeName[]): Promise<void>;
  /** Waits for a node of which all that answer say that it leads; throws `deadline`. */
  leader(timeoutMs?: number): Promise<NodeName>;
  /** Ends that no `kill` asked for. */
  crashed(): readonly Crash[];
  logs(): readonly NodeLog[];
}

/** Resolves when every node serves. Throws `process-failed` or `deadline` with the log's end. */
export function startRaftkv(options: TestClusterOptions): Promise<TestCluster> {
  const program: Program = { system: 'raftkv', file: process.execPath, args: MEMBER_PROGRAM };
  return startCluster(program, options);
}

/** As `startRaftkv`, with the etcd on PATH. */
export function startEtcd(options: TestClusterOptions): Promise<TestCluster> {
  return startCluster({ system: 'etcd', file: 'etcd', args: ['--logger=zap'] }, options);
}

interface Program {
  readonly system: SystemUnderTest;
  readonly file: string;
  /** Before the node's own. */
  readonly args: readonly string[];
}

interface Member {
  readonly node: NodeName;
  readonly peer: string;
  readonly address: string;
  readonly client: EtcdClient;
}

interface Launcher {
  readonly program: Program;
  readonly options: TestClusterOptions;
  readonly members: readonly Member[];
  readonly token: string;
  readonly dir: string;
  readonly context: ChildContext;
}

async function startCluster(program: Program, options: TestClusterOptions): Promise<TestCluster> {
  const clock = realClock();
  const random = Random.stream(freshSeed(), 'test-cluster');
  const token = `test-${process.pid}-${random.int(0, 2 ** 30)}`;
  await using stack = new AsyncDisposableStack();
  const undo =
    options.undo ?? stack.use(await startWatchdog({ runId: token, clock, log: silentLog }));
  const dir = options.dir ?? (await temporaryDir(program.system, undo, stack));
  const { nodes, spares = 0 } = options;
  const ports = stack.use(await reservePorts(2 * (nodes + spares), random));
  const members = Array.from({ length: nodes + spares }, (_, index): Member => {
    const [peer, port] = [ports.list[2 * index], ports.list[2 * index + 1]];
    invariant(peer !== undefined && port !== undefined, 'each member has two ports');
    const address = `${HOST}:${port}`;
    const client = stack.use(new EtcdClient(address, clock));
    return { node: `n${index + 1}`, peer: `${HOST}:${peer}`, address, client };
  });
  const context: ChildContext = { undo, clock, log: silentLog };
  const launcher: Launcher = { program, options, members, token, dir, context };
  const cluster = clusterOf(launcher, stack.use(new AsyncDisposableStack()));
  await cluster.launch(members.slice(0, nodes));
  await cluster.ready();
  const owned = stack.move();
  return { ...cluster, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function temporaryDir(
  system: string,
  undo: UndoRegistry,
  stack: AsyncDisposableStack,
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `schism-${system}-`));
  const withdraw = await undo.add({ kind: 'remove', path: dir });
  stack.defer(async () => {
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    withdraw();
  });
  return dir;
}

interface Launched extends Omit<TestCluster, keyof AsyncDisposable> {
  launch(members: readonly Member[]): Promise<void>;
}

/** The nodes' lives are kept by node, since a node that joins has a life of its own. */
function clusterOf(launcher: Launcher, stack: AsyncDisposableStack): Launched {
  const { members, program, dir, context } = launcher;
  const { clock } = context;
  const running = new Map<NodeName, LocalProcesses>();
  const nodes: NodeName[] = [];
  const memberOf = (node: NodeName): Member => {
    const member = members.find((each) => each.node === node);
    invariant(member !== undefined, `there is no node '${node}'`);
    return member;
  };
  const processesOf = (node: NodeName): LocalProcesses => {
    const processes = running.get(node);
    invariant(processes !== undefined, `node '${node}' was never started`);
    return processes;
  };
  const control = (node: NodeName): ProcessControl => processesOf(node).control;
  const start = async (plan: NodePlan): Promise<void> => {
    const processes = stack.use(await startProcesses([plan], context));
    running.set(plan.node, processes);
    nodes.push(plan.node);
  };
  return {
    system: program.system,
    nodes,
    all: members.map(({ node }) => node),
    dir,
    address: (node) => memberOf(node).address,
    peerUrl: (node) => `http://${memberOf(node).peer}`,
    client: (node) => memberOf(node).client,
    control: {
      kill: (node) => control(node).kill(node),
      start: (node) => control(node).start(node),
      pause: (node) => control(node).pause(node),
      resume: (node) => control(node).resume(node),
      state: (node) => control(node).state(node),
    },
    ready: async (which = nodes, timeoutMs = READY_MS_MAX) => {
      await Promise.all(which.map((node) => processesOf(node).ready(timeoutMs)));
    },
    launch: async (first) => {
      for (const member of first) await start(planOf(launcher, member, first, 'new'));
    },
    join: (spare, names = [...nodes, spare]) =>
      start(planOf(launcher, memberOf(spare), names.map(memberOf), 'existing')),
    leader: (timeoutMs = READY_MS_MAX) => leaderOf(() => nodes.map(memberOf), clock, timeoutMs),
    crashed: () => [...running.values()].flatMap((each) => each.crashed()),
    logs: () => [...running.values()].flatMap((each) => each.logs()),
  };
}

function planOf(
  { program, options, token, dir }: Launcher,
  { node, peer, address, client }: Member,
  initial: readonly Member[],
  state: 'new' | 'existing',
): NodePlan {
  const home = join(dir, node);
  const peers = initial.map((each) => `${each.node}=http://${each.peer}`);
  const args = [
    ...program.args,
    `--name=${node}`,
    `--data-dir=${join(home, 'data')}`,
    `--listen-peer-urls=http://${peer}`,
    `--initial-advertise-peer-urls=http://${peer}`,
    `--listen-client-urls=http://${address}`,
    `--advertise-client-urls=http://${address}`,
    `--initial-cluster=${peers.join(',')}`,
    `--initial-cluster-state=${state}`,
    `--initial-cluster-token=${token}`,
    `--heartbeat-interval=${options.heartbeatMs ?? 50}`,
    `--election-timeout=${options.electionMs ?? 500}`,
    ...(options.flags ?? []),
  ];
  return {
    node,
    spec: { file: program.file, args, env: cleanEnvironment(), logPath: join(home, 'log') },
    readiness: {
      description: 'serve a linearizable read',
      probe: async () => {
        const reply = await client.range({ key: Buffer.from('\0') }, ASK_MS_MAX);
        return reply.ok || String(reply.error);
      },
    },
    // A joining etcd asks all peers first, and waits for a second when one listens but is not ready.
    ...(program.system === 'etcd' && initial.length > 1 && { settled: () => servesPeers(peer) }),
  };
}

/** etcd takes flags from variables. */
function cleanEnvironment(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('ETCD'));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

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

async function leaderOf(
  members: () => readonly Member[],
  clock: Clock,
  timeoutMs: number,
): Promise<NodeName> {
  const deadlineMs = msFromNanos(clock.now()) + timeoutMs;
  for (;;) {
    const asked = await Promise.all(
      members().map(async ({ node, client }) => ({ node, reply: await client.status(ASK_MS_MAX) })),
    );
    const views = asked.flatMap(({ node, reply }) =>
      reply.ok ? [{ node, id: reply.value.header?.memberId, leader: reply.value.leader }] : [],
    );
    const found = views.find(({ id, leader }) => id === leader);
    if (found !== undefined && views.every(({ leader }) => leader === found.leader))
      return found.node;
    if (msFromNanos(clock.now()) >= deadlineMs)
      throw new HarnessError(
        'deadline',
        `no leader within ${timeoutMs} ms: ${JSON.stringify(views)}`,
      );
    await sleep(clock, ASK_INTERVAL_MS);
  }
}
