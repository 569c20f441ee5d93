/** A cluster of whole nodes in one process, on virtual time and disks in memory: for tests. */
import { type Clock, sleep, type Timer, VirtualClock } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { msFromNanos, type Nanos } from '../../../harness/core/units.ts';
import type { MemberId } from '../raft/types.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import type { Disk } from '../storage/types.ts';
import { mostAgreed } from './agreement.ts';
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
  /** Who joins does not wait for most to agree on who it is. */
  isAnyAnswerGood = false;
  readonly #delayMs: () => number;
  /** When the last message on each way arrives: none overtakes another. */
  readonly #arrivals = new Map<string, number>();

  constructor(clock: Clock, delayMs: () => number = () => DELAY_MS) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  #delay(from: string, to: string | undefined): number {
    const way = `${from} ${to}`;
    const nowMs = msFromNanos(this.#clock.now());
    const arrivesMs = Math.max(this.#arrivals.get(way) ?? 0, nowMs + this.#delayMs());
    this.#arrivals.set(way, arrivesMs);
    return arrivesMs - nowMs;
  }

  /** What most of those at these addresses say about who is at `peerUrls`. */
  find(addresses: readonly string[], peerUrls: readonly string[]): Promise<FoundCluster> {
    const there = addresses.flatMap((address) => this.#handlers.get(address) ?? []);
    const answers = there.map(({ handler }) => handler.members());
    const agreed = mostAgreed(answers, peerUrls, addresses.length);
    const isEnough = agreed !== undefined && (agreed.isCertain || this.isAnyAnswerGood);
    invariant(isEnough, `nobody knows who is at ${peerUrls.join()}`);
    return Promise.resolve(agreed.found);
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
          const delayMs = this.#delay(address, peers.get(to));
          this.#clock.timer(delayMs, () => reach(to)?.message(message));
          if (message.type === 'snapshot') handler.snapshotSent(to, reach(to) !== undefined);
        },
        call: async (to, call, timeoutMs) => {
          await sleep(this.#clock, this.#delay(address, peers.get(to)));
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

/** One node's: its timers wait while the node is paused, and then fire at once, in order. */
class PausableClock implements Clock {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #isPaused = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): Nanos {
    return this.#clock.now();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  turn(): Promise<void> {
    return sleep(this, 0);
  }

  timer(delayMs: number, fire: () => void): Timer {
    let isCancelled = false;
    const fireUnlessCancelled = (): void => {
      if (!isCancelled) fire();
    };
    const timer = this.#clock.timer(delayMs, () => {
      if (this.#isPaused) this.#waiting.push(fireUnlessCancelled);
      else fireUnlessCancelled();
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const fire of this.#waiting.splice(0)) fire();
  }
}

interface Slot {
  readonly name: string;
  readonly address: string;
  readonly clock: PausableClock;
  disk: MemoryDisk;
  node: Node | undefined;
  lives: number;
  readonly others: readonly string[] | undefined;
}

/** What the nodes run in; by default nothing in it is left to chance, and disks take no time. */
export interface World {
  readonly seed?: number;
  /** Of one message or answer. */
  readonly delayMs?: () => number;
  /** What a node sees of its disk. */
  readonly disk?: (disk: MemoryDisk, clock: Clock) => Disk;
}

/** Nodes `n1`, `n2`, ...; everything in one virtual time. */
export class MemoryCluster implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly #world: World;
  readonly #slots = new Map<string, Slot>();
  readonly #config: Partial<NodeConfig>;
  readonly #initial: NodeConfig['initialCluster'];

  constructor(size: number, config: Partial<NodeConfig> = {}, world: World = {}) {
    this.#config = config;
    this.#world = world;
    this.network = new MemoryNetwork(this.clock, world.delayMs);
    const names = Array.from({ length: size }, (_, at) => `n${at + 1}`);
    this.#initial = names.map((name) => ({ name, peerUrls: [urlOf(name)] }));
    for (const name of names) this.addSlot(name);
  }

  /** With an empty disk. `others`: the members it is told of; by default all there are. */
  addSlot(name: string, others?: readonly string[]): void {
    const disk = new MemoryDisk();
    const lives = this.#slots.get(name)?.lives ?? 0;
    const clock = new PausableClock(this.clock);
    const address = hostOf(name);
    this.#slots.set(name, { name, address, clock, disk, node: undefined, lives, others });
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
    const others = (slot.others ?? this.names).filter((each) => each !== name).map(hostOf);
    slot.node = await startNode(config, {
      clock: slot.clock,
      log: silentLog,
      random: Random.stream(seedFrom(this.#world.seed ?? 7), `${name}/${slot.lives}`),
      disk: this.#world.disk?.(slot.disk, this.clock) ?? slot.disk,
      openTransport: this.network.transportAt(slot.address),
      findCluster: () => this.network.find(others, own.peerUrls),
    });
    return slot.node;
  }

  async startAll(): Promise<void> {
    for (const name of this.names) await this.start(name);
    await Promise.all(this.names.map((name) => this.node(name).serving));
  }

  /** Undefined: it does not run. */
  running(name: string): Node | undefined {
    return this.#slot(name).node;
  }

  disk(name: string): MemoryDisk {
    return this.#slot(name).disk;
  }

  /** kill -9: what was written stays. */
  crash(name: string): Promise<void> {
    return this.#end(name, (disk) => disk.crash());
  }

  /** What was not synced may be lost, in part. */
  powerFailure(name: string, random: Random): Promise<void> {
    return this.#end(name, (disk) => disk.powerFailure(random));
  }

  async #end(name: string, survive: (disk: MemoryDisk) => MemoryDisk): Promise<void> {
    const slot = this.#slot(name);
    const { disk, node } = slot;
    slot.node = undefined;
    slot.disk = survive(disk);
    await node?.[Symbol.asyncDispose]();
  }

  /** It does nothing until `resume`. What others send it arrives: cut it off to prevent that. */
  pause(name: string): void {
    this.#slot(name).clock.pause();
  }

  resume(name: string): void {
    this.#slot(name).clock.resume();
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
