import { describe, expect, it } from 'vitest';
import { msFromNanos } from '../../harness/core/units.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { Network } from '../../harness/protocols/network.ts';
import { bandwidth, blackhole, hold, latency, link, reset, slowClose } from './link.ts';
import type { FaultOptions } from './options.ts';
import { begin, end, FakeCluster } from './testing.ts';

const installedOn = (cluster: FakeCluster): Promise<string[]> =>
  cluster.clock
    .run(cluster.network().installed())
    .then((names) => names.map((name) => name.split(' ').slice(0, 2).join(' ')));

describe('link faults', () => {
  it.each<[Nemesis, FaultOptions, string | RegExp, number]>([
    [latency(), {}, 'latency 100 ms on all links', 6],
    [latency(), { latency: '2el', jitter: '1s' }, 'latency 2000 ms ± 1000 ms on all links', 6],
    [bandwidth(), { target: 'leader' }, 'bandwidth 64 KB/s on all links of n2 (leader)', 4],
    [bandwidth(), { direction: 'out' }, /^bandwidth 64 KB.s on links from n\d( \(leader\))?$/, 2],
    [reset(), { target: ['n1'], after: '1hb' }, 'reset after 100 ms on all links of n1', 4],
    [slowClose(), { delay: '5s' }, 'slow close, 5000 ms on all links', 6],
    [hold(), { target: 'n1', direction: 'in' }, 'hold on links to n1', 2],
    [hold(), { target: ['n1', 'n2'] }, 'hold on all links of n1, n2', 6],
    [blackhole(), { from: 'n1', to: 'n3' }, 'blackhole on n1>n3', 1],
    [blackhole(), { to: 'n3' }, /^blackhole on n[12]>n3$/, 1],
    [blackhole(), { on: 'link' }, /^blackhole on n\d>n\d$/, 1],
    [latency(), { from: 'follower', to: 'leader' }, /^latency 100 ms on n[13]>n2$/, 1],
    [latency(), { from: 'leader', to: 'follower' }, /^latency 100 ms on n2>n[13]$/, 1],
    [latency(), { from: 'follower', to: 'follower' }, /^latency 100 ms on (n1>n3|n3>n1)$/, 1],
    [latency(), { from: 'n3', to: 'follower' }, 'latency 100 ms on n3>n1', 1],
    [hold(), { from: ['n1', 'n2'], to: 'n3' }, 'hold on links from n1, n2 to n3', 2],
    [latency(), { to: ['n1', 'n2'] }, 'latency 100 ms on links from all to n1, n2', 4],
  ])('%# %j', async (nemesis, options, text, links) => {
    const cluster = new FakeCluster(3);
    const value = await begin(nemesis, cluster, options, 3);
    expect(value).toMatchObject({ fault: nemesis.name, evidence: { result: 'installed' } });
    expect(value.text).toMatch(text);
    const names = await installedOn(cluster);
    expect(new Set(names).size).toBe(links);
    expect(names.every((name) => name.startsWith(nemesis.name))).toBe(true);
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await installedOn(cluster)).toEqual([]);
  });

  it('takes the shortest of a few round trips for what they took before', async () => {
    const cluster = new FakeCluster(3);
    const network = cluster.network();
    let looks = 0;
    const busy: Network = {
      ...network,
      observe: async () => {
        cluster.busyMs = looks++ === 0 ? 120 : 0;
        return network.observe();
      },
    };
    const nemesis = latency();
    const value = await begin(nemesis, cluster, { latency: '100ms' }, 3, { network: busy });
    expect(value.evidence.result).toBe('installed');
    const calm = await begin(latency(), new FakeCluster(3), { latency: '100ms' }, 3);
    expect(calm.evidence).toEqual(value.evidence);
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
  });

  it('takes any shape in the one lane of links, and says which', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = link();
    for (const [options, text] of [
      [{ shape: 'hold', target: 'n1', direction: 'in' }, 'hold on links to n1'],
      [{ shape: 'latency' }, 'latency 100 ms on all links'],
    ] as const) {
      const value = await begin(nemesis, cluster, options);
      expect(value).toMatchObject({ fault: 'link', text, evidence: { result: 'installed' } });
      expect((await installedOn(cluster)).length).toBeGreaterThan(0);
      expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
      expect(await installedOn(cluster)).toEqual([]);
    }
    expect(() => nemesis.check?.({}, 'line 1')).toThrow(
      /^line 1: shape: say which, one of latency/,
    );
    expect(() => nemesis.check?.({ shape: 'holt' }, 'line 1')).toThrow(/shape: .*holt/);
    expect(() => nemesis.check?.({ shape: 'hold', after: '1s' }, 'line 1')).toThrow(/after/);
  });

  it('skips a shape that these links cannot take, and takes another one later', async () => {
    const cluster = new FakeCluster(3);
    const network = cluster.network();
    const can = new Set([...network.can].filter((each) => each !== 'hold'));
    expect(can.size).toBe(network.can.size - 1);
    const bounded = Object.assign(cluster, { network: () => ({ ...network, can }) });
    const value = await begin(link(), bounded, { shape: 'hold' });
    expect(value.evidence).toEqual({
      result: 'skipped',
      why: "the links of this cluster cannot do 'hold'",
    });
  });

  it('proves latency by the round trips of the pairs it shaped', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = latency();
    const value = await begin(nemesis, cluster, { from: 'n1', to: 'n2', latency: '80ms' });
    expect(value.evidence).toEqual({
      result: 'installed',
      probe: { slower: { 'n1>n2': '+80 ms' } },
    });
    expect((await end(nemesis, cluster)).evidence).toEqual({
      result: 'installed',
      probe: { roundTrips: { 'n1>n2': '2 ms' } },
    });
  });

  it('lets a latency grow in steps, until all of it is there', async () => {
    const cluster = new FakeCluster(3);
    const network = cluster.network();
    const seen: number[] = [];
    const spied: typeof network = {
      ...network,
      shape: (on, shape) => {
        if (shape.kind === 'latency') seen.push(shape.latencyMs);
        return network.shape(on, shape);
      },
    };
    const nemesis = latency();
    const grown = { from: 'n1', to: 'n2', latency: '400ms', ramp: '2s' };
    const before = cluster.clock.now();
    const value = await begin(nemesis, cluster, grown, 3, { network: spied });
    expect(value.text).toBe('latency 400 ms, grown over 2000 ms, on n1>n2');
    expect(seen).toEqual([100, 200, 300, 400]);
    expect(msFromNanos(cluster.clock.now() - before)).toBeGreaterThanOrEqual(2000);
    expect(await installedOn(cluster)).toEqual(['latency n1>n2']);
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await installedOn(cluster)).toEqual([]);
  });

  it.each<[FaultOptions, string]>([
    [{ from: 'n1', to: ['n1'] }, 'n1 has no link to itself'],
    [{ from: ['n1', 2] }, 'from: ["n1",2] is not the name of a node, or a list of such'],
    [{ ramp: '1m' }, 'ramp: at most 20 seconds'],
    [{ ramp: 5 }, 'ramp: 5 is not a duration'],
  ])('refuses %j', (options, why) => {
    expect(() => latency().check?.(options, 'here')).toThrow(why);
  });

  it('is skipped where a named node is not', async () => {
    const value = await begin(hold(), new FakeCluster(3), { from: ['n1', 'n9'], to: 'n2' });
    expect(value.evidence).toEqual({ result: 'skipped', why: 'no such node: n9' });
  });

  it('says so when an answer is too slow to measure, and reads it back', async () => {
    const cluster = new FakeCluster(3);
    const value = await begin(latency(), cluster, { from: 'n1', to: 'n2', latency: '4s' });
    expect(value.evidence).toEqual({
      result: 'installed',
      probe: {
        note: "no answer in the probe's time on some links, as expected of 4000 ms",
        slower: {},
        silent: ['n1>n2'],
        readBack: ['latency n1>n2 0'],
      },
    });
  });

  it('says so when no probe of bytes can prove it', async () => {
    const value = await begin(bandwidth(), new FakeCluster(3), { from: 'n1', to: 'n2' });
    expect(value.evidence).toEqual({
      result: 'installed',
      probe: {
        readBack: 'installed, read back; no probe of bytes can prove it',
        names: ['bandwidth n1>n2 0'],
      },
    });
  });

  it('counts those that it cuts off, and only those', async () => {
    const hit = async (nemesis: Nemesis, options: FaultOptions): Promise<unknown> => {
      const cluster = new FakeCluster(3);
      await begin(nemesis, cluster, options);
      return cluster.board.hit.get(nemesis.name);
    };
    expect(await hit(hold(), { target: ['n1'] })).toEqual(new Set(['n1']));
    expect(await hit(reset(), { target: ['n1'] })).toEqual(new Set(['n1']));
    expect(await hit(blackhole(), { from: 'n1', to: 'n2' })).toBeUndefined();
    expect(await hit(latency(), { target: 'all' })).toBeUndefined();
  });

  it('keeps the majority unless asked', async () => {
    const all = await begin(hold(), new FakeCluster(3), { on: 'all' });
    expect(all.evidence).toMatchObject({
      result: 'skipped',
      why: expect.stringContaining('hold on all links: it would cost the majority'),
    });
    const asked = await begin(hold(), new FakeCluster(3), { on: 'all', quorum: 'ignore' });
    expect(asked.evidence.result).toBe('installed');
  });

  it('is skipped where nothing passes even now', async () => {
    const cluster = new FakeCluster(3);
    cluster.crash('n1');
    const value = await begin(blackhole(), cluster, { from: 'n1', to: 'n2' });
    expect(value.evidence).toEqual({
      result: 'skipped',
      why: 'blackhole on n1>n2: nothing passes on its links even now: other faults hold them',
    });
  });

  it('says which cluster it is not for', () => {
    const cluster = new FakeCluster(3);
    const network = { ...cluster.network(), can: new Set(['cut', 'latency'] as const) };
    const weak = { ...cluster.cluster(), network };
    expect(latency().available(weak)).toBe(true);
    expect(hold().available(weak)).toBe("the links of this cluster cannot do 'hold'");
  });
});
