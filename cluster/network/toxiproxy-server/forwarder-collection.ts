import { type AddressRules, addressText, listenAddress, parseAddress } from './address.ts';
import { ApiError } from './api-error.ts';
import { Forwarder, type ForwarderJson, type Routes } from './forwarder.ts';
import type { JsonObject } from './proxy-collection.ts';

/** An addition of ours to Toxiproxy's API: forward proxies, by name. */
export class ForwarderCollection implements AsyncDisposable {
  readonly #rules: AddressRules;
  readonly #forwarders = new Map<string, Forwarder>();

  constructor(rules: AddressRules) {
    this.#rules = rules;
  }

  json(): Readonly<Record<string, ForwarderJson>> {
    return Object.fromEntries([...this.#forwarders].map(([name, each]) => [name, each.json()]));
  }

  find(name: string): Forwarder {
    const forwarder = this.#forwarders.get(name);
    if (forwarder === undefined) throw new ApiError(404, 'forwarder not found');
    return forwarder;
  }

  /** Reads `{name, listen?, routes: {"host:port": "127.0.0.1:port"}}`, listens, says where. */
  async create(body: JsonObject): Promise<ForwarderJson> {
    const { name, listen } = body;
    if (typeof name !== 'string' || name === '')
      throw new ApiError(400, 'missing required field: name');
    if (this.#forwarders.has(name)) throw new ApiError(409, 'forwarder already exists');
    const forwarder = new Forwarder({
      name,
      listen: listenAddress(typeof listen === 'string' ? listen : '', this.#rules),
      routes: routesFrom(body['routes'], this.#rules),
    });
    this.#forwarders.set(name, forwarder);
    try {
      await forwarder.start();
    } catch (error) {
      this.#forwarders.delete(name);
      throw error;
    }
    return forwarder.json();
  }

  async remove(name: string): Promise<void> {
    const forwarder = this.find(name);
    this.#forwarders.delete(name);
    await forwarder[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#forwarders.keys()].map((name) => this.remove(name)));
  }
}

function routesFrom(value: JsonObject[string], rules: AddressRules): Routes {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError(400, 'missing required field: routes');
  return new Map(
    Object.entries(value).map(([from, to]) => {
      const source = parseAddress(from);
      if (source === undefined) throw new ApiError(400, `route '${from}': write host:port`);
      // The same rules as for listeners: a forwarder leads to links, which are listeners, too.
      const link = listenAddress(typeof to === 'string' ? to : '?', rules);
      return [addressText(source).toLowerCase(), link];
    }),
  );
}
