/**
 * Faults that belong together: orders, overlaps and repetitions that failures of distributed stores are
 * known to need. Each pattern begins at 0; none knows of a store, or of what could be wrong with one.
 */
import fc from 'fast-check';
import { durations, names, type Options, partitions, type Scene, singles } from './draw-faults.ts';
import { fewHubs, leadersInTurn, shortReigns, takingTurns, wakesAlone } from './draw-leaders.ts';
import { holdAndRelease, slowThenDeaf } from './draw-links.ts';
import { changeInTheCut, changesByTwoLeaders, changeThenHalves } from './draw-members.ts';
import { CUTTING, ENDING, type Pattern, shifted, step } from './steps.ts';

/** One after another, each beginning some time after the one before has ended. */
function sequences(scene: Scene): Pattern {
  const next = fc.tuple(singles(scene), durations([0.1, 0.5, 0.9, 2]));
  return fc.array(next, { minLength: 2, maxLength: 4 }).map((all) => {
    let at = 0;
    return all.map(([one, pause]) => {
      const placed = { ...one, at };
      at += one.for + pause;
      return placed;
    });
  });
}

/** Each begins while the one before lasts. */
function overlaps(scene: Scene): Pattern {
  const next = fc.tuple(singles(scene), fc.constantFrom(0, 0.1, 0.3, 0.6, 0.9));
  return fc.array(next, { minLength: 2, maxLength: 3 }).map((all) => {
    let [at, lasts] = [0, 0];
    return all.map(([one, share]) => {
      at += lasts * share;
      lasts = one.for;
      return { ...one, at };
    });
  });
}

/** The same again, with moments between in which everything seems well. */
function stutters(scene: Scene): Pattern {
  return fc
    .tuple(singles(scene), fc.integer({ min: 2, max: 5 }), durations([0.05, 0.2, 0.5, 2]))
    .map(([one, count, pause]) =>
      Array.from({ length: count }, (_, at) => ({ ...one, at: at * (one.for + pause) })),
    );
}

/** One node after the other, each hit before the one before is well, or just after. */
function rolling(scene: Scene): Pattern {
  const kinds = [...ENDING, ...CUTTING, 'partition'].filter((kind) => scene.faults.includes(kind));
  const kind = fc.constantFrom(...kinds);
  const order = fc.shuffledSubarray([...names(scene.nodes)], {
    minLength: Math.min(2, scene.nodes),
  });
  return fc
    .tuple(kind, order, durations([0.9, 1.1, 2, 3, 5]), fc.constantFrom(0.6, 0.9, 1.05, 1.5))
    .map(([fault, nodes, duration, stride]) =>
      nodes.map((node, at) =>
        step(
          fault,
          at * duration * stride,
          duration,
          fault === 'partition' ? { shape: 'isolate-one', target: [node] } : { target: [node] },
        ),
      ),
    );
}

/** Some are cut off, and something happens to them or to the rest meanwhile. */
function besideTheCut(scene: Scene): Pattern {
  const kinds = ENDING.filter((kind) => scene.faults.includes(kind));
  const ended =
    kinds.length === 0
      ? singles(scene)
      : fc
          .tuple(
            fc.constantFrom(...kinds),
            fc.constantFrom('followers', 'followers', 'leader', 'one', 'majority'),
            durations([0.4, 0.9, 2]),
          )
          .map(([kind, target, duration]) => step(kind, 0, duration, { target, quorum: 'ignore' }));
  return fc
    .tuple(
      partitions(),
      durations([2, 3, 5, 6]),
      fc.oneof(singles(scene), ended),
      fc.constantFrom(-0.2, 0, 0.2, 0.4, 0.9, 2),
    )
    .map(([cut, duration, beside, at]) =>
      shifted([step('partition', 0, duration, cut), { ...beside, at }], Math.max(0, -at)),
    );
}

/** The same nodes have two troubles at once, of which one is over before the other. */
function twoTroubles(scene: Scene): Pattern {
  const kinds = [
    ...ENDING,
    ...CUTTING,
    'partition',
    'partition',
    'latency',
    'clock-skew',
    'slow-disk',
  ];
  const possible = kinds.filter((kind) => scene.faults.includes(kind));
  const direction = fc.constantFrom<Options>({}, {}, { direction: 'in' }, { direction: 'out' });
  return fc
    .tuple(
      fc.constantFrom('leader', 'leader', 'one', 'followers'),
      fc.shuffledSubarray(possible, { minLength: 2, maxLength: 2 }),
      durations([2, 3, 5, 6]),
      fc.constantFrom(0.4, 0.6, 0.8, 1.3),
      fc.constantFrom(0, 0, 0.2, 0.9),
      direction,
    )
    .map(([target, [first = '', second = ''], duration, share, at, way]) => [
      step(first, 0, duration, onNode(first, target, way)),
      step(second, at, duration * share, onNode(second, target, way)),
    ]);
}

/** The words by which a fault of this kind hits this node, and all there is to say beside. */
function onNode(fault: string, target: string, direction: Options): Options {
  if (fault === 'partition')
    return target === 'leader'
      ? { shape: 'isolate-leader', ...direction }
      : { shape: 'isolate-one', target, ...direction };
  if (fault === 'latency') return { target, ...direction, latency: '0.9el' };
  if (CUTTING.includes(fault)) return { target, ...direction };
  if (fault === 'clock-skew') return { target, rate: 0.2 };
  return fault === 'slow-disk' ? { target, delay: '0.5el' } : { target };
}

/** A node misses something; before it hears of it, another that knows it is gone. */
function healThenKill(scene: Scene): Pattern {
  const kinds = ENDING.filter((kind) => scene.faults.includes(kind));
  return fc
    .tuple(
      fc.constantFrom('followers', 'one', 'leader'),
      fc.constantFrom('leader', 'one', 'followers'),
      fc.constantFrom(...kinds),
      durations([2, 3, 5]),
      durations([0.2, 0.4, 0.9]),
    )
    .map(([cut, ended, kind, duration, before]) => [
      step('partition', 0, duration, { shape: 'isolate-one', target: cut }),
      step(kind, Math.max(0, duration - before), duration, { target: ended, quorum: 'ignore' }),
    ]);
}

/** Many at one moment, or all but one: everybody comes back on what is on disk. */
function allAtOnce(scene: Scene): Pattern {
  const kinds = ENDING.filter((kind) => scene.faults.includes(kind));
  return fc
    .tuple(
      fc.constantFrom(...kinds),
      fc.constantFrom('all', 'followers', 'majority'),
      durations([0.4, 0.9, 1.4]),
      durations([1.1, 3, 5]),
      fc.integer({ min: 1, max: 4 }),
    )
    .map(([kind, target, duration, pause, count]) =>
      Array.from({ length: count }, (_, at) =>
        step(kind, at * (duration + pause), duration, { target, quorum: 'ignore' }),
      ),
    );
}

/** Disks are slow, so that much is promised of what is not there yet; then the power is gone. */
function slowDisksThenPower(): Pattern {
  return fc
    .tuple(
      fc.constantFrom('all', 'followers', 'leader'),
      fc.constantFrom('all', 'majority', 'followers', 'leader'),
      durations([0.1, 0.3, 0.5]),
      durations([0.4, 0.9]),
      fc.integer({ min: 1, max: 4 }),
    )
    .map(([slow, ended, delay, duration, count]) =>
      Array.from({ length: count }, (_, at) =>
        shifted(
          [
            step('slow-disk', 0, 2 + duration, { target: slow, delay: `${delay.toFixed(2)}el` }),
            step('power', 2, duration, { target: ended, quorum: 'ignore' }),
          ],
          at * 6,
        ),
      ).flat(),
    );
}

/** What is forgotten, and who comes back after it. */
function compactThenRestart(scene: Scene): Pattern {
  const kinds = ['kill', 'power', 'pause', 'partition'].filter((kind) =>
    scene.faults.includes(kind),
  );
  return fc
    .tuple(
      singles(scene, kinds),
      durations([0.2, 0.4, 1.1]),
      durations([1.1, 2]),
      fc.integer({ min: 1, max: 6 }),
    )
    .map(([next, after, pause, count]) =>
      Array.from({ length: count }, (_, at) =>
        shifted(
          [step('compact', 0, 0.2, {}), { ...next, at: after }],
          at * (after + next.for + pause),
        ),
      ).flat(),
    );
}

interface Choice {
  readonly weight: number;
  /** Kinds of fault of which it needs all. */
  readonly needs: readonly string[];
  /** And one of these. */
  readonly oneOf?: readonly string[];
  readonly draw: (scene: Scene) => Pattern;
}

const CHOICES: readonly Choice[] = [
  { weight: 6, needs: [], draw: (scene) => singles(scene).map((one) => [one]) },
  { weight: 3, needs: [], draw: sequences },
  { weight: 4, needs: [], draw: overlaps },
  { weight: 3, needs: [], draw: stutters },
  { weight: 2, needs: [], oneOf: [...ENDING, ...CUTTING, 'partition'], draw: rolling },
  { weight: 4, needs: ['partition'], draw: besideTheCut },
  { weight: 4, needs: ['pause', 'partition'], draw: twoTroubles },
  { weight: 3, needs: ['partition'], oneOf: ENDING, draw: healThenKill },
  { weight: 3, needs: [], oneOf: ENDING, draw: allAtOnce },
  { weight: 5, needs: ['latency'], oneOf: ['partition', ...CUTTING], draw: slowThenDeaf },
  { weight: 2, needs: [], oneOf: [...CUTTING, 'latency'], draw: holdAndRelease },
  { weight: 4, needs: ['membership', 'partition'], draw: changeThenHalves },
  { weight: 3, needs: ['membership', 'partition'], draw: changeInTheCut },
  { weight: 2, needs: ['slow-disk', 'power'], draw: slowDisksThenPower },
  {
    weight: 3,
    needs: ['compact'],
    oneOf: ['kill', 'power', 'pause', 'partition'],
    draw: compactThenRestart,
  },
  { weight: 3, needs: ['latency', 'partition'], draw: leadersInTurn },
  { weight: 4, needs: [], oneOf: ['kill', 'power', 'partition', 'blackhole'], draw: shortReigns },
  { weight: 4, needs: ['pause', 'partition'], draw: wakesAlone },
  { weight: 5, needs: ['membership', 'partition'], draw: changesByTwoLeaders },
  { weight: 1, needs: ['hold', 'latency'], oneOf: ['partition', 'blackhole'], draw: fewHubs },
  { weight: 6, needs: ['latency', 'partition'], oneOf: CUTTING, draw: takingTurns },
];

/** Any pattern of the faults there are. */
export function patterns(scene: Scene): Pattern {
  const has = (fault: string): boolean => scene.faults.includes(fault);
  const possible = CHOICES.filter(
    ({ needs, oneOf }) => needs.every(has) && (oneOf === undefined || oneOf.some(has)),
  );
  return fc.oneof(...possible.map(({ weight, draw }) => ({ weight, arbitrary: draw(scene) })));
}
