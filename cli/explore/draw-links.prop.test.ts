import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { BUILT_IN } from '../registry.ts';
import { holdAndRelease, slowThenDeaf } from './draw-links.ts';
import { drawn, plans } from './draw-plan.ts';
import { configOf, LENGTH_MAX, type Plan, type Step, tidied, within } from './plan.ts';
import { simulated } from './simulate.ts';
import { endOf, shifted } from './steps.ts';
import { simulatedSpace } from './testing.ts';

const scene = { nodes: 5, faults: ['partition', 'hold', 'blackhole', 'latency', 'kill'] };

/** Of a length of time as a fault's words say it. */
function elections(word: Step['options'][string] | undefined): number {
  return typeof word === 'string' ? Number(/^(.+)el$/.exec(word)?.[1]) : Number.NaN;
}

describe('slow, then deaf', () => {
  const pairs = slowThenDeaf(scene);

  test('a message never comes later by more than the time that passes meanwhile', () => {
    fc.assert(
      fc.property(pairs, ([slow]) => {
        const { latency, ramp } = slow?.options ?? {};
        expect(elections(ramp)).toBeGreaterThanOrEqual(elections(latency));
      }),
    );
  });

  test('what is lost is lost on slow links, and for as long as a message takes', () => {
    fc.assert(
      fc.property(pairs, ([slow, lost]) => {
        expect(lost?.at).toBeGreaterThanOrEqual(elections(slow?.options['ramp']) - 0.01);
        expect(lost?.for).toBeGreaterThanOrEqual(elections(slow?.options['latency']) - 0.01);
        expect(endOf([lost as Step])).toBeLessThan(endOf([slow as Step]));
        expect(lost?.options['direction']).not.toBe(slow?.options['direction']);
      }),
    );
  });

  test('both hit one node, by its role or by its name', () => {
    fc.assert(
      fc.property(pairs, ([slow, lost]) => {
        const whom = lost?.options['target'] ?? 'leader';
        expect(whom).toEqual(slow?.options['target']);
      }),
    );
  });

  test('mostly fits into a run', () => {
    const some = fc.sample(pairs, { numRuns: 500, seed: 1 });
    const long = some.filter((steps) => endOf(steps) > LENGTH_MAX);
    expect(long.length).toBeLessThan(50);
  });

  test('shows old answers that are taken for new ones, in one of some draws', async () => {
    const space = await simulatedSpace({ bug: 'read-index-retry', nodes: '3' });
    const random = Random.stream(seedFrom(1), 'links');
    for (let draws = 1; draws <= 60; draws++) {
      const steps = shifted(drawn(pairs, random), 1);
      const length = Math.min(LENGTH_MAX, Math.ceil(endOf(steps) + 3));
      const around = drawn(plans(space), random);
      const plan: Plan = { ...around, length, steps: tidied(steps, length, space) };
      const config = await configOf(within(plan, space), space);
      const { violations } = await simulated(config, { catalogue: BUILT_IN, checks: [] }, []);
      if (violations.length > 0) return;
    }
    expect.unreachable('60 draws showed nothing');
  });

  test('does without kinds of fault that there are not', () => {
    const some = fc.sample(slowThenDeaf({ nodes: 3, faults: ['latency', 'hold'] }), 100);
    expect(new Set(some.flat().map(({ fault }) => fault))).toEqual(new Set(['latency', 'hold']));
  });
});

test('hold and release: something else happens while messages are kept back', () => {
  fc.assert(
    fc.property(holdAndRelease(scene), ([held, beside]) => {
      expect(beside?.at).toBeLessThan(endOf([held as Step]));
    }),
  );
});
