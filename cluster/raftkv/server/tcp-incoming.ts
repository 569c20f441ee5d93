/** The other direction: what others say to this member, on connections that they dialled. */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { Clock, Timer } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf, systemCodeOf } from '../../../harness/core/errors.ts';
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { MalformedBytes } from '../bytes.ts';
import type { MemberId, Message } from '../raft/types.ts';
import type { Identity } from '../storage/types.ts';
import type { TlsKeys } from '../tls-files.ts';
import type { FoundCluster } from './config.ts';
import { decodeMessage } from './peer-codec.ts';
import { FrameReader, frameOf, type ReceivedBody } from './peer-frames.ts';
import { bodyOf, type Hello, type Talk, talkOf } from './peer-talk.ts';
import { addressText, type TcpAddress } from './tcp-address.ts';
import { listener } from './tcp-sockets.ts';

/** Far more than any cluster has members. */
const CONNECTIONS_MAX = 64;
const HELLO_MS = 10_000;
/** Refusals that are remembered, so that each is logged once. */
const REFUSALS_MAX = 100;
const MEMBER_ID = /^[1-9a-f][0-9a-f]{0,15}$/;

export interface IncomingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly self: Identity;
  /** Who says nothing for so long is not heard any more. */
  readonly stallMs: number;
  /** Absent: plain connections. */
  readonly tls?: TlsKeys;
  readonly greeted: (from: MemberId) => void;
  readonly message: (message: Message) => void;
  readonly call: (from: MemberId, call: Talk & { type: 'call' }) => void;
  readonly reply: (from: MemberId, reply: Talk & { type: 'reply' }) => void;
  readonly members: () => FoundCluster;
}

interface Incoming {
  /** Before a handshake of TLS what lies below it. */
  socket: Socket;
  readonly reader: FrameReader;
  /** Ends it, unless it says in time what it wants. */
  readonly timer: Timer;
  /** Undefined before its hello. */
  from: MemberId | undefined;
  /** Since when it has been heard without a break. */
  sinceMs: number;
  heardMs: number;
}

/** The listener, and what it accepted. */
export class IncomingLinks implements AsyncDisposable {
  readonly #options: IncomingOptions;
  readonly #server: Server;
  /** By what was accepted, also below TLS. */
  readonly #links = new Map<Socket, Incoming>();
  /** The newest of each member. */
  readonly #current = new Map<MemberId, Incoming>();
  readonly #refusals = new Set<string>();

  private constructor(options: IncomingOptions) {
    this.#options = options;
    this.#server = listener(options.tls, {
      dialled: (line) => this.#accept(line),
      opened: (line, socket) => this.#open(line, socket),
      refused: (from, why) => this.#warn(from, why),
    });
  }

  /** Throws `port-in-use` or `network-failed`. */
  static async listen(at: TcpAddress, options: IncomingOptions): Promise<IncomingLinks> {
    const links = new IncomingLinks(options);
    try {
      links.#server.listen(at.port, at.host);
      await once(links.#server, 'listening');
    } catch (error) {
      const isTaken = systemCodeOf(error) === 'EADDRINUSE';
      throw new HarnessError(
        isTaken ? 'port-in-use' : 'network-failed',
        `cannot listen for other members on ${addressText(at)}: ${messageOf(error)}`,
        { cause: error },
      );
    }
    // Out of file descriptors, for instance: who was there stays there.
    links.#server.on('error', (error) => {
      options.log.warn('the listener for members has a problem', { why: messageOf(error) });
    });
    return links;
  }

  /** Where it listens; tells the port that was chosen when port 0 was asked for. */
  get address(): string {
    const bound = this.#server.address();
    invariant(bound !== null && typeof bound === 'object', 'listens on TCP');
    return addressText({ host: bound.address, port: bound.port });
  }

  activeSinceMs(member: MemberId): number | undefined {
    const link = this.#current.get(member);
    if (link === undefined) return undefined;
    return this.#nowMs() - link.heardMs > this.#options.stallMs ? undefined : link.sinceMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { socket } of this.#links.values()) socket.destroy();
    await closed;
  }

  #accept(line: Socket): void {
    if (this.#links.size >= CONNECTIONS_MAX && !this.#makeRoom()) {
      line.destroy();
      return;
    }
    const { clock } = this.#options;
    const nowMs = this.#nowMs();
    const link: Incoming = {
      socket: line,
      reader: new FrameReader(),
      timer: clock.timer(HELLO_MS, () => link.socket.destroy()),
      from: undefined,
      sinceMs: nowMs,
      heardMs: nowMs,
    };
    this.#links.set(line, link);
    line.on('error', () => undefined);
    line.once('close', () => {
      link.timer.cancel();
      this.#links.delete(line);
      if (link.from !== undefined && this.#current.get(link.from) === link)
        this.#current.delete(link.from);
    });
  }

  #open(line: Socket, socket: Socket): void {
    const link = this.#links.get(line);
    if (link === undefined) {
      socket.destroy();
      return;
    }
    link.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.#receive(link, chunk));
  }

  /** Those who have not said who they are go first. */
  #makeRoom(): boolean {
    for (const [line, link] of this.#links) {
      if (link.from !== undefined) continue;
      this.#links.delete(line);
      link.socket.destroy();
      return true;
    }
    return false;
  }

  #receive(link: Incoming, chunk: Buffer): void {
    const bodies = link.reader.push(chunk);
    for (;;) {
      const act = this.#understand(link, bodies);
      act?.();
      // What it led to may have closed the connection, this one included.
      if (act === undefined || link.socket.destroyed) return;
    }
  }

  /**
   * What the next body asks for; undefined: there is none, or it cannot be understood. Kept apart
   * from doing it, so that no problem of the one who does it passes for a damaged message.
   */
  #understand(link: Incoming, bodies: Iterator<ReceivedBody, void>): (() => void) | undefined {
    try {
      const next = bodies.next();
      if (next.done === true) return undefined;
      const talk = talkOf(next.value);
      return link.from === undefined
        ? this.#firstWord(link, talk)
        : this.#laterWord(link, link.from, talk);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#refuse(link, error.message);
      return undefined;
    }
  }

  #firstWord(link: Incoming, talk: Talk): () => void {
    switch (talk.type) {
      case 'hello':
        this.#checkHello(talk);
        return () => this.#greet(link, talk.from);
      case 'probe':
        return () => answer(link.socket, { type: 'alive' });
      case 'find':
        return () => answer(link.socket, { type: 'found', found: this.#options.members() });
      case 'found':
      case 'alive':
      case 'message':
      case 'call':
      case 'reply':
        throw new MalformedBytes(`says '${talk.type}' before its hello`);
      default:
        return unreachable(talk);
    }
  }

  #laterWord(link: Incoming, from: MemberId, talk: Talk): () => void {
    const { self, message, call, reply } = this.#options;
    this.#hear(link);
    switch (talk.type) {
      case 'alive':
        return () => undefined;
      case 'message': {
        const decoded = decodeMessage(talk.data, from, self.member);
        return () => message(decoded);
      }
      case 'call':
        return () => call(from, talk);
      case 'reply':
        return () => reply(from, talk);
      case 'hello':
      case 'probe':
      case 'find':
      case 'found':
        throw new MalformedBytes(`says '${talk.type}' after its hello`);
      default:
        return unreachable(talk);
    }
  }

  #checkHello({ cluster, from, to }: Hello): void {
    const { self } = this.#options;
    if (!MEMBER_ID.test(from)) throw new MalformedBytes('its name is not that of a member');
    if (cluster !== self.cluster)
      throw new MalformedBytes(`${from} is of another cluster: ${cluster.slice(0, 16)}`);
    if (to !== self.member)
      throw new MalformedBytes(`${from} looks for another member: ${to.slice(0, 16)}`);
    if (from === self.member) throw new MalformedBytes(`${from} has the name of this member`);
  }

  /** Who dials again has given up what was before: nothing said there may come late. */
  #greet(link: Incoming, from: MemberId): void {
    link.timer.cancel();
    link.from = from;
    const before = this.#current.get(from);
    this.#current.set(from, link);
    before?.socket.destroy();
    this.#options.greeted(from);
  }

  #hear(link: Incoming): void {
    const nowMs = this.#nowMs();
    if (nowMs - link.heardMs > this.#options.stallMs) link.sinceMs = nowMs;
    link.heardMs = nowMs;
  }

  #refuse(link: Incoming, why: string): void {
    const from = link.from ?? `${link.socket.remoteAddress}`;
    link.socket.destroy();
    this.#warn(from, why);
  }

  /** Once for each reason: who is refused comes again. */
  #warn(from: string, why: string): void {
    const reason = `${from} ${why}`;
    if (this.#refusals.has(reason) || this.#refusals.size >= REFUSALS_MAX) return;
    this.#refusals.add(reason);
    this.#options.log.warn('refused a connection of a member', { from, why });
  }

  #nowMs(): number {
    return msFromNanos(this.#options.clock.now());
  }
}

/** The timer of the connection goes on: it ends even when nobody reads this. */
function answer(socket: Socket, talk: Talk): void {
  socket.write(frameOf(bodyOf(talk)));
  socket.destroySoon();
}
