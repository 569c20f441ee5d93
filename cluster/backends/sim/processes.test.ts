import { expect, test } from 'vitest';
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { oneWay } from '../../network/grudge.ts';
import { type Listeners, withListeners } from './testing.ts';
import { SimWorld } from './world.ts';

/** Notes every ten milliseconds of a node's own time that it runs. */
function beat(nodes: Listeners, node: string): number[] {
  const { clock } = nodes.at(node).host;
  const beats: number[] = [];
  const again = (): void => {
    beats.push(Math.round(nodes.nowMs()));
    clock.timer(10, again);
  };
  clock.timer(10, again);
  return beats;
}

test('a killed node never runs again: no timer, no message, no disk, no promise', () =>
  withListeners({}, async (nodes) => {
    const { host, heard } = nodes.at('n1');
    const beats = beat(nodes, 'n1');
    const ran: string[] = [];
    const file = await host.disk.open('log');
    void sleep(host.clock, 30).then(() => ran.push('slept'));
    await nodes.wait(15);
    nodes.at('n2').host.net.send('n1', 'hello');
    void file.sync().then(() => ran.push('synced'));
    void host.clock.turn().then(() => ran.push('turned'));
    await nodes.world.processes.kill('n1');
    expect(host.net.send('n2', 'from the dead')).toBe(false);
    await nodes.world.processes.start('n1');
    await nodes.wait(200);
    expect(beats).toHaveLength(1);
    expect(heard).toEqual([]);
    expect(ran).toEqual([]);
    expect(nodes.at('n2').heard).toEqual([]);
    expect(nodes.at('n1').host).not.toBe(host);
    expect(await nodes.world.processes.state('n1')).toEqual({ state: 'running' });
    expect(nodes.world.crashed()).toEqual([]);
  }));

test('a paused node stands still, and catches up in order when it is resumed', () =>
  withListeners({}, async (nodes) => {
    const beats = beat(nodes, 'n1');
    const { host } = nodes.at('n1');
    const seen: string[] = [];
    host.net.receive((from, message) => {
      seen.push(`${from}:${String(message)}`);
      void Promise.resolve().then(() => seen.push('then'));
    });
    host.clock.timer(25, () => seen.push('timer'));
    const cancelled = host.clock.timer(26, () => seen.push('cancelled'));
    host.clock.timer(24, () => cancelled.cancel());
    await nodes.world.processes.pause('n1');
    const start = nodes.nowMs();
    nodes.at('n2').host.net.send('n1', 'a');
    await nodes.wait(50);
    nodes.at('n2').host.net.send('n1', 'b');
    await nodes.wait(50);
    expect([seen, beats]).toEqual([[], []]);
    expect(await nodes.world.processes.state('n1')).toEqual({ state: 'paused' });
    await nodes.world.processes.resume('n1');
    await nodes.wait(1);
    expect(seen).toEqual(['n2:a', 'then', 'timer', 'n2:b', 'then']);
    expect(beats.map((ms) => ms - Math.round(start))).toEqual([100]);
    await nodes.wait(10);
    expect(beats).toHaveLength(2);
  }));

test('what waits for a paused node is lost when it is killed', () =>
  withListeners({}, async (nodes) => {
    await nodes.world.processes.pause('n1');
    nodes.at('n2').host.net.send('n1', 'a');
    await nodes.wait(10);
    const { heard } = nodes.at('n1');
    await nodes.world.processes.kill('n1');
    await nodes.world.processes.resume('n1');
    await nodes.wait(10);
    expect(heard).toEqual([]);
    expect(await nodes.world.processes.state('n1')).toEqual({ state: 'gone' });
  }));

test('those who talked with a killed node are told, and then it refuses', () =>
  withListeners({}, async (nodes) => {
    const { net } = nodes.at('n2').host;
    nodes.at('n1').host.net.send('n3', 'to n3');
    net.send('n1', 'to n1');
    await nodes.wait(5);
    nodes.at('n1').host.net.send('n3', 'last words');
    await nodes.world.processes.kill('n1');
    expect(net.send('n1', 'lost on its way')).toBe(true);
    await nodes.wait(5);
    expect(nodes.at('n3').heard).toEqual(['n1:to n3', 'n1:last words']);
    expect([nodes.at('n2').broken, nodes.at('n3').broken]).toEqual([['n1'], ['n1']]);
    expect(net.send('n1', 'refused')).toBe(false);
    await nodes.world.processes.start('n1');
    await nodes.wait(5);
    expect(net.send('n1', 'anew')).toBe(true);
    await nodes.wait(5);
    expect(nodes.at('n1').heard).toEqual(['n2:anew']);
  }));

test('a node behind a cut does not tell that it died', () =>
  withListeners({}, async (nodes) => {
    nodes.at('n2').host.net.send('n1', 'hello');
    await nodes.wait(5);
    await nodes.world.network.drop(oneWay(['n1'], ['n2']));
    await nodes.world.processes.kill('n1');
    await nodes.wait(50);
    expect(nodes.at('n2').broken).toEqual([]);
    await nodes.world.network.heal();
    nodes.at('n2').host.net.send('n1', 'are you there');
    await nodes.wait(5);
    expect(nodes.at('n2').broken).toEqual(['n1']);
  }));

test('a machine without power says nothing, until it is on again', () =>
  withListeners({}, async (nodes) => {
    const { net } = nodes.at('n2').host;
    net.send('n1', 'hello');
    await nodes.wait(5);
    await nodes.world.powerFailure(['n1']);
    expect(net.send('n1', 'lost')).toBe(true);
    expect(await nodes.world.call('n1', () => Promise.resolve(1), 30)).toEqual({ type: 'timeout' });
    expect(nodes.at('n2').broken).toEqual([]);
    await nodes.world.processes.start('n1');
    await nodes.wait(5);
    expect(net.send('n1', 'an old stream')).toBe(true);
    await nodes.wait(5);
    expect(nodes.at('n2').broken).toEqual(['n1']);
    net.send('n1', 'a new one');
    await nodes.wait(5);
    expect(nodes.at('n1').heard).toEqual(['n2:a new one']);
  }));

test('a client is answered, refused, told of a loss, or waits in vain', () =>
  withListeners({}, async (nodes) => {
    const { world } = nodes;
    const start = nodes.nowMs();
    const name = await world.call('n1', ({ host }) => Promise.resolve(host.node), 100);
    expect(name).toEqual({ type: 'answer', value: 'n1' });
    expect(nodes.nowMs() - start).toBe(2);
    const never = new Promise<void>(() => undefined);
    const lost = world.call('n1', () => never, 1000);
    await nodes.wait(10);
    await world.processes.kill('n1');
    expect(await lost).toEqual({ type: 'lost' });
    expect(await world.call('n1', () => never, 100)).toEqual({ type: 'refused' });
    await world.processes.start('n1');
    expect(await world.call('n1', () => never, 50)).toEqual({ type: 'timeout' });
    expect(await world.call('n2', () => Promise.reject(new Error('no')), 50)).toEqual({
      type: 'lost',
    });
    await world.processes.pause('n2');
    const late = world.call('n2', ({ host }) => Promise.resolve(host.node), 1000);
    await nodes.wait(100);
    await world.processes.resume('n2');
    expect(await late).toEqual({ type: 'answer', value: 'n2' });
  }));

test("a node's clock may be ahead, fast or slow, and its timers with it", () =>
  withListeners({}, async (nodes) => {
    const { clock } = nodes.at('n1').host;
    const wall = clock.wallMs();
    nodes.world.skew('n1', { offsetMs: 500, rate: 1 });
    expect(clock.wallMs() - wall).toBe(500);
    const before = clock.now();
    nodes.world.skew('n1', { offsetMs: 0, rate: 2 });
    const start = nodes.nowMs();
    await sleep(clock, 100);
    expect(nodes.nowMs() - start).toBe(50);
    expect(clock.now() - before).toBe(100e6);
    const slept = sleep(clock, 100).then(() => nodes.nowMs());
    await nodes.wait(10);
    nodes.world.skew('n1', { offsetMs: 0, rate: 0.5 });
    expect((await slept) - start - 50).toBe(10 + 80 / 0.5);
    await nodes.world.processes.kill('n1');
    await nodes.world.processes.start('n1');
    await nodes.wait(5);
    const again = nodes.at('n1').host.clock;
    const from = again.now();
    await nodes.wait(10);
    expect(again.now() - from).toBe(5e6);
  }));

test('a node whose handler throws, or that cannot start, has crashed', async () => {
  const clock = new VirtualClock();
  const world = new SimWorld<string>({
    clock,
    random: Random.stream(seedFrom(1), 'world'),
    log: silentLog,
    nodes: ['n1', 'n2', 'n3'],
    program: async ({ node, net, clock: own }) => {
      if (node === 'n2') throw new Error('bad flag');
      net.receive(() => {
        throw new Error('not a message');
      });
      if (node === 'n3') void sleep(own, 60).then(() => net.send('n1', 'hello'));
      const ended = node === 'n3' ? sleep(own, 90).then(() => 'went home') : undefined;
      return { api: node, serving: Promise.resolve(), ...(ended !== undefined && { ended }) };
    },
  });
  await clock.run(
    (async () => {
      await world.start();
      await expect(world.ready(1000)).rejects.toThrow('n2 ended: could not start: bad flag');
      await sleep(clock, 200);
    })(),
  );
  expect(world.crashed().map(({ node, how }) => `${node} ${how}`)).toEqual(
    expect.arrayContaining([
      'n2 could not start: bad flag',
      'n1 threw: not a message',
      'n3 went home',
    ]),
  );
  expect(await world.processes.state('n1')).toEqual({ state: 'gone' });
});
