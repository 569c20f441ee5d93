/**
 * What a hop through our proxy costs: bytes per second of one bulk stream, and the round trip of a
 * small request, direct and through the link server. Sink, proxy and this program are a process
 * each. Direct and proxied rounds take turns, so that a noisy machine disturbs both alike. Once on
 * loopback, and once with sink and proxy in containers that share a network namespace, as with
 * `--backend docker`; the baseline is the way to the same sink without the proxy.
 *
 * Run: npx --no-install node bench/proxy.ts [--megabytes 512] [--rounds 7]
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { Toxiproxy } from 'toxiproxy-node-client';
import { endpointFrom } from '../cluster/network/names.ts';
import type { Endpoint } from '../cluster/network/probe.ts';
import { realClock } from '../harness/core/clock.ts';
import { msFromNanos } from '../harness/core/units.ts';
import { openDockerWays, type Ways } from './proxy-docker.ts';

const clock = realClock();
const MEGABYTE = 1_000_000;
const WRITE_BYTES = 65_536;
const ECHO = 0x65;
const BULK = 0x62;
const ROUND_TRIPS = 2_000;

async function dial({ host, port }: Endpoint): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Megabytes per second, until the sink has confirmed the last byte. */
async function bulkRate(to: Endpoint, totalBytes: number): Promise<number> {
  const socket = await dial(to);
  const header = Buffer.alloc(9);
  header[0] = BULK;
  header.writeBigUInt64BE(BigInt(totalBytes), 1);
  const block = Buffer.alloc(WRITE_BYTES, 7);
  const confirmed = once(socket, 'data');
  const start = clock.now();
  socket.write(header);
  for (let sent = header.length; sent < totalBytes; sent += block.length)
    if (!socket.write(block.subarray(0, Math.min(block.length, totalBytes - sent))))
      await once(socket, 'drain');
  await confirmed;
  const seconds = (clock.now() - start) / 1e9;
  socket.destroy();
  return totalBytes / MEGABYTE / seconds;
}

/** The median of many round trips of 64 bytes on one connection, in microseconds. */
async function roundTrip(to: Endpoint): Promise<number> {
  const socket = await dial(to);
  const request = Buffer.alloc(64, ECHO);
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const start = clock.now();
    socket.write(request);
    await once(socket, 'data');
    times.push((clock.now() - start) / 1_000);
  }
  socket.destroy();
  return median(times);
}

/** The time of a connection and one small request on it, in microseconds. */
async function firstAnswer(to: Endpoint): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS / 10; i++) {
    const start = clock.now();
    const socket = await dial(to);
    socket.write(Buffer.alloc(64, ECHO));
    await once(socket, 'data');
    times.push((clock.now() - start) / 1_000);
    socket.destroy();
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Starts one of our programs; its first line of output says where it listens. */
async function launch(
  file: string,
  args: readonly string[],
): Promise<{ readonly first: string } & Disposable> {
  const child = execa(process.execPath, [file, ...args], {
    stdin: 'pipe',
    stderr: 'inherit',
    buffer: false,
    reject: false,
  });
  const lines = createInterface({ input: child.stdout });
  const [first] = (await once(lines, 'line')) as [string];
  return { first, [Symbol.dispose]: () => child.kill('SIGTERM') };
}

/** Both ways to a sink on this machine. */
async function openLoopbackWays(): Promise<Ways & Disposable> {
  using opened = new DisposableStack();
  const sink = opened.use(await launch(pathOf('proxy-sink.ts'), []));
  const server = pathOf('../cluster/network/toxiproxy-server/main.ts');
  const links = opened.use(await launch(server, []));
  const { port } = JSON.parse(sink.first) as { port: number };
  const { listening } = JSON.parse(links.first) as { listening: string };
  const proxy = await new Toxiproxy(`http://${listening}`).createProxy({
    name: 'bench',
    listen: '127.0.0.1:0',
    upstream: `127.0.0.1:${port}`,
  });
  const owned = opened.move();
  return {
    direct: { host: '127.0.0.1', port },
    proxied: endpointFrom(proxy.listen),
    [Symbol.dispose]: () => {
      owned.dispose();
    },
  };
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

interface Effort {
  readonly totalBytes: number;
  readonly rounds: number;
}

interface Row {
  readonly direct: number;
  readonly proxied: number;
  /** The median of the ratios of neighbouring rounds. */
  readonly ratio: number;
}

async function compare(
  title: string,
  ways: Ways,
  { totalBytes, rounds }: Effort,
): Promise<Record<string, Row>> {
  const measures = [
    { name: 'bulk stream, MB/s', run: (to: Endpoint) => bulkRate(to, totalBytes) },
    { name: '64-byte round trip, µs', run: roundTrip },
    { name: 'connect and ask once, µs', run: firstAnswer },
  ];
  process.stdout.write(`${title.padEnd(28)}  direct  proxied  proxied/direct\n`);
  const rows: Record<string, Row> = {};
  for (const { name, run } of measures) {
    const pairs: Pick<Row, 'direct' | 'proxied'>[] = [];
    // One round of each to warm up, not counted.
    for (let round = 0; round <= rounds; round++) {
      const pair = { direct: await run(ways.direct), proxied: await run(ways.proxied) };
      if (round > 0) pairs.push(pair);
    }
    const row = {
      direct: median(pairs.map(({ direct }) => direct)),
      proxied: median(pairs.map(({ proxied }) => proxied)),
      ratio: median(pairs.map(({ direct, proxied }) => proxied / direct)),
    };
    rows[name] = row;
    const columns = [row.direct.toFixed(0).padStart(9), row.proxied.toFixed(0).padStart(9)];
    const ratio = row.ratio.toFixed(2).padStart(15);
    process.stdout.write(`${name.padEnd(26)} ${columns.join('')} ${ratio}\n`);
  }
  return rows;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      megabytes: { type: 'string', default: '512' },
      rounds: { type: 'string', default: '7' },
    },
  });
  const effort = { totalBytes: Number(values.megabytes) * MEGABYTE, rounds: Number(values.rounds) };
  const startNanos = clock.now();
  const results: Record<string, Record<string, Row> | string> = {};
  {
    using ways = await openLoopbackWays();
    results['loopback'] = await compare('on loopback', ways, effort);
  }
  const ways = await openDockerWays(clock);
  if (typeof ways === 'string') {
    process.stdout.write(`not measured in containers: ${ways}\n`);
    results['docker'] = ways;
  } else {
    await using _ = ways;
    results['docker'] = await compare('in containers', ways, effort);
  }
  const seconds = msFromNanos(clock.now() - startNanos) / 1_000;
  process.stdout.write(`${JSON.stringify({ bench: 'proxy', seconds, results })}\n`);
}

await main();
