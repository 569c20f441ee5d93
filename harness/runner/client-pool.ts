import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { NodeName } from '../core/units.ts';
import type { Op, Process } from '../history/op.ts';
import type { Client, Completion } from '../protocols/client.ts';
import type { Apis, Connection } from '../protocols/system.ts';

interface Held {
  readonly process: Process;
  readonly connection: Connection;
  readonly client: Client;
}

/** One connection for each client thread; a new process gets a new one, as after a crash. */
export class ClientPool implements AsyncDisposable {
  readonly #open: (node: NodeName) => Promise<Connection>;
  readonly #client: (apis: Apis) => Client;
  readonly #log: Log;
  readonly #held: Map<number, Held> = new Map();
  readonly #closing: Set<Promise<void>> = new Set();

  constructor(
    open: (node: NodeName) => Promise<Connection>,
    client: (apis: Apis) => Client,
    log: Log,
  ) {
    this.#open = open;
    this.#client = client;
    this.#log = log;
  }

  /** A connection that cannot be opened is a definite failure: nothing was ever sent. */
  async invoke(thread: number, node: NodeName, op: Op): Promise<Completion> {
    let held = this.#held.get(thread);
    if (held !== undefined && held.process !== op.process) {
      this.#close(thread, held);
      held = undefined;
    }
    if (held === undefined) {
      try {
        const connection = await this.#open(node);
        held = { process: op.process, connection, client: this.#client(connection.apis) };
        this.#held.set(thread, held);
      } catch (error) {
        const message = messageOf(error);
        return { type: 'fail', error: { code: 'no-client', definite: true, message } };
      }
    }
    return held.client.invoke(op);
  }

  #close(thread: number, held: Held): void {
    this.#held.delete(thread);
    const close = async (): Promise<void> => {
      try {
        await held.connection[Symbol.asyncDispose]();
      } catch (error) {
        this.#log.warn('closing a client failed', { thread, error: messageOf(error) });
      }
    };
    const closing = close();
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [thread, held] of this.#held) this.#close(thread, held);
    await Promise.all(this.#closing);
  }
}
