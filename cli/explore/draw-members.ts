/** Patterns about who is a member: changes that meet cuts, other changes, and other leaders. */
import fc, { type Arbitrary } from 'fast-check';
import { minorityOf } from '../../cluster/targets.ts';
import {
  durations,
  moments,
  names,
  type Options,
  optionsOf,
  partitions,
  type Scene,
} from './draw-faults.ts';
import { type Pattern, step } from './steps.ts';

const HALVES: Options = { shape: 'halves', quorum: 'ignore' };

/**
 * Whoever counts the members otherwise than the others counts another majority, so the halves are
 * cut apart after a change. Of those who change, the ones on the far side are as good as any.
 */
export function changeThenHalves(scene: Scene): Pattern {
  const far = names(scene.nodes).slice(-Math.max(1, minorityOf(scene.nodes)));
  const change = fc
    .tuple(
      fc.constantFrom<Options>({ do: 'remove' }, { do: 'replace', as: 'learner', promote: false }),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant(far) },
        { weight: 1, arbitrary: fc.constantFrom('one', 'leader', 'followers', 'minority') },
      ),
    )
    .map(([deed, target]): Options => ({ ...deed, target }));
  return fc
    .tuple(
      fc.oneof(
        { weight: 5, arbitrary: change },
        { weight: 1, arbitrary: optionsOf('membership', scene) },
      ),
      fc.oneof(
        { weight: 5, arbitrary: fc.constant(HALVES) },
        { weight: 1, arbitrary: partitions().map((cut) => ({ ...cut, quorum: 'ignore' })) },
      ),
      durations([2, 3, 5]),
      durations([4, 6]),
    )
    .map(([changed, cut, at, duration]) => [
      step('membership', 0, at + duration + 1, changed),
      step('partition', at, duration, cut),
    ]);
}

/** Whoever leads alone is asked to change the members, and once it is back so are the others. */
export function changeInTheCut(scene: Scene): Pattern {
  return fc
    .tuple(
      fc.constantFrom('followers', 'followers', 'followers', 'minority', 'one', 'leader'),
      fc.constantFrom('0ms', '0ms', '0ms', undefined),
      fc.constantFrom('old-leader', 'leader'),
      durations([2, 3, 5]),
      fc.oneof(
        optionsOf('membership', scene),
        fc.constant<Options>({ do: 'remove', target: 'one' }),
      ),
      moments(1, 6),
      durations([2, 4]),
    )
    .map(([target, every, via, duration, next, pause, then]) => [
      step('partition', 0, duration, { shape: 'isolate-leader' }),
      step('membership', 0.2, duration - 0.4, {
        do: 'remove',
        target,
        quorum: 'ignore',
        via,
        ...(every !== undefined && { every }),
      }),
      step('membership', duration + pause, then, next),
    ]);
}

/** One of each half of the nodes, in either order. */
function oneOfEachHalf({ nodes }: Scene): Arbitrary<readonly string[]> {
  const all = names(nodes);
  const middle = Math.floor(nodes / 2);
  const first = middle === 0 ? all : all.slice(0, middle);
  return fc
    .tuple(fc.constantFrom(...first), fc.constantFrom(...all.slice(middle)), fc.boolean())
    .map(([here, there, turned]) => [...new Set(turned ? [there, here] : [here, there])]);
}

/**
 * Two leaders are asked to change the members, neither of whom knows of the other's change: first the
 * one that is cut off; then the next one, which falls out with half of its voters before they have
 * heard that it leads. The first one comes back among that half. All messages take their time: that
 * makes `before` long enough, and an election by two rounds of questions longer by four ways.
 */
export function changesByTwoLeaders(scene: Scene): Pattern {
  return fc
    .tuple(
      oneOfEachHalf(scene),
      fc.constantFrom(0.06, 0.1, 0.15),
      durations([1.5]),
      moments(0.3, 1.5),
      fc.constantFrom<Options>(HALVES, HALVES, HALVES, { ...HALVES, shape: 'random-halves' }),
      durations([5, 7]),
    )
    .map(([target, way, timeout, late, halves, apart]) => {
      const elected = timeout + 4 * way;
      const alone = elected + late;
      return [
        step('partition', 0, alone, { shape: 'isolate-leader', quorum: 'ignore' }),
        step('latency', 0.1, alone, { latency: `${way}el` }),
        step('membership', 0.2, elected + apart + 1, {
          do: 'remove',
          target,
          via: ['old-leader', 'leader'],
          every: `${elected.toFixed(2)}el`,
          quorum: 'ignore',
        }),
        step('partition', 0.3, apart, {
          ...halves,
          after: 'leader-change',
          delay: '0ms',
          within: '5el',
        }),
      ];
    });
}
