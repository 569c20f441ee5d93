import { Socket } from 'node:net';
import type { Clock } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { Address } from './address.ts';
import { type ByteCounters, DirectionPipe } from './direction-pipe.ts';
import type { Toxic } from './toxic-list.ts';
import type { StreamName } from './toxics/toxic.ts';

/**
 * Bytes that may wait in this process for a slow sink. Large enough that a bulk stream seldom
 * stops for a turn of the event loop.
 */
const SOCKET_BUFFER_BYTES = 262_144;

/** For both sides: no half close unless we say so, no waiting for full packets. */
export const SOCKET_OPTIONS: {
  readonly allowHalfOpen: boolean;
  readonly noDelay: boolean;
  readonly highWaterMark: number;
} = { allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES };

export interface ConnectionOptions {
  /** Accepted and paused. */
  readonly client: Socket;
  readonly upstream: Address;
  readonly toxics: readonly Toxic[];
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Readonly<Record<StreamName, ByteCounters>>;
  /** Both sockets are closed. */
  readonly onClosed: () => void;
}

/**
 * A client of a proxy and the server it was connected to. As with the original there is no half
 * close: when one side ends, the other is closed completely once its bytes are through. A close or
 * a reset travels as bytes do, so a cut direction hides it.
 */
export class Connection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipes: readonly DirectionPipe[];
  #wasReset = false;

  constructor(options: ConnectionOptions) {
    const { client, upstream, toxics, counters } = options;
    const server = new Socket(SOCKET_OPTIONS);
    this.#client = client;
    this.#server = server;
    this.#watch(options.onClosed);
    const pipe = (stream: StreamName, source: Socket, sink: Socket): DirectionPipe =>
      new DirectionPipe(
        {
          stream,
          source,
          sink,
          clock: options.clock,
          random: options.random,
          counters: counters[stream],
          close: (how) => {
            this.#close(sink, how);
          },
        },
        toxics,
      );
    const up = pipe('upstream', client, server);
    this.#pipes = [up, pipe('downstream', server, client)];
    // Nobody is at the other end of a cut link: the client waits as if never accepted.
    if (up.blocksAccept) return;
    server.connect({ host: upstream.host, port: upstream.port }, () => {
      for (const each of this.#pipes) each.start();
    });
  }

  addToxic(toxic: Toxic): void {
    for (const pipe of this.#pipes) pipe.add(toxic);
  }

  updateToxic(toxic: Toxic): void {
    for (const pipe of this.#pipes) pipe.update(toxic);
  }

  removeToxic(toxic: Toxic): void {
    for (const pipe of this.#pipes) pipe.remove(toxic);
  }

  /** Closes both sides at once; what was under way is lost. */
  destroy(): void {
    for (const pipe of this.#pipes) pipe.stop();
    this.#client.destroy();
    this.#server.destroy();
  }

  #watch(onClosed: () => void): void {
    let open = 2;
    for (const socket of [this.#client, this.#server]) {
      // Errors are no news: the `close` that follows says what matters.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        open--;
        if (open > 0) return;
        for (const pipe of this.#pipes) pipe.stop();
        onClosed();
      });
    }
  }

  #close(socket: Socket, how: 'reset' | 'end'): void {
    this.#wasReset ||= how === 'reset';
    if (socket.pending) socket.destroy();
    else if (this.#wasReset) socket.resetAndDestroy();
    else socket.destroySoon();
  }
}
