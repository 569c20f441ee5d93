import { describe, expect, it } from 'vitest';
import type { FaultValue } from '../../harness/protocols/nemesis.ts';
import type { FaultOptions } from './options.ts';
import { partition } from './partition.ts';
import { begin, end, FakeCluster } from './testing.ts';

const cutIn = ({ matrix = {} }: FaultValue): string[] =>
  Object.entries(matrix).flatMap(([link, state]) => (state === 'cut' ? [link] : []));

async function apply(options: FaultOptions, size = 5, seed = 1): Promise<FaultValue> {
  const cluster = new FakeCluster(size);
  const nemesis = partition();
  const value = await begin(nemesis, cluster, options, seed);
  const healed = await end(nemesis, cluster);
  expect(healed).toMatchObject({ stage: 'end', text: value.text, targets: value.targets });
  expect(cutIn(healed)).toEqual([]);
  expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  return value;
}

describe('partition', () => {
  it.each<[FaultOptions, string | RegExp, number]>([
    [{ shape: 'halves' }, 'halves n1, n2 | n3, n4, n5, both ways', 12],
    [{ shape: 'halves', direction: 'in' }, 'halves n1, n2 | n3, n4, n5; n1, n2 cannot receive', 6],
    [{ shape: 'random-halves' }, /^random-halves n., n. \| n., n., n., both ways$/, 12],
    [{ shape: 'majority-minority' }, /^majority-minority n., n. \| n., n., n., both ways$/, 12],
    [{ shape: 'isolate-one' }, /^isolate n\d( \(leader\))?, both ways$/, 8],
    [{ shape: 'isolate-one', target: 'n4' }, 'isolate n4, both ways', 8],
    [{ shape: 'isolate-leader' }, 'isolate n2 (leader), both ways', 8],
    [{ shape: 'isolate-leader', direction: 'in' }, 'isolate n2 (leader), it cannot receive', 4],
    [{ shape: 'isolate-leader', direction: 'out' }, 'isolate n2 (leader), it cannot send', 4],
    [{ shape: 'isolate-leaders' }, 'isolate n2 (leader), both ways', 8],
    [{ shape: 'one-way', direction: 'out' }, /^isolate n\d( \(leader\))?, it cannot send$/, 4],
    [{ shape: 'single-link', from: 'n1' }, /^single-link, cut n1\|n\d$/, 2],
    [{ shape: 'single-link', from: 'n3', to: 'n1', direction: 'out' }, 'single-link, cut n3>n1', 1],
    [{ shape: 'custom', grudge: { n1: ['n2', 'n3'] } }, 'custom, cut n2>n1, n3>n1', 2],
  ])('%j', async (options, text, cut) => {
    const value = await apply(options);
    expect(value.text).toMatch(text);
    expect(value.evidence.result).toBe('installed');
    expect(cutIn(value)).toHaveLength(cut);
  });

  it('waits for an election that is under way, and no longer than a few of them', async () => {
    const electing = new FakeCluster(3);
    electing.leaders = [];
    electing.clock.timer(500, () => {
      electing.leaders = ['n3'];
    });
    const value = await begin(partition(), electing, { shape: 'isolate-leader' });
    expect(value).toMatchObject({ text: 'isolate n3 (leader), both ways', targets: ['n3'] });

    const leaderless = new FakeCluster(3);
    leaderless.leaders = [];
    const skipped = await begin(partition(), leaderless, { shape: 'isolate-leader' });
    expect(skipped.evidence).toMatchObject({ result: 'skipped' });
    expect(JSON.stringify(skipped.evidence)).toContain('no node says that it leads');
  });

  it('cuts just what the target must not hear or say', async () => {
    const links = async (direction: string): Promise<string[]> =>
      cutIn(await apply({ shape: 'isolate-leader', direction }, 3));
    expect(await links('in')).toEqual(['n1>n2', 'n3>n2']);
    expect(await links('out')).toEqual(['n2>n1', 'n2>n3']);
  });

  it('takes all who believe to lead, each alone', async () => {
    const cluster = new FakeCluster(5);
    cluster.leaders = ['n4', 'n2'];
    const value = await begin(partition(), cluster, { shape: 'isolate-leaders' });
    expect(value.text).toBe('isolate n2 (leader), n4 (leader), both ways');
    expect(cutIn(value)).toContain('n2>n4');
    expect(cutIn(value)).toHaveLength(14);
    expect(cluster.board.hit.get('partition')).toEqual(new Set(['n2', 'n4']));
  });

  it.each([
    ['bridge', 5, 8],
    ['bridge', 3, 2],
    ['majorities-ring', 5, 10],
    ['majorities-ring', 3, 2],
  ])('%s of %d nodes cuts %d links and costs nobody', async (shape, size, cut) => {
    const cluster = new FakeCluster(size);
    const value = await begin(partition(), cluster, { shape });
    expect(value.evidence.result).toBe('installed');
    expect(cutIn(value)).toHaveLength(cut);
    expect(value.targets).toEqual(cluster.nodes);
    expect(cluster.board.hit.size).toBe(0);
    expect(cluster.board.links.get('partition')?.size).toBe(cut);
  });

  it.each<[FaultOptions, number, string]>([
    [{ shape: 'halves' }, 4, 'halves n1, n2 | n3, n4, both ways: it would cost the majority'],
    [{ shape: 'random-halves' }, 4, 'it would cost the majority'],
    [{ shape: 'single-link' }, 2, 'it would cost the majority'],
    [{ shape: 'isolate-one', target: 'n9' }, 3, 'no such node: n9'],
    [{ shape: 'single-link', from: 'n9' }, 3, 'no such node: n9'],
    [{ shape: 'custom', grudge: { n1: ['n9'], n9: ['n2'] } }, 3, 'no such node: n9'],
    [{ shape: 'bridge' }, 2, 'bridge, cut nothing: there is nothing to cut'],
    [{ shape: 'majorities-ring' }, 2, 'majorities-ring, cut nothing: there is nothing to cut'],
    [{ shape: 'halves' }, 1, 'one node alone has no links'],
  ])('%j of %d nodes is skipped, and says why', async (options, size, why) => {
    const { evidence, text, targets } = await apply(options, size);
    expect(evidence).toMatchObject({ result: 'skipped', why: expect.stringContaining(why) });
    expect({ text, targets }).toEqual({ text: 'no partition', targets: [] });
  });

  it('does beyond the quorum what was asked for', async () => {
    const asked = [
      [{ shape: 'halves', quorum: 'ignore' }, 4],
      [{ shape: 'isolate-one', target: ['n1', 'n2'] }, 3],
      [{ shape: 'isolate-one', target: 'all' }, 3],
      [{ shape: 'custom', grudge: { n1: ['n2'], n2: ['n1'] } }, 2],
    ] as const;
    for (const [options, size] of asked)
      expect((await apply(options, size)).evidence.result).toBe('installed');
  });

  it('leaves the nodes alone that other lanes leave no room for', async () => {
    const cluster = new FakeCluster(3);
    cluster.board.hit.set('kill', new Set(['n1']));
    const value = await begin(partition(), cluster, { shape: 'isolate-leader' });
    expect(value.evidence).toEqual({
      result: 'skipped',
      why:
        'leader: it would cost the majority: at most 1 of 3 nodes may be hit; ' +
        'other faults hit n1 now ("quorum": "ignore" lifts this)',
    });
  });

  it('says which cluster it is not for', () => {
    const cluster = new FakeCluster(3);
    const { network, ...without } = cluster.cluster();
    expect(partition().available(without)).toBe('the links of this cluster cannot be broken');
    const can = new Set(['latency'] as const);
    const weak = { ...without, network: { ...cluster.network(), can } };
    expect(partition().available(weak)).toBe("the links of this cluster cannot do 'cut'");
    expect(partition().available({ ...weak, nodes: ['n1'] })).toBe('one node alone has no links');
    expect(network && partition().available(cluster.cluster())).toBe(true);
  });
});
