import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allPids, readCommand } from '../../harness/runner/watchdog-proc.ts';
import { describeWith } from '../../test/requires.ts';
import { startEtcd, startRaftkv, type TestCluster } from './testing.ts';

const CALL_MS_MAX = 5_000;
const KEY = { key: Buffer.from('k') };

/** Of the processes that were told of a folder. */
function commandsNaming(dir: string): string[] {
  return allPids()
    .map(readCommand)
    .filter((command) => command.includes(dir));
}

async function keepsItsData(start: () => Promise<TestCluster>): Promise<void> {
  let dir: string;
  {
    await using cluster = await start();
    ({ dir } = cluster);
    expect(commandsNaming(dir)).toHaveLength(cluster.nodes.length);
    const { control } = cluster;
    const leader = await cluster.leader();
    const [follower = ''] = cluster.nodes.filter((node) => node !== leader);
    expect((await cluster.client(leader).put({ ...KEY, value: KEY.key }, CALL_MS_MAX)).ok).toBe(
      true,
    );

    await control.kill(follower);
    expect(await control.state(follower)).toEqual({ state: 'gone' });
    await control.start(follower);
    await cluster.ready();
    const read = await cluster.client(follower).range(KEY, CALL_MS_MAX);
    expect(read).toMatchObject({ ok: true, value: { count: '1' } });

    await control.pause(follower);
    const soon = { timeout: CALL_MS_MAX };
    await expect.poll(() => control.state(follower), soon).toMatchObject({ state: 'paused' });
    expect(await cluster.client(follower).range(KEY, 200)).toMatchObject({ ok: false });
    await control.resume(follower);
    await cluster.ready([follower]);
    await control.pause(follower);
    expect(cluster.crashed()).toEqual([]);
    expect(cluster.logs()).toHaveLength(cluster.nodes.length);
  }
  expect(existsSync(dir)).toBe(false);
  expect(commandsNaming(dir)).toEqual([]);
}

describe('a cluster of raftkv', () => {
  test('is killed, started, paused and resumed, and leaves nothing, even when paused', async () => {
    await keepsItsData(() => startRaftkv({ nodes: 3 }));
  });

  test('what does not start is thrown with the end of its log', async () => {
    const start = startRaftkv({ nodes: 1, flags: ['--no-such-flag'] });
    await expect(start).rejects.toThrow(/n1 ended \(exit code 2\) while waiting for n1 to serve/);
  });
});

describeWith('etcd', 'a cluster of etcd', () => {
  test('is killed, started, paused and resumed, and leaves nothing, even when paused', async () => {
    await keepsItsData(() => startEtcd({ nodes: 3 }));
  });
});
