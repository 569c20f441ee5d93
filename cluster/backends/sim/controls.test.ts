import { describe, expect, test } from 'vitest';
import { type Clock, sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { DiskControl } from '../../../harness/protocols/machines.ts';
import { clockControl, diskControl } from './controls.ts';
import { withListeners } from './testing.ts';
import { SimWorld } from './world.ts';

describe('the disks of a world', () => {
  test('tell a probe what is wrong with them, and nothing when it is over', () =>
    withListeners({}, async ({ world }) => {
      const disks = diskControl(world, ['n1', 'n2', 'n3']);
      expect(await disks.probe('n1')).toEqual({ syncMs: 1 });
      const undos = [
        await disks.slow('n1', 40),
        await disks.failSync('n2'),
        await disks.fill('n3', 500_000),
      ];
      expect(await disks.probe('n1')).toEqual({ syncMs: 41 });
      expect(await disks.probe('n2')).toEqual({ syncMs: 1, error: 'EIO' });
      expect(await disks.probe('n3')).toEqual({ syncMs: 1, error: 'ENOSPC' });
      expect(await disks.installed()).toEqual([
        'slow-disk.0:n1',
        'failing-sync.0:n2',
        'full-disk.0:n3',
      ]);
      for (const undo of undos) await undo();
      for (const node of ['n1', 'n2', 'n3']) expect(await disks.probe(node)).toEqual({ syncMs: 1 });
      expect(await disks.installed()).toEqual([]);
    }));

  test('are not changed by a probe', () =>
    withListeners({}, async (nodes) => {
      const disks = diskControl(nodes.world, ['n1']);
      await disks.fill('n1', 10);
      const file = await nodes.at('n1').host.disk.open('log');
      await disks.probe('n1');
      file.append([Buffer.from('0123456789')]);
      expect(() => file.append([Buffer.from('a')])).toThrow('ENOSPC');
      expect(await nodes.world.disk('n1').files()).toEqual([{ name: 'log', size: 10 }]);
    }));

  test('answer a probe whatever becomes of the node', () =>
    withListeners({}, async (nodes) => {
      const probing = diskControl(nodes.world, ['n1']).probe('n1');
      await nodes.wait(0.5);
      await nodes.world.powerFailure(['n1']);
      expect(await probing).toEqual({ syncMs: 1 });
    }));
});

interface Writers {
  readonly world: SimWorld<string>;
  readonly disks: DiskControl;
  readonly clock: Clock;
  readonly lives: readonly string[];
}

/** A node that writes and syncs every ten milliseconds, and ends when it cannot. */
function withWriters(
  says: (error: unknown) => string,
  scenario: (writers: Writers) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const lives: string[] = [];
  const world = new SimWorld<string>({
    clock,
    random: Random.stream(seedFrom(1), 'world'),
    log: silentLog,
    nodes: ['n1'],
    program: async ({ node, disk, clock: own }) => {
      lives.push(node);
      const file = await disk.open('log');
      const ended = (async () => {
        for (;;) {
          try {
            file.append([Buffer.from('x')]);
            await file.sync();
          } catch (error) {
            return says(error);
          }
          await sleep(own, 10);
        }
      })();
      return { api: node, serving: Promise.resolve(), ended };
    },
  });
  const play = async (): Promise<void> => {
    await using owned = world;
    await owned.start();
    await owned.ready(1000);
    await scenario({ world, disks: diskControl(world, ['n1']), clock, lives });
  };
  return clock.run(play());
}

describe('a node that ends because its disk failed', () => {
  const honest = (error: unknown): string => `its disk failed: ${String(error)}`;

  test('has not crashed, and is started again when the disk is well', () =>
    withWriters(honest, async ({ world, disks, clock, lives }) => {
      for (const fail of [() => disks.failSync('n1'), () => disks.fill('n1', 3)]) {
        const undo = await fail();
        await sleep(clock, 200);
        expect(await world.processes.state('n1')).toEqual({ state: 'gone' });
        await undo();
        await world.ready(1000);
      }
      expect(lives).toHaveLength(3);
      expect(world.crashed()).toEqual([]);
    }));

  test('waits until nothing makes its disk fail any more', () =>
    withWriters(honest, async ({ world, disks, clock }) => {
      const undos = [await disks.failSync('n1'), await disks.fill('n1', 0)];
      await sleep(clock, 200);
      await undos[0]?.();
      await sleep(clock, 200);
      expect(await world.processes.state('n1')).toEqual({ state: 'gone' });
      await undos[1]?.();
      await world.ready(1000);
    }));

  test('is started again though it heard of it late, since it was paused', () =>
    withWriters(honest, async ({ world, disks, clock, lives }) => {
      await disks.slow('n1', 100);
      await sleep(clock, 150);
      const undo = await disks.failSync('n1');
      await world.processes.pause('n1');
      await sleep(clock, 300);
      await undo();
      expect(lives).toHaveLength(1);
      await world.processes.resume('n1');
      await sleep(clock, 300);
      expect(lives).toHaveLength(2);
      await world.ready(1000);
      expect(world.crashed()).toEqual([]);
    }));

  test('is left to whoever killed it meanwhile', () =>
    withWriters(honest, async ({ world, disks, clock, lives }) => {
      const undo = await disks.failSync('n1');
      await sleep(clock, 200);
      await world.powerFailure(['n1']);
      await undo();
      await sleep(clock, 200);
      expect(await world.processes.state('n1')).toEqual({ state: 'gone' });
      expect(lives).toHaveLength(1);
    }));

  test('has crashed if it ends for another reason, though the disk fails', () =>
    withWriters(
      () => 'confused',
      async ({ world, disks, clock }) => {
        await disks.failSync('n1');
        await sleep(clock, 200);
        expect(world.crashed()).toEqual([{ node: 'n1', how: 'confused' }]);
      },
    ));
});

test("a node's clock is set against the world's, however wrong it had gone before", () =>
  withListeners({}, async (nodes) => {
    const { world, clock } = nodes;
    const clocks = clockControl(world, clock);
    const aheadMs = async (): Promise<number> => {
      const { nodeMs, worldMs } = await clocks.read('n1');
      return Math.round(nodeMs - worldMs);
    };
    await clocks.skew('n1', { offsetMs: 500, rate: 2 });
    expect(await aheadMs()).toBe(500);
    await nodes.wait(100);
    expect(await aheadMs()).toBe(600);
    await clocks.skew('n1', { offsetMs: -300, rate: 0.5 });
    expect(await aheadMs()).toBe(-300);
    const before = nodes.at('n1').host.clock.now();
    await nodes.wait(100);
    expect(msFromNanos(nodes.at('n1').host.clock.now() - before)).toBe(50);
    await clocks.skew('n1', { offsetMs: 0, rate: 1 });
    await nodes.wait(100);
    expect(await aheadMs()).toBe(0);
  }));
