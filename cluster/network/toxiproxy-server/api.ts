/** The routes of Toxiproxy's HTTP API, and ours for forwarders. */
import type { JsonValue } from '../../../harness/core/json.ts';
import { ApiError } from './api-error.ts';
import type { ForwarderCollection } from './forwarder-collection.ts';
import { metricsText } from './metrics.ts';
import type { Proxy } from './proxy.ts';
import type { JsonObject, ProxyCollection } from './proxy-collection.ts';
import { toxicFrom, toxicJson, updateToxic } from './toxic-list.ts';

/** The version of the original whose API this is; `server` tells the two apart. */
const VERSION = '{"version": "2.12.0", "server": "schism"}\n';
const PLAIN = 'text/plain; charset=utf-8';

export interface ApiRequest {
  readonly method: string;
  /** Decoded: `['proxies', 'n1>n2', 'toxics']`. */
  readonly path: readonly string[];
  readonly userAgent: string;
  /** Parses the body; throws `ApiError` when it is not JSON. */
  readonly json: () => JsonValue;
}

export interface ApiReply {
  readonly status: number;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is instead. */
  readonly text?: { readonly type: string; readonly body: string };
}

/** How the original answers when it has no result: errors are text, whatever is in them. */
export function refusal(status: number, body: string): ApiReply {
  return { status, text: { type: PLAIN, body: `${body}\n` } };
}

export interface ApiState {
  readonly proxies: ProxyCollection;
  readonly forwarders: ForwarderCollection;
}

type Handler = (request: ApiRequest) => ApiReply | Promise<ApiReply>;
type Methods = Readonly<Record<string, Handler>>;

/** Answers one request. Throws `ApiError`s, to be sent as their status and text. */
export async function answer(state: ApiState, request: ApiRequest): Promise<ApiReply> {
  const methods = route(state, request.path);
  if (methods === undefined) return refusal(404, '404 page not found');
  const handler = methods[request.method];
  if (handler === undefined) return { status: 405 };
  // The original keeps browsers out, and with them the pages that somebody looks at.
  if (request.userAgent.startsWith('Mozilla/')) return refusal(403, 'User agent not allowed');
  return await handler(request);
}

function route(state: ApiState, path: readonly string[]): Methods | undefined {
  const [head = '', name, tail, toxicName, ...more] = path;
  if (more.length > 0 || path.includes('')) return undefined;
  if (name === undefined) return rootMethods(state, head);
  if (head === 'forwarders')
    return tail === undefined ? forwarderMethods(state.forwarders, name) : undefined;
  if (head !== 'proxies' || (tail !== undefined && tail !== 'toxics')) return undefined;
  const find = (): Proxy => state.proxies.find(name);
  if (tail === undefined) return proxyMethods(state.proxies, find);
  return toxicName === undefined ? toxicsMethods(find) : toxicMethods(find, toxicName);
}

function rootMethods({ proxies, forwarders }: ApiState, head: string): Methods | undefined {
  switch (head) {
    case 'version':
      return {
        GET: () => ({
          status: 200,
          text: { type: 'application/json;charset=utf-8', body: VERSION },
        }),
      };
    case 'metrics':
      return {
        GET: () => ({
          status: 200,
          text: {
            type: `text/plain; version=0.0.4; charset=utf-8`,
            body: metricsText(proxies.all()),
          },
        }),
      };
    case 'reset':
      return {
        POST: async () => {
          await proxies.reset();
          return { status: 204 };
        },
      };
    case 'populate':
      return { POST: ({ json }) => populate(proxies, json) };
    case 'proxies':
      return {
        GET: () => ({
          status: 200,
          json: Object.fromEntries(proxies.all().map((proxy) => [proxy.name, proxy.json()])),
        }),
        POST: async ({ json }) => ({
          status: 201,
          json: (await proxies.create(objectOf(json()))).json(),
        }),
      };
    case 'forwarders':
      return {
        GET: () => ({ status: 200, json: forwarders.json() }),
        POST: async ({ json }) => ({
          status: 201,
          json: await forwarders.create(objectOf(json())),
        }),
      };
    default:
      return undefined;
  }
}

/** Its errors alone are sent as JSON, with what was done until then. */
async function populate(proxies: ProxyCollection, body: () => JsonValue): Promise<ApiReply> {
  const done = await proxies.populate(() => {
    const list = body();
    if (!Array.isArray(list)) throw new ApiError(400, 'bad request body: expected an array');
    return list.map(objectOf);
  });
  const list = done.proxies.length === 0 ? null : done.proxies;
  if (done.error === undefined) return { status: 201, json: { proxies: list } };
  const { status, message } = done.error;
  return { status, json: { error: message, status, proxies: list } };
}

function proxyMethods(proxies: ProxyCollection, find: () => Proxy): Methods {
  const update: Handler = async ({ json }) => {
    const proxy = find();
    await proxies.update(proxy, objectOf(json()));
    return { status: 200, json: proxy.json() };
  };
  return {
    GET: () => ({ status: 200, json: find().json() }),
    POST: update,
    PATCH: update,
    DELETE: async () => {
      await proxies.remove(find());
      return { status: 204 };
    },
  };
}

function toxicsMethods(find: () => Proxy): Methods {
  return {
    GET: () => ({ status: 200, json: find().toxics.map(toxicJson) }),
    POST: ({ json }) => {
      const proxy = find();
      const toxic = toxicFrom(objectOf(json()));
      proxy.addToxic(toxic);
      return { status: 200, json: toxicJson(toxic) };
    },
  };
}

function toxicMethods(find: () => Proxy, name: string): Methods {
  const update: Handler = ({ json }) => {
    const proxy = find();
    const toxic = proxy.toxic(name);
    updateToxic(toxic, objectOf(json()));
    proxy.toxicChanged(toxic);
    return { status: 200, json: toxicJson(toxic) };
  };
  return {
    GET: () => ({ status: 200, json: toxicJson(find().toxic(name)) }),
    POST: update,
    PATCH: update,
    DELETE: () => {
      const proxy = find();
      proxy.removeToxic(proxy.toxic(name));
      return { status: 204 };
    },
  };
}

function forwarderMethods(forwarders: ForwarderCollection, name: string): Methods {
  return {
    GET: () => ({ status: 200, json: forwarders.find(name).json() }),
    DELETE: async () => {
      await forwarders.remove(name);
      return { status: 204 };
    },
  };
}

function objectOf(body: JsonValue): JsonObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ApiError(400, 'bad request body: expected an object');
  return body as JsonObject;
}
