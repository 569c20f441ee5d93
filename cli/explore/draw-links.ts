/** Patterns about links on which messages come late, or are kept back and come all at once. */
import fc from 'fast-check';
import type { JsonValue } from '../../harness/core/json.ts';
import { durations, type Options, oneName, type Scene, singles } from './draw-faults.ts';
import { rounded } from './plan.ts';
import { CUTTING, type Pattern, step } from './steps.ts';

/** By what is late, and what is lost then. */
const LATE_AND_LOST = [
  ['in', 'out'],
  ['in', 'out'],
  ['in', 'out'],
  ['out', 'in'],
  ['in', 'both'],
] as const;

/**
 * What one node hears, or says, comes later and later, so slowly that nobody takes it for silence. Then
 * the other direction is lost: for as long as a message takes by now, one side goes on to hear of a
 * past in which all was well. The loss lasts at least as long as that.
 */
export function slowThenDeaf(scene: Scene): Pattern {
  const kinds = ['partition', 'partition', ...CUTTING].filter((kind) =>
    scene.faults.includes(kind),
  );
  const leader = fc.constant<JsonValue>('leader');
  const whoever = oneName(scene).map((name): JsonValue => [name]);
  return fc
    .record({
      target: fc.oneof({ weight: 4, arbitrary: leader }, { weight: 1, arbitrary: whoever }),
      directions: fc.constantFrom(...LATE_AND_LOST),
      latency: durations([3, 5, 5, 8]),
      kind: fc.constantFrom(...kinds),
      // These in times that a message takes in the end.
      grows: fc.constantFrom(1, 2),
      stays: fc.constantFrom(0, 0, 0.5, 1),
      lasts: fc.constantFrom(1, 1, 1.5),
    })
    .map(({ target, directions: [late, lost], latency, kind, grows, stays, lasts }) => {
      const begins = latency * (grows + stays);
      const duration = latency * lasts;
      const slow = step('latency', 0, begins + duration + 2, {
        target,
        direction: late,
        latency: `${rounded(latency)}el`,
        ramp: `${rounded(latency * grows)}el`,
      });
      const whom: Options =
        kind !== 'partition'
          ? { target }
          : target === 'leader'
            ? { shape: 'isolate-leader' }
            : { shape: 'isolate-one', target };
      return [slow, step(kind, begins, duration, { ...whom, direction: lost, quorum: 'ignore' })];
    });
}

/** Messages are kept back for long while leaders come and go, and arrive in a world that went on. */
export function holdAndRelease(scene: Scene): Pattern {
  return fc
    .tuple(
      fc.constantFrom(...[...CUTTING, 'latency'].filter((kind) => scene.faults.includes(kind))),
      fc.constantFrom('leader', 'one', 'followers'),
      fc.constantFrom('in', 'out', 'both'),
      durations([3, 5, 10]),
      singles(scene),
      durations([0.2, 0.5, 1.1, 2]),
    )
    .map(([kind, target, direction, duration, beside, at]) => [
      step(kind, 0, duration, {
        target,
        direction,
        ...(kind === 'latency' ? { latency: '0.9el' } : { quorum: 'ignore' }),
      }),
      { ...beside, at },
    ]);
}
