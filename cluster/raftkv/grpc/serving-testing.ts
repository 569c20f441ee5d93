/** A served node and a client of it, on virtual time: for tests. */
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import { type RawClient, type RawError, type RawMessage, rawClient } from './client-testing.ts';
import { type StoreNode, storeNode } from './node-testing.ts';
import { type GrpcServer, type ServeOptions, serveGrpc } from './server.ts';

export const ELECTION_MS = 1_000;

export interface Serving extends AsyncDisposable {
  readonly node: StoreNode;
  readonly server: GrpcServer;
  readonly client: RawClient;
  /** Messages of errors. */
  readonly errors: readonly string[];
  /** The only way in which time passes. */
  advance(ms: number): Promise<void>;
}

export async function serving(options: Partial<ServeOptions> = {}): Promise<Serving> {
  await using stack = new AsyncDisposableStack();
  const node = storeNode();
  const clock = new VirtualClock();
  const errors: string[] = [];
  const log: Log = {
    info: () => undefined,
    warn: () => undefined,
    error: (message) => errors.push(message),
  };
  const server = stack.use(
    await serveGrpc(node.api, {
      listen: { host: '127.0.0.1', port: 0 },
      clock,
      log,
      electionMs: ELECTION_MS,
      maxRequestBytes: 100_000,
      maxTxnOps: 8,
      ...options,
    }),
  );
  const client = stack.use(rawClient(`127.0.0.1:${server.port}`));
  const owned = stack.move();
  return {
    node,
    server,
    client,
    errors,
    advance: (ms) => clock.run(sleep(clock, ms)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The message without its header, and bytes as text: for comparisons. */
export function plain(message: RawMessage | RawError): RawMessage {
  const { header: _, ...rest } = JSON.parse(
    JSON.stringify(message, (_key, value: unknown) => textOf(value)),
  ) as Record<string, unknown>;
  return rest;
}

function textOf(value: unknown): unknown {
  const isBuffer =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBuffer && 'data' in value ? Buffer.from(value.data as number[]).toString() : value;
}
