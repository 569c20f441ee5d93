import { expect, test } from 'vitest';
import { realClock, sleep } from '../../../harness/core/clock.ts';
import type { UndoFault } from '../../../harness/protocols/machines.ts';
import type { Cluster, RegisterApi } from '../../../harness/protocols/system.ts';
import { describeWith } from '../../../test/requires.ts';
import { etcd } from '../../systems/etcd.ts';
import { type Deployed, deployed } from '../../systems/testing.ts';

const clock = realClock();
const LOOKS_MAX = 300;
const BETWEEN_LOOKS_MS = 200;

async function eventually<T>(look: () => Promise<T>, good: (seen: T) => boolean): Promise<T> {
  for (let looks = 1; ; looks++) {
    const seen = await look();
    if (good(seen) || looks === LOOKS_MAX) return seen;
    await sleep(clock, BETWEEN_LOOKS_MS);
  }
}

function has<T>(part: T | undefined): T {
  expect.assert(part !== undefined);
  return part;
}

/** More than garbage that is collected gives back: each value stays in the nodes' memory. */
const VALUE = 'x'.repeat(65_536);

/** Keeps the cluster busy while `act` goes on: who has nothing to do meets no limit. */
async function underLoad<T>(cluster: Cluster, act: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const connections = await Promise.all(cluster.nodes.map((node) => cluster.open(node)));
  const busy = connections.map(async ({ apis }, at) => {
    for (let i = 0; !over.signal.aborted; i++) {
      const register: RegisterApi = has(apis.register);
      await register.write(`k${at}-${i}`, VALUE, { timeoutMs: 500 });
      await sleep(clock, 5);
    }
  });
  try {
    return await act();
  } finally {
    over.abort();
    await Promise.all(busy);
    for (const connection of connections) await connection[Symbol.asyncDispose]();
  }
}

async function answers(cluster: Cluster, node: string): Promise<boolean> {
  const roles = await cluster.roles();
  return roles.some((role) => role.node === node && role.state === 'answered');
}

const answersAgain = (cluster: Cluster, node: string): Promise<boolean> =>
  eventually(() => answers(cluster, node), Boolean);

function three(options: Readonly<Record<string, string>> = {}): Promise<Deployed> {
  return deployed(etcd, 3, options, 'docker');
}

describeWith('engine', 'machines that are containers', () => {
  test('are slowed by a limit of processors, and told how often they waited', async () => {
    await using run = await three();
    const { cluster } = run;
    const resources = has(cluster.resources);
    expect(await resources.usage('n1')).toMatchObject({ cpuLimit: 0, memoryLimitBytes: 0 });
    const { throttled: before } = await resources.usage('n1');
    const undo = await resources.squeezeCpu('n1', 0.02);
    expect(await resources.installed()).toEqual(['cpu limit of n1: 0.02']);
    const squeezed = await underLoad(cluster, () =>
      eventually(
        () => resources.usage('n1'),
        ({ throttled }) => throttled > before,
      ),
    );
    expect(squeezed.cpuLimit).toBe(0.02);
    expect(squeezed.throttled).toBeGreaterThan(before);
    await undo();
    expect(await resources.usage('n1')).toMatchObject({ cpuLimit: 0 });
    expect(await resources.installed()).toEqual([]);
    expect(cluster.crashed()).toEqual([]);
  });

  test('end for lack of memory, which is no crash, and run again when they have it back', async () => {
    await using run = await three({ memory: '512m', cpus: '1.5' });
    const { cluster } = run;
    const resources = has(cluster.resources);
    const limits = { cpuLimit: 1.5, memoryLimitBytes: 512 * 2 ** 20 };
    expect(await resources.usage('n2')).toMatchObject(limits);
    const undos: UndoFault[] = [];
    const ended = await underLoad(cluster, () =>
      eventually(
        async () => {
          undos.push(await resources.squeezeMemory('n2'));
          return await resources.usage('n2');
        },
        ({ ranOutOfMemory }) => ranOutOfMemory,
      ),
    );
    expect(ended.ranOutOfMemory).toBe(true);
    expect(await resources.installed()).toHaveLength(1);
    expect(await has(cluster.processes).state('n2')).toEqual({ state: 'gone' });
    const undoCpu = await resources.squeezeCpu('n2', 0.5);
    await undoCpu();
    for (const undo of undos.toReversed()) await undo();
    expect(await answersAgain(cluster, 'n2')).toBe(true);
    expect(await resources.usage('n2')).toMatchObject({ ...limits, ranOutOfMemory: false });
    expect(await resources.installed()).toEqual([]);
    expect(cluster.crashed()).toEqual([]);
  });

  test('come back under their address when they were unplugged', async () => {
    await using run = await three();
    const { cluster } = run;
    const plugs = has(cluster.plugs);
    const undo = await plugs.pull('n3');
    expect(await plugs.isPlugged('n3')).toBe(false);
    expect(await plugs.installed()).toEqual(['n3 is unplugged']);
    expect(await answers(cluster, 'n3')).toBe(false);
    expect(await answersAgain(cluster, 'n1')).toBe(true);
    // One that starts without a network has its address all the same.
    const processes = has(cluster.processes);
    await processes.kill('n3');
    await processes.start('n3');
    await sleep(clock, 1_000);
    expect(await processes.state('n3')).toMatchObject({ state: 'running' });
    await undo();
    await undo();
    expect(await plugs.installed()).toEqual([]);
    expect(await answersAgain(cluster, 'n3')).toBe(true);
    await cluster.ready(20_000);
    expect(await has(cluster.network).installed()).toEqual([]);
    expect(cluster.crashed()).toEqual([]);
  });

  test('drop the packets of those they are told to, and count them', async () => {
    await using run = await three();
    const { cluster } = run;
    const packets = has(cluster.packets);
    expect(await packets.dropped('n1')).toBe(0);
    const undo = await packets.drop('n1', ['n2', 'n3']);
    expect(await packets.installed()).toHaveLength(2);
    const dropped = await eventually(
      () => packets.dropped('n1'),
      (count) => count > 3,
    );
    expect(dropped).toBeGreaterThan(3);
    expect(await packets.dropped('n2')).toBe(0);
    const led = await eventually(
      () => cluster.roles(),
      (roles) => roles.some(({ node, role }) => node !== 'n1' && role === 'leader'),
    );
    expect(led.some(({ node, role }) => node !== 'n1' && role === 'leader')).toBe(true);
    await undo();
    await undo();
    expect(await packets.installed()).toEqual([]);
    await cluster.ready(30_000);
    expect(cluster.crashed()).toEqual([]);
  });

  test('have a disk that can be filled, which their node does not survive, and emptied', async () => {
    await using run = await three({ 'data-size': '192m' });
    const { cluster } = run;
    const disks = has(cluster.disks);
    expect([...disks.can]).toEqual(['fill']);
    expect(await disks.probe('n1')).toEqual({});
    await expect(disks.slow('n1', 5)).rejects.toMatchObject({ code: 'unsupported' });
    const undo = await disks.fill('n1', 4_096);
    expect(await disks.probe('n1')).toEqual({ error: 'ENOSPC' });
    expect(await disks.probe('n2')).toEqual({});
    expect(await disks.installed()).toEqual(['disk of n1 is full']);
    const state = await underLoad(cluster, () =>
      eventually(
        () => has(cluster.processes).state('n1'),
        (seen) => seen.state === 'gone',
      ),
    );
    expect(state).toEqual({ state: 'gone' });
    await undo();
    await undo();
    expect(await disks.probe('n1')).toEqual({});
    expect(await disks.installed()).toEqual([]);
    expect(await answersAgain(cluster, 'n1')).toBe(true);
    expect(cluster.crashed()).toEqual([]);
  });

  test('without a disk of their own have none that can be filled', async () => {
    await using run = await deployed(etcd, 1, {}, 'docker');
    expect(run.cluster.disks).toBeUndefined();
  });
});
