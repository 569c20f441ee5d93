/**
 * Arbitrary faults: kinds, whom they hit, in which shape, for how long. They are general, and know of
 * no store and of nothing that could be wrong with one.
 */
import fc, { type Arbitrary } from 'fast-check';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Step } from './plan.ts';

export type Options = Step['options'];

/** What a drawn fault may speak of. */
export interface Scene {
  readonly nodes: number;
  readonly faults: readonly string[];
}

/** Where a protocol's own times are is where it goes wrong: just below one, just above, and well so. */
const UNITS = [0.5, 0.9, 1.1, 2, 3, 5] as const;

/** Elections: a unit, give or take a tenth. */
export function durations(units: readonly number[] = UNITS): Arbitrary<number> {
  return fc
    .tuple(fc.constantFrom(...units), fc.integer({ min: -10, max: 10 }))
    .map(([unit, percent]) => unit * (1 + percent / 100));
}

/** Elections between two bounds, in tenths. */
export function moments(min: number, max: number): Arbitrary<number> {
  return fc
    .integer({ min: Math.round(min * 10), max: Math.round(max * 10) })
    .map((tenths) => tenths / 10);
}

export function names(nodes: number): readonly string[] {
  return Array.from({ length: nodes }, (_, at) => `n${at + 1}`);
}

export function oneName({ nodes }: Scene): Arbitrary<string> {
  return fc.constantFrom(...names(nodes));
}

type Weighted = readonly (readonly [weight: number, value: JsonValue])[];

/** One of some values, by weight. */
function weighted(values: Weighted): Arbitrary<JsonValue> {
  return fc.oneof(...values.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

/** Roles, mostly: who leads is where most that is interesting happens. */
const TARGETS: Weighted = [
  [6, 'leader'],
  [4, 'one'],
  [3, 'followers'],
  [2, 'minority'],
  [2, 'all'],
  [1, 'majority'],
  [1, 'leaders'],
];
const LINK_ENDS: Weighted = [
  [4, 'leader'],
  [3, 'one'],
  [1, 'followers'],
  [1, 'minority'],
];
const DIRECTIONS: Weighted = [
  [3, 'both'],
  [2, 'in'],
  [2, 'out'],
];
const ONE_WAY: Weighted = [
  [1, 'in'],
  [1, 'out'],
];

/** Absent in most faults. */
const rarely = (value: JsonValue, oneIn: number): Arbitrary<JsonValue | undefined> =>
  fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant(value) },
  );

/** A record without what was not drawn. */
export function optionsFrom(
  parts: Readonly<Record<string, Arbitrary<JsonValue | undefined>>>,
): Arbitrary<Options> {
  return fc
    .record(parts)
    .map((all) => Object.fromEntries(Object.entries(all).filter((pair) => isSaid(pair))));
}

function isSaid(pair: [string, JsonValue | undefined]): pair is [string, JsonValue] {
  return pair[1] !== undefined;
}

const quorum = rarely('ignore', 3);

const hits = (): Arbitrary<Options> => optionsFrom({ target: weighted(TARGETS), quorum });

const links = (more: Readonly<Record<string, Arbitrary<JsonValue | undefined>>>) =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: optionsFrom({
        target: weighted(LINK_ENDS),
        direction: weighted(DIRECTIONS),
        quorum,
        ...more,
      }),
    },
    { weight: 1, arbitrary: optionsFrom({ on: fc.constant('link'), quorum, ...more }) },
  );

/** A length of time within a fault, as its words say it. */
function lengths(units: readonly number[]): Arbitrary<string> {
  return durations(units).map(
    (elections) => `${Math.max(0.02, Math.round(elections * 100) / 100)}el`,
  );
}

export function partitions(): Arbitrary<Options> {
  const shape = (name: string, more: Parameters<typeof optionsFrom>[0] = {}): Arbitrary<Options> =>
    optionsFrom({ shape: fc.constant(name), ...more });
  const direction = weighted(DIRECTIONS);
  const whom = weighted([
    [2, 'one'],
    [2, 'followers'],
    [1, 'leader'],
  ]);
  return fc.oneof(
    { weight: 6, arbitrary: shape('isolate-leader', { direction }) },
    { weight: 3, arbitrary: shape('isolate-one', { direction, target: whom, quorum }) },
    { weight: 3, arbitrary: shape('halves', { quorum: fc.constant('ignore') }) },
    { weight: 2, arbitrary: shape('random-halves', { direction, quorum }) },
    { weight: 1, arbitrary: shape('majority-minority', { direction }) },
    { weight: 1, arbitrary: shape('isolate-leaders', { direction, quorum }) },
    { weight: 1, arbitrary: shape('bridge') },
    { weight: 1, arbitrary: shape('majorities-ring') },
    {
      weight: 4,
      arbitrary: shape('one-way', { target: weighted(LINK_ENDS), direction: weighted(ONE_WAY) }),
    },
    { weight: 1, arbitrary: shape('single-link', { quorum }) },
  );
}

function memberships({ nodes }: Scene): Arbitrary<Options> {
  const target = fc.oneof(
    {
      weight: 4,
      arbitrary: weighted([
        [4, 'one'],
        [2, 'leader'],
        [2, 'followers'],
        [1, 'minority'],
      ]),
    },
    // The last name is in the second of two halves.
    { weight: 2, arbitrary: fc.constant<JsonValue>([`n${nodes}`]) },
    {
      weight: 1,
      arbitrary: fc.shuffledSubarray([...names(nodes)], {
        minLength: 1,
        maxLength: Math.min(2, nodes),
      }),
    },
  );
  const via = weighted([
    [4, 'leader'],
    [2, 'old-leader'],
    [1, 'target'],
  ]);
  const every = fc.constantFrom(undefined, undefined, '0ms', '1el', '3el');
  return fc.oneof(
    {
      weight: 3,
      arbitrary: optionsFrom({ do: fc.constant('remove'), target, via, every, quorum }),
    },
    {
      weight: 2,
      arbitrary: optionsFrom({
        do: fc.constant('replace'),
        target,
        as: fc.constant('learner'),
        promote: fc.boolean(),
        via,
        quorum,
      }),
    },
    {
      weight: 1,
      arbitrary: optionsFrom({ do: fc.constant('replace'), target, via, quorum }),
    },
  );
}

const LATE = [0.1, 0.3, 0.5, 0.9, 2, 5] as const;

const ARBITRARIES: Readonly<Record<string, (scene: Scene) => Arbitrary<Options>>> = {
  partition: partitions,
  kill: hits,
  pause: hits,
  power: hits,
  'failing-sync': hits,
  'memory-squeeze': hits,
  unplug: hits,
  membership: memberships,
  compact: () =>
    optionsFrom({
      keep: weighted([
        [4, 0],
        [1, 10],
        [1, 100],
      ]),
      via: weighted([
        [2, 'one'],
        [1, 'leader'],
      ]),
    }),
  latency: () =>
    links({ latency: lengths(LATE), ramp: fc.constantFrom(undefined, undefined, '6el', '12el') }),
  hold: () => links({}),
  blackhole: () => links({}),
  reset: () => links({ after: fc.constantFrom('0ms', '100ms', '1s') }),
  bandwidth: () => links({ rateKBps: fc.constantFrom(4, 16, 64) }),
  'slow-close': () => links({ delay: fc.constantFrom('100ms', '1s') }),
  'slow-disk': () => optionsFrom({ target: weighted(TARGETS), delay: lengths([0.05, 0.2, 0.5]) }),
  'full-disk': () => optionsFrom({ target: weighted(LINK_ENDS) }),
  'cpu-squeeze': () => optionsFrom({ target: weighted(TARGETS) }),
  'drop-packets': () => optionsFrom({ target: weighted(LINK_ENDS) }),
  'clock-skew': () =>
    fc.oneof(
      optionsFrom({
        target: weighted(TARGETS),
        rate: fc.constantFrom(0.2, 0.5, 0.8, 1.25, 2, 5),
      }),
      optionsFrom({
        target: weighted(TARGETS),
        offset: fc.constantFrom('-5s', '-500ms', '500ms', '5s'),
      }),
    ),
};

/** The words of one fault of this kind; of one that somebody brought, none. */
export function optionsOf(fault: string, scene: Scene): Arbitrary<Options> {
  return ARBITRARIES[fault]?.(scene) ?? fc.constant({});
}

/** Words of which a fault that has them uses some for something else. */
const TAKEN: readonly string[] = ['on', 'after'];

/** What a fault waits for, once its time has come, in the words of a schedule. */
const waits: Arbitrary<Options> = fc.oneof(
  {
    weight: 2,
    arbitrary: optionsFrom({
      after: fc.constant('leader-change'),
      delay: fc.constantFrom('0el', '0.02el', '0.1el', '0.5el'),
      within: fc.constant('5el'),
    }),
  },
  {
    weight: 1,
    arbitrary: optionsFrom({
      while: fc.constant('write-in-flight'),
      on: fc.constantFrom('leader', 'any'),
      within: fc.constant('5el'),
    }),
  },
);

/** Perhaps it waits for something, `oneIn` so many times. */
export function waiting(step: Step, oneIn: number): Arbitrary<Step> {
  if (TAKEN.some((word) => step.options[word] !== undefined)) return fc.constant(step);
  return fc.oneof(
    { weight: oneIn - 1, arbitrary: fc.constant(step) },
    {
      weight: 1,
      arbitrary: waits.map((wait) => ({ ...step, options: { ...step.options, ...wait } })),
    },
  );
}

/** How often a kind comes, where all may: what breaks the majority's talk most. */
const WEIGHTS: Readonly<Record<string, number>> = {
  partition: 5,
  kill: 3,
  pause: 3,
  membership: 3,
};

/** Any fault at the beginning of time. */
export function singles(scene: Scene, kinds: readonly string[] = scene.faults): Arbitrary<Step> {
  return fc
    .oneof(
      ...kinds.map((fault) => ({
        weight: WEIGHTS[fault] ?? 1,
        arbitrary: fc.tuple(fc.constant(fault), optionsOf(fault, scene), durations()),
      })),
    )
    .map(([fault, options, duration]) => ({ at: 0, for: duration, fault, options }));
}
