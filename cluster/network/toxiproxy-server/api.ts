/** The routes of Toxiproxy's HTTP API, and ours for forwarders. */
import type { JsonValue } from '../../../harness/core/json.ts';
import { ApiError } from './api-error.ts';
import type { ForwarderCollection } from './forwarder-collection.ts';
import { metricsText } from './metrics.ts';
import type { Proxy } from './proxy.ts';
import type { JsonObject, ProxyCollection } from './proxy-collection.ts';
import { toxicFrom, toxicJson, updateToxic } from './toxic-list.ts';

/** The version of the original whose API this is; `server` tells the two apart. */
const VERSION = { version: '2.12.0', server: 'schism' };

export interface ApiRequest {
  readonly method: string;
  /** Decoded, without empty ones: `['proxies', 'n1>n2', 'toxics']`. */
  readonly path: readonly string[];
  /** Parses the body; throws `ApiError` when it is not JSON. */
  readonly json: () => JsonValue;
}

export interface ApiReply {
  readonly status: number;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as plain text instead. */
  readonly text?: string;
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
  if (methods === undefined) return { status: 404, text: '404 page not found\n' };
  const handler = methods[request.method];
  return handler === undefined ? { status: 405, text: '' } : await handler(request);
}

function route(state: ApiState, path: readonly string[]): Methods | undefined {
  const [head = '', name, tail, toxicName, ...more] = path;
  if (more.length > 0) return undefined;
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
      return { GET: () => ({ status: 200, json: VERSION }) };
    case 'metrics':
      return { GET: () => ({ status: 200, text: metricsText(proxies.all()) }) };
    case 'reset':
      return {
        POST: async () => {
          await proxies.reset();
          return { status: 204 };
        },
      };
    case 'populate':
      return { POST: ({ json }) => populate(proxies, json()) };
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

async function populate(proxies: ProxyCollection, body: JsonValue): Promise<ApiReply> {
  if (!Array.isArray(body)) throw new ApiError(400, 'bad request body: expected an array');
  const done = await proxies.populate(body.map(objectOf));
  if (done.error === undefined) return { status: 201, json: { proxies: done.proxies } };
  const { status, message } = done.error;
  return { status, json: { error: message, status, proxies: done.proxies } };
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
