/**
 * raftkv against the real etcd on the same machine: puts and linearizable reads per second and their
 * 99th percentile, with 1, 8 and 64 clients on three nodes, fsync on in both; then memory and time
 * to readiness of five nodes. Rounds of the two take turns, so that a noisy machine disturbs both.
 *
 * Run: npx --no-install node bench/raftkv.ts [--seconds 3] [--rounds 3]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EtcdClient } from '../cluster/etcd-api/client.ts';
import { startEtcd, startRaftkv, type TestCluster } from '../cluster/raftkv/testing.ts';
import { type Clock, realClock } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';
import { msFromNanos } from '../harness/core/units.ts';

const CLIENTS = [1, 8, 64];
const CONNECTIONS_MAX = 8;
const TIMEOUT_MS = 5_000;
const VALUE = Buffer.alloc(128, 'x');

type Operation = 'put' | 'get';

interface Measured {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Closed loops: each client asks again when it was answered. */
async function measure(
  cluster: TestCluster,
  operation: Operation,
  clients: number,
  seconds: number,
  clock: Clock,
): Promise<Measured> {
  await using stack = new AsyncDisposableStack();
  const connections = Array.from({ length: Math.min(clients, CONNECTIONS_MAX) }, (_, at) => {
    const node = cluster.nodes[at % cluster.nodes.length];
    invariant(node !== undefined, 'a cluster has nodes');
    return stack.use(new EtcdClient(cluster.address(node), clock));
  });
  const times: number[] = [];
  const start = clock.now();
  const end = start + seconds * 1e9;
  const loop = async (at: number): Promise<void> => {
    const client = connections[at % connections.length];
    invariant(client !== undefined, 'each client has a connection');
    const key = Buffer.from(`bench/${at}`);
    while (clock.now() < end) {
      const before = clock.now();
      const reply =
        operation === 'put'
          ? await client.put({ key, value: VALUE }, TIMEOUT_MS)
          : await client.range({ key }, TIMEOUT_MS);
      if (!reply.ok) throw new Error(`${cluster.system}: ${String(reply.error)}`);
      times.push(msFromNanos(clock.now() - before));
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, at) => loop(at)));
  const sorted = times.toSorted((a, b) => a - b);
  return {
    perSecond: times.length / ((clock.now() - start) / 1e9),
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  };
}

/** Its share (PSS): what several processes have in common, such as Node's own program, counts once. */
function megabytesOf(pid: number): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

async function footprint(
  start: typeof startRaftkv,
  clock: Clock,
): Promise<{ readonly readyMs: number; readonly megabytes: number }> {
  const before = clock.now();
  await using cluster = await start({ nodes: 5 });
  const readyMs = msFromNanos(clock.now() - before);
  let megabytes = 0;
  for (const node of cluster.nodes) {
    const state = await cluster.control.state(node);
    if (state.state === 'running' && state.pid !== undefined) megabytes += megabytesOf(state.pid);
  }
  return { readyMs, megabytes };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const clock = realClock();
const results: Record<string, unknown>[] = [];
{
  await using etcd = await startEtcd({ nodes: 3 });
  await using raftkv = await startRaftkv({ nodes: 3 });
  for (const operation of ['put', 'get'] as const) {
    for (const clients of CLIENTS) {
      const rows: { etcd: Measured; raftkv: Measured }[] = [];
      for (let round = 0; round < rounds; round++)
        rows.push({
          etcd: await measure(etcd, operation, clients, seconds, clock),
          raftkv: await measure(raftkv, operation, clients, seconds, clock),
        });
      const pick = (of: 'etcd' | 'raftkv', what: keyof Measured): number =>
        median(rows.map((row) => row[of][what]));
      const ratio = pick('raftkv', 'perSecond') / pick('etcd', 'perSecond');
      console.log(
        `${operation} ${String(clients).padStart(2)} clients: etcd ` +
          `${Math.round(pick('etcd', 'perSecond'))}/s p99 ${pick('etcd', 'p99Ms').toFixed(1)} ms, raftkv ` +
          `${Math.round(pick('raftkv', 'perSecond'))}/s p99 ${pick('raftkv', 'p99Ms').toFixed(1)} ms; ` +
          `throughput x${ratio.toFixed(2)}, p99 x${(pick('raftkv', 'p99Ms') / pick('etcd', 'p99Ms')).toFixed(2)}`,
      );
      results.push({ operation, clients, rows });
    }
  }
}
const sizes = {
  etcd: await footprint(startEtcd, clock),
  raftkv: await footprint(startRaftkv, clock),
};
for (const [system, { readyMs, megabytes }] of Object.entries(sizes))
  console.log(
    `five nodes of ${system}: ready in ${Math.round(readyMs)} ms, ${Math.round(megabytes)} MB`,
  );
console.log(JSON.stringify({ bench: 'raftkv', results, sizes }));
