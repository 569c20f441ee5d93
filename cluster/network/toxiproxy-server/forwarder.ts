/**
 * The HTTP forward proxy of one node. An unmodified etcd tells all its peers one and the same
 * address for each member; with `HTTP_PROXY` set to its own forwarder, every node still reaches
 * every other through a link of just these two.
 */
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../../harness/core/errors.ts';
import { type Address, addressText } from './address.ts';
import { ApiError } from './api-error.ts';

/** Requested host:port, in lower case, mapped to the link to take. */
export type Routes = ReadonlyMap<string, Address>;

export interface ForwarderJson {
  readonly name: string;
  readonly listen: string;
  readonly routes: Readonly<Record<string, string>>;
}

export interface ForwarderOptions {
  readonly name: string;
  readonly listen: Address;
  readonly routes: Routes;
}

/** Between two hops only (RFC 9110, 7.6.1); each side of the forwarder has its own. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Routes each request by its absolute URI, since Go reuses one proxy connection for all targets.
 * Every request gets a link connection of its own, so that a link carries just what it should.
 * Goes nowhere but along its routes.
 */
export class Forwarder implements AsyncDisposable {
  readonly name: string;
  readonly #routes: Routes;
  readonly #server: Server;
  readonly #tunnels = new Set<Duplex>();
  #listen: Address;

  constructor({ name, listen, routes }: ForwarderOptions) {
    this.name = name;
    this.#listen = listen;
    this.#routes = routes;
    // Streams between members are endless, and pooled connections rest for as long as they want:
    // a limit of ours would look like a fault.
    this.#server = createServer(
      { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true },
      (request, response) => {
        this.#forward(request, response);
      },
    );
    this.#server.on('connect', (request, socket) => {
      this.#tunnel(request, socket);
    });
    this.#server.on('clientError', (_, socket) => {
      socket.destroy();
    });
  }

  json(): ForwarderJson {
    return {
      name: this.name,
      listen: addressText(this.#listen),
      routes: Object.fromEntries([...this.#routes].map(([from, to]) => [from, addressText(to)])),
    };
  }

  async start(): Promise<void> {
    try {
      this.#server.listen(this.#listen.port, this.#listen.host);
      await once(this.#server, 'listening');
    } catch (error) {
      throw new ApiError(500, `forwarder ${this.name}: ${messageOf(error)}`);
    }
    const bound = this.#server.address();
    if (bound !== null && typeof bound === 'object')
      this.#listen = { host: this.#listen.host, port: bound.port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#tunnels) socket.destroy();
    await closed;
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const target = URL.parse(request.url ?? '');
    if (target?.protocol !== 'http:') {
      const text = `forwarder ${this.name} takes absolute http:// requests only\n`;
      refuse(response, 400, text);
      return;
    }
    const link = this.#routes.get(`${target.hostname}:${target.port || '80'}`.toLowerCase());
    if (link === undefined) {
      refuse(response, 502, this.#noRoute(target.host));
      return;
    }
    const outgoing = httpRequest({
      host: link.host,
      port: link.port,
      method: request.method ?? 'GET',
      path: `${target.pathname}${target.search}`,
      headers: [...endToEnd(request), 'Connection', 'close'],
      agent: false,
    });
    // The node must see a dead link as a dead connection, not as an answer of ours.
    const breakOff = (): void => {
      resetSocket(request.socket);
    };
    outgoing.on('error', breakOff);
    outgoing.on('response', (incoming) => {
      incoming.on('error', breakOff);
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage ?? '', [
        ...endToEnd(incoming),
      ]);
      response.flushHeaders();
      incoming.pipe(response);
    });
    response.once('close', () => outgoing.destroy());
    outgoing.flushHeaders();
    request.pipe(outgoing);
  }

  /** For members that speak TLS: bytes only, but still one link connection for each tunnel. */
  #tunnel(request: IncomingMessage, socket: Duplex): void {
    this.#tunnels.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#tunnels.delete(socket));
    const wanted = request.url ?? '';
    const link = this.#routes.get(wanted.toLowerCase());
    if (link === undefined) {
      const text = this.#noRoute(wanted);
      socket.end(
        `HTTP/1.1 502 Bad Gateway\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
          `Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`,
        () => socket.destroy(),
      );
      return;
    }
    const upstream = connect({ host: link.host, port: link.port, noDelay: true }, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => {
      resetSocket(socket);
    });
    upstream.once('close', () => {
      closeSoon(socket);
    });
    socket.once('close', () => upstream.destroy());
  }

  #noRoute(host: string): string {
    const known = [...this.#routes.keys()].join(', ');
    return `forwarder ${this.name} has no route to '${host}'; it knows ${known}\n`;
  }
}

/** Raw headers, in pairs, without those of the last hop and those that `Connection` names. */
function endToEnd(message: IncomingMessage): readonly string[] {
  const named = new Set(
    (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()),
  );
  const kept: string[] = [];
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = message.rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named.has(lower)) continue;
    kept.push(name, message.rawHeaders[at + 1] ?? '');
  }
  return kept;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

function resetSocket(socket: Socket | Duplex): void {
  if ('resetAndDestroy' in socket) socket.resetAndDestroy();
  else socket.destroy();
}

/** Sends what is still to be sent, then closes. */
function closeSoon(socket: Socket | Duplex): void {
  if ('destroySoon' in socket) socket.destroySoon();
  else socket.destroy();
}
