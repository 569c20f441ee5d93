/**
 * What a hop through our proxy costs: bytes per second of one bulk stream, and the round trip of a
 * small request, direct and through the link server. Sink, proxy and this program are a process
 * each. Direct and proxied rounds take turns, so that a noisy machine disturbs both alike.
 *
 * Run: npx --no-install node bench/proxy.ts [--megabytes 512] [--rounds 7]
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { Toxiproxy } from 'toxiproxy-node-client';
import { realClock } from '../harness/core/clock.ts';
import { msFromNanos } from '../harness/core/units.ts';

const clock = realClock();
const MEGABYTE = 1_000_000;
const WRITE_BYTES = 65_536;
const ECHO = 0x65;
const BULK = 0x62;
const ROUND_TRIPS = 2_000;

/** First byte: what is wanted. `e`: echo all that follows. `b`: eat it, count, confirm the end. */
async function serveSink(): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    let mode: number | undefined;
    let count = 0;
    socket.on('data', (bytes) => {
      mode ??= bytes[0];
      count += bytes.length;
      if (mode === ECHO) socket.write(bytes);
    });
    socket.on('end', () => socket.end());
    // The proxy knows no half close, so the sender says how much is coming: 8 bytes after the mode.
    let total = Number.POSITIVE_INFINITY;
    socket.once('data', (bytes) => {
      if (mode === BULK) total = Number(bytes.readBigUInt64BE(1));
    });
    socket.on('data', () => {
      if (count >= total) socket.end('done');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(`${JSON.stringify(server.address())}\n`);
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Megabytes per second, until the sink has confirmed the last byte. */
async function bulkRate(port: number, totalBytes: number): Promise<number> {
  const socket = await dial(port);
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
async function roundTrip(port: number): Promise<number> {
  const socket = await dial(port);
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
async function firstAnswer(port: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < ROUND_TRIPS / 10; i++) {
    const start = clock.now();
    const socket = await dial(port);
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sink: { type: 'boolean', default: false },
      megabytes: { type: 'string', default: '512' },
      rounds: { type: 'string', default: '7' },
    },
  });
  if (values.sink) {
    await serveSink();
    return;
  }
  using sink = await launch(fileURLToPath(import.meta.url), ['--sink']);
  using links = await launch(
    fileURLToPath(new URL('../cluster/network/toxiproxy-server/main.ts', import.meta.url)),
    [],
  );
  const { port } = JSON.parse(sink.first) as { port: number };
  const { listening } = JSON.parse(links.first) as { listening: string };
  const proxy = await new Toxiproxy(`http://${listening}`).createProxy({
    name: 'bench',
    listen: '127.0.0.1:0',
    upstream: `127.0.0.1:${port}`,
  });
  const proxied = Number(proxy.listen.split(':').at(-1));
  const totalBytes = Number(values.megabytes) * MEGABYTE;

  const measures = [
    { name: 'bulk stream, MB/s', digits: 0, run: (to: number) => bulkRate(to, totalBytes) },
    { name: '64-byte round trip, µs', digits: 0, run: roundTrip },
    { name: 'connect and ask once, µs', digits: 0, run: firstAnswer },
  ];
  const startNanos = clock.now();
  process.stdout.write('                              direct  proxied  proxied/direct\n');
  const results: Record<string, unknown> = {};
  for (const { name, digits, run } of measures) {
    const rounds: { direct: number; proxied: number }[] = [];
    // One round of each to warm up, not counted.
    for (let round = 0; round <= Number(values.rounds); round++) {
      const pair = { direct: await run(port), proxied: await run(proxied) };
      if (round > 0) rounds.push(pair);
    }
    const direct = median(rounds.map((pair) => pair.direct));
    const through = median(rounds.map((pair) => pair.proxied));
    const ratio = median(rounds.map((pair) => pair.proxied / pair.direct));
    results[name] = { direct, proxied: through, ratio };
    process.stdout.write(
      `${name.padEnd(26)} ${direct.toFixed(digits).padStart(9)}` +
        `${through.toFixed(digits).padStart(9)} ${ratio.toFixed(2).padStart(15)}\n`,
    );
  }
  const seconds = msFromNanos(clock.now() - startNanos) / 1_000;
  process.stdout.write(`${JSON.stringify({ bench: 'proxy', seconds, results })}\n`);
}

await main();
