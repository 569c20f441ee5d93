/** Anybody's programs as a cluster, shown on the store of the tutorial. */
import { expect, test } from 'vitest';
import { mykv } from '../../docs/tutorial/example/mykv-system.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Matrix } from '../../harness/protocols/network.ts';
import type { Cluster, RegisterApi } from '../../harness/protocols/system.ts';
import { allPids, readEnvironment } from '../../harness/runner/watchdog-proc.ts';
import { deployed } from './testing.ts';

const call = { timeoutMs: 2_000 };

async function registerAt(cluster: Cluster, node: NodeName): Promise<RegisterApi> {
  const { register } = (await cluster.open(node)).apis;
  expect.assert(register !== undefined);
  return register;
}

const cutsIn = (matrix: Matrix): string[] =>
  matrix.filter(({ state }) => state === 'cut').map(({ from, to }) => `${from}>${to}`);

test('programs serve behind links, and keep their folder over kill and start', async () => {
  const three = await deployed(mykv, 3, { batch: '1' });
  {
    await using _ = three;
    const { cluster } = three;
    expect(cluster.facts).toMatchObject({ batch: '1', members: { n3: {} } });
    expect((await cluster.roles()).map(({ node, role }) => `${node} ${role}`)).toEqual([
      'n1 leader',
      'n2 follower',
      'n3 follower',
    ]);
    const [first, second] = [await registerAt(cluster, 'n1'), await registerAt(cluster, 'n2')];
    expect(await second.write('a/b', 1, call)).toMatchObject({ type: 'ok' });
    expect(await first.cas('a/b', 1, 2, call)).toMatchObject({ type: 'ok' });
    expect(await first.cas('a/b', 1, 3, call)).toMatchObject({ type: 'fail', seen: 2 });

    const { processes } = cluster;
    expect.assert(processes !== undefined);
    await processes.kill('n1');
    expect((await second.write('a/b', 9, { timeoutMs: 300 })).type).toBe('info');
    expect((await cluster.roles())[0]?.state).toBe('unreachable');
    await processes.start('n1');
    await cluster.ready(20_000);
    expect(await first.read('a/b', 'linearizable', call)).toMatchObject({ value: 2 });
    expect(cluster.crashed()).toEqual([]);
  }
  const left = allPids().filter((pid) => readEnvironment(pid).get('SCHISM_RUN') === three.run);
  expect(left).toEqual([]);
});

test('one direction of a link can be cut alone, and is seen to be', async () => {
  await using two = await deployed(mykv, 2, { batch: '1' });
  const { network } = two.cluster;
  expect.assert(network !== undefined);
  const primary = await registerAt(two.cluster, 'n1');
  const copy = await registerAt(two.cluster, 'n2');
  expect(await primary.write('k', 1, call)).toMatchObject({ type: 'ok' });

  await network.drop(new Map([['n2', new Set(['n1'])]]));
  expect(cutsIn(await network.observe())).toEqual(['n1>n2']);
  expect(await primary.write('k', 2, call)).toMatchObject({ type: 'ok' });
  expect((await copy.read('k', 'linearizable', { timeoutMs: 300 })).type).toBe('fail');

  await network.heal();
  expect(cutsIn(await network.observe())).toEqual([]);
});
