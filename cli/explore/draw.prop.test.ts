import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { drawn, plans } from './draw-plan.ts';
import { mutated } from './mutate.ts';
import { configOf, LENGTH_MAX, type Plan, STEPS_MAX, within } from './plan.ts';
import type { Space } from './space.ts';
import { simulatedSpace } from './testing.ts';

/** Drawn plans, and then changes of them. */
function some(space: Space, seed: number, count: number): Plan[] {
  const random = Random.stream(seedFrom(seed), 'draw');
  const all: Plan[] = [];
  for (let at = 0; at < count; at++) all.push(within(drawn(plans(space), random), space));
  for (let at = 0; at < count; at++)
    all.push(mutated(random.pick(all), random.pick(all), space, random));
  return all;
}

describe('plans', () => {
  test('can be asked for as they are drawn, 300 of them', async () => {
    const space = await simulatedSpace();
    for (const plan of some(space, 1, 150)) {
      const config = await configOf(plan, space);
      expect(config.nodes.length).toBe(plan.nodes);
      expect(config.schedule?.length ?? 0).toBe(plan.steps.length);
      expect(config.seed).toBe(plan.seed);
      expect(plan.steps.length).toBeLessThanOrEqual(STEPS_MAX);
      expect(plan.length).toBeLessThanOrEqual(LENGTH_MAX);
    }
  });

  test('follow from the seed alone', async () => {
    const space = await simulatedSpace();
    expect(some(space, 2, 20)).toEqual(some(space, 2, 20));
    expect(some(space, 2, 20)).not.toEqual(some(space, 3, 20));
  });

  test('come to hold every kind of fault, every size, and every workload', async () => {
    const space = await simulatedSpace();
    const all = some(space, 4, 300);
    const kinds = new Set(all.flatMap(({ steps }) => steps.map(({ fault }) => fault)));
    expect([...kinds].toSorted()).toEqual([...space.faults].toSorted());
    expect(new Set(all.map(({ nodes }) => nodes)).size).toBe(7);
    expect(new Set(all.flatMap(({ workload }) => workload.split(',')))).toEqual(
      new Set(space.workloads),
    );
  });

  test('keep to what somebody fixed, also those of an earlier exploration', async () => {
    const free = some(await simulatedSpace(), 5, 20);
    const given = {
      nodes: '4',
      workload: 'reads',
      fault: 'kill,pause',
      rate: '20',
      duration: '5s',
    };
    const space = await simulatedSpace(given);
    const random = Random.stream(seedFrom(5), 'fixed');
    const earlier = free.map((plan) => mutated(plan, random.pick(free), space, random));
    for (const plan of [...earlier, ...some(space, 6, 20)]) {
      const config = await configOf(plan, space);
      expect([config.nodes.length, config.workload, config.durationMs]).toEqual([4, 'reads', 5000]);
      expect(config.workloadOptions.rate).toBe(20);
      expect(config.faults.filter((fault) => fault !== 'kill' && fault !== 'pause')).toEqual([]);
    }
  });

  test('change members only where somebody is left to vote, unless that size was asked for', async () => {
    const changed = (space: Space): number[] =>
      some(space, 8, 200).flatMap(({ nodes, steps }) =>
        steps.some(({ fault }) => fault === 'membership') ? [nodes] : [],
      );
    const free = changed(await simulatedSpace());
    expect(Math.min(...free)).toBe(3);
    expect(free.length).toBeGreaterThan(20);
    const two = changed(await simulatedSpace({ nodes: '2', fault: 'membership,kill' }));
    expect(two.length).toBeGreaterThan(20);
  });

  test('without faults are of clients alone', async () => {
    const space = await simulatedSpace({ faults: false });
    const [plan] = some(space, 7, 1);
    expect((await configOf(plan as Plan, space)).faults).toEqual([]);
  });
});
