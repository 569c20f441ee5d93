/**
 * The members of a cluster over TCP: one connection for each ordered pair, dialled by the sender,
 * so that each link can be broken on its own, and each direction by itself.
 */
import type { Clock, Timer } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Bytes } from '../bytes.ts';
import type { MemberId, Message } from '../raft/types.ts';
import type { Identity } from '../storage/types.ts';
import type { TlsKeys } from '../tls-files.ts';
import type { Routes } from './config.ts';
import { bodyOf, messageBody, type Talk } from './peer-talk.ts';
import { dialOf, type TcpAddress } from './tcp-address.ts';
import { IncomingLinks } from './tcp-incoming.ts';
import { OutgoingLink } from './tcp-outgoing.ts';
import type { PeerCall, PeerHandler, Transport } from './transport.ts';

const STALL_MS = 5000;
const QUEUE_BYTES_MAX = 4 * 1024 * 1024;
/** Numbers of calls between two members that start in the same millisecond: more than enough. */
const CALLS_PER_MS = 1024;

export interface TcpTransportOptions {
  /** Port 0: any that is free. */
  readonly listen: TcpAddress;
  readonly routes: Routes;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: plain connections. With it all members must have it, and an authority. */
  readonly tls?: TlsKeys;
  /**
   * A connection that takes nothing for so long is dialled again, and a member that says nothing
   * for so long is not active; default 5,000.
   */
  readonly stallMs?: number;
  /** What may wait for one member, beside one longer message; default 4 MB. */
  readonly queueBytesMax?: number;
}

/** Its connections, and where it listens. */
export interface TcpTransport extends Transport {
  /** `host:port`, with the port that was bound. */
  readonly address: string;
}

/** Opening throws `port-in-use` or `network-failed`. */
export function tcpTransport(
  options: TcpTransportOptions,
): (self: Identity, handler: PeerHandler) => Promise<TcpTransport> {
  return async (self, handler) => {
    const transport = new Tcp(options, self, handler);
    await transport.listen();
    return transport;
  };
}

interface Peer {
  readonly address: string;
  readonly link: OutgoingLink;
}

interface PendingCall {
  readonly to: MemberId;
  readonly timer: Timer;
  readonly resolve: (body: Bytes | undefined) => void;
}

class Tcp implements TcpTransport {
  readonly #options: TcpTransportOptions & {
    readonly stallMs: number;
    readonly queueBytesMax: number;
  };
  readonly #self: Identity;
  readonly #handler: PeerHandler;
  readonly #peers = new Map<MemberId, Peer>();
  readonly #calls = new Map<number, PendingCall>();
  /** Not from 1: an answer to a call of this member's former life must not be taken for another. */
  #nextCall: number;
  #incoming: IncomingLinks | undefined;
  #isDisposed = false;

  constructor(options: TcpTransportOptions, self: Identity, handler: PeerHandler) {
    this.#options = { stallMs: STALL_MS, queueBytesMax: QUEUE_BYTES_MAX, ...options };
    this.#self = self;
    this.#handler = handler;
    this.#nextCall = Math.floor(options.clock.wallMs()) * CALLS_PER_MS;
  }

  async listen(): Promise<void> {
    const { listen, clock, log, stallMs, tls } = this.#options;
    const handler = this.#handler;
    this.#incoming = await IncomingLinks.listen(listen, {
      clock,
      log,
      self: this.#self,
      stallMs,
      ...(tls !== undefined && { tls }),
      greeted: (from) => this.#peers.get(from)?.link.wake(),
      message: (message) => handler.message(message),
      call: (from, call) => void this.#answer(from, call),
      reply: (from, { id, body }) => {
        if (this.#calls.get(id)?.to === from) this.#settle(id, body);
      },
      members: () => handler.members(),
    });
  }

  get address(): string {
    invariant(this.#incoming !== undefined, 'the transport listens');
    return this.#incoming.address;
  }

  setPeers(peers: ReadonlyMap<MemberId, string>): void {
    if (this.#isDisposed) return;
    for (const [member, { address, link }] of this.#peers) {
      if (peers.get(member) === address) continue;
      this.#peers.delete(member);
      link[Symbol.dispose]();
    }
    for (const [member, address] of peers) {
      if (member === this.#self.member || this.#peers.has(member)) continue;
      const link = this.#link(member, address);
      if (link !== undefined) this.#peers.set(member, { address, link });
    }
  }

  send(message: Message): void {
    invariant(message.from === this.#self.member, 'a member speaks for itself only');
    const { to } = message;
    const link = this.#peers.get(to)?.link;
    // Raft may answer somebody whose address is not known yet, or no more.
    if (link === undefined) return;
    const isOrdered = message.type === 'append' || message.type === 'snapshot';
    const done =
      message.type === 'snapshot'
        ? (sent: boolean): void => this.#handler.snapshotSent(to, sent)
        : undefined;
    link.say(messageBody(message), isOrdered ? 'ordered' : 'prompt', done);
  }

  call(to: MemberId, { method, body }: PeerCall, timeoutMs: number): Promise<Bytes | undefined> {
    if (this.#isDisposed) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Bytes | undefined>();
    const id = this.#nextCall++;
    const timer = this.#options.clock.timer(timeoutMs, () => this.#settle(id, undefined));
    this.#calls.set(id, { to, timer, resolve });
    this.#peers.get(to)?.link.say(bodyOf({ type: 'call', id, method, body }), 'prompt');
    return promise;
  }

  activeSinceMs(member: MemberId): number | undefined {
    return this.#incoming?.activeSinceMs(member);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const { link } of this.#peers.values()) link[Symbol.dispose]();
    this.#peers.clear();
    for (const id of this.#calls.keys()) this.#settle(id, undefined);
    await this.#incoming?.[Symbol.asyncDispose]();
  }

  #link(member: MemberId, advertised: string): OutgoingLink | undefined {
    const { routes, clock, log, stallMs, queueBytesMax, tls } = this.#options;
    const dial = dialOf(advertised, routes, tls);
    if (dial === undefined) {
      log.error('a member has no address that can be dialled', { member, address: advertised });
      return undefined;
    }
    const { cluster, member: from } = this.#self;
    return new OutgoingLink({
      ...dial,
      clock,
      log,
      hello: { cluster, from, to: member },
      stallMs,
      queueBytesMax,
      onLost: () => this.#handler.unreachable(member),
    });
  }

  async #answer(from: MemberId, { id, method, body }: Talk & { type: 'call' }): Promise<void> {
    const answer = await this.#handler.call(from, { method, body });
    this.#peers.get(from)?.link.say(bodyOf({ type: 'reply', id, body: answer }), 'prompt');
  }

  #settle(id: number, body: Bytes | undefined): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    call.timer.cancel();
    call.resolve(body);
  }
}
