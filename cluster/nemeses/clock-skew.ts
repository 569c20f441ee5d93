import { sleep } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { ClockControl, ClockSkew } from '../../harness/protocols/machines.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { RoleSample, Timing } from '../../harness/protocols/system.ts';
import { failed, installed } from './evidence.ts';
import { nemesisOf } from './lane.ts';
import {
  HARMLESS_TARGETS,
  type NodeSpec,
  ONE_MACHINE,
  planNodes,
  readNodeSpec,
} from './node-fault.ts';
import { amountOf, durationOf, type FaultOptions, type Place, refuse } from './options.ts';

const NAME = 'clock-skew';
const RIGHT: ClockSkew = { offsetMs: 0, rate: 1 };
const RATE_MIN = 0.1;
const RATE_MAX = 10;
/** A rate shows only in some time. */
const WATCHED_MS = 100;
const OFFSET_ERROR_MS = 1;
const RATE_ERROR = 0.01;

interface SkewHeld {
  readonly nodes: readonly NodeName[];
  readonly skew: ClockSkew;
}

/**
 * A node's clock jumps by `offset` and goes on at `rate`; at the end it is set right, as by a time
 * service. Nobody is down: a store that rests on clocks shows it by what it then answers.
 */
export function clockSkew(): Nemesis {
  return nemesisOf<NodeSpec<ClockSkew>, readonly RoleSample[], SkewHeld>({
    name: NAME,
    single: ONE_MACHINE,
    available: ({ clocks }) =>
      clocks !== undefined || 'only a simulated machine has a clock of its own: --backend sim',
    read: (place, timing) => readNodeSpec(place, ['offset', 'rate'], () => skewOf(place, timing)),
    draw,
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const choice = { lane: NAME, verb: `clock ${skewText(spec.own)} on`, isDown: false };
      return planNodes(choice, spec, roles, ctx, (nodes) => ({ nodes, skew: spec.own }));
    },
    install: async ({ nodes, skew }, ctx) => ({ evidence: await setAll(nodes, skew, ctx) }),
    remove: async ({ nodes }, ctx) => ({ evidence: await setAll(nodes, RIGHT, ctx) }),
  });
}

/** `offset` as `"2s"` or `"-2s"`; a second ahead where neither it nor `rate` is given. */
function skewOf(place: Place, timing: Timing): ClockSkew {
  const { options, where } = place;
  const rate = amountOf(place, 'rate', 1);
  if (rate < RATE_MIN || rate > RATE_MAX)
    refuse(where, `rate: ${rate} is not a number from ${RATE_MIN} to ${RATE_MAX}`);
  const { offset } = options;
  if (typeof offset === 'string' && offset.startsWith('-')) {
    const back = { where, options: { ...options, offset: offset.slice(1) } };
    return { rate, offsetMs: -durationOf(back, 'offset', timing, 0) };
  }
  const otherwise = options['rate'] === undefined ? 1000 : 0;
  return { rate, offsetMs: durationOf(place, 'offset', timing, otherwise) };
}

/** Jumps of up to five seconds, rates from half to double, or both. */
function draw(random: Random): FaultOptions {
  const target = random.pick(HARMLESS_TARGETS);
  const what = random.pick(['jump', 'rate', 'both'] as const);
  const sign = random.chance(0.5) ? '-' : '';
  const offset = `${sign}${random.int(50, 5000)}ms`;
  const faster = random.int(105, 200) / 100;
  const rate = random.chance(0.5) ? faster : Math.round(100 / faster) / 100;
  return {
    target,
    ...(what !== 'rate' && { offset }),
    ...(what !== 'jump' && { rate }),
  };
}

function skewText({ offsetMs, rate }: ClockSkew): string {
  const jump =
    offsetMs === 0 ? [] : [`${Math.abs(offsetMs)} ms ${offsetMs > 0 ? 'ahead' : 'behind'}`];
  const pace = rate === 1 ? [] : [`${rate} times as fast`];
  return [...jump, ...pace].join(', ') || 'right';
}

function clocksOf({ cluster }: NemesisContext): ClockControl {
  const { clocks } = cluster;
  invariant(clocks !== undefined, 'a fault of clocks was decided without clocks');
  return clocks;
}

async function setAll(
  nodes: readonly NodeName[],
  skew: ClockSkew,
  ctx: NemesisContext,
): Promise<Evidence> {
  const clocks = clocksOf(ctx);
  await Promise.all(nodes.map((node) => clocks.skew(node, skew)));
  const measured = await Promise.all(
    nodes.map(async (node) => [node, await measure(node, clocks, ctx)] as const),
  );
  const wrong = measured.find(
    ([, seen]) =>
      Math.abs(seen.offsetMs - skew.offsetMs) > OFFSET_ERROR_MS ||
      Math.abs(seen.rate / skew.rate - 1) > RATE_ERROR,
  );
  if (wrong !== undefined) {
    const [node, seen] = wrong;
    return failed(
      `the clock of ${node} should be ${skewText(skew)}, but was measured ${skewText(rounded(seen))}`,
    );
  }
  return installed(
    Object.fromEntries(measured.map(([node, seen]) => [node, skewText(rounded(seen))])),
  );
}

/** How far the node's clock is from the world's now, and how fast it goes in the next moment. */
async function measure(
  node: NodeName,
  clocks: ClockControl,
  { clock }: NemesisContext,
): Promise<ClockSkew> {
  const first = await clocks.read(node);
  await sleep(clock, WATCHED_MS);
  const then = await clocks.read(node);
  return {
    offsetMs: first.nodeMs - first.worldMs,
    rate: (then.nodeMs - first.nodeMs) / (then.worldMs - first.worldMs),
  };
}

/** As exact as it is worth to tell. */
function rounded({ offsetMs, rate }: ClockSkew): ClockSkew {
  return { offsetMs: Math.round(offsetMs), rate: Math.round(rate * 1000) / 1000 };
}
