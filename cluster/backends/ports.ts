import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { HarnessError, messageOf, systemCodeOf } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';

const HOST = '127.0.0.1';
/** Well-known and registered services live below. */
const LOWEST = 10_000;
const HIGHEST = 65_535;

/** Ports that no other harness on this machine is given until this is disposed of. */
export interface Ports extends AsyncDisposable {
  readonly list: readonly number[];
}

/**
 * Free loopback ports outside the range that the kernel takes for outgoing connections: a node
 * that was killed would else find its own port taken when it comes back. `random` decides only
 * where the search starts. Throws `port-in-use` when there are too few.
 */
export async function reservePorts(count: number, random: Random): Promise<Ports> {
  await using reserved = new AsyncDisposableStack();
  const candidates = portsOutside(ephemeralRange());
  const start = random.int(0, candidates.length - 1);
  const list: number[] = [];
  for (let step = 0; list.length < count; step++) {
    const port = candidates[(start + step) % candidates.length];
    if (port === undefined || step >= candidates.length)
      throw new HarnessError('port-in-use', `only ${list.length} of ${count} ports are free`);
    // The name is reserved first, so that two harnesses never probe the same port at once.
    const name = await reserveName(port);
    if (name === undefined) continue;
    reserved.use(name);
    if ((await probe(port)) === undefined) list.push(port);
  }
  const held = reserved.move();
  return { list, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Throws `port-in-use`, saying who asked, when a port that somebody chose cannot be bound. */
export async function assertFree(port: number, what: string): Promise<void> {
  const error = await probe(port);
  if (error === undefined) return;
  const why = systemCodeOf(error) === 'EADDRINUSE' ? 'is in use' : messageOf(error);
  throw new HarnessError('port-in-use', `${what}: port ${port} on ${HOST} ${why}`);
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/** Every port from 10000 up that is not in the range. */
export function portsOutside({ low, high }: PortRange): number[] {
  const all = Array.from({ length: HIGHEST - LOWEST + 1 }, (_, index) => LOWEST + index);
  const outside = all.filter((port) => port < low || port > high);
  // A machine may give everything to outgoing connections; then there is no better choice.
  return outside.length > 0 ? outside : all;
}

function ephemeralRange(): PortRange {
  const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const [low, high] = text.trim().split(/\s+/).map(Number);
  invariant(low !== undefined && high !== undefined, `ip_local_port_range: ${text}`);
  return { low, high };
}

/** Undefined when the port can be bound, else why not. */
async function probe(port: number): Promise<unknown> {
  const server = createServer();
  try {
    await listen(server, { host: HOST, port, exclusive: true });
    return undefined;
  } catch (error) {
    return error;
  } finally {
    server.close();
  }
}

/**
 * An abstract socket (unix(7)) as a lock between harnesses: it has no file, and the kernel drops it
 * when its holder ends, however it ends.
 */
async function reserveName(port: number): Promise<AsyncDisposable | undefined> {
  const server = createServer();
  try {
    await listen(server, { path: `\0schism-port-${port}`, exclusive: true });
  } catch {
    return undefined;
  }
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

function listen(
  server: ReturnType<typeof createServer>,
  options: { path?: string; host?: string; port?: number; exclusive: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, resolve);
  });
}
