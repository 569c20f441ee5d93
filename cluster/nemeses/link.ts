/** Faults on the bytes of links, short of a partition: one lane for each kind. */
import { sleep } from '../../harness/core/clock.ts';
import { invariant, unreachable } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Leader, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type {
  DirectedLink,
  LinkState,
  Matrix,
  Network,
  NetworkAbility,
  Shape,
  ShapeKind,
} from '../../harness/protocols/network.ts';
import type { Cluster, RoleSample } from '../../harness/protocols/system.ts';
import {
  asksBeyondQuorum,
  hitByOthers,
  keepsQuorum,
  pairOf,
  quorumReason,
  resolveTargets,
  type TargetSpec,
  type Targets,
  withRoles,
} from '../targets.ts';
import {
  excusesOf,
  linkStateIn,
  linkText,
  lookUntilGood,
  type Measured,
  matrixRecord,
  nodesCostBy,
  nothingPasses,
} from './evidence.ts';
import { type FaultFamily, nemesisOf, type Plan } from './lane.ts';
import {
  judgeShaped,
  judgeUnshaped,
  type LinkClaim,
  type Look,
  newNames,
} from './link-evidence.ts';
import {
  cutsOff,
  drawLinkOptions,
  END_WORDS,
  LINK_SHAPES,
  type LinkChoice,
  type LinkEnd,
  type LinkSpec,
  rampOf,
  readLinkSpec,
  shapeText,
} from './link-spec.ts';
import { type Direction, type Place, refuse, wordOf } from './options.ts';

/** Answers come late: by a heartbeat up to an election timeout, with or without jitter. */
export function latency(): Nemesis {
  return linkNemesis('latency');
}

/** Bytes trickle. */
export function bandwidth(): Nemesis {
  return linkNemesis('bandwidth');
}

/** Everything is kept back, and delivered at once, in order, when the fault ends. */
export function hold(): Nemesis {
  return linkNemesis('hold');
}

/** Everything is swallowed; connections live on and nobody is told. */
export function blackhole(): Nemesis {
  return linkNemesis('blackhole');
}

/** Every connection is reset a while after its first bytes. */
export function reset(): Nemesis {
  return linkNemesis('reset');
}

/** Closed connections linger. */
export function slowClose(): Nemesis {
  return linkNemesis('slow-close');
}

/** Any of these, another one each time, in one lane: `{ "shape": "latency", ... }` names it. */
export function link(): Nemesis {
  return nemesisOf({
    ...familyOf('link'),
    available: (cluster) => {
      const answers = LINK_SHAPES.map((kind) => canOnLinks(cluster, kind));
      return answers.includes(true) || (answers[0] ?? true);
    },
    read: (place, timing) => {
      const { shape: _, ...options } = place.options;
      return readLinkSpec(kindOf(place), { ...place, options }, timing);
    },
    draw: (random, timing) => {
      const shape = random.pick(LINK_SHAPES);
      return { shape, ...drawLinkOptions(shape, random, timing) };
    },
  });
}

function kindOf(place: Place): ShapeKind {
  const kind = wordOf(place, 'shape', LINK_SHAPES, undefined);
  return kind ?? refuse(place.where, `shape: say which, one of ${LINK_SHAPES.join(', ')}`);
}

interface LinkSurvey {
  readonly roles: readonly RoleSample[];
  readonly before: Look;
}

interface LinkHeld {
  readonly claim: LinkClaim;
  /** What is installed one after the other, each in the place of the last; the pause between two. */
  readonly ramp: readonly Shape[];
  readonly stepMs: number;
  /** Takes one shape away each; those that succeeded are dropped. */
  undos: (() => Promise<void>)[];
  /** What `install` was seen to add. */
  names: readonly string[];
}

type LinkFamily = FaultFamily<LinkSpec, LinkSurvey, LinkHeld, Matrix>;

function linkNemesis(kind: ShapeKind): Nemesis {
  return nemesisOf({
    ...familyOf(kind),
    available: (cluster) => canOnLinks(cluster, kind),
    read: (place, timing) => readLinkSpec(kind, place, timing),
    draw: (random, timing) => drawLinkOptions(kind, random, timing),
  });
}

/** What all lanes of links do alike, whatever the shape is. */
function familyOf(
  lane: string,
): Pick<LinkFamily, 'name' | 'look' | 'survey' | 'plan' | 'install' | 'remove'> {
  return {
    name: lane,
    // How long a round trip takes must be known as of now; whether anything passes, as of late.
    look: ({ shape }, ctx) => (cutsOff(shape.kind) ? networkOf(ctx).observe() : undefined),
    survey: async ({ shape }, ctx, seen) => {
      const network = networkOf(ctx);
      const [roles, before] = await Promise.all([
        ctx.cluster.roles(),
        seen === undefined ? lookBefore(network, shape) : lookWith(network, seen),
      ]);
      return { roles, before };
    },
    plan: (spec, survey, ctx) => planLinks(lane, spec, survey, ctx),
    install: (held, ctx) => install(lane, held, ctx),
    remove: (held, ctx) => remove(lane, held, ctx),
  };
}

/** True, or why this cluster's links cannot do it. */
export function canOnLinks(cluster: Cluster, ability: NetworkAbility): true | string {
  if (cluster.nodes.length < 2) return 'one node alone has no links';
  if (cluster.network === undefined) return 'the links of this cluster cannot be broken';
  return cluster.network.can.has(ability) || `the links of this cluster cannot do '${ability}'`;
}

export function networkOf({ cluster }: NemesisContext): Network {
  invariant(cluster.network !== undefined, 'a fault on links was decided without links');
  return cluster.network;
}

async function look(network: Network): Promise<Look> {
  return lookWith(network, await network.observe());
}

async function lookWith(network: Network, matrix: Matrix): Promise<Look> {
  return { matrix, names: await network.installed() };
}

/** How often a machine that is busy at just this moment is looked at again. */
const LOOKS_BEFORE = 3;

/**
 * What round trips take before they are made slower. Chance only ever makes one longer, and one that
 * is as long as what will be added would hide it: then the shortest of a few counts.
 */
async function lookBefore(network: Network, shape: Shape): Promise<Look> {
  let best = await look(network);
  if (shape.kind !== 'latency') return best;
  const leastMs = 2 * (network.latencyMs ?? 0);
  const isLong = ({ rttMs = 0 }: LinkState): boolean => rttMs - leastMs >= shape.latencyMs / 2;
  for (let looks = 1; looks < LOOKS_BEFORE && best.matrix.some(isLong); looks++)
    best = shortestOf(best, await look(network));
  return best;
}

function shortestOf(earlier: Look, { matrix, names }: Look): Look {
  const shorter = (now: LinkState): LinkState => {
    const { rttMs } = linkStateIn(earlier.matrix, now);
    return rttMs === undefined || now.rttMs === undefined
      ? now
      : { ...now, rttMs: Math.min(rttMs, now.rttMs) };
  };
  return { matrix: matrix.map(shorter), names };
}

function planLinks(
  lane: string,
  spec: LinkSpec,
  { roles, before }: LinkSurvey,
  ctx: NemesisContext,
): Plan<LinkHeld> | { readonly reason: string } {
  const { where, shape, rampMs, quorum } = spec;
  const { kind } = shape;
  const { nodes, timing } = ctx.cluster;
  const can = canOnLinks(ctx.cluster, kind);
  if (can !== true) return { reason: can };
  const others = hitByOthers(ctx.board, ctx.lane ?? lane);
  // Whoever is only slow is not down: then the quorum does not limit the choice.
  const asked = where.on === 'node' && asksBeyondQuorum(where.target);
  const rule = cutsOff(kind) && !asked ? quorum : 'ignore';
  const ask = (target: TargetSpec): Targets =>
    resolveTargets({
      spec: target,
      nodes,
      roles,
      others,
      quorum: rule,
      random: ctx.random,
      led: ctx.board.led,
    });
  const chosen = chooseLinks(where, { nodes, roles, random: ctx.random, led: ctx.board.led, ask });
  if ('reason' in chosen) return chosen;
  const { links, targets } = chosen;
  const why = nothingPasses(links, before.matrix);
  if (why !== undefined) return { reason: `${shapeText(shape, rampMs)} ${chosen.text}: ${why}` };
  const hit = cutsOff(kind) ? nodesCostBy(links, nodes) : new Set<NodeName>();
  if (hit.size > 0 && rule === 'keep' && !keepsQuorum(hit, others, nodes))
    return { reason: quorumReason(`${shapeText(shape, rampMs)} ${chosen.text}`, nodes, others) };
  const ramp = rampOf(spec, timing);
  const stepMs = rampMs / ramp.length;
  return {
    text: `${shapeText(shape, rampMs)} ${chosen.text}`,
    targets,
    hit,
    links,
    held: { claim: { shape, links, before }, ramp, stepMs, undos: [], names: [] },
  };
}

interface ChosenLinks {
  readonly links: readonly DirectedLink[];
  readonly targets: readonly NodeName[];
  /** Where, for people: `on links from n2 (leader)`. */
  readonly text: string;
}

interface Choosing {
  readonly nodes: readonly NodeName[];
  readonly roles: readonly RoleSample[];
  readonly random: Random;
  readonly led: readonly Leader[] | undefined;
  ask(spec: TargetSpec): Targets;
}

function chooseLinks(
  where: LinkChoice,
  choosing: Choosing,
): ChosenLinks | { readonly reason: string } {
  const { nodes, roles, random } = choosing;
  switch (where.on) {
    case 'all':
      return { links: linksBetween(nodes, nodes), targets: nodes, text: 'on all links' };
    case 'node': {
      const answer = choosing.ask(where.target);
      if ('reason' in answer) return answer;
      const { targets } = answer;
      const text = `on ${SIDES[where.direction]} ${withRoles(targets, roles)}`;
      return { links: linksOfNodes(targets, nodes, where.direction), targets, text };
    }
    case 'link': {
      const from = endOf(where.from, choosing, undefined);
      if (typeof from === 'object') return from;
      const to = endOf(where.to, choosing, from);
      if (typeof to === 'object') return to;
      const pair = pairOf({ from, to }, nodes, random);
      if ('reason' in pair) return pair;
      return { links: [pair], targets: [pair.from, pair.to], text: `on ${linkText(pair)}` };
    }
    case 'links':
      return namedLinks(where, nodes);
    default:
      return unreachable(where);
  }
}

/** Who is meant by one end of a link, other than who is at the other end already. */
function endOf(
  end: LinkEnd | undefined,
  { nodes, roles, random, led }: Choosing,
  other: NodeName | undefined,
): NodeName | undefined | { readonly reason: string } {
  const spec = END_WORDS.find((word) => word === end);
  if (spec === undefined) return end;
  const eligible = new Set(nodes.filter((node) => node !== other));
  // What the link costs is seen when it is known.
  const rest = { others: new Set<NodeName>(), quorum: 'ignore' } as const;
  const answer = resolveTargets({ spec, nodes, eligible, roles, random, led, ...rest });
  return 'reason' in answer ? answer : answer.targets[0];
}

function namedLinks(
  { from, to }: Extract<LinkChoice, { on: 'links' }>,
  nodes: readonly NodeName[],
): ChosenLinks | { readonly reason: string } {
  const named = [...(from ?? []), ...(to ?? [])];
  const strangers = named.filter((node) => !nodes.includes(node));
  if (strangers.length > 0) return { reason: `no such node: ${strangers.join(', ')}` };
  const side = (names: readonly NodeName[] | undefined): string => names?.join(', ') ?? 'all';
  return {
    links: linksBetween(from ?? nodes, to ?? nodes),
    targets: nodes.filter((node) => named.includes(node)),
    text: `on links from ${side(from)} to ${side(to)}`,
  };
}

const SIDES: Readonly<Record<Direction, string>> = {
  both: 'all links of',
  in: 'links to',
  out: 'links from',
};

function linksOfNodes(
  targets: readonly NodeName[],
  nodes: readonly NodeName[],
  direction: Direction,
): DirectedLink[] {
  const links = [
    ...(direction === 'out' ? [] : linksBetween(nodes, targets)),
    ...(direction === 'in' ? [] : linksBetween(targets, nodes)),
  ];
  // A link between two targets is one of both.
  return [...new Map(links.map((each) => [linkText(each), each])).values()];
}

function linksBetween(from: readonly NodeName[], to: readonly NodeName[]): DirectedLink[] {
  return from.flatMap((a) => to.filter((b) => b !== a).map((b) => ({ from: a, to: b })));
}

async function install(lane: string, held: LinkHeld, ctx: NemesisContext): Promise<Measured> {
  const network = networkOf(ctx);
  const { claim, ramp, stepMs } = held;
  for (const shape of ramp) {
    const before = held.undos;
    const results = await Promise.allSettled(
      // Async, so that a refusal of one link never loses the undo of another.
      claim.links.map(async (each) => network.shape(each, shape)),
    );
    const undos = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    held.undos = [...before, ...undos];
    throwFirst(results);
    // The next step is there before this one goes, so that nothing overtakes what it held.
    await takeAway(held, before);
    if (stepMs > 0) await sleep(ctx.clock, stepMs);
  }
  const { seen, evidence } = await lookUntilGood(
    ctx,
    () => look(network),
    (now) => judgeShaped(claim, now, excusesOf(ctx, lane)),
  );
  held.names = newNames(claim, seen);
  return { evidence, matrix: matrixRecord(seen.matrix) };
}

async function remove(lane: string, held: LinkHeld, ctx: NemesisContext): Promise<Measured> {
  const network = networkOf(ctx);
  await takeAway(held, held.undos);
  const { seen, evidence } = await lookUntilGood(
    ctx,
    () => look(network),
    (now) => judgeUnshaped(held.claim, held.names, now, excusesOf(ctx, lane)),
  );
  return { evidence, matrix: matrixRecord(seen.matrix) };
}

/** What could not be taken away stays among the undos, for the next try. */
async function takeAway(held: LinkHeld, undos: LinkHeld['undos']): Promise<void> {
  const results = await Promise.allSettled(undos.map((undo) => undo()));
  const done = undos.filter((_, at) => results[at]?.status === 'fulfilled');
  held.undos = held.undos.filter((undo) => !done.includes(undo));
  throwFirst(results);
}

function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
