import { describe, expect, it } from 'vitest';
import { dropPackets } from './drop-packets.ts';
import { kill } from './kill.ts';
import type { Direction } from './options.ts';
import { begin, end, FakeCluster } from './testing.ts';
import type { ContainerLie } from './testing-containers.ts';

describe('drop-packets', () => {
  it.each<readonly [Direction, string, readonly string[], Record<string, number>]>([
    ['in', 'drop packets to n2 (leader)', ['n2 from n1,n3'], { n2: 2 }],
    ['out', 'drop packets from n2 (leader)', ['n1 from n2', 'n3 from n2'], { n1: 2, n3: 2 }],
    [
      'both',
      'drop all packets of n2 (leader)',
      ['n1 from n2', 'n2 from n1,n3', 'n3 from n2'],
      { n1: 2, n2: 2, n3: 2 },
    ],
  ])(
    '%s: is done where they arrive, and counted there',
    async (direction, text, asked, dropped) => {
      const cluster = new FakeCluster(3);
      const nemesis = dropPackets();
      const begun = await begin(nemesis, cluster, { target: 'leader', direction });
      expect(begun).toEqual({
        stage: 'begin',
        fault: 'drop-packets',
        text,
        targets: ['n2'],
        evidence: { result: 'installed', probe: { dropped } },
      });
      expect(cluster.packets.asked).toEqual(asked);
      expect([...(cluster.board.hit.get('drop-packets') ?? [])]).toEqual(['n2']);
      expect((await end(nemesis, cluster)).evidence).toEqual({
        result: 'installed',
        probe: { rules: 0 },
      });
      expect(await cluster.clock.run(cluster.damage())).toEqual([]);
    },
  );

  it('among all, from each to each', async () => {
    const cluster = new FakeCluster(3);
    const { evidence } = await begin(dropPackets(), cluster, { target: 'all', direction: 'out' });
    expect(evidence.result).toBe('installed');
    expect(cluster.packets.asked).toEqual(['n1 from n2,n3', 'n2 from n1,n3', 'n3 from n1,n2']);
  });

  it.each<readonly [ContainerLie, string]>([
    ['install', 'no packet was dropped at n1 within 8000 ms'],
    ['no-effect', 'no packet was dropped at n1 within 8000 ms'],
    ['install-throws-on-n1', 'the engine will not have it on n1'],
  ])('that did not take effect (%s) has failed', async (lie, why) => {
    const cluster = new FakeCluster(3);
    cluster.packets.lies.add(lie);
    const nemesis = dropPackets();
    const { evidence } = await begin(nemesis, cluster, { target: ['n1'], direction: 'both' });
    expect(evidence).toEqual({ result: 'failed', why });
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('that other faults left no packets for has proven nothing', async () => {
    const cluster = new FakeCluster(3);
    await begin(kill(), cluster, { target: ['n1'] });
    cluster.packets.lies.add('no-effect');
    const { evidence } = await begin(dropPackets(), cluster, { target: ['n1'], direction: 'in' });
    expect(evidence).toEqual({
      result: 'skipped',
      why: 'no packet was dropped at n1 within 8000 ms: other faults hold the nodes',
    });
  });

  it.each<ContainerLie>(['undo', 'undo-throws'])('that stays (%s) has not ended', async (lie) => {
    const cluster = new FakeCluster(3);
    const nemesis = dropPackets();
    await begin(nemesis, cluster, { target: ['n1'] });
    cluster.packets.lies.add(lie);
    expect((await end(nemesis, cluster)).evidence.result).toBe('failed');
    cluster.packets.lies.clear();
    const healed = await cluster.clock.run(nemesis.heal(cluster.context(1)));
    expect(healed.result).toBe(lie === 'undo' ? 'failed' : 'installed');
  });

  it('is not to be had without a network that drops, or for one node alone', () => {
    const { packets, ...bare } = new FakeCluster(3).cluster();
    expect(packets).toBeDefined();
    expect(dropPackets().available(bare)).toContain('--backend docker');
    expect(dropPackets().available(new FakeCluster(1).cluster())).toContain('alone');
    expect(dropPackets().available(new FakeCluster(3).cluster())).toBe(true);
  });

  it('knows no fourth direction', () => {
    expect(() => dropPackets().check?.({ direction: 'up' }, 'f.json')).toThrow('direction: "up"');
  });
});
