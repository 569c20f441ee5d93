import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../harness/core/invariant.ts';
import { kill } from './kill.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { begin, end, FakeCluster, faultOp } from './testing.ts';

describe('kill', () => {
  it('shows the process gone, and another one at the end', async () => {
    const cluster = new FakeCluster(5);
    const nemesis = kill();
    expect(await begin(nemesis, cluster, { target: 'leader' })).toEqual({
      stage: 'begin',
      fault: 'kill',
      text: 'kill -9 n2 (leader)',
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: 'gone (was running, pid 101)' } },
    });
    expect(cluster.board.hit.get('kill')).toEqual(new Set(['n2']));
    expect(await end(nemesis, cluster)).toEqual({
      stage: 'end',
      fault: 'kill',
      text: 'kill -9 n2 (leader)',
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: 'running, pid 105' } },
    });
    expect(cluster.board.hit.size).toBe(0);
  });

  it.each([
    ['minority', 2],
    ['followers', 2],
    ['majority', 3],
    ['all', 5],
  ])('of %s of five nodes kills %d', async (target, count) => {
    const cluster = new FakeCluster(5);
    const nemesis = kill();
    expect((await begin(nemesis, cluster, { target })).targets).toHaveLength(count);
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('does not choose who is gone already', async () => {
    const cluster = new FakeCluster(3);
    cluster.crash('n2');
    const value = await begin(kill(), cluster, { target: ['n2'] });
    expect(value.evidence).toEqual({
      result: 'skipped',
      why: 'the named nodes: n2 cannot be hit now',
    });
  });
});

describe('pause', () => {
  it('shows the process stopped, and the same one running at the end', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = pause();
    const value = await begin(nemesis, cluster, { target: ['n3'] });
    expect(value.text).toBe('pause n3');
    expect(value.evidence).toEqual({ result: 'installed', probe: { n3: 'paused, pid 102' } });
    const { evidence } = await end(nemesis, cluster);
    expect(evidence).toEqual({ result: 'installed', probe: { n3: 'running, pid 102' } });
  });
});

describe('every lane', () => {
  it('has nothing to end before it began', async () => {
    const cluster = new FakeCluster(3);
    const nothing = { result: 'skipped', why: 'nothing was installed' };
    expect(await end(kill(), cluster)).toEqual({
      stage: 'end',
      fault: 'kill',
      text: 'no kill',
      targets: [],
      evidence: nothing,
    });
    expect(await cluster.clock.run(kill().heal(cluster.context(1)))).toEqual(nothing);
  });

  it('heals after an invocation that is under way, never in its middle', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = kill();
    const ctx = cluster.context(1);
    const op = faultOp('kill', { stage: 'begin', target: 'one' });
    const both = Promise.all([nemesis.invoke(op, ctx), nemesis.heal(ctx)]);
    const [begun, healed] = await cluster.clock.run(both);
    expect(begun.evidence.result).toBe('installed');
    expect(healed.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('ends what is left over before it begins anew', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = pause();
    await begin(nemesis, cluster, { target: ['n1'] });
    const again = await begin(nemesis, cluster, { target: ['n2'] });
    expect(again.evidence.result).toBe('installed');
    await end(nemesis, cluster);
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('takes bad options and refusals as evidence, but throws for our own bugs', async () => {
    const cluster = new FakeCluster(3);
    expect((await begin(kill(), cluster, { target: 'nobody' })).evidence).toMatchObject({
      result: 'failed',
      why: expect.stringContaining('kill: target: "nobody" is nobody'),
    });
    await expect(
      cluster.clock.run(kill().invoke(faultOp('kill', 'begin'), cluster.context(1))),
    ).rejects.toThrow(InvariantError);
    await expect(
      cluster.clock.run(kill().invoke(faultOp('kill', { stage: 'up' }), cluster.context(1))),
    ).rejects.toThrow('a fault event has no stage "up"');
  });

  it('is skipped on a cluster that cannot have it', async () => {
    const cluster = new FakeCluster(3);
    const { processes, network, ...bare } = cluster.cluster();
    expect([processes, network]).not.toContain(undefined);
    for (const nemesis of [kill(), pause(), partition()]) {
      const op = faultOp(nemesis.name, { stage: 'begin' });
      const ctx = { ...cluster.context(1), cluster: bare };
      const { evidence } = await cluster.clock.run(nemesis.invoke(op, ctx));
      expect(evidence).toEqual({ result: 'skipped', why: nemesis.available(bare) });
    }
  });
});
