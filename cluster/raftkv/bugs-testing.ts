/** What the tests of the planted bugs ask of whole nodes, and how they set one run against another. */
import { expect } from 'vitest';
import { invariant } from '../../harness/core/invariant.ts';
import type { Bug } from './bugs.ts';
import type { Result } from './failures.ts';
import type { Event, LeaseId, Watch } from './mvcc/types.ts';
import type { NodeConfig } from './server/config.ts';
import { MemoryCluster, onVirtualTime } from './server/testing.ts';

/** The same schedule with the bug and without it, and all that tells the two apart. */
export interface Scenario {
  readonly bug: Bug;
  readonly shows: string;
  readonly size?: number;
  /** Of both. */
  readonly config?: Partial<NodeConfig>;
  readonly play: (cluster: MemoryCluster) => Promise<unknown>;
  readonly wrong: unknown;
  readonly right: unknown;
}

/** Plays it on a cluster that has the bug, or on a clean one, and checks what comes of it. */
export function playOut(scenario: Scenario, isWrong: boolean): Promise<void> {
  const { bug, size = 3, config = {}, play, wrong, right } = scenario;
  const bugs = new Set(isWrong ? [bug] : []);
  return onVirtualTime(new MemoryCluster(size, { ...config, bugs }), async (cluster) => {
    await cluster.startAll();
    expect(await play(cluster)).toEqual(isWrong ? wrong : right);
  });
}

export const bytes = (text: string): Buffer => Buffer.from(text);

export function got<T>(result: Result<T>): T {
  invariant(result.ok, result.ok ? '' : result.failure.message);
  return result.value;
}

/** The revision. */
export async function put(
  cluster: MemoryCluster,
  name: string,
  key: string,
  to: string,
  lease: LeaseId = '0',
): Promise<number> {
  const { api } = cluster.node(name);
  return got(await api.put({ key: bytes(key), value: bytes(to), lease })).revision;
}

export async function get(
  cluster: MemoryCluster,
  name: string,
  key: string,
  serializable = false,
): Promise<string | undefined> {
  const { kvs } = got(await cluster.node(name).api.range({ key: bytes(key), serializable }));
  return kvs[0] === undefined ? undefined : Buffer.from(kvs[0].value).toString();
}

/** From one value, or from nothing, to another; whether it won. */
export async function cas(
  cluster: MemoryCluster,
  name: string,
  key: string,
  from: string | undefined,
  to: string,
): Promise<boolean> {
  const result = await cluster.node(name).api.txn({
    compare: [
      from === undefined
        ? { target: 'CREATE', result: 'EQUAL', key: bytes(key), number: 0 }
        : { target: 'VALUE', result: 'EQUAL', key: bytes(key), value: bytes(from) },
    ],
    success: [{ type: 'put', request: { key: bytes(key), value: bytes(to) } }],
    failure: [{ type: 'range', request: { key: bytes(key) } }],
  });
  return got(result).succeeded;
}

/** Waits until somebody else leads, and gives its name. */
export async function nextLeader(cluster: MemoryCluster, old: string): Promise<string> {
  const found = (): string | undefined => {
    const leader = cluster.leader();
    return leader === old ? undefined : leader;
  };
  await cluster.until(() => found() !== undefined);
  return found() as string;
}

export function leaderOf(cluster: MemoryCluster): string {
  const leader = cluster.leader();
  invariant(leader !== undefined, 'nobody leads');
  return leader;
}

export function others(cluster: MemoryCluster, name: string): [string, ...string[]] {
  const [first, ...rest] = cluster.names.filter((each) => each !== name);
  invariant(first !== undefined, `${name} is alone`);
  return [first, ...rest];
}

/** All that the watch has to say by now. */
export function drained(watch: Watch): number[] {
  const seen: number[] = [];
  for (let batch = watch.pull(10); batch !== undefined; batch = watch.pull(10)) {
    invariant(batch.type === 'events', 'the watch is compacted');
    seen.push(...batch.events.map(({ kv }: Event) => kv.modRevision));
  }
  return seen;
}

/** How many different hashes the members have of all they hold. */
export async function hashes(cluster: MemoryCluster): Promise<number> {
  const found = await Promise.all(
    cluster.names.map(async (name) => got(await cluster.node(name).api.hashKv(0)).hash),
  );
  return new Set(found).size;
}
