/** Clients that lock and unlock while nodes are cut off, and what came of it: for tests. */
import { sleep } from '../../../harness/core/clock.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Bugs } from '../bugs.ts';
import { keyText } from '../mvcc/keys.ts';
import type { Event, KeyValue, LeaseId } from '../mvcc/types.ts';
import type { NodeApi } from '../server/api.ts';
import { MemoryCluster, onVirtualTime } from '../server/testing.ts';
import { type Leader, leaders } from './election.ts';
import { lineOf } from './line.ts';
import { lock } from './mutex.ts';
import { awaitedWatch } from './waiting.ts';

const NAME = Buffer.from('l');
const NODES = 3;
const CLIENTS = 6;
const CHAOS_MS = 15_000;
/** By then the last lease has ended. */
const QUIET_MS = 10_000;
const TTL_SECONDS = 2;
/** How far a compaction stays behind, so that the record misses nothing. */
const KEPT_REVISIONS = 20;

export interface TrialOptions {
  readonly seed: number;
  readonly bugs: Bugs;
  readonly compacts: boolean;
}

export interface Grant {
  readonly key: string;
  readonly revision: number;
}

export interface Trial {
  /** Every change of the line, in order. */
  readonly events: readonly Event[];
  readonly grants: readonly Grant[];
  readonly refusals: readonly string[];
  readonly cancelled: number;
  /** What one that observed the line as an election was told. */
  readonly told: readonly Leader[];
  /** Of those who stand in line long after all is well. */
  readonly left: number;
}

interface Run {
  readonly cluster: MemoryCluster;
  readonly random: Random;
  readonly bugs: Bugs;
  readonly endMs: number;
  readonly grants: Grant[];
  readonly refusals: string[];
  cancelled: number;
}

export async function lockTrial(options: TrialOptions): Promise<Trial> {
  const random = Random.stream(seedFrom(options.seed), 'locks');
  const cluster = new MemoryCluster(NODES, {}, { seed: options.seed });
  const events: Event[] = [];
  const told: Leader[] = [];
  let left = -1;
  const base = { cluster, bugs: options.bugs, endMs: CHAOS_MS, grants: [], refusals: [] };
  const run: Run = { ...base, random, cancelled: 0 };
  await onVirtualTime(cluster, async () => {
    await cluster.startAll();
    const over = new AbortController();
    const recorded = record(cluster.node('n1').api, events, over.signal);
    const observed = observe(cluster.node('n2').api, told, over.signal);
    const clients = Array.from({ length: CLIENTS }, (_, at) => client(run, `client ${at}`));
    await Promise.all([cut(run), compact(run, options.compacts), ...clients]);
    await sleep(cluster.clock, QUIET_MS);
    const rest = await cluster.node('n3').api.range(lineOf(NAME));
    left = rest.ok ? rest.value.count : -1;
    over.abort();
    await Promise.all([recorded, observed]);
  });
  const { grants, refusals, cancelled } = run;
  return { events, grants, refusals, cancelled, told, left };
}

async function record(api: NodeApi, events: Event[], signal: AbortSignal): Promise<void> {
  const request = { ...lineOf(NAME), startRevision: 1, prevKv: false };
  using watch = awaitedWatch(api, { ...request, noPut: false, noDelete: false }, signal);
  for (let next = await watch.next(); next?.type === 'events'; next = await watch.next())
    events.push(...next.events);
}

async function observe(api: NodeApi, told: Leader[], signal: AbortSignal): Promise<void> {
  for await (const found of leaders(api, NAME, signal)) if (found.ok) told.push(found.value);
}

function isOver({ cluster, endMs }: Run): boolean {
  return msFromNanos(cluster.clock.now()) >= endMs;
}

/** One node at a time. */
async function cut(run: Run): Promise<void> {
  const { cluster, random } = run;
  while (!isOver(run)) {
    await sleep(cluster.clock, random.int(200, 2_000));
    cluster.cutOff(random.pick(cluster.names));
    await sleep(cluster.clock, random.int(100, 2_500));
    cluster.heal();
  }
}

async function compact(run: Run, compacts: boolean): Promise<void> {
  const { cluster, random } = run;
  if (!compacts) return;
  while (!isOver(run)) {
    await sleep(cluster.clock, random.int(50, 300));
    const { api } = cluster.node(random.pick(cluster.names));
    await api.compact(api.header().revision - KEPT_REVISIONS);
  }
}

/** Some keep their leases alive while they wait, some do not; some unlock, some just vanish. */
async function client(run: Run, name: string): Promise<void> {
  const { cluster } = run;
  const random = run.random.fork(name);
  while (!isOver(run)) {
    const { api } = cluster.node(random.pick(cluster.names));
    const granted = await api.leaseGrant('0', TTL_SECONDS);
    if (!granted.ok) continue;
    const lease = granted.value.id;
    const over = new AbortController();
    if (random.chance(0.6)) void keepAlive(run, api, lease, over.signal);
    const locked = await lockOnce(run, api, lease, random);
    if (locked !== undefined) {
      await sleep(cluster.clock, random.int(0, 300));
      const end = random.int(0, 9);
      if (end < 6) await api.deleteRange({ key: Buffer.from(locked.key, 'latin1') });
      else if (end < 9) await api.leaseRevoke(lease);
    }
    over.abort();
    await sleep(cluster.clock, random.int(0, 200));
  }
}

async function keepAlive(run: Run, api: NodeApi, lease: LeaseId, signal: AbortSignal) {
  while (!signal.aborted) {
    await api.leaseKeepAlive(lease);
    await sleep(run.cluster.clock, 300);
  }
}

async function lockOnce(
  run: Run,
  api: NodeApi,
  lease: LeaseId,
  random: Random,
): Promise<Grant | undefined> {
  const impatience = new AbortController();
  if (random.chance(0.3)) run.cluster.clock.timer(random.int(0, 3_000), () => impatience.abort());
  const result = await lock(api, { name: NAME, lease }, run.bugs, impatience.signal);
  if (impatience.signal.aborted) {
    run.cancelled++;
    return undefined;
  }
  if (!result.ok) {
    run.refusals.push(result.failure.message);
    return undefined;
  }
  const grant = { key: keyText(result.value.key), revision: result.value.revision };
  run.grants.push(grant);
  return grant;
}

type Line = Map<string, KeyValue>;

function apply(line: Line, { type, kv }: Event): void {
  if (type === 'PUT') line.set(keyText(kv.key), kv);
  else line.delete(keyText(kv.key));
}

function firstIn(line: Line): KeyValue | undefined {
  return [...line.values()].toSorted((a, b) => a.createRevision - b.createRevision)[0];
}

/** Who was first in line, one after the other, and from which revision on. */
export function firsts(events: readonly Event[]): readonly Leader[] {
  const line: Line = new Map();
  const found: Leader[] = [];
  for (const [at, event] of events.entries()) {
    apply(line, event);
    const revision = event.kv.modRevision;
    if (events[at + 1]?.kv.modRevision === revision) continue;
    const kv = firstIn(line);
    if (kv !== undefined && found.at(-1)?.kv !== kv) found.push({ kv, revision });
  }
  return found;
}

/** Whether the key was first in line at that revision. */
export function wasFirst(events: readonly Event[], { key, revision }: Grant): boolean {
  const line: Line = new Map();
  for (const event of events) if (event.kv.modRevision <= revision) apply(line, event);
  const first = firstIn(line);
  return first !== undefined && keyText(first.key) === key;
}
