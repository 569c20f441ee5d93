/** An arbitrary plan: cluster, options, load, and patterns of faults. */
import fc, { type Arbitrary } from 'fast-check';
import type { Random } from '../../harness/core/prng.ts';
import { findWorkload } from '../registry.ts';
import { moments, type Scene, waiting } from './draw-faults.ts';
import { patterns } from './draw-patterns.ts';
import { LENGTH_MAX, type Plan, type Step, tidied } from './plan.ts';
import type { Space } from './space.ts';
import { endOf, shifted } from './steps.ts';

/** Of so many faults one waits for an event, rather than for its time alone. */
const WAITING_ONE_IN = 12;
const SEED_MAX = 2 ** 32 - 1;
/** Mostly three and five; four and six, which are even, too. */
const SIZE_WEIGHTS = [1, 1, 10, 6, 6, 2, 1] as const;

interface Tried {
  /** How often it is said at all. */
  readonly chance: number;
  readonly values: readonly string[];
}

/** What options of a system are worth trying: small, so that much happens in a short time. */
const SYSTEM_OPTIONS: Readonly<Record<string, Tried>> = {
  'snapshot-count': { chance: 0.5, values: ['20', '50', '200'] },
  'snapshot-catchup-entries': { chance: 0.5, values: ['0', '5', '10', '50'] },
  'max-append-entries': { chance: 0.45, values: ['1', '1', '1', '3'] },
  'pre-vote': { chance: 0.25, values: ['false'] },
};
/** Else most changes of the members are refused: nobody is well for long. */
const LENIENT = { chance: 0.8, option: 'strict-reconfig-check', value: 'false' } as const;
/** The same of workloads. */
const WORKLOAD_OPTIONS: Readonly<Record<string, Tried>> = {
  keys: { chance: 0.3, values: ['1', '2', '4'] },
  'ops-per-key': { chance: 0.2, values: ['50', '1000'] },
  deletes: { chance: 0.4, values: ['20', '60', '90'] },
  'read-timeout': { chance: 0.5, values: ['1000', '2000'] },
};

/** Whether it says nothing to system or workload but what is drawn here: a plan may come from a file. */
export function hasDrawnOptions({
  systemOptions,
  workloadOptions,
}: Pick<Plan, 'systemOptions' | 'workloadOptions'>): boolean {
  const ofSystem = [...Object.keys(SYSTEM_OPTIONS), LENIENT.option];
  return (
    Object.keys(systemOptions).every((name) => ofSystem.includes(name)) &&
    Object.keys(workloadOptions).every((name) => Object.hasOwn(WORKLOAD_OPTIONS, name))
  );
}

/** One value that follows from the stream alone. */
export function drawn<T>(arbitrary: Arbitrary<T>, random: Random): T {
  const [value] = fc.sample(arbitrary, { numRuns: 1, seed: random.int(0, 2 ** 31 - 1) });
  return value as T;
}

export function plans(space: Space): Arbitrary<Plan> {
  const { fixed } = space;
  const nodes = fixed.nodes === undefined ? sizes() : fc.constant(fixed.nodes);
  return nodes.chain((count) => plansOf(space, count));
}

function plansOf(space: Space, nodes: number): Arbitrary<Plan> {
  return fc
    .tuple(
      loads(space),
      options(SYSTEM_OPTIONS, space.system.options),
      schedules({ nodes, faults: space.faults }),
      fc.integer({ min: 0, max: SEED_MAX }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([load, drawnOptions, faults, seed, chance]) => {
      const isLenient = chance < LENIENT.chance && LENIENT.option in space.system.options;
      const changes = faults.some(({ fault }) => fault === 'membership');
      const systemOptions =
        isLenient && changes ? { ...drawnOptions, [LENIENT.option]: LENIENT.value } : drawnOptions;
      const length = space.fixed.length ?? Math.min(LENGTH_MAX, Math.ceil(endOf(faults) + 3));
      return { seed, nodes, ...load, systemOptions, length, steps: tidied(faults, length, space) };
    });
}

export function sizes(): Arbitrary<number> {
  return fc.oneof(
    ...SIZE_WEIGHTS.map((weight, at) => ({ weight, arbitrary: fc.constant(at + 1) })),
  );
}

type Load = Pick<
  Plan,
  'workload' | 'clientsPerNode' | 'rate' | 'clientTimeoutMs' | 'workloadOptions'
>;

export function loads(space: Space): Arbitrary<Load> {
  const { fixed } = space;
  return workloads(space).chain((workload) =>
    fc.record({
      workload: fc.constant(workload),
      clientsPerNode: fc.constantFrom(2, 2, 3, 6, 8),
      rate: fixed.rate === undefined ? rates() : fc.constant(fixed.rate),
      clientTimeoutMs:
        fixed.clientTimeoutMs === undefined
          ? fc.constantFrom(300, 1000, 1000, 3000, 6000)
          : fc.constant(fixed.clientTimeoutMs),
      workloadOptions: options(WORKLOAD_OPTIONS, findWorkload(workload, space.catalogue).options),
    }),
  );
}

/** Mostly enough to have something under way always; sometimes so little that a change stands alone. */
function rates(): Arbitrary<number> {
  return fc.constantFrom(5, 5, 25, 100, 100, 200, 200, 400);
}

/** One, or two side by side. */
function workloads({ fixed, workloads: all }: Space): Arbitrary<string> {
  if (fixed.workload !== undefined) return fc.constant(fixed.workload);
  return fc
    .subarray([...all], { minLength: 1, maxLength: Math.min(2, all.length) })
    .map((some) => some.join(','));
}

/** Of each option that is known, one of its values or none. */
function options(
  table: Readonly<Record<string, Tried>>,
  known: Readonly<Record<string, string>>,
): Arbitrary<Readonly<Record<string, string>>> {
  const parts = Object.entries(table)
    .filter(([name]) => Object.hasOwn(known, name))
    .map(([name, { chance, values }]) => {
      const said = fc.constantFrom(...values).map((value) => ({ [name]: value }));
      const weight = Math.round(100 * chance);
      return fc.oneof(
        { weight: 100 - weight, arbitrary: fc.constant({}) },
        { weight, arbitrary: said },
      );
    });
  if (parts.length === 0) return fc.constant({});
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Record<string, string>);
}

/** Some patterns, one after the other or at the same time; and perhaps all of it once more. */
export function schedules(scene: Scene): Arbitrary<readonly Step[]> {
  if (scene.faults.length === 0) return fc.constant([]);
  const one = fc.tuple(patterns(scene), moments(0.5, 4), fc.integer({ min: 0, max: 3 }));
  const some = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(one) },
    { weight: 4, arbitrary: fc.tuple(one, one) },
    { weight: 1, arbitrary: fc.tuple(one, one, one) },
  );
  return fc
    .tuple(moments(0.5, 3), some, fc.constantFrom(1, 1, 1, 2))
    .map(([start, all, times]) => {
      const once = laidOut(all);
      const period = endOf(once) + 3;
      const repeats = Array.from({ length: times }, (_, at) => shifted(once, start + at * period));
      return repeats.flat();
    })
    .chain((steps) => fc.tuple(...steps.map((step) => waiting(step, WAITING_ONE_IN))));
}

/** `beside` 0: at the same time as the one before. */
function laidOut(
  all: readonly (readonly [steps: readonly Step[], pause: number, beside: number])[],
): readonly Step[] {
  let free = 0;
  let before = 0;
  return all.flatMap(([steps, pause, beside], index) => {
    const at = index > 0 && beside === 0 ? before : free;
    before = at;
    free = Math.max(free, at + endOf(steps) + pause);
    return shifted(steps, at);
  });
}
