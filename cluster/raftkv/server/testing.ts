/** A cluster of whole nodes in one process, on virtual time and disks in memory: for tests. */
import { type Clock, sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { MemberId } from '../raft/types.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import type { Node } from './api.ts';
import type { FoundCluster, NodeConfig } from './config.ts';
import { startNode } from './node.ts';
import type { OpenTransport, PeerHandler, Transport } from './transport.ts';

const DELAY_MS = 1;

/** Carries messages after a moment; `isCut` decides, by address, what never arrives. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #handlers = new Map<
    string,
    { readonly member: MemberId; readonly handler: PeerHandler }
  >();
  isCut: (from: string, to: string) => boolean = () => false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whoever answers at one of these addresses says who there is. */
  find(addresses: readonly string[]): Promise<FoundCluster> {
    const found = addresses.flatMap((address) => this.#handlers.get(address) ?? [])[0];
    invariant(found !== undefined, 'nobody answers');
    return Promise.resolve(found.handler.members());
  }

  transportAt(address: string): OpenTransport {
    return ({ member }, handler) => {
      let peers: ReadonlyMap<MemberId, string> = new Map();
      const self = { member, handler };
      this.#handlers.set(address, self);
      const isOpen = (): boolean => this.#handlers.get(address) === self;
      const reach = (to: MemberId): PeerHandler | undefined => {
        const there = peers.get(to);
        const found = there === undefined ? undefined : this.#handlers.get(there);
        if (there === undefined || found?.member !== to || !isOpen()) return undefined;
        return this.isCut(address, there) ? undefined : found.handler;
      };
      const transport: Transport = {
        setPeers: (known) => {
          peers = known;
        },
        send: (message) => {
          const { to } = message;
          if (reach(to) === undefined) handler.unreachable(to);
          this.#clock.timer(DELAY_MS, () => reach(to)?.message(message));
          if (message.type === 'snapshot') handler.snapshotSent(to, reach(to) !== undefined);
        },
        call: async (to, call, timeoutMs) => {
          await sleep(this.#clock, DELAY_MS);
          const peer = reach(to);
          const reply = await Promise.race([
            peer?.call(member, call) ?? sleep(this.#clock, timeoutMs),
            sleep(this.#clock, timeoutMs),
          ]);
          return reply ?? undefined;
        },
        activeSinceMs: (to) => (reach(to) === undefined ? undefined : 0),
        [Symbol.asyncDispose]: () => {
          if (isOpen()) this.#handlers.delete(address);
          return Promise.resolve();
        },
      };
      return Promise.resolve(transport);
    };
  }
}

interface Slot {
  readonly name: string;
  readonly address: string;
  disk: MemoryDisk;
  node: Node | undefined;
  lives: number;
}

/** Nodes `n1`, `n2`, ...; everything in one virtual time. */
export class MemoryCluster implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  readonly #slots = new Map<string, Slot>();
  readonly #config: Partial<NodeConfig>;
  readonly #initial: NodeConfig['initialCluster'];

  constructor(size: number, config: Partial<NodeConfig> = {}) {
    this.#config = config;
    const names = Array.from({ length: size }, (_, at) => `n${at + 1}`);
    this.#initial = names.map((name) => ({ name, peerUrls: [urlOf(name)] }));
    for (const name of names) this.addSlot(name);
  }

  addSlot(name: string): void {
    const disk = new MemoryDisk();
    this.#slots.set(name, { name, address: hostOf(name), disk, node: undefined, lives: 0 });
  }

  get names(): string[] {
    return [...this.#slots.keys()];
  }

  node(name: string): Node {
    const { node } = this.#slot(name);
    invariant(node !== undefined, `${name} does not run`);
    return node;
  }

  /** `existing`: it was added as a member and joins. */
  async start(name: string, existing = false): Promise<Node> {
    const slot = this.#slot(name);
    slot.lives += 1;
    const own = { name, peerUrls: [urlOf(name)] };
    const config: NodeConfig = {
      name,
      clientUrls: [`http://client-${name}:1`],
      initialCluster: existing ? [...this.#initial, own] : this.#initial,
      initialState: existing ? 'existing' : 'new',
      token: 'test',
      heartbeatMs: 50,
      electionMs: 500,
      preVote: true,
      leaseReads: false,
      maxAppendEntries: 1024,
      snapshotCount: 100_000,
      catchUpEntries: 5_000,
      maxTxnOps: 128,
      maxRequestBytes: 1_572_864,
      strictReconfigCheck: false,
      ...this.#config,
    };
    const others = this.names.filter((each) => each !== name).map(hostOf);
    slot.node = await startNode(config, {
      clock: this.clock,
      log: silentLog,
      random: Random.stream(seedFrom(7), `${name}/${slot.lives}`),
      disk: slot.disk,
      openTransport: this.network.transportAt(slot.address),
      findCluster: () => this.network.find(others),
    });
    return slot.node;
  }

  async startAll(): Promise<void> {
    for (const name of this.names) await this.start(name);
    await Promise.all(this.names.map((name) => this.node(name).serving));
  }

  /** kill -9: what was written stays. */
  async crash(name: string): Promise<void> {
    const slot = this.#slot(name);
    const { disk, node } = slot;
    slot.node = undefined;
    slot.disk = disk.crash();
    await node?.[Symbol.asyncDispose]();
  }

  cutOff(...names: readonly string[]): void {
    const inside = new Set(names.map(hostOf));
    this.network.isCut = (from, to) => inside.has(from) !== inside.has(to);
  }

  heal(): void {
    this.network.isCut = () => false;
  }

  /** The one that leads in the highest term; undefined: nobody claims to. */
  leader(): string | undefined {
    const claims = this.names.flatMap((name) => {
      const api = this.#slot(name).node?.api;
      if (api === undefined || api.status().leader !== api.header().member) return [];
      return [{ name, term: api.header().term }];
    });
    return claims.toSorted((a, b) => b.term - a.term)[0]?.name;
  }

  async until(holds: () => boolean, withinMs = 10_000): Promise<void> {
    const endMs = msFromNanos(this.clock.now()) + withinMs;
    while (!holds()) {
      invariant(msFromNanos(this.clock.now()) < endMs, 'waited in vain');
      await sleep(this.clock, 10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { node } of this.#slots.values()) await node?.[Symbol.asyncDispose]();
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name);
    invariant(slot !== undefined, `there is no ${name}`);
    return slot;
  }
}

export function hostOf(name: string): string {
  return `${name}.test:2380`;
}

export function urlOf(name: string): string {
  return `http://${hostOf(name)}`;
}

/** Runs `scenario` on a cluster's virtual time, and stops the cluster. */
export function onVirtualTime(
  cluster: MemoryCluster,
  scenario: (cluster: MemoryCluster) => Promise<void>,
): Promise<void> {
  const play = async (): Promise<void> => {
    await using owned = cluster;
    await scenario(owned);
  };
  return cluster.clock.run(play());
}
