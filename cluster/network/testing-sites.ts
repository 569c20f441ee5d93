/** A cluster on this machine whose links are carried by a server beside each node. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { silentLog } from '../../harness/core/log.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Links } from './links.ts';
import { endpointFrom } from './names.ts';
import { openSiteLinks } from './site-links.ts';
import type { LinkSite } from './sites.ts';
import { clock, ourServerAt, type TinyNode, tinyNode } from './testing.ts';
import { connectLinkServer, type LinkServer } from './toxiproxy.ts';

const REQUEST = Buffer.from('GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

export interface TestSites extends AsyncDisposable {
  readonly nodes: ReadonlyMap<NodeName, TinyNode>;
  readonly servers: ReadonlyMap<NodeName, LinkServer>;
  readonly sites: ReadonlyMap<NodeName, LinkSite>;
  open(options: {
    readonly create: boolean;
    readonly latencyMs?: number;
    readonly probeWaitMs?: number;
  }): Promise<Links>;
  /** Ends the server of a node; the node lives on. */
  end(node: NodeName): Promise<void>;
  /** As when its container is restarted: the same address, and nothing on it. */
  restart(node: NodeName): Promise<void>;
}

export interface TestSitesOptions {
  readonly names?: readonly NodeName[];
  /** The server of this node passes for the original. */
  readonly original?: NodeName;
}

/** All of 127.0.0.0/8 is this machine: each test process has a network of its own there. */
const NETWORK = `127.${10 + (process.pid % 240)}`;

export async function testSites({
  names = ['n1', 'n2', 'n3'],
  original,
}: TestSitesOptions = {}): Promise<TestSites> {
  await using opened = new AsyncDisposableStack();
  const nodes = new Map<NodeName, TinyNode>();
  const servers = new Map<NodeName, LinkServer>();
  const running = new Map<NodeName, LinkServer>();
  opened.defer(async () => {
    for (const server of running.values()) await server[Symbol.asyncDispose]();
  });
  const start = async (name: NodeName): Promise<LinkServer> => {
    const server = await ourServerAt(`${NETWORK}.0.${names.indexOf(name) + 1}:8474`);
    running.set(name, server);
    return server;
  };
  for (const name of names) {
    nodes.set(name, opened.use(await tinyNode(name)));
    const server = await start(name);
    servers.set(name, name === original ? opened.use(await disguised(server)) : server);
  }
  const sites = new Map(names.map((name) => [name, siteOf(name, names, { nodes, servers })]));
  const end = async (name: NodeName): Promise<void> => {
    await running.get(name)?.[Symbol.asyncDispose]();
    running.delete(name);
  };
  const owned = opened.move();
  return {
    nodes,
    servers,
    sites,
    open: (how) =>
      openSiteLinks({
        sites,
        probe: { request: REQUEST },
        probeWaitMs: 1_000,
        clock,
        log: silentLog,
        ...how,
      }),
    end,
    restart: async (name) => {
      await end(name);
      await start(name);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function siteOf(
  name: NodeName,
  names: readonly NodeName[],
  { nodes, servers }: Pick<TestSites, 'nodes' | 'servers'>,
): LinkSite {
  const own = names.indexOf(name) + 1;
  const server = servers.get(name);
  const node = nodes.get(name);
  if (server === undefined || node === undefined) throw new Error(`no node ${name}`);
  const address = endpointFrom(node.address);
  const each = <T>(value: (peer: number) => T): ReadonlyMap<NodeName, T> =>
    new Map(
      names.map((peer, at) => [peer, value(at + 1)] as const).filter(([peer]) => peer !== name),
    );
  const listening = (
    listen: string,
  ): { listen: string; reach: ReturnType<typeof endpointFrom> } => ({
    listen,
    reach: endpointFrom(listen),
  });
  return {
    server,
    toPeers: each((peer) => `${NETWORK}.${own}.${peer}:2380`),
    probes: each((peer) => listening(`${NETWORK}.0.${own}:${12_400 + peer}`)),
    client: listening(`${NETWORK}.0.${own}:12379`),
    peer: address,
    clients: address,
    direct: address,
  };
}

/** Stands before one of our servers and lets it pass for the original: no types, no word of ours. */
async function disguised(server: LinkServer): Promise<LinkServer> {
  const front = createServer((message, response) => {
    void (async () => {
      const body = await textOf(message);
      if (/"type":"(?:hold|cut)"/.test(body)) {
        response.writeHead(400).end('{"error":"invalid toxic type","status":400}\n');
        return;
      }
      const { method = 'GET', url = '/' } = message;
      const reply = await fetch(`${server.url}${url}`, {
        method,
        ...(body !== '' && { body }),
      });
      const text = await reply.text();
      response.writeHead(reply.status);
      response.end(url === '/version' ? '{"version": "2.12.0"}\n' : text);
    })();
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const other = await connectLinkServer({ url, clock, log: silentLog });
  return {
    ...other,
    [Symbol.asyncDispose]: async () => {
      front.closeAllConnections();
      front.close();
      await once(front, 'close');
    },
  };
}

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString();
}
