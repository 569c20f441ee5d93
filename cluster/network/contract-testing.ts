/**
 * The server that the contract of Toxiproxy's API is tried on: ours, or the one that `TOXIPROXY_URL`
 * names, which must be for this alone, since it is reset. `TOXIPROXY_HOST` is the address that its
 * proxies listen on and are reached at; by default the host of the URL.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { silentLog } from '../../harness/core/log.ts';
import { clock, dial, type Listener, listen, ourServer, type Peer, soon } from './testing.ts';
import { connectLinkServer, type LinkServer } from './toxiproxy.ts';

export interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly body: string;
  /** The body, parsed. */
  json(): unknown;
}

export interface AskOptions {
  /** As JSON, unless it is text. */
  readonly body?: unknown;
  readonly agent?: string;
}

export interface ToxicBody {
  readonly name?: string;
  readonly type: string;
  readonly stream?: string;
  readonly toxicity?: number;
  readonly attributes?: Readonly<Record<string, number>>;
}

/** One server for a file of tests. */
export interface ContractServer extends AsyncDisposable {
  readonly server: LinkServer;
  /** `127.0.0.1:0`: where proxies of the tests listen. */
  readonly listen: string;
  /** The address of this machine that the server reaches. */
  readonly here: string;
  readonly ask: (method: string, path: string, options?: AskOptions) => Promise<Reply>;
  removeAll(): Promise<void>;
}

export async function contractServer(): Promise<ContractServer> {
  const url = process.env['TOXIPROXY_URL'];
  const server =
    url === undefined ? await ourServer() : await connectLinkServer({ url, clock, log: silentLog });
  const { hostname, port } = new URL(server.url);
  const ask: ContractServer['ask'] = async (method, path, { body, agent = 'test' } = {}) => {
    const reply = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'User-Agent': agent },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    return {
      status: reply.status,
      type: reply.headers.get('content-type'),
      headers: reply.headers,
      body: text,
      json: () => JSON.parse(text) as unknown,
    };
  };
  return {
    server,
    listen: `${process.env['TOXIPROXY_HOST'] ?? hostname}:0`,
    here: await addressTowards(hostname, Number(port)),
    ask,
    removeAll: async () => {
      const names = Object.keys((await ask('GET', '/proxies')).json() as object);
      for (const name of names) await ask('DELETE', `/proxies/${encodeURIComponent(name)}`);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Which address of this machine has the way to the server. */
async function addressTowards(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  await soon(`a connection to ${host}:${port}`, once(socket, 'connect'));
  const { localAddress = '127.0.0.1' } = socket;
  socket.destroy();
  return localAddress;
}

/** A proxy with a listener behind it, and whoever speaks through it. */
export interface Stage extends AsyncDisposable {
  readonly node: Listener;
  readonly address: string;
  add(toxic: ToxicBody): Promise<void>;
  update(toxic: string, body: Omit<ToxicBody, 'type'>): Promise<void>;
  remove(toxic: string): Promise<void>;
  change(body: { readonly enabled?: boolean; readonly upstream?: string }): Promise<void>;
  caller(): Promise<Peer>;
  /** A connection through the proxy, both ends, over which both have spoken. */
  talking(): Promise<{ readonly here: Peer; readonly there: Peer }>;
}

export async function contractStage({ ask, listen: at, here }: ContractServer): Promise<Stage> {
  const node = await listen(here);
  const peers: Peer[] = [];
  const done = async (
    expected: number,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Reply> => {
    const reply = await ask(method, path, { body });
    if (reply.status !== expected) throw new Error(`${method} ${path}: ${reply.body}`);
    return reply;
  };
  const made = await done(201, 'POST', '/proxies', {
    name: 'stage',
    listen: at,
    upstream: node.address,
  });
  const { listen: address } = made.json() as { listen: string };
  const caller = async (): Promise<Peer> => {
    const peer = await dial(address);
    peers.push(peer);
    return peer;
  };
  const toxics = '/proxies/stage/toxics';
  return {
    node,
    address,
    caller,
    add: async (toxic) => {
      await done(200, 'POST', toxics, toxic);
    },
    update: async (name, body) => {
      await done(200, 'PATCH', `${toxics}/${name}`, body);
    },
    remove: async (name) => {
      await done(204, 'DELETE', `${toxics}/${name}`);
    },
    change: async (body) => {
      await done(200, 'PATCH', '/proxies/stage', body);
    },
    talking: async () => {
      const peer = await caller();
      const there = await node.next();
      peer.socket.write('ping');
      await there.has('ping');
      there.socket.write('pong');
      await peer.has('pong');
      return { here: peer, there };
    },
    [Symbol.asyncDispose]: async () => {
      await ask('DELETE', '/proxies/stage');
      for (const { socket } of peers) socket.destroy();
      await node[Symbol.asyncDispose]();
    },
  };
}
