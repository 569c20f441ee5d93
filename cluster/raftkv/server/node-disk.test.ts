/** A disk that fails: the node ends, says nothing more, and what it said before is there. */
import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { MemoryCluster, onVirtualTime } from './testing.ts';

const KEY = Buffer.from('k');

/** Writes 1, 2, 3, ... until one is not acknowledged; gives the last that was. */
async function writeWhilePossible(cluster: MemoryCluster, name: string): Promise<number> {
  const { api } = cluster.node(name);
  for (let value = 1; ; value++) {
    const put = await api.put({ key: KEY, value: Buffer.from(String(value)) });
    if (!put.ok) return value - 1;
  }
}

async function valueOf(cluster: MemoryCluster, name: string): Promise<number> {
  const range = await cluster.node(name).api.range({ key: KEY });
  if (!range.ok) throw new Error(range.failure.message);
  return Number(Buffer.from(range.value.kvs[0]?.value ?? []).toString());
}

/** Small enough that compactions fail too. */
const TUNING = { snapshotCount: 20, catchUpEntries: 5 };

describe('whichever of its operations fails first', () => {
  for (const code of ['EIO', 'ENOSPC'])
    test(`a node alone ends on ${code}, and what it acknowledged survives a power failure`, async () => {
      for (let after = 0; after < 60; after++)
        await onVirtualTime(new MemoryCluster(1, TUNING), async (cluster) => {
          await cluster.startAll();
          const node = cluster.node('n1');
          cluster.disk('n1').failAfter({ after, code, written: (after % 3) / 2 });
          const acknowledged = await writeWhilePossible(cluster, 'n1');
          expect(await node.ended).toMatchObject({ why: 'disk-failed', error: { code } });
          const later = await node.api.put({ key: KEY, value: Buffer.from('later') });
          expect(later).toMatchObject({ failure: { message: 'etcdserver: server stopped' } });
          await cluster.powerFailure('n1', Random.stream(seedFrom(after), code));
          await cluster.startAll();
          const found = await valueOf(cluster, 'n1');
          // The last one was asked for, too, and may have got so far.
          expect([acknowledged, acknowledged + 1]).toContain(found);
        });
    });

  test('the others go on, and the one that failed agrees with them once its disk is well', async () => {
    for (let after = 0; after < 40; after += 3)
      await onVirtualTime(new MemoryCluster(3, TUNING), async (cluster) => {
        await cluster.startAll();
        const failing = cluster.names[after % 3] as string;
        const node = cluster.node(failing);
        cluster.disk(failing).failAfter({ after, code: 'EIO' });
        const acknowledged = await writeWhilePossible(cluster, failing);
        expect(await node.ended).toMatchObject({ why: 'disk-failed' });
        const other = cluster.names.find((name) => name !== failing) as string;
        await cluster.until(() => ![undefined, failing].includes(cluster.leader()));
        expect(await valueOf(cluster, other)).toBeGreaterThanOrEqual(acknowledged);
        await cluster.crash(failing);
        await cluster.start(failing);
        await cluster.node(failing).serving;
        expect(await valueOf(cluster, failing)).toBe(await valueOf(cluster, other));
      });
  });
});
