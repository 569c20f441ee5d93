/** The HTTP server around the API. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Clock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { addressText, listenAddress } from './address.ts';
import { type ApiReply, type ApiState, answer } from './api.ts';
import { ApiError } from './api-error.ts';
import { ForwarderCollection } from './forwarder-collection.ts';
import { ProxyCollection } from './proxy-collection.ts';

/** Bytes of a request body; thousands of proxies fit. */
const BODY_BYTES_MAX = 4_194_304;

export interface ServerOptions {
  /** Where the API listens: a loopback address, port 0 for any. */
  readonly listen: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly allowUpstream?: ReadonlySet<string>;
}

export interface ToxiproxyServer extends AsyncDisposable {
  /** host:port of the API, resolved. */
  readonly listening: string;
}

/**
 * A server that speaks Toxiproxy's HTTP API. Disposing of it closes every listener and every
 * connection. Throws `ApiError` or a system error when it cannot listen.
 */
export async function startToxiproxyServer(options: ServerOptions): Promise<ToxiproxyServer> {
  const { clock, random, allowUpstream = new Set<string>() } = options;
  const address = listenAddress(options.listen);
  const proxies = new ProxyCollection({ clock, random, allowUpstream });
  const forwarders = new ForwarderCollection();
  const server = createServer((request, response) => {
    void serve({ proxies, forwarders }, request, response);
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  const bound = server.address();
  invariant(bound !== null && typeof bound === 'object', 'a TCP server has a port');
  return {
    listening: addressText({ host: address.host, port: bound.port }),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await Promise.all([
        closed,
        proxies[Symbol.asyncDispose](),
        forwarders[Symbol.asyncDispose](),
      ]);
    },
  };
}

async function serve(
  state: ApiState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = await replyTo(state, request);
  const { status, json, text } = reply;
  if (json !== undefined) {
    response.writeHead(status, { 'Content-Type': 'application/json;charset=utf-8' });
    response.end(`${JSON.stringify(json)}\n`);
    return;
  }
  if (text !== undefined) response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status);
  response.end(text ?? '');
}

async function replyTo(state: ApiState, request: IncomingMessage): Promise<ApiReply> {
  try {
    // The original keeps browsers out, and with them the pages that somebody looks at.
    if (request.headers['user-agent']?.startsWith('Mozilla/') === true)
      return { status: 403, text: 'User agent not allowed\n' };
    const body = await bodyOf(request);
    return await answer(state, {
      method: request.method ?? 'GET',
      path: pathOf(request.url ?? '/'),
      json: () => parsed(body),
    });
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 500;
    const reply = { error: messageOf(error), status };
    return { status, text: `${JSON.stringify(reply)}\n` };
  }
}

function pathOf(url: string): readonly string[] {
  const [path = ''] = url.split('?', 1);
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    throw new ApiError(400, `bad request path: ${path}`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new ApiError(400, 'bad request body: too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parsed(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString('utf8')) as JsonValue;
  } catch (error) {
    throw new ApiError(400, `bad request body: ${messageOf(error)}`);
  }
}
