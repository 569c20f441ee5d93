/** Members on real sockets of this machine, for tests. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, realClock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Bytes } from '../bytes.ts';
import type { MemberId, Message } from '../raft/types.ts';
import { certificateAuthority } from '../testing-certificates.ts';
import type { TlsKeys } from '../tls-files.ts';
import type { FoundCluster, Routes } from './config.ts';
import { type TcpTransport, tcpTransport } from './tcp-transport.ts';
import type { PeerCall } from './transport.ts';

export const CLUSTER = 'c1';
export const FOUND: FoundCluster = {
  cluster: CLUSTER,
  members: [
    { id: 'a', peerUrls: ['http://127.0.0.1:1'] },
    { id: 'b', peerUrls: [] },
  ],
};
const LOCALHOST = '127.0.0.1';
const UNTIL_MS = 20_000;

export const clock: Clock = realClock();

/** Waits for what must come true; throws `deadline` when it does not within a long time. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = msFromNanos(clock.now()) + UNTIL_MS;
  while (!holds()) {
    if (msFromNanos(clock.now()) > endMs)
      throw new HarnessError('deadline', `${what}: not within ${UNTIL_MS} ms`);
    await sleep(clock, 5);
  }
}

export interface Logged {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** One member, and what it heard. */
export interface TestMember extends AsyncDisposable {
  readonly transport: TcpTransport;
  readonly address: string;
  readonly heard: Message[];
  readonly unreachable: MemberId[];
  readonly snapshots: { readonly member: MemberId; readonly sent: boolean }[];
  /** Warnings and errors. */
  readonly complaints: Logged[];
  /** What was logged beside. */
  readonly notes: Logged[];
}

export interface TestOptions {
  readonly cluster?: string;
  readonly port?: number;
  readonly routes?: Routes;
  readonly stallMs?: number;
  readonly tls?: TlsKeys | undefined;
  readonly call?: (from: MemberId, call: PeerCall) => Promise<Bytes>;
}

/** What a transport does on either kind of connection: for `describe.each`. */
export async function wires(): Promise<
  readonly { readonly wire: string; readonly open: typeof openMember }[]
> {
  const tls = await (await certificateAuthority()).keys();
  return [
    { wire: 'TCP', open: openMember },
    { wire: 'TLS', open: (id, options) => openMember(id, { tls, ...options }) },
  ];
}

export async function openMember(id: MemberId, options: TestOptions = {}): Promise<TestMember> {
  const heard: Message[] = [];
  const unreachable: MemberId[] = [];
  const snapshots: { member: MemberId; sent: boolean }[] = [];
  const complaints: Logged[] = [];
  const notes: Logged[] = [];
  const complain = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    complaints.push({ message, fields });
  };
  const log: Log = {
    info: (message, fields = {}) => void notes.push({ message, fields }),
    warn: complain,
    error: complain,
  };
  const open = tcpTransport({
    listen: { host: LOCALHOST, port: options.port ?? 0 },
    routes: options.routes ?? new Map(),
    clock,
    log,
    ...(options.stallMs !== undefined && { stallMs: options.stallMs }),
    ...(options.tls !== undefined && { tls: options.tls }),
  });
  const transport = await open(
    { member: id, cluster: options.cluster ?? CLUSTER },
    {
      message: (message) => void heard.push(message),
      call: options.call ?? ((_from, { body }) => Promise.resolve(body)),
      members: () => FOUND,
      unreachable: (member) => void unreachable.push(member),
      snapshotSent: (member, sent) => void snapshots.push({ member, sent }),
    },
  );
  return {
    transport,
    address: transport.address,
    heard,
    unreachable,
    snapshots,
    complaints,
    notes,
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

export function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

/** A heartbeat, told apart by its commit. */
export function heartbeat(from: MemberId, to: MemberId, commit: number): Message {
  return { type: 'heartbeat', from, to, term: 1, commit };
}

export function commitsOf(messages: readonly Message[]): number[] {
  return messages.flatMap((message) => (message.type === 'heartbeat' ? [message.commit] : []));
}

/** A listener that is no member: `accept` does with connections what it likes. */
export interface Stranger extends AsyncDisposable {
  readonly address: string;
  /** All that ever were, open or closed. */
  readonly sockets: readonly Socket[];
}

export async function openStranger(accept: (socket: Socket) => void): Promise<Stranger> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    accept(socket);
  });
  server.listen(0, LOCALHOST);
  await once(server, 'listening');
  const bound = server.address();
  invariant(bound !== null && typeof bound === 'object', 'listens on TCP');
  return {
    address: `${LOCALHOST}:${bound.port}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Passes on what comes to `address`, and what it says: a link. */
export function openProxy(address: string): Promise<Stranger> {
  return openStranger((socket) => {
    const onward = connect({ host: LOCALHOST, port: portOf(address) });
    onward.on('error', () => undefined);
    socket.pipe(onward);
    onward.pipe(socket);
    onward.once('close', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
}

/** Passes on what comes to `address`, and nothing of what it says: half of a link. */
export function openOneWay(address: string): Promise<Stranger> {
  return openStranger((socket) => {
    const onward = connect({ host: LOCALHOST, port: portOf(address) });
    onward.on('error', () => undefined);
    onward.resume();
    socket.pipe(onward);
    onward.once('close', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
}

/** A connection of nobody in particular, and what came back on it. */
export interface RawConnection extends Disposable {
  readonly socket: Socket;
  readonly received: () => Buffer;
  readonly isClosed: () => boolean;
}

export async function rawConnection(address: string): Promise<RawConnection> {
  const chunks: Buffer[] = [];
  const socket = connect({ host: LOCALHOST, port: portOf(address) });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  return {
    socket,
    received: () => Buffer.concat(chunks),
    isClosed: () => socket.destroyed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
