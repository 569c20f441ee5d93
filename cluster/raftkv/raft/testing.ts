/** A small deterministic cluster of bare cores for raft's own tests: no clock, no I/O. */
import { invariant } from '../../../harness/core/invariant.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import type { RaftView } from './invariants.ts';
import { createRaft } from './raft.ts';
import {
  type Applied,
  applyEntry,
  type DiskState,
  emptyDisk,
  encodeState,
  type MachineState,
  newCluster,
  textOf,
  withoutLogUpTo,
  written,
} from './testing-disk.ts';
import type {
  ConfigChange,
  Entry,
  MemberId,
  Message,
  Persist,
  Raft,
  RaftOptions,
  RaftStatus,
  ReadGrant,
} from './types.ts';

export type Tuning = Omit<RaftOptions, 'id' | 'restored' | 'random' | 'watch'>;

/** As in production, but with an election timeout of ten ticks. */
export const TUNING: Tuning = {
  electionTicks: 10,
  heartbeatTicks: 1,
  preVote: true,
  checkQuorum: true,
  maxAppendEntries: 64,
  maxInFlight: 16,
  leaseReads: false,
};

/** Raft as in the paper: whoever times out or `campaign`s asks for votes at once. */
export const PAPER: Partial<Tuning> = { preVote: false, checkQuorum: false };

/** More than any test that goes quiet needs. */
const DELIVERIES = 100_000;

/** One member: its core while it runs, and what it has beside it. */
export interface Member {
  readonly id: MemberId;
  readonly tuning: Tuning;
  /** Undefined: it is crashed. */
  raft: Raft | undefined;
  /** Starts, so that what it says can be told from what it said before a crash. */
  lives: number;
  /** What was written. Without a sync a crash may take it back to `synced`. */
  disk: DiskState;
  synced: DiskState;
  /** Handed out and not on disk yet. */
  writing: Persist | undefined;
  holdsDisk: boolean;
  machine: MachineState;
  reads: ReadGrant[];
}

/** Told of everything a core says, before it has any effect. */
export interface Observer {
  /** A core was made; the function is called after each of its steps. */
  watch?(member: Member, view: RaftView): () => void;
  restarted?(member: Member, applied: number): void;
  sending?(member: Member, message: Message): void;
  applying?(member: Member, entry: Entry): void;
  granting?(member: Member, grant: ReadGrant): void;
  persisting?(member: Member, persist: Persist): void;
  /** An input was handled, and everything that followed was taken. */
  settled?(member: Member): void;
}

/** Messages taken off the network; `release` lets them go on, in order. */
export interface Held {
  readonly messages: readonly Message[];
  release(): void;
  /** What was held is lost, and what follows passes. */
  lose(): void;
}

/** A member of the union may have several types, such as both kinds of answers to candidates. */
export type OfType<T extends Message['type'], M = Message> = M extends { readonly type: infer K }
  ? T extends K
    ? M & { readonly type: T }
    : never
  : never;

export type Matches = (message: Message) => boolean;

export interface PeersOptions {
  readonly disks: ReadonlyMap<MemberId, DiskState>;
  readonly tuning?: Partial<Tuning>;
  readonly seed?: number;
  readonly observer?: Observer;
}

/** `['1', ..., 'n']`. */
export function ids(n: number): MemberId[] {
  return Array.from({ length: n }, (_, at) => String(at + 1));
}

/** `n` voters, and learners after them, that all start with the same configuration. */
export function cluster(n: number, tuning: Partial<Tuning> = {}, learners = 0): Peers {
  const all = ids(n + learners);
  return new Peers({ disks: newCluster(all.slice(0, n), all.slice(n)), tuning });
}

/** The same without learners, once `leader` has been elected and all know it. */
export function clusterLedBy(leader: MemberId, n: number, tuning?: Partial<Tuning>): Peers {
  const peers = cluster(n, tuning);
  peers.electLeader(leader);
  return peers;
}

export class Peers {
  readonly members: Map<MemberId, Member> = new Map();
  /** What is under way, per ordered pair, oldest first. */
  readonly queues: Map<string, Message[]> = new Map();
  readonly #cuts = new Set<string>();
  readonly #losses = new Set<Matches>();
  readonly #watchers: ((message: Message) => void)[] = [];
  readonly #holds = new Map<Matches, Message[]>();
  readonly #tuning: Tuning;
  readonly #observer: Observer;
  readonly #random: Random;
  #reads = 0;

  constructor(options: PeersOptions) {
    this.#tuning = { ...TUNING, ...options.tuning };
    this.#observer = options.observer ?? {};
    this.#random = Random.stream(seedFrom(options.seed ?? 1), 'peers');
    for (const [id, disk] of options.disks) this.start(id, disk);
  }

  /** A member that was not there before, by default one that knows nothing and waits to be added. */
  start(id: MemberId, disk: DiskState = emptyDisk(), tuning: Partial<Tuning> = {}): void {
    invariant(!this.members.has(id), `${id} exists`);
    this.members.set(id, {
      id,
      tuning: { ...this.#tuning, ...tuning },
      raft: undefined,
      lives: 0,
      disk,
      synced: disk,
      writing: undefined,
      holdsDisk: false,
      machine: disk.machine,
      reads: [],
    });
    this.restart(id);
  }

  member(id: MemberId): Member {
    const member = this.members.get(id);
    invariant(member !== undefined, `no member ${id}`);
    return member;
  }

  raft(id: MemberId): Raft {
    const { raft } = this.member(id);
    invariant(raft !== undefined, `${id} is crashed`);
    return raft;
  }

  status(id: MemberId): RaftStatus {
    return this.raft(id).status();
  }

  /** Those that run and believe to lead. */
  leaders(): MemberId[] {
    return [...this.members.values()]
      .filter(({ raft }) => raft?.status().role === 'leader')
      .map(({ id }) => id);
  }

  // What is put in.

  tick(id: MemberId, times = 1): void {
    for (let n = 0; n < times; n++) this.act(id, (raft) => raft.tick());
  }

  /** So many ticks for everybody who runs but `paused`, each delivered before the next. */
  elapse(ticks: number, paused?: MemberId): void {
    for (let n = 0; n < ticks; n++) {
      for (const { id, raft } of this.members.values())
        if (raft !== undefined && id !== paused) this.tick(id);
      this.deliver();
    }
  }

  /** Like `elapse`, but one does nothing meanwhile; what it is told waits for it. */
  pause(id: MemberId, ticks: number): void {
    const held = this.hold(({ to }) => to === id);
    this.elapse(ticks, id);
    held.release();
  }

  campaign(id: MemberId): void {
    this.act(id, (raft) => raft.campaign());
  }

  electLeader(id: MemberId): void {
    this.campaign(id);
    this.deliver();
    invariant(this.status(id).role === 'leader', `${id} was not elected`);
  }

  propose(id: MemberId, ...commands: string[]): boolean {
    return this.act(id, (raft) => raft.propose(commands.map((text) => Buffer.from(text))));
  }

  change(id: MemberId, type: ConfigChange['type'], member: MemberId): string {
    return this.act(id, (raft) => raft.proposeChange({ type, member }, Buffer.alloc(0)));
  }

  /** The id that the next read will have. */
  get nextRead(): number {
    return this.#reads + 1;
  }

  /** The id of the read, or undefined when the core would not even ask. */
  read(id: MemberId): number | undefined {
    const read = ++this.#reads;
    return this.act(id, (raft) => raft.readIndex(read)) ? read : undefined;
  }

  transfer(from: MemberId, to: MemberId): boolean {
    return this.act(from, (raft) => raft.transfer(to));
  }

  /** As a host does: first the disk starts later, then the core forgets. */
  compact(id: MemberId, index: number): void {
    const member = this.member(id);
    const meta = this.raft(id).snapshotMeta(index);
    member.disk = withoutLogUpTo(member.disk, meta, member.machine);
    member.synced = withoutLogUpTo(member.synced, meta, member.machine);
    this.act(id, (raft) => raft.compact(index));
  }

  /** Any other input, after which everything that follows is taken. */
  act<T>(id: MemberId, input: (raft: Raft) => T): T {
    const result = input(this.raft(id));
    this.#settle(this.member(id));
    return result;
  }

  // What fails.

  /** What is not on disk is lost; so is what others are being told, unless it left already. */
  crash(id: MemberId, left: DiskState = this.member(id).synced): void {
    const member = this.member(id);
    member.raft = undefined;
    member.writing = undefined;
    member.holdsDisk = false;
    member.disk = left;
    member.synced = left;
    member.reads = [];
  }

  /** `machine` is what the state machine kept: at least the disk's snapshot. */
  restart(id: MemberId, machine: MachineState = this.member(id).disk.machine): void {
    const member = this.member(id);
    const { hardState, snapshot, entries } = member.disk;
    member.machine = machine;
    member.lives++;
    const random = this.#random.fork(`${id}/${member.lives}`);
    const watch = this.#observer.watch?.bind(this.#observer);
    member.raft = createRaft({
      ...member.tuning,
      id,
      restored: { hardState, snapshot, entries, applied: machine.index },
      random: () => random.float(),
      ...(watch && { watch: (view) => watch(member, view) }),
    });
    this.#observer.restarted?.(member, machine.index);
    this.#settle(member);
  }

  /** Nothing gets on its disk until `flush`. */
  holdDisk(id: MemberId): void {
    this.member(id).holdsDisk = true;
  }

  flush(id: MemberId): void {
    const member = this.member(id);
    member.holdsDisk = false;
    if (member.writing !== undefined) this.#write(member);
    this.#settle(member);
  }

  /** Only what was handed out gets on disk; what follows is held. */
  flushOnce(id: MemberId): void {
    const member = this.member(id);
    if (member.writing !== undefined) this.#write(member);
    this.#settle(member);
  }

  /** One direction only. */
  cut(from: MemberId, to: MemberId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  isolate(id: MemberId): void {
    this.split(
      [id],
      [...this.members.keys()].filter((other) => other !== id),
    );
  }

  split(one: readonly MemberId[], other: readonly MemberId[]): void {
    for (const a of one)
      for (const b of other) {
        this.cut(a, b);
        this.cut(b, a);
      }
  }

  /** Ends the cuts of one member. */
  rejoin(id: MemberId): void {
    for (const other of this.members.keys()) {
      this.#cuts.delete(`${id}>${other}`);
      this.#cuts.delete(`${other}>${id}`);
    }
  }

  /** Ends all cuts and losses. */
  heal(): void {
    this.#cuts.clear();
    this.#losses.clear();
  }

  /** Loses messages as they are sent, until the returned function is called. */
  lose(matches: Matches): () => void {
    this.#losses.add(matches);
    return () => this.#losses.delete(matches);
  }

  /** The messages that are sent from now on, of one type or all; also those that are lost. */
  watch<T extends Message['type']>(type?: T): readonly OfType<T>[] {
    const seen: OfType<T>[] = [];
    this.#watchers.push((message) => {
      if (type === undefined || message.type === type) seen.push(message as OfType<T>);
    });
    return seen;
  }

  hold(matches: Matches): Held {
    const messages: Message[] = [];
    this.#holds.set(matches, messages);
    return {
      messages,
      lose: () => this.#holds.delete(matches),
      release: () => {
        this.#holds.delete(matches);
        for (const message of messages.splice(0)) this.#enqueue(message);
      },
    };
  }

  // What is under way.

  /** Everything, and what it leads to, until all is quiet. */
  deliver(): void {
    for (let n = 0; n < DELIVERIES; ) {
      const before = n;
      for (const queue of this.queues.values()) if (this.#deliverFirst(queue) !== undefined) n++;
      if (n === before) return;
    }
    invariant(false, 'the members never stop talking');
  }

  /** The oldest on its way between two. */
  deliverOne(from: MemberId, to: MemberId): Message | undefined {
    const queue = this.queues.get(`${from}>${to}`);
    return queue === undefined ? undefined : this.#deliverFirst(queue);
  }

  /** Hands a message over, as if it had just come. */
  arrive(message: Message): void {
    if (this.#cuts.has(`${message.from}>${message.to}`)) return;
    if (message.type === 'snapshot' && this.members.get(message.from)?.raft !== undefined)
      this.act(message.from, (raft) => raft.reportSnapshot(message.to, true));
    if (this.members.get(message.to)?.raft === undefined) return;
    this.act(message.to, (raft) => raft.step(message));
  }

  #deliverFirst(queue: Message[]): Message | undefined {
    const message = queue.shift();
    if (message !== undefined) this.arrive(message);
    return message;
  }

  #send(member: Member, sent: Message): void {
    const message = sent.type === 'snapshot' ? this.#withData(member, sent) : sent;
    this.#observer.sending?.(member, message);
    for (const watch of this.#watchers) watch(message);
    for (const matches of this.#losses) if (matches(message)) return;
    for (const [matches, held] of this.#holds)
      if (matches(message)) {
        held.push(message);
        return;
      }
    this.#enqueue(message);
  }

  /** The state machine of now, as a host sends it, which is at least as new as what was asked. */
  #withData(member: Member, message: Message & { readonly type: 'snapshot' }): Message {
    invariant(message.meta.index <= member.machine.index, 'a snapshot of what is not applied');
    const meta = this.raft(member.id).snapshotMeta(member.machine.index);
    return { ...message, meta, data: encodeState(member.machine) };
  }

  #enqueue(message: Message): void {
    const { from, to } = message;
    invariant(from !== to, `${from} talks to itself`);
    if (this.#cuts.has(`${from}>${to}`)) return;
    const pair = `${from}>${to}`;
    const queue = this.queues.get(pair);
    if (queue === undefined) this.queues.set(pair, [message]);
    else queue.push(message);
  }

  /** Takes what the core has, in the contract's order. */
  #settle(member: Member): void {
    for (;;) {
      const { raft } = member;
      invariant(raft !== undefined, `${member.id} is crashed`);
      for (const message of raft.takeMessages()) this.#send(member, message);
      for (const entry of raft.takeCommitted()) {
        this.#observer.applying?.(member, entry);
        member.machine = applyEntry(member.machine, entry);
      }
      for (const grant of raft.takeReads()) {
        this.#observer.granting?.(member, grant);
        member.reads.push(grant);
      }
      if (member.writing === undefined) {
        member.writing = raft.takePersist();
        if (member.writing !== undefined) this.#observer.persisting?.(member, member.writing);
      }
      if (member.writing === undefined || member.holdsDisk) break;
      this.#write(member);
    }
    this.#observer.settled?.(member);
  }

  #write(member: Member): void {
    const { raft, writing } = member;
    invariant(raft !== undefined && writing !== undefined, 'nothing to write');
    member.writing = undefined;
    member.disk = written(member.disk, writing);
    if (writing.mustSync) member.synced = member.disk;
    if (writing.snapshot !== undefined) member.machine = member.disk.machine;
    raft.persisted();
    for (const reply of writing.replies) this.#send(member, reply);
  }

  // What has come of it.

  /** The log on disk, as `term:command`, `term:-` and `term:{voters|learners}`. */
  log(id: MemberId): string[] {
    return this.member(id).disk.entries.map(textOf);
  }

  terms(id: MemberId): number[] {
    return this.member(id).disk.entries.map(({ term }) => term);
  }

  /** The commands that the state machine has applied. */
  applied(id: MemberId): string[] {
    return this.member(id).machine.commands.map(({ command }: Applied) => command);
  }

  /** Where the read may be served, or undefined while it is not granted. */
  grantOf(id: MemberId, read: number | undefined): number | undefined {
    return this.member(id).reads.find((grant) => grant.id === read)?.index;
  }
}
