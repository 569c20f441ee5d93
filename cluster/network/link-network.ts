/** `Network` on top of one Toxiproxy-compatible server with a proxy for every ordered pair. */
import { type Proxy, type ToxicType, Toxiproxy } from 'toxiproxy-node-client';
import { z } from 'zod';
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { invariant, unreachable } from '../../harness/core/invariant.ts';
import type { Log } from '../../harness/core/log.ts';
import type { NodeName } from '../../harness/core/units.ts';
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
import { type ObserveOptions, observeLinks } from './observe.ts';
import { callServer, type LinkServer } from './toxiproxy.ts';

/** A toxic to be put on one stream of one proxy. */
interface Place {
  readonly proxy: string;
  readonly stream: 'upstream' | 'downstream';
}

/** What a shape is in the server's words. `hold` and `cut` are known to our own server only. */
interface ToxicWords {
  readonly type: ToxicType | 'hold' | 'cut';
  readonly attributes: Readonly<Record<string, number>>;
}

export interface LinkNetworkOptions {
  readonly server: LinkServer;
  readonly clock: Clock;
  readonly log: Log;
  /** By name: `n1>n2`, and `client>n1`. */
  readonly proxies: ReadonlyMap<string, Proxy>;
  readonly observe: Omit<ObserveOptions, 'clock' | 'waitMs'>;
  /** How long a probe waits for a link that is not slowed. */
  readonly waitMs: number;
}

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
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LinkNetworkOptions) {
    this.#options = options;
    const isOurs = options.server.kind === 'schism';
    this.can = new Set(NETWORK_ABILITIES.filter((ability) => isOurs || ability !== 'hold'));
  }

  drop(grudge: Grudge): Promise<void> {
    return this.#inTurn(async () => {
      const links = linksOf(grudge);
      for (const link of links) this.#placesOf(link);
      const fresh = links.filter((link) => this.#count(link, 1) === 1);
      try {
        await all(fresh.map((link) => this.#install(cutName(link), link, this.#cutWords())));
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
      await all(free.map((link) => this.#remove(cutName(link), link)));
    });
  }

  async shape(link: DirectedLink, shape: Shape): Promise<() => Promise<void>> {
    const { server, log } = this.#options;
    if (!this.can.has(shape.kind))
      throw new HarnessError(
        'unsupported',
        `${shape.kind} on ${linkName(link)}: Toxiproxy ${server.version} at ${server.url} has no ` +
          'such toxic; use the link server that comes with the process backend',
      );
    const name = `${shape.kind}.${++this.#shapesEver}:${linkName(link)}`;
    await this.#inTurn(async () => {
      try {
        await this.#install(name, link, wordsFor(shape));
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
      await this.#call('heal all links', () => new Toxiproxy(this.#options.server.url).reset());
      this.#cuts.clear();
      this.#shapes.clear();
    });
  }

  async installed(): Promise<readonly string[]> {
    const { server, proxies } = this.#options;
    // The client's `getAll` drops the toxics of the reply.
    const reply = await this.#call('read what is installed', () =>
      new Toxiproxy(server.url).getApi().get<unknown>(`${server.url}/proxies`),
    );
    const now = proxiesReply.parse(reply.data);
    return [...proxies.keys()]
      .flatMap((name) =>
        (now[name]?.toxics ?? []).map((toxic) => `${toxic.name} on ${name} ${toxic.stream}`),
      )
      .toSorted();
  }

  observe(): Promise<Matrix> {
    const { observe, waitMs, clock } = this.#options;
    return observeLinks({ ...observe, clock, waitMs: waitMs + this.#allowanceMs() });
  }

  /** What installed latencies may add to a round trip, both ways. */
  #allowanceMs(): number {
    const delays = [...this.#shapes.values()].map((shape) =>
      shape.kind === 'latency' ? shape.latencyMs + shape.jitterMs : 0,
    );
    return Math.min(ALLOWANCE_MS_MAX, 2 * Math.max(0, ...delays));
  }

  #cutWords(): ToxicWords {
    // The original cannot be silent about closes, and loses what was under way; `timeout` is the
    // nearest that it has.
    if (this.#options.server.kind === 'toxiproxy')
      return { type: 'timeout', attributes: { timeout: 0 } };
    return { type: 'cut', attributes: {} };
  }

  #count(link: DirectedLink, change: 1 | -1): number {
    const name = linkName(link);
    const count = (this.#cuts.get(name) ?? 0) + change;
    invariant(count >= 0, `${name} was given back more often than it was cut`);
    if (count === 0) this.#cuts.delete(name);
    else this.#cuts.set(name, count);
    return count;
  }

  async #install(name: string, link: DirectedLink, words: ToxicWords): Promise<void> {
    await all(
      this.#placesOf(link).map(({ proxy, stream }) =>
        this.#call(`add ${name} to ${proxy} ${stream}`, () =>
          this.#proxy(proxy).addToxic({
            name,
            stream,
            // The client passes the type on as it is; its own list lacks our two.
            type: words.type as ToxicType,
            toxicity: 1,
            attributes: words.attributes,
          }),
        ),
      ),
    );
  }

  async #remove(name: string, link: DirectedLink): Promise<void> {
    await all(
      this.#placesOf(link).map(({ proxy, stream }) =>
        this.#call(`remove ${name} from ${proxy} ${stream}`, async () => {
          const toxic = await this.#proxy(proxy).getToxic(name);
          await toxic.remove();
        }),
      ),
    );
  }

  /** The pair's two links, or the one that there is when one end is the clients. */
  #placesOf({ from, to }: DirectedLink): readonly Place[] {
    const places: readonly Place[] = [
      { proxy: `${from}>${to}`, stream: 'upstream' },
      { proxy: `${to}>${from}`, stream: 'downstream' },
    ];
    const known = places.filter(({ proxy }) => this.#options.proxies.has(proxy));
    if (known.length === 0)
      throw new HarnessError('bad-option', `there is no link from '${from}' to '${to}'`);
    return known;
  }

  #proxy(name: string): Proxy {
    const proxy = this.#options.proxies.get(name);
    invariant(proxy !== undefined, `no proxy ${name}`);
    return proxy;
  }

  #call<T>(what: string, call: () => Promise<T>): Promise<T> {
    return callServer(this.#options.clock, what, call);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const proxiesReply = z.record(
  z.string(),
  z.object({ toxics: z.array(z.object({ name: z.string(), stream: z.string() })) }),
);

/** Waits for all, so that nothing is still under way when the first failure is thrown. */
async function all(tasks: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

function linkName({ from, to }: { readonly from: NodeName; readonly to: NodeName }): string {
  return `${from}>${to}`;
}

function cutName(link: DirectedLink): string {
  return `cut:${linkName(link)}`;
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
