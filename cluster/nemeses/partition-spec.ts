/** The shapes of a partition: what may be said of each, and which links it cuts. */
import { unreachable } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Leader } from '../../harness/protocols/nemesis.ts';
import type { Grudge } from '../../harness/protocols/network.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import * as grudges from '../network/grudge.ts';
import {
  asksBeyondQuorum,
  keepsQuorum,
  pairOf,
  type QuorumRule,
  quorumReason,
  resolveTargets,
  type TargetSpec,
  type Targets,
  withRoles,
} from '../targets.ts';
import { linkText, nodesCostBy } from './evidence.ts';
import {
  closed,
  type Direction,
  directionOf,
  type FaultOptions,
  grudgeOf,
  nodeOf,
  type Place,
  quorumOf,
  refuse,
  targetOf,
  wordOf,
} from './options.ts';

/**
 * `halves`: the first half of the nodes against the second. `random-halves` and
 * `majority-minority`: a random minority against the others (they differ when the nodes are even
 * in number). `isolate-one`, `isolate-leader`, `isolate-leaders`: each alone. `bridge`: two halves
 * and one node that hears both. `majorities-ring`: each hears a majority, no two the same.
 * `one-way`: a node that hears nobody, or whom nobody hears. `single-link`: between two nodes.
 * `custom`: a grudge as written.
 */
export const PARTITION_SHAPES = [
  'halves',
  'random-halves',
  'isolate-one',
  'isolate-leader',
  'isolate-leaders',
  'majority-minority',
  'bridge',
  'majorities-ring',
  'one-way',
  'single-link',
  'custom',
] as const;
export type PartitionShape = (typeof PARTITION_SHAPES)[number];

export interface PartitionSpec {
  readonly shape: PartitionShape;
  /** Absent where the shape has none, or where chance decides. */
  readonly direction: Direction | undefined;
  readonly target: TargetSpec;
  readonly from: NodeName | undefined;
  readonly to: NodeName | undefined;
  readonly grudge: ReadonlyMap<NodeName, ReadonlySet<NodeName>>;
  readonly quorum: QuorumRule;
}

const OPTIONS_OF: Readonly<Record<PartitionShape, readonly string[]>> = {
  halves: ['direction'],
  'random-halves': ['direction'],
  'isolate-one': ['direction', 'target'],
  'isolate-leader': ['direction'],
  'isolate-leaders': ['direction'],
  'majority-minority': ['direction'],
  bridge: [],
  'majorities-ring': [],
  'one-way': ['direction', 'target'],
  'single-link': ['direction', 'from', 'to'],
  custom: ['grudge'],
};

export function readPartitionSpec(place: Place): PartitionSpec {
  const all = [...new Set(Object.values(OPTIONS_OF).flat())];
  closed(place, ['shape', 'quorum', ...all]);
  const { options, where } = place;
  const shape = wordOf(place, 'shape', PARTITION_SHAPES, 'random-halves');
  for (const key of all)
    if (options[key] !== undefined && !OPTIONS_OF[shape].includes(key))
      refuse(where, `shape '${shape}' has no '${key}'`);
  const direction = directionOf(place);
  if (shape === 'one-way' && direction === 'both')
    refuse(where, "shape 'one-way' goes one way: write in or out, or isolate-one for both");
  const [from, to] = [nodeOf(place, 'from'), nodeOf(place, 'to')];
  if (from !== undefined && from === to) refuse(where, `${from} has no link to itself`);
  return {
    shape,
    direction,
    target: targetOf(place, shape === 'isolate-leaders' ? 'leaders' : 'one'),
    from,
    to,
    grudge: shape === 'custom' ? grudgeOf(place) : new Map(),
    quorum: quorumOf(place),
  };
}

/** Every shape is as likely; half of those that have a direction are cut both ways. */
export function drawPartition(random: Random, shapes: readonly PartitionShape[]): FaultOptions {
  const shape = random.pick(shapes);
  if (shape === 'one-way')
    return { shape, target: random.pick(['one', 'leader']), direction: random.pick(['in', 'out']) };
  if (!OPTIONS_OF[shape].includes('direction')) return { shape };
  return { shape, direction: random.pick(['both', 'both', 'in', 'out']) };
}

export interface Situation {
  readonly nodes: readonly NodeName[];
  readonly roles: readonly RoleSample[];
  /** Nodes that other lanes hit. */
  readonly others: ReadonlySet<NodeName>;
  readonly random: Random;
  /** See `FaultBoard`. */
  readonly led?: readonly Leader[] | undefined;
}

export interface DecidedPartition {
  readonly grudge: Grudge;
  readonly text: string;
  readonly targets: readonly NodeName[];
  /** Nodes left without a majority to talk to. */
  readonly hit: ReadonlySet<NodeName>;
}

/** Decides what to cut now. Pure: all chance comes from `situation.random`. */
export function decidePartition(
  spec: PartitionSpec,
  situation: Situation,
): DecidedPartition | { readonly reason: string } {
  const cut = cutOf(spec, situation);
  if ('reason' in cut) return cut;
  const { nodes, others } = situation;
  const links = grudges.linksOf(cut.grudge);
  if (links.length === 0) return { reason: `${cut.text}: there is nothing to cut` };
  const hit = nodesCostBy(links, nodes);
  if (limited(spec) && hit.size > 0 && !keepsQuorum(hit, others, nodes))
    return { reason: quorumReason(cut.text, nodes, others) };
  return { ...cut, hit };
}

type Cut = Omit<DecidedPartition, 'hit'> | { readonly reason: string };

function cutOf(spec: PartitionSpec, situation: Situation): Cut {
  const { nodes, random } = situation;
  switch (spec.shape) {
    case 'halves':
      return sides(spec, nodes, nodes.slice(0, Math.floor(nodes.length / 2)));
    case 'random-halves':
      // Half of an even cluster is no minority: then the quorum rule has the last word.
      if (nodes.length % 2 === 0)
        return sides(spec, nodes, random.shuffle(nodes).slice(0, nodes.length / 2));
      return minority(spec, situation);
    case 'majority-minority':
      return minority(spec, situation);
    case 'isolate-one':
      return alone(spec, situation, spec.target, spec.direction ?? 'both');
    case 'isolate-leader':
      return alone(spec, situation, 'leader', spec.direction ?? 'both');
    case 'isolate-leaders':
      return alone(spec, situation, 'leaders', spec.direction ?? 'both');
    case 'one-way':
      return alone(spec, situation, spec.target, spec.direction ?? random.pick(['in', 'out']));
    case 'bridge':
      return linkwise('bridge', nodes, grudges.bridge(random.shuffle(nodes)));
    case 'majorities-ring':
      return linkwise('majorities-ring', nodes, grudges.majoritiesRing(nodes, random));
    case 'single-link':
      return singleLink(spec, situation);
    case 'custom':
      return custom(spec, nodes);
    default:
      return unreachable(spec.shape);
  }
}

function minority(spec: PartitionSpec, situation: Situation): Cut {
  const answer = targetsFor('minority', spec, situation);
  return 'reason' in answer ? answer : sides(spec, situation.nodes, answer.targets);
}

/** One side against all other nodes. */
function sides(spec: PartitionSpec, nodes: readonly NodeName[], side: readonly NodeName[]): Cut {
  const rest = nodes.filter((node) => !side.includes(node));
  const direction = spec.direction ?? 'both';
  const [here, there] = [side.join(', '), rest.join(', ')];
  const ending = `${direction === 'both' ? ',' : ';'} ${directionText(direction, here)}`;
  return {
    grudge: sidesGrudge(direction, side, rest),
    text: `${spec.shape} ${here} | ${there}${ending}`,
    targets: nodes.filter((node) => side.includes(node)),
  };
}

function sidesGrudge(
  direction: Direction,
  side: readonly NodeName[],
  rest: readonly NodeName[],
): Grudge {
  switch (direction) {
    case 'both':
      return grudges.completeGrudge([side, rest]);
    case 'in':
      return grudges.oneWay(rest, side);
    case 'out':
      return grudges.oneWay(side, rest);
    default:
      return unreachable(direction);
  }
}

/** Each target cut off from everybody, in one direction or both. */
function alone(
  spec: PartitionSpec,
  situation: Situation,
  target: TargetSpec,
  direction: Direction,
): Cut {
  const answer = targetsFor(target, spec, situation);
  if ('reason' in answer) return answer;
  const { targets } = answer;
  return {
    grudge: grudges.isolate(situation.nodes, targets, { direction }),
    text:
      `isolate ${withRoles(targets, situation.roles)}, ` +
      directionText(direction, targets.length === 1 ? 'it' : 'they'),
    targets,
  };
}

/** Shapes that are no sides: the text names the links. */
function linkwise(shape: string, targets: readonly NodeName[], grudge: Grudge): Cut {
  return { grudge, text: `${shape}, cut ${cutText(grudge)}`, targets };
}

/** `n1|n2` for both directions, `n1>n2` for one. */
function cutText(grudge: Grudge): string {
  const cut = new Set(grudges.linksOf(grudge).map(linkText));
  const pairs = [...cut].flatMap((link) => {
    const [from = '', to = ''] = link.split('>');
    if (!cut.has(`${to}>${from}`)) return [link];
    return from < to ? [`${from}|${to}`] : [];
  });
  return pairs.length === 0 ? 'nothing' : pairs.toSorted().join(', ');
}

function singleLink(spec: PartitionSpec, { nodes, random }: Situation): Cut {
  const pair = pairOf(spec, nodes, random);
  if ('reason' in pair) return pair;
  const { from, to } = pair;
  const direction = spec.direction ?? 'both';
  return linkwise(spec.shape, [from, to], grudges.singleLink(from, to, { direction }));
}

function custom({ grudge }: PartitionSpec, nodes: readonly NodeName[]): Cut {
  const links = grudges.linksOf(grudge);
  const strangers = links.flatMap(({ from, to }) => [from, to]).filter((n) => !nodes.includes(n));
  if (strangers.length > 0)
    return { reason: `no such node: ${[...new Set(strangers)].join(', ')}` };
  const targets = nodes.filter((node) => grudge.has(node));
  return linkwise('custom', targets, grudge);
}

function targetsFor(spec: TargetSpec, { quorum }: PartitionSpec, situation: Situation): Targets {
  return resolveTargets({ ...situation, spec, quorum });
}

/** Who writes a grudge, or asks for more than a minority, has decided; others keep the majority. */
function limited({ quorum, shape, target }: PartitionSpec): boolean {
  return quorum === 'keep' && shape !== 'custom' && !asksBeyondQuorum(target);
}

function directionText(direction: Direction, who: string): string {
  switch (direction) {
    case 'both':
      return 'both ways';
    case 'in':
      return `${who} cannot receive`;
    case 'out':
      return `${who} cannot send`;
    default:
      return unreachable(direction);
  }
}
