/** The links that one server carries: what is installed on them, and what they have passed on. */
import { type Proxy, Toxiproxy } from 'toxiproxy-node-client';
import { z } from 'zod';
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { listed } from './names.ts';
import type { SentBytes } from './observe.ts';
import { callServer, type LinkServer } from './toxiproxy.ts';

export interface ServedLinks {
  readonly server: LinkServer;
  /** By name: `n1>n2`, and `client>n1`. */
  readonly proxies: ReadonlyMap<string, Proxy>;
  /** Whether all proxies of the server are these, so that it may be reset as a whole. */
  readonly isAlone: boolean;
}

/** What the server says of one proxy. */
export interface ProxyState {
  readonly enabled: boolean;
  readonly toxics: readonly { readonly name: string; readonly stream: string }[];
}

const proxiesReply: z.ZodType<Record<string, ProxyState>> = z.record(
  z.string(),
  z.object({
    enabled: z.boolean(),
    toxics: z.array(z.object({ name: z.string(), stream: z.string() })),
  }),
);

/**
 * Reads the state of each link. Throws `network-failed` when the server does not answer, and when it
 * has lost links: it was started anew then, and carries nothing.
 */
export async function readLinks(
  clock: Clock,
  { server, proxies }: ServedLinks,
): Promise<ReadonlyMap<string, ProxyState>> {
  const all = await readProxies(clock, server);
  const lost = lossOf({ server, proxies }, all);
  if (lost !== undefined) throw lost;
  return new Map([...all].filter(([name]) => proxies.has(name)));
}

/** Why a call failed, when the cause is that the server has lost links; else undefined. */
export async function findLoss(
  clock: Clock,
  served: ServedLinks,
): Promise<HarnessError | undefined> {
  try {
    return lossOf(served, await readProxies(clock, served.server));
  } catch {
    return undefined;
  }
}

function lossOf(
  { server, proxies }: Pick<ServedLinks, 'server' | 'proxies'>,
  all: ReadonlyMap<string, ProxyState>,
): HarnessError | undefined {
  const lost = [...proxies.keys()].filter((name) => !all.has(name));
  if (lost.length === 0) return undefined;
  return new HarnessError(
    'network-failed',
    `link server ${server.url} has lost ${listed(lost)}: it was started anew, perhaps, and ` +
      'these links carry nothing now',
  );
}

/** All proxies of a server, ours or not. */
async function readProxies(
  clock: Clock,
  { url }: LinkServer,
): Promise<ReadonlyMap<string, ProxyState>> {
  // The client's `getAll` drops the toxics of the reply.
  const reply = await callServer(clock, `read the links of ${url}`, () =>
    new Toxiproxy(url).getApi().get<unknown>(`${url}/proxies`),
  );
  return new Map(Object.entries(proxiesReply.parse(reply.data)));
}

/** `cut:n1>n2 on n1>n2 upstream`, for each toxic of each link. */
export async function installedOn(clock: Clock, served: ServedLinks): Promise<readonly string[]> {
  const links = await readLinks(clock, served);
  return [...links].flatMap(([name, { toxics }]) =>
    toxics.map((toxic) => `${toxic.name} on ${name} ${toxic.stream}`),
  );
}

/**
 * Takes every toxic away, but for those with a name to be `kept`, and enables every link; touches no
 * proxy that is not among these.
 */
export async function healServed(
  clock: Clock,
  served: ServedLinks,
  kept?: (toxic: string) => boolean,
): Promise<void> {
  const { server, proxies, isAlone } = served;
  if (isAlone && kept === undefined)
    await callServer(clock, `heal the links of ${server.url}`, () =>
      new Toxiproxy(server.url).reset(),
    );
  // A server that was started anew resets its nothing without a complaint: so it is asked, too.
  const links = await readLinks(clock, served);
  const tasks = [...links].flatMap(([name, { enabled, toxics }]) => {
    const proxy = proxies.get(name);
    if (proxy === undefined) return [];
    const gone = toxics.filter(({ name: toxic }) => kept?.(toxic) !== true);
    const removals = gone.map((toxic) =>
      callServer(clock, `remove ${toxic.name} from ${name}`, () => removeToxic(proxy, toxic.name)),
    );
    return enabled ? removals : [...removals, enable(clock, proxy)];
  });
  await allDone(tasks);
}

export async function removeToxic(proxy: Proxy, name: string): Promise<void> {
  const toxic = await proxy.getToxic(name);
  await toxic.remove();
}

async function enable(clock: Clock, proxy: Proxy): Promise<void> {
  const { listen, upstream } = proxy;
  await callServer(clock, `enable ${proxy.name}`, () =>
    proxy.update({ enabled: true, listen, upstream }),
  );
}

/** Every look at the network reads them, also while a machine's plug is pulled. */
const COUNTERS_MS_MAX = 2_000;
const READ = { upstream: 'upstreamRead', downstream: 'downstreamRead' } as const;
const COUNTER =
  /^toxiproxy_proxy_(?<what>sent|received)_bytes_total\{(?<labels>[^}]*)\} (?<value>\S+)$/;

/** The counters of the links. Empty from a Toxiproxy that was started without `-proxy-metrics`. */
export async function sentOn(clock: Clock, served: ServedLinks): Promise<SentBytes> {
  const { server, proxies } = served;
  const read = async (): Promise<{ readonly status: number; readonly text: string }> => {
    const reply = await fetch(`${server.url}/metrics`);
    return { status: reply.status, text: await reply.text() };
  };
  const purpose = `read the counters of ${server.url}`;
  const { status, text } = await callServer(clock, purpose, read, COUNTERS_MS_MAX);
  if (status !== 200) return new Map();
  const none = { upstream: 0, downstream: 0, upstreamRead: 0, downstreamRead: 0 };
  const isLate = server.kind === 'toxiproxy';
  // The original lists a counter only once it has counted something.
  const counts = new Map([...proxies.keys()].map((name) => [name, { ...none, isLate }]));
  for (const line of text.split('\n')) {
    const { what, labels = '', value } = COUNTER.exec(line)?.groups ?? {};
    const count = counts.get(/proxy="(?<name>[^"]*)"/.exec(labels)?.groups?.['name'] ?? '');
    if (count === undefined) continue;
    const stream = labels.includes('direction="upstream"') ? 'upstream' : 'downstream';
    // Added up: the original has a counter for each address that a proxy ever had.
    count[what === 'sent' ? stream : READ[stream]] += Number(value);
  }
  return counts;
}

/** Waits for all, so that nothing is still under way when the first failure is thrown. */
export async function allDone<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]> {
  const results = await Promise.allSettled(tasks);
  const failures = results.filter((result) => result.status === 'rejected');
  if (failures[0] !== undefined) throw failures[0].reason;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
