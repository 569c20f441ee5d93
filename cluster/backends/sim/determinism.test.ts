import { expect, test } from 'vitest';
import { withListeners } from './testing.ts';
import { playScenario } from './testing-scenario.ts';

test('a seed is a run: the same events at the same times, every time', async () => {
  const digests = new Set<string>();
  for (let seed = 1; seed <= 10; seed++) {
    const first = await playScenario(seed);
    expect(first.events).toBeGreaterThan(500);
    expect(await playScenario(seed)).toEqual(first);
    digests.add(first.digest);
  }
  expect(digests.size).toBe(10);
});

test('what is only looked at changes nothing', async () => {
  const quiet = { loss: 0, duplication: 0 };
  const seen = await playScenario(3, quiet, ({ world }) => {
    void world.network.installed();
    for (const node of ['n1', 'n2']) void world.processes.state(node);
    void world.disk('n1').files();
  });
  expect(seen).toEqual(await playScenario(3, quiet));
});

/** When the messages of n3 to n2 arrive, one a millisecond, in a world of chance. */
async function arrivals(
  meddle: (nodes: Parameters<Parameters<typeof withListeners>[1]>[0]) => unknown,
): Promise<number[]> {
  const times: number[] = [];
  const latency = { kind: 'exponential', minMs: 0.1, meanMs: 2 } as const;
  await withListeners({ latency, clientLatency: latency, syncMs: latency }, async (nodes) => {
    const start = nodes.nowMs();
    meddle(nodes);
    for (let i = 0; i < 50; i++) {
      nodes.at('n3').host.net.send('n2', `${i}`);
      await nodes.wait(1);
    }
    await nodes.wait(50);
    const { heard, heardMs } = nodes.at('n2');
    for (const [at, text] of heard.entries())
      if (text.startsWith('n3:')) times.push((heardMs[at] ?? 0) - start);
  });
  return times;
}

test('streams of chance are apart: what one draws does not shift another', async () => {
  const alone = await arrivals(() => undefined);
  expect(new Set(alone).size).toBeGreaterThan(20);
  const disturbed = await arrivals((nodes) => {
    const { world, clock } = nodes;
    for (let ms = 1; ms < 40; ms += 3)
      clock.timer(ms, () => {
        nodes.at('n1').host.net.send('n2', 'other link');
        nodes.at('n2').host.net.send('n3', 'other way');
        nodes.at('n3').host.random.float();
        void world.call('n2', () => Promise.resolve(), 50);
        void world.network.observe();
        void nodes
          .at('n2')
          .host.disk.open(`file-${ms}`)
          .then((file) => file.sync());
      });
    void world.network.shape(
      { from: 'n1', to: 'n2' },
      { kind: 'latency', latencyMs: 5, jitterMs: 5 },
    );
    clock.timer(20, () => void world.processes.kill('n1'));
    clock.timer(25, () => void world.processes.start('n1'));
  });
  expect(disturbed).toEqual(alone);
});
