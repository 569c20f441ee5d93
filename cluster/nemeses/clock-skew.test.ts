import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { clockSkew } from './clock-skew.ts';
import { begin, end, FakeCluster } from './testing.ts';
import type { ClockLie } from './testing-machines.ts';

describe('clock-skew', () => {
  it('is measured against the time of the world, and so is its end', async () => {
    const cluster = new FakeCluster(5);
    const nemesis = clockSkew();
    const options = { target: 'leader', offset: '2s', rate: 1.5 };
    expect(await begin(nemesis, cluster, options)).toEqual({
      stage: 'begin',
      fault: 'clock-skew',
      text: 'clock 2000 ms ahead, 1.5 times as fast on n2 (leader)',
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: '2000 ms ahead, 1.5 times as fast' } },
    });
    expect(cluster.board.hit.get('clock-skew')).toBeUndefined();
    expect((await end(nemesis, cluster)).evidence).toEqual({
      result: 'installed',
      probe: { n2: 'right' },
    });
    expect(cluster.clocks.wrong()).toEqual([]);
  });

  it.each<readonly [ClockLie, string]>([
    ['jump', '1.5 times as fast'],
    ['rate', '2000 ms behind'],
    ['both', 'right'],
  ])('that did not take effect (%s) has failed', async (lie, seen) => {
    const cluster = new FakeCluster(3);
    cluster.clocks.lies.add(lie);
    const options = { target: ['n1'], offset: '-2s', rate: 1.5 };
    expect((await begin(clockSkew(), cluster, options)).evidence).toEqual({
      result: 'failed',
      why:
        'the clock of n1 should be 2000 ms behind, 1.5 times as fast, ' +
        `but was measured ${seen}`,
    });
  });

  it('that stays has not ended', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = clockSkew();
    await begin(nemesis, cluster, { target: 'all', rate: 0.5 });
    cluster.clocks.lies.add('both');
    expect((await end(nemesis, cluster)).evidence.result).toBe('failed');
    cluster.clocks.lies.clear();
    expect((await cluster.clock.run(nemesis.heal(cluster.context(1)))).result).toBe('installed');
    expect(cluster.clocks.wrong()).toEqual([]);
  });

  it.each<readonly [Record<string, JsonValue>, string]>([
    [{}, 'clock 1000 ms ahead on n1'],
    [{ rate: 0.5 }, 'clock 0.5 times as fast on n1'],
    [{ offset: '-2el' }, 'clock 2000 ms behind on n1'],
  ])('%j: %s', async (options, text) => {
    const cluster = new FakeCluster(3);
    expect((await begin(clockSkew(), cluster, { ...options, target: ['n1'] })).text).toBe(text);
  });

  it.each<readonly [Record<string, JsonValue>, string]>([
    [{ rate: 0.01 }, 'rate: 0.01 is not a number from 0.1 to 10'],
    [{ rate: 'fast' }, 'rate: "fast" is not a number above 0'],
    [{ offset: 'soon' }, 'offset'],
    [{ offset: 5 }, 'offset: 5 is not a duration'],
    [{ ofset: '1s' }, "unknown option 'ofset' (did you mean"],
  ])('refuses %j: %s', (options, why) => {
    expect(() => clockSkew().check?.(options, 'f.json')).toThrow(why);
  });

  it('is not to be had where clocks are real', () => {
    const { clocks, ...real } = new FakeCluster(3).cluster();
    expect(clocks).toBeDefined();
    expect(clockSkew().available(real)).toContain('--backend sim');
  });
});
