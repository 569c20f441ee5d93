/** What the process tests of links share: starting the server, tiny nodes, and talking to them. */
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { Toxiproxy } from 'toxiproxy-node-client';
import { type Clock, realClock, sleep } from '../../harness/core/clock.ts';
import { withDeadline } from '../../harness/core/deadline.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { silentLog } from '../../harness/core/log.ts';
import { seedFrom } from '../../harness/core/prng.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import { endpointFrom } from './names.ts';
import type { Endpoint } from './probe.ts';
import {
  connectLinkServer,
  type LaunchProgram,
  type LinkServer,
  startLinkServer,
} from './toxiproxy.ts';

export const clock: Clock = realClock();

/** Anything on loopback that takes this long is stuck; generous, since machines are busy. */
const STUCK_MS = 20_000;

export const launchProgram: LaunchProgram = ({ name, file, args }) => {
  const child = execa(file, args, {
    stdin: 'pipe',
    stderr: 'inherit',
    buffer: false,
    reject: false,
  });
  const lines = createInterface({ input: child.stdout });
  const firstLine = once(lines, 'line').then(([line]) => String(line));
  const { pid } = child;
  invariant(pid !== undefined, `${name} did not start`);
  return Promise.resolve({
    pid,
    firstLine,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await soon(`the end of ${name}`, child);
    },
  });
};

export function ourServer(): Promise<LinkServer> {
  return startLinkServer({ start: launchProgram, clock, log: silentLog, seed: seedFrom(1) });
}

const MAIN = new URL('./toxiproxy-server/main.ts', import.meta.url).pathname;

/** Our server where a test wants it to be, until it is disposed of. */
export async function ourServerAt(address: string, ...flags: string[]): Promise<LinkServer> {
  const program = await launchProgram({
    name: `server at ${address}`,
    file: process.execPath,
    args: [MAIN, '--listen', address, ...flags],
  });
  const { listening } = JSON.parse(await program.firstLine) as { listening: string };
  const server = await connectLinkServer({ url: `http://${listening}`, clock, log: silentLog });
  return {
    ...server,
    pid: program.pid,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

export function client(server: LinkServer): Toxiproxy {
  return new Toxiproxy(server.url);
}

/** Rejects rather than hang. */
export function soon<T>(what: string, task: Promise<T>): Promise<T> {
  return withDeadline(clock, STUCK_MS, what, task);
}

/** Waits until it is so, looking often. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = clock.now() + STUCK_MS * 1e6;
  while (!(await isSo())) {
    invariant(clock.now() < end, `waited in vain for ${what}`);
    await sleep(clock, 5);
  }
}

export async function timed<T>(
  task: () => Promise<T>,
): Promise<{ readonly value: T; readonly ms: number }> {
  const start = clock.now();
  const value = await task();
  return { value, ms: msFromNanos(clock.now() - start) };
}

/** One end of a TCP connection, with all that it saw. */
export interface Peer {
  readonly socket: Socket;
  readonly text: () => string;
  /** `end`: FIN. `ECONNRESET` and the like: an error. Undefined while it is open. */
  readonly over: () => string | undefined;
  /** Resolves when all of the text has come. */
  has(text: string): Promise<void>;
  isOver(): Promise<string>;
}

export function watchPeer(socket: Socket): Peer {
  let text = '';
  let over: string | undefined;
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  socket.on('end', () => {
    over ??= 'end';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    over ??= error.code ?? error.message;
  });
  return {
    socket,
    text: () => text,
    over: () => over,
    has: (wanted) => until(`'${wanted}' (so far '${text}')`, () => text === wanted),
    isOver: async () => {
      await until('the end of a connection', () => over !== undefined);
      return over ?? '';
    },
  };
}

export async function dial(to: Endpoint | string): Promise<Peer> {
  const { host, port } = typeof to === 'string' ? endpointFrom(to) : to;
  const socket = connect({ host, port, allowHalfOpen: true });
  const peer = watchPeer(socket);
  await soon(`a connection to ${host}:${port}`, once(socket, 'connect'));
  return peer;
}

/** A TCP server that remembers whom it accepted. */
export interface Listener extends AsyncDisposable {
  readonly address: string;
  readonly accepted: Peer[];
  /** The next one that was not asked for yet. */
  next(): Promise<Peer>;
}

export async function listen(host = '127.0.0.1'): Promise<Listener> {
  const accepted: Peer[] = [];
  let given = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(watchPeer(socket));
  });
  const address = await addressOf(server, host);
  return {
    address,
    accepted,
    next: async () => {
      await until('an accepted connection', () => accepted.length > given);
      const peer = accepted[given++];
      invariant(peer !== undefined, 'there is one');
      return peer;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of accepted) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A node that answers every HTTP request with its name, and says whom it heard. */
export interface TinyNode extends AsyncDisposable {
  readonly address: string;
  readonly heard: string[];
  readonly server: HttpServer;
}

export async function tinyNode(name: string): Promise<TinyNode> {
  const heard: string[] = [];
  const server = createHttpServer((request, response) => {
    heard.push(`${request.method} ${request.url}`);
    response.end(name);
  });
  const address = await addressOf(server);
  return {
    address,
    heard,
    server,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

async function addressOf(server: Server, host = '127.0.0.1'): Promise<string> {
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  invariant(address !== null && typeof address === 'object', 'it listens on a port');
  return `${host}:${address.port}`;
}
