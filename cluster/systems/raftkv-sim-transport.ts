/** raftkv's members over the simulator's network, in place of TCP. */
import type { Clock, Timer } from '../../harness/core/clock.ts';
import { sleep } from '../../harness/core/clock.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { SimNet } from '../backends/sim/program.ts';
import type { Bytes } from '../raftkv/bytes.ts';
import type { MemberId, Message } from '../raftkv/raft/types.ts';
import { lastResort, mostAgreed } from '../raftkv/server/agreement.ts';
import type { FoundCluster, NodeConfig } from '../raftkv/server/config.ts';
import type {
  OpenTransport,
  PeerCall,
  PeerHandler,
  Transport,
} from '../raftkv/server/transport.ts';
import type { Identity } from '../raftkv/storage/types.ts';

/** Beyond `nX` in what members advertise; leads nowhere outside the simulator. */
const SUFFIX = '.sim:2380';
/** Reports make raft act, and what it does may be lost again: without a pause this never ends. */
const REPORT_EVERY_MS = 100;
/** A member that says nothing for so long is not active, as over TCP. */
const STALL_MS = 5_000;
/** Numbers of calls that start in the same millisecond: more than enough. */
const CALLS_PER_MS = 1024;
const FIND_EVERY_MS = 200;
/** As a process does, which ends then. */
const FIND_MS = 10_000;

/** What members say to each other; handed over as it is, and never changed. */
type Talk =
  | { readonly type: 'message'; readonly cluster: string; readonly message: Message }
  | {
      readonly type: 'call';
      readonly cluster: string;
      readonly from: MemberId;
      readonly to: MemberId;
      readonly id: number;
      readonly call: PeerCall;
    }
  | { readonly type: 'reply'; readonly to: MemberId; readonly id: number; readonly body: Bytes }
  | { readonly type: 'find' }
  | { readonly type: 'found'; readonly found: FoundCluster };

/** What a node advertises to its peers. */
export function simPeerUrl(node: NodeName): string {
  return `http://${node}${SUFFIX}`;
}

export function simTransport(net: SimNet, clock: Clock): OpenTransport {
  return (self, handler) => Promise.resolve(new SimTransport({ net, clock, self, handler }));
}

/**
 * Asks the other members, again and again, who they are, until most of them agree on who the one that
 * joins is: one that has missed something would take it for the member that was there before, and
 * an empty disk under that id could cost what was committed. Throws `network-failed` when too few agreed
 * in time.
 */
export async function findOnSim(
  net: SimNet,
  clock: Clock,
  { name, initialCluster }: Pick<NodeConfig, 'name' | 'initialCluster'>,
): Promise<FoundCluster> {
  const own = initialCluster.find((member) => member.name === name)?.peerUrls ?? [];
  const others = initialCluster.map((member) => member.name).filter((each) => each !== name);
  const answers = new Map<NodeName, FoundCluster>();
  const agreed = Promise.withResolvers<FoundCluster>();
  net.receive((from, talk) => {
    const said = talk as Talk;
    if (said.type !== 'found' || !others.includes(from)) return;
    answers.set(from, said.found);
    const most = mostAgreed([...answers.values()], own, others.length);
    if (most?.isCertain === true) agreed.resolve(most.found);
  });
  for (let rounds = FIND_MS / FIND_EVERY_MS; rounds > 0; rounds--) {
    for (const node of others) tell(net, node, { type: 'find' });
    const found = await Promise.race([agreed.promise, sleep(clock, FIND_EVERY_MS)]);
    if (found !== undefined) return found;
  }
  return lastResort([...answers.values()], own, others, FIND_MS);
}

function tell(net: SimNet, node: NodeName, talk: Talk): boolean {
  return net.send(node, talk);
}

interface SimTransportOptions {
  readonly net: SimNet;
  readonly clock: Clock;
  readonly self: Identity;
  readonly handler: PeerHandler;
}

interface PendingCall {
  readonly to: MemberId;
  readonly timer: Timer;
  readonly resolve: (body: Bytes | undefined) => void;
}

/** One life's; a life that is killed needs no end, since nothing of it runs any more. */
class SimTransport implements Transport {
  readonly #options: SimTransportOptions;
  readonly #peers = new Map<MemberId, NodeName>();
  readonly #calls = new Map<number, PendingCall>();
  /** Not from 1: an answer to a call of this member's former life must not be taken for another. */
  #nextCall: number;
  /** Who was heard: since when without a break, and when last. */
  readonly #heard = new Map<MemberId, { readonly sinceMs: number; lastMs: number }>();
  /** What is to be reported as lost, next time. */
  readonly #lost = new Set<MemberId>();
  readonly #lostSnapshots: MemberId[] = [];
  #report: Timer | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #isDisposed = false;

  constructor(options: SimTransportOptions) {
    this.#options = options;
    const { net, clock } = options;
    this.#nextCall = Math.floor(clock.wallMs()) * CALLS_PER_MS;
    net.receive((from, talk) => this.#receive(from, talk as Talk));
    net.broken((node) => this.#broken(node));
  }

  setPeers(peers: ReadonlyMap<MemberId, string>): void {
    this.#peers.clear();
    for (const [member, address] of peers)
      if (address.endsWith(SUFFIX)) this.#peers.set(member, address.slice(0, -SUFFIX.length));
  }

  send(message: Message): void {
    const { to } = message;
    const node = this.#peers.get(to);
    // Raft may answer somebody whose address is not known yet, or no more.
    if (this.#isDisposed || node === undefined) return;
    const { net, clock, self, handler } = this.#options;
    const isSent = tell(net, node, { type: 'message', cluster: self.cluster, message });
    if (!isSent) {
      if (message.type === 'snapshot') this.#lostSnapshots.push(to);
      this.#lose(to);
    } else if (message.type === 'snapshot') clock.timer(0, () => handler.snapshotSent(to, true));
  }

  call(to: MemberId, call: PeerCall, timeoutMs: number): Promise<Bytes | undefined> {
    if (this.#isDisposed) return Promise.resolve(undefined);
    const { net, clock, self } = this.#options;
    const { promise, resolve } = Promise.withResolvers<Bytes | undefined>();
    const id = this.#nextCall++;
    const timer = clock.timer(timeoutMs, () => this.#settle(id, undefined));
    this.#calls.set(id, { to, timer, resolve });
    const node = this.#peers.get(to);
    const { cluster, member: from } = self;
    if (node !== undefined) tell(net, node, { type: 'call', cluster, from, to, id, call });
    return promise;
  }

  activeSinceMs(member: MemberId): number | undefined {
    const heard = this.#heard.get(member);
    return heard === undefined || this.#nowMs() - heard.lastMs > STALL_MS
      ? undefined
      : heard.sinceMs;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#report?.cancel();
    for (const id of this.#calls.keys()) this.#settle(id, undefined);
    return Promise.resolve();
  }

  #receive(node: NodeName, talk: Talk): void {
    if (this.#isDisposed) return;
    const { self, handler, net } = this.#options;
    switch (talk.type) {
      case 'message':
        if (talk.cluster !== self.cluster || talk.message.to !== self.member) return;
        this.#hear(talk.message.from);
        handler.message(talk.message);
        return;
      case 'call':
        if (talk.cluster !== self.cluster || talk.to !== self.member) return;
        this.#hear(talk.from);
        void this.#answer(node, talk);
        return;
      case 'reply':
        if (talk.to === self.member) this.#settle(talk.id, talk.body);
        return;
      case 'find':
        tell(net, node, { type: 'found', found: handler.members() });
        return;
      case 'found':
        return;
      default:
        unreachable(talk);
    }
  }

  async #answer(node: NodeName, { id, from, call }: Talk & { type: 'call' }): Promise<void> {
    const { net, handler } = this.#options;
    const body = await handler.call(from, call);
    if (!this.#isDisposed) tell(net, node, { type: 'reply', to: from, id, body });
  }

  #settle(id: number, body: Bytes | undefined): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    call.timer.cancel();
    call.resolve(body);
  }

  #hear(member: MemberId): void {
    const nowMs = this.#nowMs();
    const heard = this.#heard.get(member);
    if (heard !== undefined && nowMs - heard.lastMs <= STALL_MS) heard.lastMs = nowMs;
    else this.#heard.set(member, { sinceMs: nowMs, lastMs: nowMs });
  }

  /** What was under way to or from this node is lost; one does not know what it was. */
  #broken(node: NodeName): void {
    for (const [member, at] of this.#peers) {
      if (at !== node) continue;
      this.#heard.delete(member);
      this.#lose(member);
    }
  }

  /** Reported later and not too often, each member once. */
  #lose(member: MemberId): void {
    this.#lost.add(member);
    if (this.#report !== undefined) return;
    const { clock, handler } = this.#options;
    const waitMs = this.#reportedMs + REPORT_EVERY_MS - this.#nowMs();
    this.#report = clock.timer(Math.max(0, waitMs), () => {
      this.#report = undefined;
      this.#reportedMs = this.#nowMs();
      const lost = [...this.#lost];
      this.#lost.clear();
      for (const to of this.#lostSnapshots.splice(0)) handler.snapshotSent(to, false);
      for (const to of lost) handler.unreachable(to);
    });
  }

  #nowMs(): number {
    return msFromNanos(this.#options.clock.now());
  }
}
