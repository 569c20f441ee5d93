/** Patterns about those who lead, or believe that they do: cut off, asleep, one after the other. */
import fc, { type Arbitrary } from 'fast-check';
import { durations, names, type Options, oneName, type Scene } from './draw-faults.ts';
import { CUTTING, ENDING, endOf, type Pattern, shifted, step } from './steps.ts';

/** While it sleeps the world goes on without it; it wakes up, or comes back, and nobody tells it. */
export function wakesAlone({ faults }: Scene): Pattern {
  const sleeps = [...ENDING, 'pause', 'pause'].filter((kind) => faults.includes(kind));
  const cutting = [...CUTTING, 'partition', 'partition'].filter((kind) => faults.includes(kind));
  return fc
    .tuple(
      fc.constantFrom('leader', 'leader', 'leader', 'leader', 'one', 'followers'),
      fc.constantFrom(...sleeps),
      fc.constantFrom(...cutting),
      durations([0.9, 1.5, 2, 3]),
      fc.constantFrom(0, 0, 0, -0.2),
      durations([0.5, 1.1, 2]),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(([target, ending, cut, asleep, late, alone, count]) => {
      const where: Options =
        cut !== 'partition'
          ? { target, quorum: 'ignore' }
          : target === 'leader'
            ? { shape: 'isolate-leader' }
            : { shape: 'isolate-one', target: 'one' };
      const once = shifted(
        [step(ending, 0, asleep, { target }), step(cut, late, asleep + alone - late, where)],
        Math.max(0, -late),
      );
      return Array.from({ length: count }, (_, at) => shifted(once, at * (endOf(once) + 3))).flat();
    });
}

/** One node after another leads, as some are cut off and others late: terms pass, entries stay. */
export function leadersInTurn(scene: Scene): Pattern {
  const late = fc.tuple(oneName(scene), durations([0.3, 0.5, 0.9]));
  const cut = fc.tuple(
    fc.constantFrom<Options>(
      { shape: 'isolate-leader' },
      { shape: 'isolate-leader', direction: 'out' },
      { shape: 'isolate-leader', direction: 'in' },
    ),
    durations([2, 3, 5, 6]),
    durations([0.2, 0.9, 2]),
  );
  return fc
    .tuple(late, fc.array(cut, { minLength: 2, maxLength: 5 }), fc.boolean())
    .map(([[slow, latency], cuts, isLate]) => {
      let at = 1;
      const steps = cuts.map(([options, duration, pause]) => {
        const placed = step('partition', at, duration, options);
        at += duration + pause;
        return placed;
      });
      const slowness = step('latency', 0, at, {
        target: [slow],
        direction: 'out',
        latency: `${latency.toFixed(2)}el`,
      });
      return isLate ? [slowness, ...steps] : steps;
    });
}

/**
 * Every leader is gone soon after it leads, before all have heard of it, and back before the next but
 * one: each has entries that few others have. Slow links make `soon` long enough to tell something.
 */
export function shortReigns(scene: Scene): Pattern {
  const kinds = ['kill', 'power', 'partition', 'partition', 'blackhole'].filter((kind) =>
    scene.faults.includes(kind),
  );
  const reign = fc.tuple(
    fc.constantFrom(...kinds),
    fc.constantFrom(0, 0.1, 0.3, 0.6, 0.9, 1.5),
    durations([2, 3, 5, 8]),
    fc.constantFrom<Options>({}, { direction: 'out' }),
  );
  return fc
    .tuple(
      fc.array(reign, { minLength: 3, maxLength: 7 }),
      fc.constantFrom(undefined, '0.1el', '0.25el', '0.4el'),
      fc.constantFrom(undefined, 'leader', 'one', 'followers'),
      durations([1.5, 2.5, 4]),
    )
    .map(([reigns, latency, slow, stride]) => {
      const ends = reigns.map(([kind, delay, duration, direction], at) =>
        step(kind, at * stride, duration, {
          ...whereOf(kind, direction),
          ...(at > 0 && { after: 'leader-change', delay: `${delay}el`, within: '3el' }),
        }),
      );
      const slowness = { ...(slow !== undefined && { target: slow, direction: 'out' }), latency };
      return latency === undefined
        ? ends
        : [step('latency', 0, reigns.length * stride + 3, slowness as Options), ...ends];
    });
}

function whereOf(kind: string, direction: Options): Options {
  if (kind === 'partition') return { shape: 'isolate-leader', ...direction, quorum: 'ignore' };
  return { target: 'leader', quorum: 'ignore' };
}

/**
 * Only some hear all the others, who do not hear each other: whoever leads is one of these. Each of
 * them is cut off some time after it began to lead, while what it says is still on its way.
 */
export function fewHubs(scene: Scene): Pattern {
  const kinds = ['partition', 'blackhole'].filter((kind) => scene.faults.includes(kind));
  const cut = fc.tuple(
    fc.constantFrom(...kinds),
    fc.constantFrom(0, 0.2, 0.6, 1.5, 2.5),
    durations([3, 5, 7]),
  );
  return fc
    .tuple(
      fc.shuffledSubarray([...names(scene.nodes)], { minLength: scene.nodes }),
      fc.constantFrom(1, 2, 2, 2),
      fc.array(cut, { minLength: 3, maxLength: 5 }),
      fc.constantFrom('0.3el', '0.6el', '0.9el', '0.9el'),
    )
    .map(([order, count, cuts, latency]) => {
      const [hubs, others] = [order.slice(0, count), order.slice(count)];
      const reigns = cuts.map(([kind, delay, duration], at) =>
        step(kind, 3 + at * 2.5, duration, {
          ...whereOf(kind, {}),
          ...(at > 0 && { after: 'leader-change', delay: `${delay}el`, within: '6el' }),
        }),
      );
      const end = endOf(reigns) + 3;
      const apart: Options = { from: others, to: others, quorum: 'ignore' };
      const late: Options = { target: hubs, direction: 'out', latency, quorum: 'ignore' };
      const deaf = others.length < 2 ? [] : [step('hold', 0, end, apart)];
      return [...deaf, step('latency', 0, end, late), ...reigns];
    });
}

/**
 * Whoever leads is cut off, stays so until the next but one leads, and is asked again then. With no more
 * nodes up than it takes, each must come back for another to lead: with what only it has. Some reigns end
 * before the first word is heard, others after so many words as make up an agreement.
 */
export function takingTurns(scene: Scene): Pattern {
  const all = names(scene.nodes);
  const spare = Math.max(0, all.length - 2 - Math.floor(all.length / 2));
  const of = (kinds: readonly string[]): Arbitrary<string> =>
    fc.constantFrom(...kinds.filter((kind) => scene.faults.includes(kind)));
  const turn = fc.record({
    kind: of(['partition', 'partition', ...CUTTING]),
    // In the time that a message takes.
    soon: fc.constantFrom(0, 0, 0.5),
    late: fc.constantFrom(2.5, 4.5, 4.5, 6.5),
    isLate: fc.boolean(),
    lasts: fc.constantFrom(2, 2.5, 3),
    direction: fc.constantFrom<Options>({}, {}, { direction: 'out' }),
  });
  return fc
    .record({
      away: fc.shuffledSubarray([...all], { minLength: spare, maxLength: spare }),
      absence: of([...ENDING, ...CUTTING]),
      turns: fc.array(turn, { minLength: 3, maxLength: 4 }),
      inTurn: fc.boolean(),
      latency: fc.constantFrom(0.1, 0.2, 0.3),
      stride: durations([4, 5]),
    })
    .map(({ away, absence, turns, inTurn, latency, stride }) => {
      const cuts = turns.map(({ kind, soon, late, isLate, lasts, direction }, at) => {
        const where = whereOf(kind, direction);
        if (at === 0) return step(kind, 3, 1.6 * stride, where);
        const reign = latency * ((inTurn ? at % 2 === 0 : isLate) ? late : soon);
        const then: Options = { after: 'leader-change', delay: `${reign.toFixed(2)}el` };
        const options: Options = { ...where, ...then, within: '12el' };
        return step(kind, 3.1 + (at - 1) * stride, lasts * stride, options);
      });
      const end = endOf(cuts) + 2;
      const gone = { target: away, quorum: 'ignore' };
      return [
        ...(spare === 0 ? [] : [step(absence, 0.5, end, gone)]),
        step('latency', 0, end, { latency: `${latency}el` }),
        ...cuts,
      ];
    });
}
