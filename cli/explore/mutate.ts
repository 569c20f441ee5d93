/** A plan that is nearly another. */
import type { Random } from '../../harness/core/prng.ts';
import { durations, optionsOf, type Scene, singles, waiting } from './draw-faults.ts';
import { patterns } from './draw-patterns.ts';
import { drawn, loads, sizes } from './draw-plan.ts';
import { LENGTH_MAX, type Plan, type Step, within } from './plan.ts';
import type { Space } from './space.ts';
import { endOf, shifted } from './steps.ts';

type Change = (plan: Plan, around: Around) => Plan;

interface Around {
  readonly space: Space;
  readonly random: Random;
  readonly scene: Scene;
  /** Another plan to take from. */
  readonly other: Plan;
}

/** Often one change, sometimes several; never the same chance again. */
export function mutated(plan: Plan, other: Plan, space: Space, random: Random): Plan {
  const scene = { nodes: space.fixed.nodes ?? plan.nodes, faults: space.faults };
  const around: Around = { space, random, scene, other };
  const count = 1 + random.weighted([5, 3, 1]);
  let current = plan;
  for (let at = 0; at < count; at++) {
    const change = CHANGES[random.weighted(CHANGES.map(([weight]) => weight))]?.[1];
    if (change !== undefined) current = change(current, around);
  }
  const seed = random.chance(0.8) ? random.int(0, 2 ** 32 - 1) : current.seed;
  return within({ ...fitted(current), seed }, space);
}

/** As long as its faults take, and a little. */
function fitted(plan: Plan): Plan {
  return { ...plan, length: Math.min(LENGTH_MAX, Math.ceil(endOf(plan.steps) + 3)) };
}

/** Another step in the place of one, or no step. */
function replaced(
  { steps }: Plan,
  random: Random,
  change: (step: Step) => readonly Step[],
): readonly Step[] {
  if (steps.length === 0) return steps;
  const chosen = random.int(0, steps.length - 1);
  return steps.flatMap((step, at) => (at === chosen ? change(step) : [step]));
}

const retarget: Change = (plan, { random, scene }) => ({
  ...plan,
  steps: replaced(plan, random, (step) => [
    { ...step, options: drawn(optionsOf(step.fault, scene), random) },
  ]),
});

const exchange: Change = (plan, { random, scene }) => ({
  ...plan,
  steps: replaced(plan, random, ({ at }) => [{ ...drawn(singles(scene), random), at }]),
});

const stretch: Change = (plan, { random }) => ({
  ...plan,
  steps: replaced(plan, random, (step) => [{ ...step, for: drawn(durations(), random) }]),
});

const wait: Change = (plan, { random }) => ({
  ...plan,
  steps: replaced(plan, random, (step) => [drawn(waiting(step, 2), random)]),
});

const shift: Change = (plan, { random }) => ({
  ...plan,
  steps: replaced(plan, random, (step) => [
    { ...step, at: Math.max(0, step.at + (random.float() - 0.5) * 4) },
  ]),
});

const drop: Change = (plan, { random }) => ({ ...plan, steps: replaced(plan, random, () => []) });

const insert: Change = (plan, { random, scene }) => {
  const more = drawn(patterns(scene), random);
  const at = random.float() * Math.max(2, endOf(plan.steps));
  return { ...plan, steps: [...plan.steps, ...shifted(more, at)] };
};

const beside: Change = (plan, { random, scene }) => ({
  ...plan,
  steps: replaced(plan, random, (step) => [
    step,
    { ...drawn(singles(scene), random), at: step.at + random.float() * step.for },
  ]),
});

const repeat: Change = (plan, { random }) => {
  const period = endOf(plan.steps) + 1 + 2 * random.float();
  return { ...plan, steps: [...plan.steps, ...shifted(plan.steps, period)] };
};

/** The beginning of one, then the end of the other. */
const splice: Change = (plan, { random, other }) => {
  const cut = random.float() * endOf(plan.steps);
  const from = random.float() * endOf(other.steps);
  return {
    ...plan,
    steps: [
      ...plan.steps.filter(({ at }) => at < cut),
      ...shifted(
        other.steps.filter(({ at }) => at >= from),
        cut - from,
      ),
    ],
  };
};

const otherLoad: Change = (plan, { random, space }) => ({
  ...plan,
  ...drawn(loads(space), random),
});

const otherSize: Change = (plan, { random }) => ({ ...plan, nodes: drawn(sizes(), random) });

const otherSystem: Change = (plan, { other }) => ({ ...plan, systemOptions: other.systemOptions });

const onlySeed: Change = (plan) => plan;

const CHANGES: readonly (readonly [weight: number, change: Change])[] = [
  [4, retarget],
  [3, exchange],
  [3, stretch],
  [1, wait],
  [3, shift],
  [2, drop],
  [3, insert],
  [3, beside],
  [1, repeat],
  [3, splice],
  [2, otherLoad],
  [1, otherSize],
  [1, otherSystem],
  [1, onlySeed],
];
