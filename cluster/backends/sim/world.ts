/**
 * A simulated cluster of nodes that run a `SimProgram`: machines, network, disks, clocks and clients,
 * all on one virtual time. Whatever happens is an event of that clock; whatever is drawn comes from a
 * stream of its own, by name. So a seed is a whole run, and the same one everywhere.
 */
import { sleep, type VirtualClock } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { DirectedLink, Network } from '../../../harness/protocols/network.ts';
import type { ProcessControl } from '../../../harness/protocols/system.ts';
import { type Caller, type CallResult, ClientLink } from './client-link.ts';
import type { DelayDistribution } from './delay.ts';
import type { SimDisk } from './disk.ts';
import { Machine } from './machine.ts';
import { SimNetwork } from './network.ts';
import type { NodeTime, Skew } from './node-clock.ts';
import type { SimProgram } from './program.ts';

/** A network of one room, a disk that syncs fast, a process that starts fast. */
const LATENCY: DelayDistribution = { kind: 'exponential', minMs: 0.2, meanMs: 0.6 };
const SYNC: DelayDistribution = { kind: 'exponential', minMs: 0.3, meanMs: 1 };
const BOOT: DelayDistribution = { kind: 'uniform', minMs: 5, maxMs: 50 };

const READY_EVERY_MS = 10;

export interface SimOptions<Api> {
  /** The world acts while this clock runs; whoever waits for the world runs on it, too. */
  readonly clock: VirtualClock;
  readonly random: Random;
  /** What the nodes log, with the node's name and time. */
  readonly log: Log;
  readonly nodes: readonly NodeName[];
  readonly program: SimProgram<Api>;
  /** One way between two nodes: for all alike, or for each ordered pair. */
  readonly latency?: DelayDistribution | ((link: DirectedLink) => DelayDistribution);
  /** So much more between two nodes, for as long as this world lives; 0 by default. */
  readonly latencyMs?: number | undefined;
  /** One way between a client and a node. */
  readonly clientLatency?: DelayDistribution;
  /** A sync, or a change of names on a disk. */
  readonly syncMs?: DelayDistribution;
  /** From the launch of a process to its first line of code. */
  readonly bootMs?: DelayDistribution;
  /** Chances of each message between nodes; only for programs whose transport allows it. */
  readonly loss?: number;
  readonly duplication?: number;
  /** Asked when a node ends by itself: true, and it is no crash. */
  readonly mayEnd?: (node: NodeName) => boolean;
  /** Told of every event: what arrives, what a disk did, who lives. */
  readonly trace?: (event: string) => void;
}

/** Disposing of it ends all nodes, as `kill` does. */
export class SimWorld<Api> implements AsyncDisposable {
  readonly network: Network;
  readonly processes: ProcessControl;
  readonly #clock: VirtualClock;
  readonly #machines: ReadonlyMap<NodeName, Machine<Api>>;
  readonly #clients: ReadonlyMap<NodeName, ClientLink<Api>>;
  readonly #crashed: { readonly node: NodeName; readonly how: string }[] = [];

  constructor(options: SimOptions<Api>) {
    const { clock, random, nodes, trace } = options;
    this.#clock = clock;
    const network = this.#newNetwork(options);
    this.network = network;
    this.#machines = new Map(
      nodes.map((node) => [
        node,
        new Machine<Api>({
          node,
          clock,
          random,
          log: options.log,
          program: options.program,
          network,
          syncMs: options.syncMs ?? SYNC,
          bootMs: options.bootMs ?? BOOT,
          trace,
          crashed: (how) => {
            if (options.mayEnd?.(node) === true) return;
            options.log.warn('a node ended by itself', { node, how });
            this.#crashed.push({ node, how });
          },
        }),
      ]),
    );
    this.#clients = new Map(
      nodes.map((node) => [
        node,
        new ClientLink<Api>({
          node,
          clock,
          random: random.fork(`client/${node}`),
          latency: options.clientLatency ?? LATENCY,
          log: options.log,
          served: () => this.#machine(node).served(),
          trace,
        }),
      ]),
    );
    this.processes = this.#control();
  }

  /** Launches all nodes; see `ready`. */
  start(): Promise<void> {
    for (const machine of this.#machines.values()) machine.start();
    return Promise.resolve();
  }

  /** Resolves when every node serves; throws `process-failed` when one ended, or `deadline`. */
  async ready(timeoutMs: number): Promise<void> {
    const endMs = msFromNanos(this.#clock.now()) + timeoutMs;
    for (;;) {
      const silent = [...this.#machines.values()].filter((machine) => !machine.isServing);
      if (silent.length === 0) return;
      const names = silent.map(({ node }) => node);
      const crash = this.#crashed.find(({ node }) => names.includes(node));
      if (crash !== undefined)
        throw new HarnessError('process-failed', `${crash.node} ended: ${crash.how}`);
      if (msFromNanos(this.#clock.now()) >= endMs)
        throw new HarnessError(
          'deadline',
          `waited ${timeoutMs} ms for ${names.join(', ')} to serve`,
        );
      await sleep(this.#clock, READY_EVERY_MS);
    }
  }

  /** Kills them and cuts their power at the same moment: what they had not synced is at risk. */
  powerFailure(nodes: readonly NodeName[]): Promise<void> {
    for (const node of nodes) this.#machine(node).end('power failure');
    return Promise.resolve();
  }

  /** Kills it and leaves it with an empty disk. */
  erase(node: NodeName): Promise<void> {
    this.#machine(node).erase();
    return Promise.resolve();
  }

  disk(node: NodeName): SimDisk {
    return this.#machine(node).disk;
  }

  /** The node's own idea of time. */
  timeOf(node: NodeName): Pick<NodeTime, 'now' | 'wallMs'> {
    return this.#machine(node).time;
  }

  /** Absolute, not on top of what is set; a node's clock keeps it from one life to the next. */
  skew(node: NodeName, skew: Skew): void {
    invariant(skew.rate > 0, 'a clock goes forward');
    this.#machine(node).time.set(skew);
  }

  /**
   * A client's call over a simulated link, which takes its time both ways. `refused`: nobody was
   * there, nothing was done. `lost`: the node ended under it. Never throws. Each kind of `caller` has
   * delays of its own, so that who looks more often does not shift what the clients see.
   */
  call<T>(
    node: NodeName,
    ask: (api: Api) => Promise<T>,
    timeoutMs: number,
    caller: Caller = 'client',
  ): Promise<CallResult<T>> {
    const client = this.#clients.get(node);
    invariant(client !== undefined, `there is no node '${node}'`);
    return client.call(ask, timeoutMs, caller);
  }

  /** Nodes that ended by themselves: they threw, or said so. */
  crashed(): readonly { readonly node: NodeName; readonly how: string }[] {
    return [...this.#crashed];
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#machines.values()) machine.end('kill');
    return Promise.resolve();
  }

  #newNetwork({
    clock,
    random,
    nodes,
    latency,
    latencyMs = 0,
    loss,
    duplication,
    trace,
  }: SimOptions<Api>): SimNetwork {
    return new SimNetwork({
      nodes,
      clock,
      random: random.fork('network'),
      latency: typeof latency === 'function' ? latency : () => latency ?? LATENCY,
      latencyMs,
      loss: loss ?? 0,
      duplication: duplication ?? 0,
      behind: (node) => this.#machine(node).behind(),
      answer: (node, answer) => this.#machine(node).probed(answer),
      state: (node) => this.#machine(node).state,
      trace,
    });
  }

  /** As with processes, killing what is dead, or pausing what is gone, does nothing. */
  #control(): ProcessControl {
    const act = (node: NodeName, what: (machine: Machine<Api>) => void): Promise<void> => {
      what(this.#machine(node));
      return Promise.resolve();
    };
    return {
      kill: (node) => act(node, (machine) => machine.end('kill')),
      start: (node) => act(node, (machine) => machine.start()),
      pause: (node) => act(node, (machine) => machine.pause()),
      resume: (node) => act(node, (machine) => machine.resume()),
      state: (node) => Promise.resolve({ state: this.#machine(node).state }),
    };
  }

  #machine(node: NodeName): Machine<Api> {
    const machine = this.#machines.get(node);
    invariant(machine !== undefined, `there is no node '${node}'`);
    return machine;
  }
}
