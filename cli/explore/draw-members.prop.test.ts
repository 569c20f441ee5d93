import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { BUILT_IN } from '../registry.ts';
import { names, type Scene } from './draw-faults.ts';
import { changeInTheCut, changesByTwoLeaders, changeThenHalves } from './draw-members.ts';
import { drawn, plans } from './draw-plan.ts';
import { configOf, type Plan, type Step, tidied, within } from './plan.ts';
import { simulated } from './simulate.ts';
import type { Space } from './space.ts';
import { endOf, type Pattern, shifted } from './steps.ts';
import { simulatedSpace } from './testing.ts';

const faults = ['partition', 'membership', 'latency', 'kill'];
const sizes = fc.integer({ min: 1, max: 7 });

function sceneOf(nodes: number): Scene {
  return { nodes, faults };
}

/** Of one pattern, for any number of nodes. */
function drawnFor(pattern: (scene: Scene) => Pattern): fc.Arbitrary<readonly [number, Step[]]> {
  return sizes.chain((nodes) =>
    pattern(sceneOf(nodes)).map((steps) => [nodes, [...steps]] as const),
  );
}

function elections(word: Step['options'][string] | undefined): number {
  return typeof word === 'string' ? Number(/^(.+)el$/.exec(word)?.[1]) : Number.NaN;
}

function ofKind(steps: readonly Step[], fault: string): Step[] {
  return steps.filter((step) => step.fault === fault);
}

describe('members and cuts', () => {
  test('the halves come apart while the change lasts, for longer than an election', () => {
    fc.assert(
      fc.property(drawnFor(changeThenHalves), ([, [change, cut]]) => {
        expect(cut?.at).toBeGreaterThan(1);
        expect(cut?.for).toBeGreaterThan(3);
        expect(endOf([cut as Step])).toBeLessThan(endOf([change as Step]));
      }),
    );
  });

  test('whoever leads alone is asked before it can know that it does not lead any more', () => {
    fc.assert(
      fc.property(drawnFor(changeInTheCut), ([, [cut, alone, next]]) => {
        expect((alone?.at ?? 0) - (cut?.at ?? 0)).toBeLessThan(0.5);
        expect(endOf([alone as Step])).toBeLessThan(endOf([cut as Step]));
        expect(next?.at).toBeGreaterThan(endOf([cut as Step]));
      }),
    );
  });
});

describe('changes by two leaders', () => {
  const some = drawnFor(changesByTwoLeaders);

  test('are of one member of each half, where there are two', () => {
    fc.assert(
      fc.property(some, ([nodes, steps]) => {
        const target = ofKind(steps, 'membership')[0]?.options['target'] as string[];
        const half = names(nodes).slice(0, Math.floor(nodes / 2));
        expect(target.filter((node) => half.includes(node))).toHaveLength(nodes === 1 ? 0 : 1);
        expect(target.filter((node) => !half.includes(node))).toHaveLength(1);
      }),
    );
  });

  test('the second is asked for once there was time for an election, and none to fall silent', () => {
    fc.assert(
      fc.property(some, ([, steps]) => {
        const { options, at } = ofKind(steps, 'membership')[0] as Step;
        const way = elections(ofKind(steps, 'latency')[0]?.options['latency']);
        const second = at + elections(options['every']);
        expect(second).toBeGreaterThan(1 + 4 * way);
        expect(second).toBeLessThan(2 + 4 * way);
      }),
    );
  });

  test('the halves fall apart before a message has arrived, and stay so when the first is back', () => {
    fc.assert(
      fc.property(some, ([, steps]) => {
        const [alone, halves] = ofKind(steps, 'partition');
        expect(halves?.options).toMatchObject({ after: 'leader-change', delay: '0ms' });
        // The cut comes with the leader, and then lasts for as long as it is drawn.
        expect(halves?.for).toBeGreaterThan(4);
        expect(alone?.options['shape']).toBe('isolate-leader');
      }),
    );
  });
});

/** A plan of which only the steps are this pattern's. */
function planOf(pattern: Pattern, nodes: number, space: Space, random: Random): Plan {
  const steps = shifted(drawn(pattern, random), 1);
  const length = Math.ceil(endOf(steps) + 3);
  const plan = drawn(plans(space), random);
  const systemOptions = { ...plan.systemOptions, 'strict-reconfig-check': 'false' };
  const whole = { ...plan, nodes, length, systemOptions, steps: tidied(steps, length, space) };
  return within(whole, space);
}

/** How many plans of this pattern it takes until something is wrong. */
async function plansUntilFound(bug: string, pattern: Pattern, nodes: number): Promise<number> {
  const space = await simulatedSpace({ bug });
  const random = Random.stream(seedFrom(1), 'members');
  for (let count = 1; count <= 60; count++) {
    const config = await configOf(planOf(pattern, nodes, space, random), space);
    const { violations } = await simulated(config, { catalogue: BUILT_IN, checks: [] }, []);
    if (violations.length > 0) return count;
  }
  return Number.POSITIVE_INFINITY;
}

test.each([
  ['two-changes', changeInTheCut, 3],
  ['learner-votes', changeThenHalves, 4],
  ['removed-member-votes', changeThenHalves, 5],
  ['early-change', changesByTwoLeaders, 4],
] as const)('%s shows within some draws of a pattern', async (bug, pattern, nodes) => {
  expect(await plansUntilFound(bug, pattern(sceneOf(nodes)), nodes)).toBeLessThanOrEqual(60);
});
