/** The planted bug of restores: a member of the dead cluster that was not dead. */
import { describe, test } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import { restoreBackup } from './backup/restore.ts';
import { fileOf } from './backup/testing.ts';
import { bytes, got, playOut, put, type Scenario } from './bugs-testing.ts';
import { type MemoryCluster, urlOf } from './server/testing.ts';

/** `n1` and `n2` are restored; `n3` goes on with the data it had, at the address it has. */
async function restoreTwo(cluster: MemoryCluster, isWrong: boolean): Promise<void> {
  await put(cluster, 'n1', 'k', 'restored');
  const file = await fileOf(got(await cluster.node('n1').api.snapshot()));
  for (let n = 1; n <= 5; n++) await put(cluster, 'n3', 'k', `dead ${n}`);
  const initialCluster = cluster.names.map((name) => ({ name, peerUrls: [urlOf(name)] }));
  const bugs = new Set(isWrong ? (['restore-same-id'] as const) : []);
  for (const name of ['n1', 'n2']) await cluster.crash(name);
  for (const name of ['n1', 'n2']) {
    cluster.addSlot(name);
    const plan = { name, initialCluster, token: 'another', bugs };
    await restoreBackup(cluster.disk(name), file, plan);
    await cluster.start(name);
  }
  await Promise.all(['n1', 'n2'].map((name) => cluster.node(name).serving));
  await sleep(cluster.clock, 2_000);
}

/** What everybody says that the key is, read linearizably; undefined: no answer. */
async function read(cluster: MemoryCluster): Promise<unknown[]> {
  return Promise.all(
    cluster.names.map(async (name) => {
      const result = await cluster.node(name).api.range({ key: bytes('k') });
      return result.ok ? Buffer.from(result.value.kvs[0]?.value ?? []).toString() : undefined;
    }),
  );
}

async function play(cluster: MemoryCluster, isWrong: boolean): Promise<unknown> {
  await restoreTwo(cluster, isWrong);
  const old = cluster.node('n3').api;
  const members = got(await cluster.node('n1').api.memberList(false));
  const isMember = members.some(({ id }) => id === old.header().member);
  return { isMember, isLed: old.status().leader !== undefined, reads: await read(cluster) };
}

const SCENARIO: Omit<Scenario, 'play'> = {
  bug: 'restore-same-id',
  shows: 'one of the dead cluster is a member of the new one, and linearizable reads differ',
  wrong: { isMember: true, isLed: true, reads: ['restored', 'restored', 'dead 5'] },
  right: { isMember: false, isLed: false, reads: ['restored', 'restored', undefined] },
};

function playWith(isWrong: boolean): Promise<void> {
  return playOut({ ...SCENARIO, play: (cluster) => play(cluster, isWrong) }, isWrong);
}

describe('restore-same-id', () => {
  test(`it shows: ${SCENARIO.shows}`, () => playWith(true));
  test('without it nobody of the dead cluster is heard', () => playWith(false));
});
