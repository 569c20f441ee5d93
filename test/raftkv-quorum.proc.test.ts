/** How many nodes a cluster of each size may lose: floor((n - 1) / 2), and not one more. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EtcdClient } from '../cluster/etcd-api/client.ts';
import { startRaftkv } from '../cluster/raftkv/testing.ts';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { realClock, sleep } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';
import { silentLog } from '../harness/core/log.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../harness/core/units.ts';
import { startWatchdog } from '../harness/runner/undo.ts';

const clock = realClock();
const FAST = { heartbeatMs: 30, electionMs: 300 };
/** Many elections long, and a start on a busy machine: only what must come is waited for so long. */
const PATIENCE_MS = 30_000;
/** Enough for a leader that lost its quorum to find out, and for others to fail to be elected. */
const WITHOUT_QUORUM_MS = 1_500;

/** True as soon as one write succeeds through this node. */
async function writesWithin(client: EtcdClient, ms: number): Promise<boolean> {
  const until = msFromNanos(clock.now()) + ms;
  while (msFromNanos(clock.now()) < until) {
    const reply = await client.put({ key: Buffer.from('q'), value: Buffer.from('v') }, 500);
    if (reply.ok) return true;
    await sleep(clock, 50);
  }
  return false;
}

interface Deployed extends AsyncDisposable {
  /** Between these nodes and all others, both ways. */
  cut(side: readonly NodeName[]): Promise<void>;
  heal(): Promise<void>;
  writes(node: NodeName, ms: number): Promise<boolean>;
}

/** A cluster with a link for each ordered pair, as runs have it. */
async function deployed(size: number): Promise<Deployed> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'schism-split-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const runId = `split-${process.pid}-${size}`;
  const undo = stack.use(await startWatchdog({ runId, clock, log: silentLog }));
  const nodes = Array.from({ length: size }, (_, at) => `n${at + 1}`);
  const cluster = stack.use(
    await raftkv.deploy({
      backend: 'process',
      nodes,
      clock,
      log: silentLog,
      random: Random.stream(seedFrom(size), 'split'),
      runId,
      dir,
      undo,
      options: { heartbeat: '30ms', election: '300ms' },
    }),
  );
  await cluster.ready(30_000);
  const { network } = cluster;
  invariant(network !== undefined, 'raftkv has links');
  const owned = stack.move();
  return {
    cut: (side) => {
      const rest = nodes.filter((node) => !side.includes(node));
      const grudge = nodes.map(
        (node) => [node, new Set(side.includes(node) ? rest : side)] as const,
      );
      return network.drop(new Map(grudge));
    },
    heal: () => network.heal(),
    writes: async (node, ms) => {
      await using connection = await cluster.open(node);
      const { register } = connection.apis;
      const until = msFromNanos(clock.now()) + ms;
      while (msFromNanos(clock.now()) < until) {
        const outcome = await register?.write('q', 1, { timeoutMs: 500 });
        if (outcome?.type === 'ok') return true;
        await sleep(clock, 50);
      }
      return false;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe('the quorum table', () => {
  test.each([
    [1, 0],
    [2, 0],
    [3, 1],
    [4, 1],
    [5, 2],
    [6, 2],
    [7, 3],
  ])('%i nodes go on without %i, and stop without one more', async (size, tolerated) => {
    await using cluster = await startRaftkv({ nodes: size, ...FAST });
    const survivor = cluster.nodes.at(-1) as string;
    const client = cluster.client(survivor);
    const victims = cluster.nodes.slice(0, tolerated);
    await Promise.all(victims.map((node) => cluster.control.kill(node)));
    expect(await writesWithin(client, PATIENCE_MS)).toBe(true);
    const last = cluster.nodes[tolerated] as string;
    await cluster.control.kill(last);
    expect(await writesWithin(client, WITHOUT_QUORUM_MS)).toBe(false);
    await cluster.control.start(last);
    expect(await writesWithin(client, PATIENCE_MS)).toBe(true);
  });
});

describe('clusters that are cut in two', () => {
  test('six nodes cut 3-3 stop on both sides, and go on when healed', async () => {
    await using cluster = await deployed(6);
    await cluster.cut(['n1', 'n2', 'n3']);
    expect(await cluster.writes('n1', WITHOUT_QUORUM_MS)).toBe(false);
    expect(await cluster.writes('n4', WITHOUT_QUORUM_MS)).toBe(false);
    await cluster.heal();
    expect(await cluster.writes('n1', PATIENCE_MS)).toBe(true);
  });

  test('seven nodes cut 4-3 go on where the four are', async () => {
    await using cluster = await deployed(7);
    await cluster.cut(['n1', 'n2', 'n3']);
    expect(await cluster.writes('n4', PATIENCE_MS)).toBe(true);
    expect(await cluster.writes('n1', WITHOUT_QUORUM_MS)).toBe(false);
    await cluster.heal();
    expect(await cluster.writes('n1', PATIENCE_MS)).toBe(true);
  });
});
