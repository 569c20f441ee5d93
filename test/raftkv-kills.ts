/** Kills nodes of a real raftkv cluster under load and looks for every write it acknowledged. */

import type { EtcdClient } from '../cluster/etcd-api/client.ts';
import { startRaftkv, type TestCluster } from '../cluster/raftkv/testing.ts';
import { type Clock, realClock, sleep } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';
import { Random, type Seed } from '../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../harness/core/units.ts';

const WRITERS = 6;
const WRITE_MS = 1_000;
/** What is lost answers at once; what is late is not lost. */
const READ_MS = 20_000;
const READS_AT_ONCE = 64;
/** Every so many kills, all nodes at once. */
const ALL_EVERY = 10;
/** Small, so that snapshots and followers that are too far behind happen all the time. */
const FLAGS = ['--snapshot-count=200', '--snapshot-catchup-entries=50'];

export interface KillLoop {
  readonly kills: number;
  readonly seed: Seed;
  readonly nodes?: number;
  readonly progress?: (text: string) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly seconds: number;
  /** Acknowledged writes that a node does not have, in words; empty: none is lost. */
  readonly lost: readonly string[];
  /** Nodes that ended by themselves. */
  readonly crashed: readonly string[];
}

interface Acknowledged {
  readonly key: string;
  readonly value: string;
  readonly revision: string;
}

/** One writer per key, each value once; what was answered `ok` must stay for ever. */
export async function killLoop({
  kills,
  seed,
  nodes = 3,
  progress,
}: KillLoop): Promise<KillReport> {
  const clock = realClock();
  const random = Random.stream(seed, 'kills');
  await using cluster = await startRaftkv({ nodes, flags: FLAGS });
  const acknowledged: Acknowledged[] = [];
  const stop = new AbortController();
  const writers = Array.from({ length: WRITERS }, (_, at) => {
    const node = cluster.nodes[at % nodes];
    invariant(node !== undefined, 'each writer has a node');
    const write = { key: `w${at}`, client: cluster.client(node), acknowledged, clock };
    return writeUntil(stop.signal, write);
  });
  for (let kill = 1; kill <= kills; kill++) {
    const all = kill % ALL_EVERY === 0;
    const hit = all ? cluster.nodes : [random.pick(cluster.nodes)];
    await sleep(clock, random.int(20, 400));
    await killAndStart(cluster, hit, clock, random);
    if (kill % 10 === 0) progress?.(`${kill} kills, ${acknowledged.length} acknowledged`);
  }
  stop.abort();
  const unknown = (await Promise.all(writers)).reduce((sum, each) => sum + each, 0);
  await cluster.ready();
  const lost = await findLost(cluster, acknowledged);
  return {
    kills,
    acknowledged: acknowledged.length,
    unknown,
    seconds: Math.round(msFromNanos(clock.now()) / 1000),
    lost,
    crashed: cluster.crashed().map(({ node, how }) => `${node}: ${how}`),
  };
}

interface Writer {
  readonly key: string;
  readonly client: EtcdClient;
  readonly acknowledged: Acknowledged[];
  readonly clock: Clock;
}

/** Resolves to how many writes nobody knows of. */
async function writeUntil(
  stop: AbortSignal,
  { key, client, acknowledged, clock }: Writer,
): Promise<number> {
  let unknown = 0;
  for (let count = 0; !stop.aborted; count++) {
    const value = `${key}-${count}`;
    const reply = await client.put({ key: Buffer.from(key), value: Buffer.from(value) }, WRITE_MS);
    if (reply.ok) {
      const revision = reply.value.header?.revision ?? '0';
      acknowledged.push({ key, value, revision });
    } else {
      unknown += 1;
      await sleep(clock, 10);
    }
  }
  return unknown;
}

async function killAndStart(
  cluster: TestCluster,
  nodes: readonly NodeName[],
  clock: Clock,
  random: Random,
): Promise<void> {
  await Promise.all(nodes.map((node) => cluster.control.kill(node)));
  await sleep(clock, random.int(0, 300));
  await Promise.all(nodes.map((node) => cluster.control.start(node)));
  // Sometimes the next kill hits while this one is still coming back.
  if (random.chance(0.7)) await cluster.ready(nodes);
}

/** Each node must have each write, at the revision at which it was acknowledged. */
async function findLost(
  cluster: TestCluster,
  acknowledged: readonly Acknowledged[],
): Promise<string[]> {
  const lost: string[] = [];
  for (const node of cluster.nodes) {
    const client = cluster.client(node);
    const barrier = await client.range({ key: Buffer.from('w0') }, READ_MS);
    if (!barrier.ok) lost.push(`${node} does not answer`);
    const holds = async ({ key, value, revision }: Acknowledged): Promise<void> => {
      const request = { key: Buffer.from(key), revision, serializable: true };
      const reply = await client.range(request, READ_MS);
      const found = reply.ok ? reply.value.kvs[0] : undefined;
      if (found?.value.toString() !== value || found.modRevision !== revision)
        lost.push(`${node}: ${key}=${value} at revision ${revision}`);
    };
    for (let at = 0; at < acknowledged.length; at += READS_AT_ONCE)
      await Promise.all(acknowledged.slice(at, at + READS_AT_ONCE).map(holds));
  }
  return lost;
}
