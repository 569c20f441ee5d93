/** What can be asked of a fault on links: which links, and what happens to their bytes. */
import { unreachable } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Shape, ShapeKind } from '../../harness/protocols/network.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import type { QuorumRule, TargetSpec } from '../targets.ts';
import {
  amountOf,
  closed,
  type Direction,
  directionOf,
  durationOf,
  type FaultOptions,
  nodesOf,
  type Place,
  quorumOf,
  refuse,
  targetOf,
  wordOf,
} from './options.ts';

export interface LinkSpec {
  readonly where: LinkChoice;
  readonly shape: Shape;
  /** Over what time a latency grows to what it is; 0: it is there at once. */
  readonly rampMs: number;
  readonly quorum: QuorumRule;
}

/** Whoever is that when the fault begins. */
export const END_WORDS: readonly ('leader' | 'old-leader' | 'follower')[] = [
  'leader',
  'old-leader',
  'follower',
];
/** One end of a link: a node by its name, or one of `END_WORDS`. */
export type LinkEnd = NodeName;

/**
 * `link`: one link; absent `from` or `to`: any node. `links`: all from some nodes to some, as
 * somebody writes who gives a list of names for one side or both; absent: all nodes.
 */
export type LinkChoice =
  | { readonly on: 'all' }
  | { readonly on: 'node'; readonly target: TargetSpec; readonly direction: Direction }
  | { readonly on: 'link'; readonly from: LinkEnd | undefined; readonly to: LinkEnd | undefined }
  | {
      readonly on: 'links';
      readonly from: readonly NodeName[] | undefined;
      readonly to: readonly NodeName[] | undefined;
    };

const CHOICES = ['all', 'node', 'link'] as const;
const OPTIONS_OF_CHOICE: Readonly<Record<(typeof CHOICES)[number], readonly string[]>> = {
  all: [],
  node: ['target', 'direction'],
  link: ['from', 'to'],
};
const OPTIONS_OF_KIND: Readonly<Record<ShapeKind, readonly string[]>> = {
  latency: ['latency', 'jitter', 'ramp'],
  bandwidth: ['rateKBps'],
  hold: [],
  blackhole: [],
  reset: ['after'],
  'slow-close': ['delay'],
};

export const LINK_SHAPES: readonly ShapeKind[] = [
  'latency',
  'bandwidth',
  'hold',
  'blackhole',
  'reset',
  'slow-close',
];

/** Shapes through which nothing useful passes: they count against the quorum as cuts do. */
export function cutsOff(kind: ShapeKind): boolean {
  return kind === 'hold' || kind === 'blackhole' || kind === 'reset';
}

export function readLinkSpec(kind: ShapeKind, place: Place, timing: Timing): LinkSpec {
  const own = OPTIONS_OF_KIND[kind];
  closed(place, ['on', ...Object.values(OPTIONS_OF_CHOICE).flat(), 'quorum', ...own]);
  return {
    where: readChoice(kind, place),
    shape: readShape(kind, place, timing),
    rampMs: readRamp(place, timing),
    quorum: quorumOf(place),
  };
}

/**
 * What a fault adds to every message between nodes, alike and at once, in milliseconds; undefined for
 * any fault that does something else, or does it to some.
 */
export function latencyOfAll(
  { fault, options: { shape, ...options } }: Pick<ScheduledFault, 'fault' | 'options'>,
  timing: Timing,
): number | undefined {
  const isLatency = fault === 'latency' || (fault === 'link' && shape === 'latency');
  if (!isLatency) return undefined;
  const spec = readLinkSpec('latency', { options, where: fault }, timing);
  if (spec.where.on !== 'all' || spec.rampMs > 0 || spec.shape.kind !== 'latency') return undefined;
  return spec.shape.jitterMs > 0 ? undefined : spec.shape.latencyMs;
}

/** While it grows nothing else can be asked of the lane, and a heal gives it half a minute. */
const RAMP_MS_MAX = 20_000;

function readRamp(place: Place, timing: Timing): number {
  const rampMs = durationOf(place, 'ramp', timing, 0);
  if (rampMs > RAMP_MS_MAX) refuse(place.where, `ramp: at most ${RAMP_MS_MAX / 1000} seconds`);
  return rampMs;
}

/**
 * The shapes of a ramp, each in the place of the one before it; just the last for none. Small steps:
 * who hears nothing for as long as a step is high must not take that for silence.
 */
export function rampOf({ shape, rampMs }: LinkSpec, { heartbeatMs }: Timing): readonly Shape[] {
  if (shape.kind !== 'latency' || rampMs === 0) return [shape];
  const steps = Math.ceil(shape.latencyMs / Math.max(1, heartbeatMs));
  return Array.from({ length: steps }, (_, at) => {
    const share = (at + 1) / steps;
    return { ...shape, latencyMs: shape.latencyMs * share, jitterMs: shape.jitterMs * share };
  });
}

function readChoice(kind: ShapeKind, place: Place): LinkChoice {
  const { options, where } = place;
  const on = wordOf(place, 'on', CHOICES, impliedChoice(kind, options));
  for (const [other, keys] of Object.entries(OPTIONS_OF_CHOICE))
    for (const key of keys)
      if (other !== on && options[key] !== undefined)
        refuse(where, `'${key}' says nothing with "on": "${on}"; it goes with "on": "${other}"`);
  switch (on) {
    case 'all':
      return { on };
    case 'node':
      return { on, target: targetOf(place, 'one'), direction: directionOf(place) ?? 'both' };
    case 'link':
      return readEnds(place);
    default:
      return unreachable(on);
  }
}

function readEnds(place: Place): LinkChoice {
  const [froms, tos] = [endsOf(place, 'from'), endsOf(place, 'to')];
  const isList = [place.options['from'], place.options['to']].some(Array.isArray);
  const [from, to] = [froms?.[0], tos?.[0]];
  const isNode = END_WORDS.every((word) => word !== from);
  if (from !== undefined && from === to && isNode && froms?.length === 1 && tos?.length === 1)
    refuse(place.where, `${from} has no link to itself`);
  return isList ? { on: 'links', from: froms, to: tos } : { on: 'link', from, to };
}

/** A list holds names only: a role is one node's. */
function endsOf(place: Place, key: 'from' | 'to'): readonly LinkEnd[] | undefined {
  const word = END_WORDS.find((each) => each === place.options[key]);
  return word === undefined ? nodesOf(place, key) : [word];
}

function impliedChoice(kind: ShapeKind, options: FaultOptions): (typeof CHOICES)[number] {
  const says = (on: (typeof CHOICES)[number]): boolean =>
    OPTIONS_OF_CHOICE[on].some((key) => options[key] !== undefined);
  if (says('link')) return 'link';
  return says('node') || cutsOff(kind) ? 'node' : 'all';
}

function readShape(kind: ShapeKind, place: Place, timing: Timing): Shape {
  switch (kind) {
    case 'latency': {
      const latencyMs = durationOf(place, 'latency', timing, timing.heartbeatMs);
      const jitterMs = durationOf(place, 'jitter', timing, 0);
      if (latencyMs === 0) refuse(place.where, 'latency: 0 changes nothing');
      // With more jitter than this, one round trip could prove nothing.
      if (jitterMs > latencyMs / 2) refuse(place.where, 'jitter: at most half of the latency');
      return { kind, latencyMs, jitterMs };
    }
    case 'bandwidth':
      return { kind, rateKBps: amountOf(place, 'rateKBps', 64) };
    case 'hold':
    case 'blackhole':
      return { kind };
    case 'reset':
      return { kind, afterMs: durationOf(place, 'after', timing, 0) };
    case 'slow-close':
      return { kind, delayMs: durationOf(place, 'delay', timing, 1000) };
    default:
      return unreachable(kind);
  }
}

/** The options of one random fault of this kind, scaled by the protocol's own times. */
export function drawLinkOptions(kind: ShapeKind, random: Random, timing: Timing): FaultOptions {
  return { ...drawChoice(kind, random), ...drawShape(kind, random, timing) };
}

function drawChoice(kind: ShapeKind, random: Random): FaultOptions {
  const on = random.pick(cutsOff(kind) ? (['node', 'link'] as const) : CHOICES);
  if (on !== 'node') return { on };
  const target = random.pick(['one', 'one', 'leader']);
  return { on, target, direction: random.pick(['both', 'in', 'out']) };
}

function drawShape(kind: ShapeKind, random: Random, timing: Timing): FaultOptions {
  switch (kind) {
    case 'latency': {
      const { heartbeatMs, electionMs } = timing;
      const wanted = random.pick([heartbeatMs, 3 * heartbeatMs, electionMs / 2, electionMs]);
      // Less than this drowns in the scheduling of a busy machine.
      const latencyMs = Math.round(Math.max(20, wanted));
      const jitterMs = Math.round(latencyMs * random.pick([0, 0.1, 0.25]));
      return { latency: `${latencyMs}ms`, jitter: `${jitterMs}ms` };
    }
    case 'bandwidth':
      return { rateKBps: random.pick([4, 16, 64, 256]) };
    case 'hold':
    case 'blackhole':
      return {};
    case 'reset':
      return { after: random.pick(['0ms', '100ms', '1s']) };
    case 'slow-close':
      return { delay: random.pick(['100ms', '1s', '5s']) };
    default:
      return unreachable(kind);
  }
}

/** `latency 200 ms ± 50 ms`, for the text of a fault; a ramp adds `, grown over 2000 ms`. */
export function shapeText(shape: Shape, rampMs: number): string {
  switch (shape.kind) {
    case 'latency':
      return (
        `latency ${shape.latencyMs} ms${shape.jitterMs > 0 ? ` ± ${shape.jitterMs} ms` : ''}` +
        (rampMs > 0 ? `, grown over ${rampMs} ms,` : '')
      );
    case 'bandwidth':
      return `bandwidth ${shape.rateKBps} KB/s`;
    case 'hold':
    case 'blackhole':
      return shape.kind;
    case 'reset':
      return `reset after ${shape.afterMs} ms`;
    case 'slow-close':
      return `slow close, ${shape.delayMs} ms`;
    default:
      return unreachable(shape);
  }
}
