import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import { cpuSqueeze } from './cpu-squeeze.ts';
import { kill } from './kill.ts';
import { memorySqueeze } from './memory-squeeze.ts';
import { pause } from './pause.ts';
import { begin, end, FakeCluster } from './testing.ts';
import type { ContainerLie } from './testing-containers.ts';

describe('cpu-squeeze', () => {
  it('is shown by the limit, and by how often the node had to wait', async () => {
    const cluster = new FakeCluster(5);
    const nemesis = cpuSqueeze();
    expect(await begin(nemesis, cluster, { target: 'leader', cpus: 0.02 })).toEqual({
      stage: 'begin',
      fault: 'cpu-squeeze',
      text: '0.02 of a processor for n2 (leader)',
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: 'has 0.02 processors, waited 2 times' } },
    });
    expect([...(cluster.board.hit.get('cpu-squeeze') ?? [])]).toEqual(['n2']);
    expect((await end(nemesis, cluster)).evidence).toEqual({
      result: 'installed',
      probe: { n2: 'has all processors' },
    });
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it.each<readonly [ContainerLie, string]>([
    ['install', 'n1 should have 0.05 processors, but has all processors'],
    ['no-effect', 'n1 has 0.05 processors, and never had to wait'],
    ['install-throws-on-n1', 'the engine will not have it on n1'],
  ])('that did not take effect (%s) has failed', async (lie, why) => {
    const cluster = new FakeCluster(3);
    cluster.resources.lies.add(lie);
    const nemesis = cpuSqueeze();
    const { evidence } = await begin(nemesis, cluster, { target: ['n1'] });
    expect(evidence).toEqual({ result: 'failed', why });
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('keeps a node from being paused, which would need what it has not', async () => {
    const cluster = new FakeCluster(3);
    await begin(cpuSqueeze(), cluster, { target: ['n1'] });
    const { evidence } = await begin(pause(), cluster, { target: ['n1'] });
    expect(evidence).toEqual({ result: 'skipped', why: 'the named nodes: n1 cannot be hit now' });
    expect((await begin(pause(), cluster, { target: ['n2'] })).evidence.result).toBe('installed');
  });

  it('of a node that another fault has stopped proves nothing', async () => {
    const cluster = new FakeCluster(3);
    await begin(kill(), cluster, { target: ['n1'] });
    const { evidence } = await begin(cpuSqueeze(), cluster, { target: ['n1'] });
    expect(evidence).toEqual({ result: 'skipped', why: 'other faults hold n1' });
  });
});

describe('memory-squeeze', () => {
  it('is shown by the end of the node for lack of memory; then the node runs again', async () => {
    const cluster = new FakeCluster(5);
    const nemesis = memorySqueeze();
    const { evidence, text } = await begin(nemesis, cluster, { target: ['n1', 'n3'] });
    expect(text).toBe('no more memory for n1, n3');
    expect(evidence).toEqual({
      result: 'installed',
      probe: { n1: 'out of memory at 20.0 MB', n3: 'out of memory at 20.0 MB' },
    });
    const down = await cluster.clock.run(cluster.damage());
    expect(down).toContain('n1 gone');
    expect(down).toContain('n3 gone');
    expect((await end(nemesis, cluster)).evidence).toEqual({
      result: 'installed',
      probe: { n1: 'no limit', n3: 'no limit' },
    });
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('that the node gets by with has failed', async () => {
    const cluster = new FakeCluster(3);
    cluster.resources.lies.add('no-effect');
    const nemesis = memorySqueeze();
    const { evidence } = await begin(nemesis, cluster, { target: ['n1'] });
    const why = 'n1 still gets by with 20.0 of 20.0 MB';
    expect(evidence).toEqual({ result: 'failed', why });
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it('that never was a limit has failed', async () => {
    const cluster = new FakeCluster(3);
    cluster.resources.lies.add('install');
    const { evidence } = await begin(memorySqueeze(), cluster, { target: ['n1'] });
    expect(evidence).toEqual({ result: 'failed', why: 'n1 has no limit of memory' });
  });

  it('whose node does not come back has not ended', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = memorySqueeze();
    await begin(nemesis, cluster, { target: ['n1'] });
    cluster.lies.add('start-is-silent');
    const { evidence } = await end(nemesis, cluster);
    const why = 'n1 did not answer within 12000 ms after it had its memory back';
    expect(evidence).toEqual({ result: 'failed', why });
  });
});

describe.each([cpuSqueeze, memorySqueeze])('%o', (make) => {
  it.each<ContainerLie>(['undo', 'undo-throws'])('that stays (%s) has not ended', async (lie) => {
    const cluster = new FakeCluster(3);
    const nemesis = make();
    await begin(nemesis, cluster, { target: 'one' });
    cluster.resources.lies.add(lie);
    expect((await end(nemesis, cluster)).evidence.result).toBe('failed');
    cluster.resources.lies.clear();
    const healed = await cluster.clock.run(nemesis.heal(cluster.context(1)));
    expect(healed.result).toBe(lie === 'undo' ? 'failed' : 'installed');
  });

  it('is not to be had where nodes are no containers', async () => {
    const { resources, ...bare } = new FakeCluster(3).cluster();
    expect(resources).toBeDefined();
    expect(make().available(bare)).toContain('--backend docker');
    expect(make().available(new FakeCluster(3).cluster())).toBe(true);
  });

  it('leaves a majority untouched', async () => {
    const cluster = new FakeCluster(5);
    await begin(kill(), cluster, { target: ['n1'] });
    const { targets } = await begin(make(), cluster, { target: 'followers' });
    expect(targets.filter((node) => node !== 'n1')).toHaveLength(1);
  });
});

describe('options', () => {
  it.each<readonly [() => Nemesis, Record<string, JsonValue>, string]>([
    [cpuSqueeze, { cpus: 0 }, 'cpus: 0 is not a number above 0'],
    [cpuSqueeze, { cpu: 1 }, "unknown option 'cpu' (did you mean 'cpus'?)"],
    [memorySqueeze, { room: 1 }, "unknown option 'room'"],
    [memorySqueeze, { target: 'nobody' }, 'target: "nobody" is nobody'],
  ])('%o %j: %s', (make, options, why) => {
    expect(() => make().check?.(options, 'f.json')).toThrow(`f.json: ${why}`);
  });
});
