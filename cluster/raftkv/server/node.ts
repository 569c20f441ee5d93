/** One member of a raftkv cluster, whole: disk, raft, state machine, peers, and what clients ask. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import { FAILURES } from '../failures.ts';
import { withoutTail } from '../mvcc/lost-tail.ts';
import { createRaft } from '../raft/raft.ts';
import type { Entry, MemberId, Raft } from '../raft/types.ts';
import { openStorage } from '../storage/storage.ts';
import type { BackendCopy, Identity, Recovered, Storage } from '../storage/types.ts';
import { AddressBook } from './address-book.ts';
import type { Node, NodeEnd } from './api.ts';
import { LeaderCalls } from './calls.ts';
import type { FoundCluster, NodeConfig } from './config.ts';
import { Driver } from './driver.ts';
import { bootstrap, findOthers } from './first-life.ts';
import type { NodeHost } from './host.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { createMachine, type Machine } from './machine.ts';
import { MemberChanges } from './member-changes.ts';
import { type NodeParts, nodeApi } from './node-api.ts';
import { Proposals } from './proposals.ts';
import { Reads } from './reads.ts';
import { RemovedNotice } from './removed-notice.ts';
import { Strangers } from './strangers.ts';
import type { PeerHandler, Transport } from './transport.ts';
import { Upkeep } from './upkeep.ts';
import { Watches } from './watches.ts';

/** etcd's: five seconds, and two elections. */
const REQUEST_MS = 5_000;
/** Ticks of raft in a heartbeat: finer than etcd's one, so that elections collide less. */
const TICKS_A_HEARTBEAT = 5;
/** Appends that a follower has not answered yet. */
const IN_FLIGHT_MAX = 512;

/**
 * Starts a member: recovers what its disk has, or begins anew, and joins the others. Throws what the
 * disk or the transport throws; resolves before the member knows a leader (see `Node.serving`).
 */
export async function startNode(config: NodeConfig, host: NodeHost): Promise<Node> {
  await using stack = new AsyncDisposableStack();
  const { bugs = NO_BUGS } = config;
  const storage = stack.use(await openStorage(host.disk, { bugs }));
  const found = await findOthers(config, host, storage);
  const recovered = storage.recovered ?? (await bootstrap(config, found, storage));
  for (const repair of recovered.repairs) host.log.warn('repaired', { repair });
  const buckets = await storage.backend.load();
  const machine = createMachine(buckets, storage.backend, storage.backend.applied, bugs);
  const node = new RunningNode(config, host, storage, recovered, machine);
  if (found !== undefined) node.found(found);
  stack.use(node);
  const transport = await host.openTransport(recovered.identity, node.peerHandler());
  await node.start(transport);
  const owned = stack.move();
  return {
    api: node.api,
    serving: node.serving,
    ended: node.ended,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function unapplied(entries: readonly Entry[], { applied }: Machine): readonly Entry[] {
  return entries.filter(({ index }) => index > applied);
}

/** What most pieces need. */
interface Shared {
  readonly self: MemberId;
  readonly raft: Raft;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly wake: () => void;
}

/** What belongs to one life of a node; the pieces know each other only by what they are handed. */
class RunningNode implements NodeParts, AsyncDisposable {
  readonly config: NodeConfig;
  readonly identity: Identity;
  readonly storage: Storage;
  readonly raft: Raft;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly leases: LeaseKeeper;
  readonly changes: MemberChanges;
  readonly watches: Watches;
  readonly upkeep: Upkeep;
  readonly bugs: Bugs;
  readonly api: Node['api'];
  readonly serving: Promise<void>;
  readonly ended: Promise<NodeEnd>;
  machine: Machine;
  readonly #host: NodeHost;
  readonly #calls: LeaderCalls;
  readonly #book: AddressBook;
  readonly #driver: Driver;
  readonly #notice: RemovedNotice;
  readonly #strangers: Strangers;
  readonly #transport: PromiseWithResolvers<Transport> = Promise.withResolvers();
  #openTransport: Transport | undefined;
  readonly #serving: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #ended: PromiseWithResolvers<NodeEnd> = Promise.withResolvers();
  #leader: MemberId | undefined;
  #awaitingLeader: { readonly to: MemberId; readonly resolve: (moved: boolean) => void }[] = [];
  readonly #isFirstLife: boolean;
  readonly #ticks: { readonly electionTicks: number; readonly heartbeatTicks: number };
  #isStopped = false;

  constructor(
    config: NodeConfig,
    host: NodeHost,
    storage: Storage,
    { identity, hardState, snapshot, entries }: Recovered,
    machine: Machine,
  ) {
    const { clock } = host;
    const self = identity.member;
    const tickMs = Math.max(1, config.heartbeatMs / TICKS_A_HEARTBEAT);
    const bugs = config.bugs ?? NO_BUGS;
    this.bugs = bugs;
    this.watches = new Watches(bugs);
    this.config = config;
    this.identity = identity;
    this.storage = storage;
    this.machine = machine;
    this.#host = host;
    this.serving = this.#serving.promise;
    this.ended = this.#ended.promise;
    this.#book = new AddressBook(self, bugs);
    this.#book.appending(entries);
    machine.early?.appended(unapplied(entries, machine), machine.applied);
    this.#isFirstLife = storage.recovered === undefined;
    this.#ticks = {
      electionTicks: Math.round(config.electionMs / tickMs),
      heartbeatTicks: Math.round(config.heartbeatMs / tickMs),
    };
    const { random } = host;
    const elections = random.fork('elections');
    const restored = { hardState, snapshot, entries, applied: machine.applied };
    this.raft = createRaft({
      id: self,
      restored,
      ...this.#ticks,
      preVote: config.preVote,
      checkQuorum: true,
      maxAppendEntries: config.maxAppendEntries,
      maxInFlight: IN_FLIGHT_MAX,
      leaseReads: config.leaseReads || bugs.has('stale-lease-read'),
      random: () => elections.float(),
      bugs,
      ...(host.watchRaft && { watch: host.watchRaft }),
    });
    const shared: Shared = {
      self,
      raft: this.raft,
      clock,
      timeoutMs: REQUEST_MS + 2 * config.electionMs,
      wake: () => this.#driver.wake(),
    };
    const { maxRequestBytes } = config;
    this.proposals = new Proposals({
      ...shared,
      random: random.fork('proposals'),
      maxRequestBytes,
      bugs,
    });
    const applied = (): number => this.machine.applied;
    this.reads = new Reads({ ...shared, random: random.fork('reads'), applied, bugs });
    const leader = (): MemberId | undefined => this.raft.status().leader;
    this.#calls = new LeaderCalls({ ...shared, leader, transport: () => this.#transport.promise });
    this.leases = this.#leaseKeeper(random.fork('leases'));
    this.changes = this.#memberChanges(shared, random.fork('members'));
    this.#notice = new RemovedNotice({
      clock,
      calls: this.#calls,
      book: this.#book,
      members: () => this.machine.members,
      transport: () => this.#transport.promise,
      electionMs: config.electionMs,
      isSilent: () => {
        const { leader: known, config: counting } = this.raft.status();
        return known === undefined && !counting.voters.includes(self);
      },
      peersChanged: () => this.#peersChanged(),
      removed: () => this.#removed(),
    });
    this.#strangers = new Strangers({
      clock,
      electionMs: config.electionMs,
      calls: this.#calls,
      book: this.#book,
      members: () => this.machine.members,
      found: () => this.#members(),
      transport: () => this.#transport.promise,
      peersChanged: () => this.#peersChanged(),
    });
    this.upkeep = new Upkeep({
      ...shared,
      config,
      log: host.log,
      storage,
      node: this,
      calls: this.#calls,
      transport: () => this.#transport.promise,
    });
    this.#driver = this.#newDriver(tickMs);
    this.api = nodeApi(this);
  }

  #leaseKeeper(random: Random): LeaseKeeper {
    return new LeaseKeeper({
      clock: this.#host.clock,
      random,
      electionMs: this.config.electionMs,
      bugs: this.bugs,
      calls: this.#calls,
      store: () => this.machine.store,
      leadsInTerm: () => {
        const { role, term } = this.raft.status();
        return role === 'leader' ? term : undefined;
      },
      confirmLeadership: () => this.reads.barrier(),
      propose: (command) => this.proposals.propose(command),
    });
  }

  #memberChanges(shared: Shared, random: Random): MemberChanges {
    return new MemberChanges({
      ...shared,
      token: this.config.token,
      random,
      strict: this.config.strictReconfigCheck,
      bugs: this.bugs,
      calls: this.#calls,
      members: () => this.machine.members,
      activeSinceMs: (member) => this.#openTransport?.activeSinceMs(member),
      nextSequence: () => this.proposals.nextSequence(),
      wait: (sequence) => this.proposals.wait(sequence),
    });
  }

  #newDriver(tickMs: number): Driver {
    const { raft, storage } = this;
    const { clock, log } = this.#host;
    const { snapshotCount, catchUpEntries } = this.config;
    const options = {
      raft,
      storage,
      clock,
      log,
      tickMs,
      snapshotCount,
      catchUpEntries,
      // A lease is as long as it is on the clock, not in the ticks that came through; `stale-lease-read`
      // breaks that.
      makesUpTicks: this.config.leaseReads && !this.bugs.has('stale-lease-read'),
      bugs: this.bugs,
    };
    return new Driver(options, {
      collect: () => {
        this.proposals.release();
        this.reads.ask();
      },
      appending: (appended) => {
        if (this.#book.appending(appended)) this.#peersChanged();
        this.machine.early?.appended(appended, this.machine.applied);
      },
      stored: (entries) => this.#stored(entries),
      apply: (committed) => this.#apply(committed),
      applied: () => this.machine.applied,
      granted: (grants) => this.reads.granted(grants),
      installed: () => this.#installed(),
      settled: () => this.#settled(),
      tick: () => this.#tick(),
      diskFailed: (error) => this.#end({ why: 'disk-failed', error }),
    });
  }

  peerHandler(): PeerHandler {
    const { raft } = this;
    return {
      message: (message) => {
        if (!this.#keepsRemoved && this.#notice.concerns(message.from)) return;
        this.#strangers.heard(message.from);
        this.#driver.receive(message);
      },
      call: (from, call) => {
        if (!this.#keepsRemoved) this.#notice.concerns(from);
        return this.#calls.answer(from, call);
      },
      members: () => this.#members(),
      unreachable: (member) => raft.reportUnreachable(member),
      snapshotSent: (member, sent) => raft.reportSnapshot(member, sent),
    };
  }

  found(cluster: FoundCluster): void {
    this.#book.found(cluster);
  }

  /** Throws `store-failed` when it was told to compare itself with others, and differs. */
  async start(transport: Transport): Promise<void> {
    this.#openTransport = transport;
    this.#transport.resolve(transport);
    this.#peersChanged();
    if (this.config.checksCorruptionAtStart === true) await this.upkeep.checkAtStart();
    this.#hurryElection();
    this.#driver.start(transport);
    if (this.machine.members.removed(this.identity.member) !== undefined) this.#removed();
    void this.#publish();
  }

  get rewriting(): Promise<void> | undefined {
    return this.#driver.rewriting;
  }

  defragment(): Promise<void> {
    return this.#driver.defragment();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  backup(): Promise<BackendCopy | undefined> {
    return this.#driver.backup();
  }

  async awaitLeader(to: MemberId, timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#awaitingLeader.push({ to, resolve });
    const timer = this.#host.clock.timer(timeoutMs, () => resolve(this.#leader === to));
    const moved = await promise;
    timer.cancel();
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end({ why: 'disposed' });
    await this.#driver[Symbol.asyncDispose]();
    await this.#openTransport?.[Symbol.asyncDispose]();
  }

  /**
   * Nobody leads a new cluster, so there is nobody to wait for: as etcd, which advances the election
   * timer on its start. A member that is all there is need not wait at all.
   */
  #hurryElection(): void {
    const { config, id } = this.raft.status();
    if (config.voters.length === 1 && config.voters[0] === id) this.raft.campaign();
    if (!this.#isFirstLife) return;
    const { electionTicks, heartbeatTicks } = this.#ticks;
    for (let tick = 0; tick < electionTicks - 2 * heartbeatTicks; tick++) this.raft.tick();
  }

  /** The entry of its own start, as etcd has it: says its name and where its clients find it. */
  async #publish(): Promise<void> {
    const { name, clientUrls, heartbeatMs } = this.config;
    const { member } = this.identity;
    while (!this.#isStopped) {
      const result = await this.proposals.propose({ type: 'publish', member, name, clientUrls });
      if (result.ok) {
        this.#serving.resolve();
        return;
      }
      await sleep(this.#host.clock, heartbeatMs);
    }
  }

  #apply(entries: readonly Entry[]): void {
    let membersChanged = false;
    for (const entry of entries) {
      const { room } = this.upkeep.quota;
      const applied = this.machine.apply(entry);
      const { effect } = applied;
      if (effect !== undefined) {
        if (effect.type === 'config' || effect.type === 'member-update') membersChanged = true;
        else this.leases.applied(effect);
        if (effect.type === 'config' && effect.removed !== undefined && !this.#keepsRemoved)
          void this.#notice.linger(effect.removed, 2 * this.config.electionMs);
      }
      this.upkeep.answer(applied, room);
    }
    if (!membersChanged) return;
    this.#peersChanged();
    if (this.machine.members.removed(this.identity.member) !== undefined) this.#removed();
  }

  #stored(entries: readonly Entry[]): void {
    // Breaks: a leader answers when a majority has the entry, and it is applied (§5.3).
    if (!this.bugs.has('ack-before-commit') || this.raft.status().role !== 'leader') return;
    for (const { index } of entries) {
      const early = this.machine.early?.resultOf(index);
      if (early?.effect?.type === 'put') this.proposals.applied(early.origin, early.result);
    }
  }

  /** A leader's snapshot has taken the backend's place: everything is made anew from it. */
  async #installed(): Promise<void> {
    const { backend } = this.storage;
    const { early } = this.machine;
    const found = await backend.load();
    // Breaks: a snapshot is the whole state up to its index (§7).
    const buckets = this.bugs.has('snapshot-tail') ? withoutTail(found, backend) : found;
    this.machine = createMachine(buckets, backend, backend.applied, this.bugs);
    const appended = unapplied(early?.entries ?? [], this.machine);
    this.machine.early?.appended(appended, this.machine.applied);
    this.leases.reload();
    this.watches.moveTo(this.machine.store);
    this.#peersChanged();
    if (this.machine.members.removed(this.identity.member) !== undefined) this.#removed();
  }

  #settled(): void {
    const { leader, term } = this.raft.status();
    if (leader !== this.#leader) {
      this.#leader = leader;
      this.#host.log.info('leader changed', { leader: leader ?? null, term });
      if (leader !== undefined) {
        this.reads.leaderFound();
        this.proposals.leaderFound();
        this.#driver.wake();
      }
      const waiting = this.#awaitingLeader;
      this.#awaitingLeader = waiting.filter(({ to }) => to !== leader);
      for (const { to, resolve } of waiting) if (to === leader) resolve(true);
    }
    this.reads.serve();
  }

  #tick(): void {
    this.proposals.expire();
    this.reads.tick();
    this.leases.tick();
    this.upkeep.tick();
    this.#notice.tick();
  }

  #peersChanged(): void {
    this.#openTransport?.setPeers(this.#book.peers(this.machine.members));
  }

  /** For those who do not know as much: members that join, or have been away. */
  #members(): FoundCluster {
    const { cluster, member } = this.identity;
    const others = [...this.#book.all(this.machine.members)];
    return {
      cluster,
      members: [
        { id: member, peerUrls: this.#ownUrls() },
        ...others.map(([id, peerUrls]) => ({ id, peerUrls })),
      ],
    };
  }

  #ownUrls(): readonly string[] {
    const { members } = this.machine;
    const own = this.config.initialCluster.find(({ name }) => name === this.config.name);
    return members.get(this.identity.member)?.peerUrls ?? own?.peerUrls ?? [];
  }

  /** As a leader it first has to tell the others that its removal is committed. */
  #removed(): void {
    if (this.#keepsRemoved) return;
    const { clock } = this.#host;
    void sleep(clock, this.config.electionMs).then(() => this.#end({ why: 'removed' }));
  }

  /** Breaks: whoever is removed has no part in the cluster any more (thesis §4.2.2). */
  get #keepsRemoved(): boolean {
    return this.bugs.has('removed-member-votes');
  }

  #end(end: NodeEnd): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.proposals.close(FAILURES.stopped);
    this.reads.close(FAILURES.stopped);
    this.#calls.close(FAILURES.stopped);
    for (const { resolve } of this.#awaitingLeader) resolve(false);
    this.#ended.resolve(end);
  }
}
