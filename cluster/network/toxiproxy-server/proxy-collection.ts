import type { Clock } from '../../../harness/core/clock.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { type AddressRules, addressText, listenAddress, upstreamAddress } from './address.ts';
import { ApiError } from './api-error.ts';
import { Proxy, type ProxyJson } from './proxy.ts';

export type JsonObject = Readonly<Record<string, JsonValue | undefined>>;

export interface CollectionOptions {
  readonly clock: Clock;
  /** Each proxy throws its own dice, by its name. */
  readonly random: Random;
  readonly rules: AddressRules;
}

/** Stops after the first entry that fails, and says what was done until then. */
export interface Populated {
  readonly proxies: readonly ProxyJson[];
  readonly error?: ApiError;
}

/** All proxies of the server, by name. */
export class ProxyCollection implements AsyncDisposable {
  readonly #options: CollectionOptions;
  readonly #proxies = new Map<string, Proxy>();

  constructor(options: CollectionOptions) {
    this.#options = options;
  }

  /** Sorted by name. */
  all(): readonly Proxy[] {
    return [...this.#proxies.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): Proxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw new ApiError(404, 'proxy not found');
    return proxy;
  }

  async create(body: JsonObject): Promise<Proxy> {
    const name = required(body, 'name');
    const upstream = required(body, 'upstream');
    if (this.#proxies.has(name)) throw new ApiError(409, 'proxy already exists');
    const proxy = new Proxy({
      name,
      listen: listenAddress(optional(body, 'listen') ?? '', this.#options.rules),
      upstream: upstreamAddress(upstream, this.#options.rules),
      clock: this.#options.clock,
      random: this.#options.random.fork(name),
    });
    // The name is taken before the first wait: two requests may race for it.
    this.#proxies.set(name, proxy);
    try {
      if (isEnabled(body) ?? true) await proxy.start();
    } catch (error) {
      this.#proxies.delete(name);
      throw error;
    }
    return proxy;
  }

  async update(proxy: Proxy, body: JsonObject): Promise<void> {
    const enabled = isEnabled(body);
    const listen = listenAddress(optional(body, 'listen') ?? proxy.listen, this.#options.rules);
    const upstream = upstreamAddress(
      optional(body, 'upstream') ?? proxy.upstream,
      this.#options.rules,
    );
    await proxy.move(listen, upstream);
    if (enabled === true) await proxy.start();
    if (enabled === false) await proxy.stop();
  }

  async remove(proxy: Proxy): Promise<void> {
    this.#proxies.delete(proxy.name);
    await proxy.stop();
  }

  /**
   * Creates the proxies of a list. One that exists with the same addresses is kept as it is, with
   * its toxics; one with others is replaced. `read` gets the list, or throws why there is none.
   */
  async populate(read: () => readonly JsonObject[]): Promise<Populated> {
    const proxies: ProxyJson[] = [];
    try {
      const list = read();
      for (const [at, entry] of list.entries())
        for (const field of ['name', 'upstream']) required(entry, field, ` at proxy ${at + 1}`);
      for (const entry of list) {
        const existing = this.#proxies.get(required(entry, 'name'));
        const kept = existing !== undefined && this.#isSame(existing, entry);
        if (existing !== undefined && !kept) await this.remove(existing);
        proxies.push((kept ? existing : await this.create(entry)).json());
      }
    } catch (error) {
      if (error instanceof ApiError) return { proxies, error };
      throw error;
    }
    return { proxies };
  }

  /** Enables every proxy and removes every toxic. */
  async reset(): Promise<void> {
    for (const proxy of this.all()) {
      for (const toxic of proxy.toxics) proxy.removeToxic(toxic);
      await proxy.start();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all().map((proxy) => this.remove(proxy)));
  }

  #isSame(proxy: Proxy, body: JsonObject): boolean {
    const listen = listenAddress(optional(body, 'listen') ?? '', this.#options.rules);
    const upstream = upstreamAddress(required(body, 'upstream'), this.#options.rules);
    return addressText(listen) === proxy.listen && addressText(upstream) === proxy.upstream;
  }
}

function required(body: JsonObject, field: string, where = ''): string {
  const value = optional(body, field);
  if (value === undefined || value === '')
    throw new ApiError(400, `missing required field: ${field}${where}`);
  return value;
}

function optional(body: JsonObject, field: string): string | undefined {
  const value = body[field] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new ApiError(400, `bad request body: ${field} must be a string`);
}

function isEnabled(body: JsonObject): boolean | undefined {
  const value = body['enabled'] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ApiError(400, 'bad request body: enabled must be true or false');
}
