import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../harness/core/clock.ts';
import { systemCodeOf } from '../../../harness/core/errors.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { type Address, addressText } from './address.ts';
import { ApiError } from './api-error.ts';
import { Connection, SOCKET_OPTIONS } from './connection.ts';
import type { ByteCounters } from './direction-pipe.ts';
import { type Toxic, type ToxicJson, toxicJson } from './toxic-list.ts';
import type { StreamName } from './toxics/toxic.ts';

/** Open and waiting connections of one proxy; far more than any cluster has, but not endless. */
const CONNECTIONS_MAX = 10_000;

export interface ProxyJson {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
  readonly toxics: readonly ToxicJson[];
}

export interface ProxyOptions {
  readonly name: string;
  readonly listen: Address;
  readonly upstream: Address;
  readonly clock: Clock;
  readonly random: Random;
}

/** A listener, what it accepted, and the toxics that all of these share. */
export class Proxy implements AsyncDisposable {
  readonly name: string;
  readonly counters: Readonly<Record<StreamName, ByteCounters>> = {
    upstream: { received: 0, sent: 0 },
    downstream: { received: 0, sent: 0 },
  };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #connections = new Set<Connection>();
  readonly #toxics: Toxic[] = [];
  #listen: Address;
  #upstream: Address;
  #server: Server | undefined;

  constructor({ name, listen, upstream, clock, random }: ProxyOptions) {
    this.name = name;
    this.#listen = listen;
    this.#upstream = upstream;
    this.#clock = clock;
    this.#random = random;
  }

  get enabled(): boolean {
    return this.#server !== undefined;
  }

  get listen(): string {
    return addressText(this.#listen);
  }

  get upstream(): string {
    return addressText(this.#upstream);
  }

  /** Those on upstream first, each stream in order of addition. */
  get toxics(): readonly Toxic[] {
    return this.#toxics.toSorted(
      (a, b) => Number(a.stream < b.stream) - Number(a.stream > b.stream),
    );
  }

  json(): ProxyJson {
    return {
      name: this.name,
      listen: this.listen,
      upstream: this.upstream,
      enabled: this.enabled,
      toxics: this.toxics.map(toxicJson),
    };
  }

  /** Does nothing when it listens already. Throws what the original answers for a taken port. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true }, (client) => {
      this.#accept(client);
    });
    try {
      server.listen(this.#listen.port, this.#listen.host, 4096);
      await once(server, 'listening');
    } catch (error) {
      throw new ApiError(500, `listen tcp ${this.listen}: ${listenProblem(error)}`);
    }
    const bound = server.address();
    if (bound !== null && typeof bound === 'object')
      this.#listen = { host: this.#listen.host, port: bound.port };
    server.on('error', () => undefined);
    this.#server = server;
  }

  /** Closes the listener and every connection; the toxics stay. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  /** Moves the proxy; all its connections are closed then. */
  async move(listen: Address, upstream: Address): Promise<void> {
    const same = addressText(listen) === this.listen && addressText(upstream) === this.upstream;
    if (same) return;
    const wasEnabled = this.enabled;
    await this.stop();
    this.#listen = listen;
    this.#upstream = upstream;
    if (wasEnabled) await this.start();
  }

  toxic(name: string): Toxic {
    const toxic = this.#toxics.find((candidate) => candidate.name === name);
    if (toxic === undefined) throw new ApiError(404, 'toxic not found');
    return toxic;
  }

  addToxic(toxic: Toxic): void {
    if (this.#toxics.some(({ name }) => name === toxic.name))
      throw new ApiError(409, 'toxic already exists');
    this.#toxics.push(toxic);
    for (const connection of this.#connections) connection.addToxic(toxic);
  }

  /** To be called after the toxic itself was changed. */
  toxicChanged(toxic: Toxic): void {
    for (const connection of this.#connections) connection.updateToxic(toxic);
  }

  removeToxic(toxic: Toxic): void {
    this.#toxics.splice(this.#toxics.indexOf(toxic), 1);
    for (const connection of this.#connections) connection.removeToxic(toxic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    if (this.#connections.size >= CONNECTIONS_MAX) {
      client.resetAndDestroy();
      return;
    }
    const connection: Connection = new Connection({
      client,
      upstream: this.#upstream,
      toxics: this.#toxics,
      clock: this.#clock,
      random: this.#random,
      counters: this.counters,
      onClosed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }
}

/** Go's words for what the system said, as clients of the original may know them. */
function listenProblem(error: unknown): string {
  const code = systemCodeOf(error);
  if (code === 'EADDRINUSE') return 'bind: address already in use';
  if (code === 'EACCES') return 'bind: permission denied';
  return `bind: ${code ?? String(error)}`;
}
