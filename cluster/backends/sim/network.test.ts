import { describe, expect, test } from 'vitest';
import type { Grudge } from '../../../harness/protocols/network.ts';
import { completeGrudge, oneWay } from '../../network/grudge.ts';
import { type Listeners, withListeners } from './testing.ts';

const toSecond: Grudge = oneWay(['n1'], ['n2']);
const link = { from: 'n1', to: 'n2' } as const;

function say(nodes: Listeners, from: string, to: string, ...texts: readonly string[]): boolean[] {
  return texts.map((text) => nodes.at(from).host.net.send(to, text));
}

async function stateOf({ world }: Listeners, from: string, to: string): Promise<string> {
  const matrix = await world.network.observe();
  const found = matrix.find((each) => each.from === from && each.to === to);
  return found?.reason === undefined ? `${found?.state}` : `${found.state}: ${found.reason}`;
}

test('messages take the time of their link and stay in order', () =>
  withListeners({ latency: { kind: 'uniform', minMs: 1, maxMs: 50 } }, async (nodes) => {
    const start = nodes.nowMs();
    for (let i = 0; i < 20; i++) {
      say(nodes, 'n1', 'n2', `${i}`);
      await nodes.wait(1);
    }
    await nodes.wait(100);
    expect(nodes.at('n2').heard).toEqual(Array.from({ length: 20 }, (_, i) => `n1:${i}`));
    const [first = 0] = nodes.at('n2').heardMs;
    expect(first - start).toBeGreaterThanOrEqual(1);
    expect(nodes.at('n3').heard).toEqual([]);
  }));

test('messages of different streams may overtake each other', () =>
  withListeners(
    { latency: ({ from }) => ({ kind: 'constant', ms: from === 'n1' ? 10 : 2 }) },
    async (nodes) => {
      say(nodes, 'n1', 'n2', 'slow');
      say(nodes, 'n3', 'n2', 'fast');
      await nodes.wait(20);
      expect(nodes.at('n2').heard).toEqual(['n3:fast', 'n1:slow']);
    },
  ));

test('what is sent in one moment arrives in one event', () =>
  withListeners({}, async (nodes) => {
    say(nodes, 'n1', 'n2', 'a', 'b', 'c');
    await nodes.wait(5);
    expect(nodes.at('n2').heard).toEqual(['n1:a', 'n1:b', 'n1:c']);
    expect(nodes.digest.lines.filter((line) => line.includes('deliver'))).toHaveLength(1);
  }));

test('a cut swallows one direction in silence, and breaks the stream when it is healed', () =>
  withListeners({}, async (nodes) => {
    say(nodes, 'n1', 'n2', 'under way');
    await nodes.world.network.drop(toSecond);
    expect(say(nodes, 'n1', 'n2', 'lost')).toEqual([true]);
    say(nodes, 'n2', 'n1', 'the other way');
    await nodes.wait(50);
    expect(nodes.at('n2').heard).toEqual([]);
    expect(nodes.at('n1').heard).toEqual(['n2:the other way']);
    expect(nodes.at('n1').broken).toEqual([]);
    await nodes.world.network.undrop(toSecond);
    await nodes.wait(1);
    expect([nodes.at('n1').broken, nodes.at('n2').broken]).toEqual([['n2'], ['n1']]);
    say(nodes, 'n1', 'n2', 'anew');
    await nodes.wait(5);
    expect(nodes.at('n2').heard).toEqual(['n1:anew']);
  }));

test('a link that two faults cut is open only after both are undone', () =>
  withListeners({}, async (nodes) => {
    const { network } = nodes.world;
    await network.drop(toSecond);
    await network.drop(completeGrudge([['n1'], ['n2', 'n3']]));
    await network.undrop(toSecond);
    expect(await stateOf(nodes, 'n1', 'n2')).toBe('cut: no byte of n1 reaches n2');
    expect(await network.installed()).toEqual(['cut:n1>n2', 'cut:n1>n3', 'cut:n2>n1', 'cut:n3>n1']);
    await network.heal();
    expect(await network.installed()).toEqual([]);
    expect(await stateOf(nodes, 'n1', 'n2')).toBe('open');
  }));

test('a held link keeps everything and releases it in order, on the same stream', () =>
  withListeners({}, async (nodes) => {
    say(nodes, 'n1', 'n2', 'before');
    await nodes.wait(5);
    const release = await nodes.world.network.shape(link, { kind: 'hold' });
    for (const text of ['1', '2', '3']) {
      say(nodes, 'n1', 'n2', text);
      await nodes.wait(5);
    }
    expect(await stateOf(nodes, 'n1', 'n2')).toContain('cut');
    expect(nodes.at('n2').heard).toEqual(['n1:before']);
    await release();
    say(nodes, 'n1', 'n2', 'after');
    await nodes.wait(5);
    expect(nodes.at('n2').heard).toEqual(['n1:before', 'n1:1', 'n1:2', 'n1:3', 'n1:after']);
    expect(nodes.at('n1').broken).toEqual([]);
  }));

test('latency adds to one direction, and a round trip shows it', () =>
  withListeners({}, async (nodes) => {
    const { network } = nodes.world;
    const rtt = async (): Promise<number | undefined> =>
      (await network.observe()).find(({ from, to }) => from === 'n1' && to === 'n2')?.rttMs;
    expect(await rtt()).toBe(2);
    const undo = await network.shape(link, { kind: 'latency', latencyMs: 100, jitterMs: 10 });
    const slow = await rtt();
    expect(slow).toBeGreaterThanOrEqual(92);
    expect(slow).toBeLessThanOrEqual(112);
    say(nodes, 'n1', 'n2', 'slow');
    say(nodes, 'n2', 'n1', 'fast');
    await nodes.wait(10);
    expect([nodes.at('n1').heard, nodes.at('n2').heard]).toEqual([['n2:fast'], []]);
    await nodes.wait(110);
    expect(nodes.at('n2').heard).toEqual(['n1:slow']);
    await undo();
    expect(await rtt()).toBe(2);
  }));

test('a black hole swallows, and breaks the stream when it is taken away', () =>
  withListeners({}, async (nodes) => {
    say(nodes, 'n1', 'n2', 'before');
    await nodes.wait(5);
    const undo = await nodes.world.network.shape(link, { kind: 'blackhole' });
    expect(say(nodes, 'n1', 'n2', 'lost')).toEqual([true]);
    expect(await stateOf(nodes, 'n1', 'n2')).toContain('cut');
    await undo();
    await nodes.wait(5);
    expect(nodes.at('n2').heard).toEqual(['n1:before']);
    expect(nodes.at('n1').broken).toEqual(['n2']);
  }));

test('a reset breaks the stream after its first messages, again and again', () =>
  withListeners({ latency: { kind: 'constant', ms: 8 } }, async (nodes) => {
    const undo = await nodes.world.network.shape(link, { kind: 'reset', afterMs: 10 });
    for (let i = 0; i < 30; i++) {
      say(nodes, 'n1', 'n2', `${i}`);
      await nodes.wait(1);
    }
    await nodes.wait(30);
    const { heard } = nodes.at('n2');
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.length).toBeLessThan(20);
    expect(nodes.at('n1').broken.length).toBeGreaterThanOrEqual(2);
    await undo();
    say(nodes, 'n1', 'n2', 'well');
    await nodes.wait(20);
    expect(nodes.at('n2').heard.at(-1)).toBe('n1:well');
  }));

test('refuses what it cannot do', () =>
  withListeners({}, async ({ world }) => {
    expect(world.network.can.has('bandwidth')).toBe(false);
    expect(() => world.network.shape(link, { kind: 'bandwidth', rateKBps: 1 })).toThrow(
      'bandwidth on n1>n2: the simulator',
    );
    expect(() => world.network.drop(oneWay(['n9'], ['n1']))).toThrow("from 'n9' to 'n1'");
  }));

test('a probe tells a dead node and a silent one from a cut link', () =>
  withListeners({}, async (nodes) => {
    const { network, processes } = nodes.world;
    await network.drop(oneWay(['n1'], ['n2', 'n3']));
    await processes.kill('n2');
    await processes.pause('n3');
    expect(await stateOf(nodes, 'n1', 'n2')).toBe('unknown: n2 is down');
    expect(await stateOf(nodes, 'n1', 'n3')).toBe('cut: no byte of n1 reaches n3');
    expect(await stateOf(nodes, 'n2', 'n3')).toBe('unknown: n3 is silent');
    expect(await stateOf(nodes, 'n2', 'n1')).toBe('open');
    expect(nodes.at('n1').heard).toEqual([]);
  }));

test('one-way cuts are told apart by the probes', () =>
  withListeners({}, async (nodes) => {
    await nodes.world.network.drop(toSecond);
    const start = nodes.nowMs();
    expect(await stateOf(nodes, 'n1', 'n2')).toContain('cut');
    expect(await stateOf(nodes, 'n2', 'n1')).toBe('open');
    expect(nodes.nowMs() - start).toBe(600);
    await nodes.world.network.heal();
    expect(await stateOf(nodes, 'n1', 'n2')).toBe('open');
    expect(nodes.nowMs() - start).toBe(602);
  }));

test('messages are lost and doubled as often as was asked for', () =>
  withListeners({ loss: 0.2, duplication: 0.3 }, async (nodes) => {
    for (let i = 0; i < 500; i++) {
      say(nodes, 'n1', 'n2', `${i}`);
      await nodes.wait(0.1);
    }
    await nodes.wait(10);
    const { heard } = nodes.at('n2');
    const once = new Set(heard).size;
    expect(once).toBeGreaterThan(350);
    expect(once).toBeLessThan(450);
    expect(heard.length - once).toBeGreaterThan(70);
    expect(heard.length - once).toBeLessThan(180);
  }));

describe('a latency of all links', () => {
  const far = { latencyMs: 40 };

  test('is on top of what each link takes, and nobody is far from itself', () =>
    withListeners({ ...far, nodes: ['n1', 'n2'] }, async (nodes) => {
      const start = nodes.nowMs();
      say(nodes, 'n1', 'n2', 'there');
      say(nodes, 'n1', 'n1', 'here');
      await nodes.wait(60);
      expect(nodes.at('n2').heardMs.map((ms) => ms - start)).toEqual([41]);
      expect(nodes.at('n1').heardMs.map((ms) => ms - start)).toEqual([1]);
    }));

  test('leaves the way of clients alone', () =>
    withListeners(far, async (nodes) => {
      const start = nodes.nowMs();
      await nodes.world.call('n2', () => Promise.resolve(), 1000);
      expect(nodes.nowMs() - start).toBe(2);
    }));

  test('is no fault: it is not listed, stays through a heal, and faults come on top', () =>
    withListeners({ ...far, latency: { kind: 'exponential', minMs: 1, meanMs: 2 } }, (nodes) =>
      staysThroughHeal(nodes),
    ));

  test('of more than a probe waits is waited for', () =>
    withListeners({ latencyMs: 1000 }, async (nodes) => {
      expect((await nodes.world.network.observe()).map(({ state }) => state)).toEqual(
        Array.from({ length: 6 }, () => 'open'),
      );
      await nodes.world.network.drop(toSecond);
      expect(await stateOf(nodes, 'n1', 'n2')).toBe('cut: no byte of n1 reaches n2');
    }));
});

async function staysThroughHeal(nodes: Listeners): Promise<void> {
  const { network } = nodes.world;
  const rttMs = async (): Promise<number> => {
    const matrix = await network.observe();
    return matrix.find(({ from, to }) => from === 'n1' && to === 'n2')?.rttMs ?? 0;
  };
  expect(network.latencyMs).toBe(40);
  expect(await network.installed()).toEqual([]);
  expect(await rttMs()).toBeGreaterThanOrEqual(82);
  await network.shape(link, { kind: 'latency', latencyMs: 500, jitterMs: 0 });
  expect(await rttMs()).toBeGreaterThanOrEqual(582);
  await network.drop(oneWay(['n2'], ['n3']));
  await network.heal();
  expect(await network.installed()).toEqual([]);
  const healed = await rttMs();
  expect(healed).toBeGreaterThanOrEqual(82);
  expect(healed).toBeLessThan(200);
}
