/** `Network` on top of Toxiproxy-compatible servers with a proxy for every ordered pair. */
import type { Proxy, ToxicType } from 'toxiproxy-node-client';
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { invariant, unreachable } from '../../harness/core/invariant.ts';
import type { Log } from '../../harness/core/log.ts';
import type {
  DirectedLink,
  Grudge,
  Matrix,
  Network,
  NetworkAbility,
  Shape,
} from '../../harness/protocols/network.ts';
import { NETWORK_ABILITIES } from '../../harness/protocols/network.ts';
import { linksOf } from './grudge.ts';
import { linkName } from './names.ts';
import { type ObserveOptions, observeLinks, type SentBytes } from './observe.ts';
import {
  allDone,
  findLoss,
  healServed,
  installedOn,
  removeToxic,
  type ServedLinks,
  sentOn,
} from './served-links.ts';
import { callServer } from './toxiproxy.ts';

/** A toxic to be put on one stream of one proxy. */
interface Place {
  readonly proxy: Proxy;
  readonly served: ServedLinks;
  readonly stream: 'upstream' | 'downstream';
}

/** What a shape is in the server's words. `hold` and `cut` are known to our own server only. */
interface ToxicWords {
  readonly type: ToxicType | 'hold' | 'cut';
  readonly attributes: Readonly<Record<string, number>>;
}

export interface LinkNetworkOptions {
  /** Every link is on one of the servers. */
  readonly served: readonly ServedLinks[];
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: Omit<ObserveOptions, 'clock' | 'waitMs' | 'slowestMs' | 'readSent'>;
  /** How long a probe waits for bytes on a link that no latency slows; 300 by default. */
  readonly probeWaitMs: number | undefined;
}

const PROBE_WAIT_MS = 300;

/** The names of what no heal takes away begin with it. */
const OF_RUN = 'run-latency:';

/** A latency beyond it makes the probe give up rather than wait. */
const ALLOWANCE_MS_MAX = 2_500;

/**
 * Every direction a→b is changed in two places, upstream on the link a>b and downstream on b>a,
 * since messages a→b use both. Calls may overlap: they are carried out one after another.
 */
export class LinkNetwork implements Network {
  readonly can: ReadonlySet<NetworkAbility>;
  readonly #options: LinkNetworkOptions;
  /** How many grudges cut a direction, by `from>to`. */
  readonly #cuts = new Map<string, number>();
  /** Shapes that are installed, by the name of their toxic. */
  readonly #shapes = new Map<string, Shape>();
  #shapesEver = 0;
  #latencyMs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LinkNetworkOptions) {
    this.#options = options;
    const areOurs = options.served.every(({ server }) => server.kind === 'schism');
    this.can = new Set(NETWORK_ABILITIES.filter((ability) => areOurs || ability !== 'hold'));
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** Makes it `latencyMs`, whole milliseconds; once, and before anything else. */
  async slow(latencyMs: number): Promise<void> {
    if (latencyMs === 0) return;
    const words: ToxicWords = { type: 'latency', attributes: { latency: latencyMs, jitter: 0 } };
    const { nodes } = this.#options.observe;
    const links = nodes.flatMap((from) =>
      nodes.filter((to) => to !== from).map((to) => ({ from, to })),
    );
    await this.#inTurn(() =>
      allDone(links.map((link) => this.#install(`${OF_RUN}${linkName(link)}`, link, () => words))),
    );
    this.#latencyMs = latencyMs;
  }

  /** From now on its latency is like anything else that is on the links. */
  letGo(): void {
    this.#latencyMs = 0;
  }

  drop(grudge: Grudge): Promise<void> {
    return this.#inTurn(async () => {
      const links = linksOf(grudge);
      for (const link of links) this.#placesOf(link);
      const fresh = links.filter((link) => this.#count(link, 1) === 1);
      try {
        await allDone(fresh.map((link) => this.#install(cutName(link), link, cutWords)));
      } catch (error) {
        // Half a partition is worse than none: takes back what this call did.
        for (const link of links) this.#count(link, -1);
        await Promise.allSettled(fresh.map((link) => this.#remove(cutName(link), link)));
        throw error;
      }
    });
  }

  undrop(grudge: Grudge): Promise<void> {
    return this.#inTurn(async () => {
      const held = linksOf(grudge).filter((link) => this.#cuts.has(linkName(link)));
      const free = held.filter((link) => this.#count(link, -1) === 0);
      await allDone(free.map((link) => this.#remove(cutName(link), link)));
    });
  }

  async shape(link: DirectedLink, shape: Shape): Promise<() => Promise<void>> {
    const { log } = this.#options;
    if (!this.can.has(shape.kind)) throw this.#cannot(shape, link);
    const name = `${shape.kind}.${++this.#shapesEver}:${linkName(link)}`;
    await this.#inTurn(async () => {
      try {
        await this.#install(name, link, (served) => wordsFor(this.#onTop(shape, link, served)));
      } catch (error) {
        await this.#remove(name, link).catch(() => undefined);
        throw error;
      }
      this.#shapes.set(name, shape);
    });
    log.info('shaped a link', { name, shape });
    return () =>
      this.#inTurn(async () => {
        // A heal, or an earlier call, may have taken it away already.
        if (!this.#shapes.delete(name)) return;
        await this.#remove(name, link);
      });
  }

  heal(): Promise<void> {
    return this.#inTurn(async () => {
      const { served, clock } = this.#options;
      await allDone(served.map((each) => healServed(clock, each, this.#kept())));
      this.#cuts.clear();
      this.#shapes.clear();
    });
  }

  /** Throws when a server does not answer, and says then what is on the others. */
  async installed(): Promise<readonly string[]> {
    const { served, clock } = this.#options;
    const found = await Promise.allSettled(served.map((each) => installedOn(clock, each)));
    const all = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const kept = this.#kept();
    const names = kept === undefined ? all : all.filter((name) => !kept(name));
    const failures = found.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    if (failures.length === 0) return names.toSorted();
    const rest = names.length === 0 ? 'nothing' : names.toSorted().join(', ');
    throw new HarnessError(
      'network-failed',
      `${failures.map(messageOf).join('; ')}; on the other links: ${rest}`,
      { cause: failures[0] },
    );
  }

  observe(): Promise<Matrix> {
    const { observe, probeWaitMs = PROBE_WAIT_MS, clock } = this.#options;
    const slowestMs = this.#latencyMs + this.#allowanceMs() / 2;
    return observeLinks({
      ...observe,
      clock,
      waitMs: probeWaitMs + 2 * slowestMs,
      slowestMs,
      readSent: () => this.#readSent(),
    });
  }

  /** Of a server that does not answer, nothing is known; the others count all the same. */
  async #readSent(): Promise<SentBytes> {
    const { served, clock } = this.#options;
    const counts = await Promise.allSettled(served.map((each) => sentOn(clock, each)));
    return new Map(counts.flatMap((each) => (each.status === 'fulfilled' ? [...each.value] : [])));
  }

  /**
   * Ours delays bytes from when they came to it, so that of two latencies on one stream the longer
   * counts; the original adds them up.
   */
  #onTop(shape: Shape, { from, to }: DirectedLink, { server }: ServedLinks): Shape {
    const { nodes } = this.#options.observe;
    const isOfNodes = nodes.includes(from) && nodes.includes(to);
    if (shape.kind !== 'latency' || !isOfNodes || server.kind !== 'schism') return shape;
    return { ...shape, latencyMs: shape.latencyMs + this.#latencyMs };
  }

  #kept(): ((toxic: string) => boolean) | undefined {
    return this.#latencyMs === 0 ? undefined : (toxic) => toxic.startsWith(OF_RUN);
  }

  /** What installed latencies may add to a round trip, both ways. */
  #allowanceMs(): number {
    const delays = [...this.#shapes.values()].map((shape) =>
      shape.kind === 'latency' ? shape.latencyMs + shape.jitterMs : 0,
    );
    return Math.min(ALLOWANCE_MS_MAX, 2 * Math.max(0, ...delays));
  }

  #count(link: DirectedLink, change: 1 | -1): number {
    const name = linkName(link);
    const count = (this.#cuts.get(name) ?? 0) + change;
    invariant(count >= 0, `${name} was given back more often than it was cut`);
    if (count === 0) this.#cuts.delete(name);
    else this.#cuts.set(name, count);
    return count;
  }

  async #install(
    name: string,
    link: DirectedLink,
    words: (served: ServedLinks) => ToxicWords,
  ): Promise<void> {
    await allDone(
      this.#placesOf(link).map(({ proxy, served, stream }) => {
        const { type, attributes } = words(served);
        return this.#call(served, `add ${name} to ${proxy.name} ${stream}`, () =>
          proxy.addToxic({
            name,
            stream,
            // The client passes the type on as it is; its own list lacks our two.
            type: type as ToxicType,
            toxicity: 1,
            attributes,
          }),
        );
      }),
    );
  }

  async #remove(name: string, link: DirectedLink): Promise<void> {
    await allDone(
      this.#placesOf(link).map(({ proxy, served }) =>
        this.#call(served, `remove ${name} from ${proxy.name}`, () => removeToxic(proxy, name)),
      ),
    );
  }

  /** The pair's two links, or the one that there is when one end is the clients. */
  #placesOf({ from, to }: DirectedLink): readonly Place[] {
    const places = [
      ...this.#find(`${from}>${to}`, 'upstream'),
      ...this.#find(`${to}>${from}`, 'downstream'),
    ];
    if (places.length === 0)
      throw new HarnessError('bad-option', `there is no link from '${from}' to '${to}'`);
    return places;
  }

  #find(name: string, stream: Place['stream']): readonly Place[] {
    return this.#options.served.flatMap((served) => {
      const proxy = served.proxies.get(name);
      return proxy === undefined ? [] : [{ proxy, served, stream }];
    });
  }

  /** Names the server that lacks the toxic. */
  #cannot({ kind }: Shape, link: DirectedLink): HarnessError {
    const foreign = this.#options.served.find(({ server }) => server.kind !== 'schism');
    invariant(foreign !== undefined, 'our own server can do everything');
    const { version, url } = foreign.server;
    return new HarnessError(
      'unsupported',
      `${kind} on ${linkName(link)}: Toxiproxy ${version} at ${url} has no such toxic; ` +
        'use the link server that comes with schism',
    );
  }

  /** A call about one link, whose failure may have a cause that the server does not name. */
  async #call<T>(served: ServedLinks, what: string, call: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    try {
      return await callServer(clock, what, call);
    } catch (error) {
      throw (await findLoss(clock, served)) ?? error;
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function cutName(link: DirectedLink): string {
  return `cut:${linkName(link)}`;
}

/** The original has no `cut`: `timeout` is the nearest, though it passes on closes and loses bytes. */
function cutWords({ server }: ServedLinks): ToxicWords {
  return server.kind === 'schism'
    ? { type: 'cut', attributes: {} }
    : { type: 'timeout', attributes: { timeout: 0 } };
}

function wordsFor(shape: Shape): ToxicWords {
  switch (shape.kind) {
    case 'latency':
      return {
        type: 'latency',
        attributes: {
          latency: Math.round(shape.latencyMs),
          jitter: Math.round(shape.jitterMs),
        },
      };
    case 'bandwidth':
      return { type: 'bandwidth', attributes: { rate: Math.round(shape.rateKBps) } };
    case 'hold':
      return { type: 'hold', attributes: {} };
    case 'blackhole':
      return { type: 'timeout', attributes: { timeout: 0 } };
    case 'reset':
      return { type: 'reset_peer', attributes: { timeout: Math.round(shape.afterMs) } };
    case 'slow-close':
      return { type: 'slow_close', attributes: { delay: Math.round(shape.delayMs) } };
    default:
      return unreachable(shape);
  }
}
