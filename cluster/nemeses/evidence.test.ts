import { describe, expect, it } from 'vitest';
import type { FaultValue, Nemesis } from '../../harness/protocols/nemesis.ts';
import { judgeCut, judgeOpen, nodesCostBy } from './evidence.ts';
import { kill } from './kill.ts';
import { bandwidth, blackhole, hold, latency, reset, slowClose } from './link.ts';
import type { FaultOptions } from './options.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { begin, end, FakeCluster, type Lie } from './testing.ts';

const why = ({ evidence }: FaultValue): string =>
  evidence.result === 'installed' ? 'installed' : `${evidence.result}: ${evidence.why}`;

describe('a fault that does not take effect has no evidence', () => {
  it.each<[string, Nemesis, FaultOptions, Lie, string]>([
    ['partition', partition(), { shape: 'isolate-one', target: ['n1'] }, 'drop', 'measured open'],
    ['partition', partition(), { shape: 'halves' }, 'drop-all-but-one', 'measured open'],
    ['partition', partition(), { shape: 'halves' }, 'drop-throws', 'no answer: ECONNREFUSED'],
    ['hold', hold(), { target: ['n1'] }, 'shape', 'measured open'],
    ['blackhole', blackhole(), { from: 'n1', to: 'n2' }, 'shape', 'measured open'],
    ['latency', latency(), { latency: '200ms' }, 'shape', 'should be slower by 200 ms'],
    ['slow latency', latency(), { latency: '4s' }, 'shape', 'should be slower by 4000 ms'],
    ['bandwidth', bandwidth(), { on: 'all' }, 'shape', 'reads back as 0: nothing new'],
    ['reset', reset(), { target: 'leader' }, 'shape', 'reads back as 0: nothing new'],
    ['slow-close', slowClose(), {}, 'shape', 'reads back as 0: nothing new'],
    ['latency', latency(), { latency: '9ms' }, 'shape-throws-last', 'latency: refused'],
    ['kill', kill(), { target: 'leader' }, 'kill', 'n2 should be gone, but is running, pid 101'],
    ['kill', kill(), { target: ['n1', 'n3'] }, 'kill-throws-first', 'n1: not permitted'],
    ['pause', pause(), { target: 'leader' }, 'pause', 'n2 should be paused, but is running'],
  ])('%s %#', async (_name, nemesis, options, lie, message) => {
    const cluster = new FakeCluster(5);
    cluster.lies.add(lie);
    const value = await begin(nemesis, cluster, options);
    expect(why(value)).toMatch(/^failed: /);
    expect(why(value)).toContain(message);
    cluster.lies.clear();
    expect(why(await end(nemesis, cluster))).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });
});

describe('a fault that does not go away is not called healed', () => {
  it.each<[string, Nemesis, FaultOptions, Lie, string]>([
    ['partition', partition(), { shape: 'isolate-leader' }, 'undrop', 'should be open again'],
    ['hold', hold(), { target: ['n1'] }, 'unshape', 'still installed: hold'],
    ['latency', latency(), { latency: '200ms' }, 'unshape', 'still installed: latency'],
    ['bandwidth', bandwidth(), {}, 'unshape', 'still installed: bandwidth'],
    ['kill', kill(), { target: ['n1'] }, 'start', 'n1 should run again, but is gone'],
    ['kill', kill(), { target: ['n1'] }, 'same-pid', 'still the same process, running, pid 100'],
    ['kill', kill(), { target: ['n1'] }, 'start-is-silent', 'n1 started, but did not answer'],
    ['pause', pause(), { target: ['n1'] }, 'resume', 'n1 should run again, but is paused'],
  ])('%s %#', async (_name, nemesis, options, lie, message) => {
    const cluster = new FakeCluster(5);
    expect(why(await begin(nemesis, cluster, options))).toBe('installed');
    cluster.lies.add(lie);
    const value = await end(nemesis, cluster);
    expect(why(value)).toMatch(/^failed: /);
    expect(why(value)).toContain(message);
    // What may still be there is not forgotten: the next fault does not begin on top of it.
    expect(why(await begin(nemesis, cluster, options))).toContain('the fault before it');
    const healed = await cluster.clock.run(nemesis.heal(cluster.context(1)));
    expect(healed.result).toBe('failed');
  });
});

describe('a fault that could not be undone is undone by heal', () => {
  it.each<[string, Nemesis, FaultOptions, Lie]>([
    ['partition', partition(), { shape: 'isolate-leader' }, 'undrop-throws'],
    ['hold', hold(), { target: ['n1'] }, 'unshape-throws'],
    ['latency', latency(), { latency: '200ms' }, 'unshape-throws'],
    ['kill', kill(), { target: ['n1'] }, 'start'],
    ['pause', pause(), { target: ['n1'] }, 'resume'],
  ])('%s %#', async (_name, nemesis, options, lie) => {
    const cluster = new FakeCluster(5);
    await begin(nemesis, cluster, options);
    cluster.lies.add(lie);
    expect((await end(nemesis, cluster)).evidence.result).toBe('failed');
    cluster.lies.clear();
    const healed = await cluster.clock.run(nemesis.heal(cluster.context(1)));
    expect(healed.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });
});

describe('evidence beside other lanes', () => {
  it('does not blame a partition for a node that another fault stopped', async () => {
    const cluster = new FakeCluster(5);
    const [cut, freeze] = [partition(), pause()];
    const options = { shape: 'isolate-one', target: ['n1'] };
    await begin(freeze, cluster, { target: ['n5'] });
    const value = await begin(cut, cluster, options);
    expect(value.evidence).toMatchObject({
      result: 'installed',
      probe: { unmeasured: ['n5>n1', 'n1>n5'] },
    });
    expect((await end(cut, cluster)).evidence).toMatchObject({
      result: 'installed',
      probe: { heldByOtherFaults: ['n5>n1 unknown', 'n1>n5 unknown'] },
    });
  });

  it('does not take a crashed node for a cut', async () => {
    const cluster = new FakeCluster(3);
    cluster.crash('n3');
    const value = await begin(partition(), cluster, { shape: 'isolate-one', target: ['n1'] });
    expect(why(value)).toBe('failed: n3>n1 should be cut, but measured unknown');
  });

  it('does not blame a black hole for the partition that outlives it', async () => {
    const cluster = new FakeCluster(5);
    const [cut, swallow] = [partition(), blackhole()];
    await begin(swallow, cluster, { from: 'n1', to: 'n2' });
    await begin(cut, cluster, { shape: 'single-link', from: 'n1', to: 'n2' });
    expect((await end(swallow, cluster)).evidence).toMatchObject({
      result: 'installed',
      probe: { heldByOtherFaults: ['n1>n2 cut'] },
    });
    expect(why(await end(cut, cluster))).toBe('installed');
  });

  it('lets a killed node be, which a pause had stopped before', async () => {
    const cluster = new FakeCluster(3);
    const [freeze, murder] = [pause(), kill()];
    await begin(freeze, cluster, { target: ['n1'] });
    expect(why(await begin(murder, cluster, { target: ['n1'] }))).toBe('installed');
    expect(why(await end(freeze, cluster))).toBe('skipped: other faults hold n1');
    expect(why(await end(murder, cluster))).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });
});

describe('judges', () => {
  const links = [
    { from: 'n1', to: 'n2' },
    { from: 'n2', to: 'n1' },
  ];
  const none = { hit: new Set<string>(), links: new Set<string>() };
  const cut = links.map((link) => ({ ...link, state: 'cut' as const }));

  it('want every link measured', () => {
    expect(judgeCut(links, cut, none).result).toBe('installed');
    expect(judgeCut(links, cut.slice(1), none).result).toBe('failed');
    expect(judgeOpen(links, [], none).result).toBe('failed');
  });

  it('want at least one link that proves a cut', () => {
    expect(judgeCut(links, [], { ...none, hit: new Set(['n2']) }).result).toBe('skipped');
  });

  it('never excuse an open link', () => {
    const open = cut.map((link) => ({ ...link, state: 'open' as const }));
    expect(judgeCut(links, open, { ...none, hit: new Set(['n1', 'n2']) }).result).toBe('failed');
  });
});

describe('nodesCostBy', () => {
  const nodes = ['n1', 'n2', 'n3'];
  it('counts a node cut one way, and nobody for one link of three', () => {
    const deaf = ['n2', 'n3'].map((from) => ({ from, to: 'n1' }));
    expect(nodesCostBy(deaf, nodes)).toEqual(new Set(['n1']));
    expect(nodesCostBy(deaf.slice(1), nodes)).toEqual(new Set());
    expect(nodesCostBy([{ from: 'n1', to: 'n2' }], ['n1', 'n2'])).toEqual(new Set(['n1', 'n2']));
  });
});
