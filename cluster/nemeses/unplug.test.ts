import { describe, expect, it } from 'vitest';
import { latency } from './link.ts';
import { begin, end, FakeCluster } from './testing.ts';
import type { ContainerLie } from './testing-containers.ts';
import { unplug } from './unplug.ts';

describe('unplug', () => {
  it('is shown by the engine and by the silence of the node, and so is its end', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = unplug();
    expect(await begin(nemesis, cluster, { target: 'leader' })).toEqual({
      stage: 'begin',
      fault: 'unplug',
      text: 'unplug n2 (leader)',
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: 'off the network, and silent to clients' } },
    });
    expect([...(cluster.board.hit.get('unplug') ?? [])]).toEqual(['n2']);
    expect([...(cluster.board.links.get('unplug') ?? [])].toSorted()).toEqual([
      'n1>n2',
      'n2>n1',
      'n2>n3',
      'n3>n2',
    ]);
    expect((await end(nemesis, cluster)).evidence).toEqual({
      result: 'installed',
      probe: { n2: 'on the network' },
    });
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it.each<readonly [ContainerLie, string]>([
    ['install', 'n1 should be unplugged, but is on the network'],
    ['no-effect', 'n1 is unplugged, and still answers clients'],
    ['install-throws-on-n1', 'the engine will not have it on n1'],
  ])('that did not take effect (%s) has failed', async (lie, why) => {
    const cluster = new FakeCluster(3);
    cluster.plugs.lies.add(lie);
    const nemesis = unplug();
    const { evidence } = await begin(nemesis, cluster, { target: ['n1'] });
    expect(evidence).toEqual({ result: 'failed', why });
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it.each<ContainerLie>(['undo', 'undo-throws'])('that stays (%s) has not ended', async (lie) => {
    const cluster = new FakeCluster(3);
    const nemesis = unplug();
    await begin(nemesis, cluster, { target: ['n1'] });
    cluster.plugs.lies.add(lie);
    expect((await end(nemesis, cluster)).evidence.result).toBe('failed');
    cluster.plugs.lies.clear();
    const healed = await cluster.clock.run(nemesis.heal(cluster.context(1)));
    expect(healed.result).toBe(lie === 'undo' ? 'failed' : 'installed');
  });

  it('is no sign against a fault on the same links', async () => {
    const cluster = new FakeCluster(3);
    const links = latency();
    expect((await begin(links, cluster, { target: ['n1'] })).evidence.result).toBe('installed');
    await begin(unplug(), cluster, { target: ['n1'] });
    expect((await end(links, cluster)).evidence.result).toBe('installed');
  });

  it('is not to be had where nodes have no plug', () => {
    const { plugs, ...bare } = new FakeCluster(3).cluster();
    expect(plugs).toBeDefined();
    expect(unplug().available(bare)).toContain('--backend docker');
    expect(unplug().available(new FakeCluster(3).cluster())).toBe(true);
  });
});
