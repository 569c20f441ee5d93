/** The HTTP server around the API. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Clock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { type AddressRules, addressText, listenAddress } from './address.ts';
import { type ApiReply, type ApiState, answer, refusal } from './api.ts';
import { ApiError } from './api-error.ts';
import { ForwarderCollection } from './forwarder-collection.ts';
import { ProxyCollection } from './proxy-collection.ts';

/** Bytes of a request body; thousands of proxies fit. */
const BODY_BYTES_MAX = 4_194_304;

export interface ServerOptions {
  /** Where the API listens: port 0 for any; on loopback, unless the rules allow more. */
  readonly listen: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: AddressRules;
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
  const { clock, random, rules } = options;
  const address = listenAddress(options.listen, rules);
  const proxies = new ProxyCollection({ clock, random, rules });
  const forwarders = new ForwarderCollection(rules);
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
  const { status, json, text } = await replyTo(state, request);
  if (json !== undefined) {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(json));
    return;
  }
  if (text !== undefined) response.setHeader('Content-Type', text.type);
  if (status >= 400 && text !== undefined) response.setHeader('X-Content-Type-Options', 'nosniff');
  response.writeHead(status);
  response.end(text?.body ?? '');
}

async function replyTo(state: ApiState, request: IncomingMessage): Promise<ApiReply> {
  try {
    const body = await bodyOf(request);
    return await answer(state, {
      method: request.method ?? 'GET',
      path: pathOf(request.url ?? '/'),
      userAgent: request.headers['user-agent'] ?? '',
      json: () => parsed(body),
    });
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 500;
    return refusal(status, JSON.stringify({ error: messageOf(error), status }));
  }
}

function pathOf(url: string): readonly string[] {
  const [path = ''] = url.split('?', 1);
  try {
    return path.replace(/^\//, '').split('/').map(decodeURIComponent);
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
