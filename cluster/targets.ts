import { invariant, unreachable } from '../harness/core/invariant.ts';
import type { Random } from '../harness/core/prng.ts';
import type { NodeName } from '../harness/core/units.ts';
import type { FaultBoard, Leader } from '../harness/protocols/nemesis.ts';
import type { RoleSample } from '../harness/protocols/system.ts';

/**
 * The ways to say whom a fault hits, beside a list of names. `leaders`: all who believe they lead
 * now, also a deposed one; Jepsen calls them primaries. `old-leader`: who led before the one who
 * leads now, whatever it believes. `follower`, `learner`: any one of these.
 */
export const TARGET_WORDS = [
  'one',
  'minority',
  'majority',
  'minority-third',
  'all',
  'leader',
  'old-leader',
  'leaders',
  'follower',
  'followers',
  'learner',
] as const;
export type TargetWord = (typeof TARGET_WORDS)[number];
export type TargetSpec = TargetWord | readonly NodeName[];

/**
 * `keep`: the nodes that all lanes hit together stay fewer than would cost the majority.
 * `ignore`: do as asked. The specs `majority`, `all` and named nodes ask for it by themselves.
 */
export type QuorumRule = 'keep' | 'ignore';

export interface TargetQuestion {
  readonly spec: TargetSpec;
  readonly nodes: readonly NodeName[];
  /** Those that this fault can hit at all now; absent: every node. */
  readonly eligible?: ReadonlySet<NodeName>;
  readonly roles: readonly RoleSample[];
  /** Nodes that other lanes hit now; see `hitByOthers`. */
  readonly others: ReadonlySet<NodeName>;
  readonly quorum: QuorumRule;
  readonly random: Random;
  /** Who was seen to lead, the newest last; absent: nobody. */
  readonly led?: readonly Leader[] | undefined;
}

/** Never empty; in the order of `nodes`. Or one line that says why there is nobody to hit. */
export type Targets = { readonly targets: readonly NodeName[] } | { readonly reason: string };

/** The one reason that passes by itself: an election is under way. */
export const NO_LEADER = 'no node says that it leads';

/** How many of `count` nodes may be down while the others still make a majority. */
export function minorityOf(count: number): number {
  return Math.floor((count - 1) / 2);
}

/**
 * How many nodes all lanes together may hit unless more is asked for: a minority. One or two nodes
 * have none to lose, so there any fault costs the quorum, and one node at a time is what is meant.
 */
export function hitLimit(count: number): number {
  return count <= 2 ? 1 : minorityOf(count);
}

/** The nodes that lanes other than this one hit now. */
export function hitByOthers(board: FaultBoard, lane: string): Set<NodeName> {
  return unionOfOthers(board.hit, lane);
}

/** The links (`n1>n2`) that lanes other than this one disturb now. */
export function disturbedByOthers(board: FaultBoard, lane: string): Set<string> {
  return unionOfOthers(board.links ?? new Map(), lane);
}

function unionOfOthers<T>(byLane: ReadonlyMap<string, ReadonlySet<T>>, lane: string): Set<T> {
  return new Set([...byLane].flatMap(([name, set]) => (name === lane ? [] : [...set])));
}

/** All who believe they lead, the one with the newest term first. */
export function leadersOf(roles: readonly RoleSample[]): NodeName[] {
  return roles
    .filter(({ role }) => role === 'leader')
    .toSorted((a, b) => (b.term ?? 0) - (a.term ?? 0))
    .map(({ node }) => node);
}

/** Whether hitting these nodes as well leaves a majority untouched. */
export function keepsQuorum(
  hit: Iterable<NodeName>,
  others: ReadonlySet<NodeName>,
  nodes: readonly NodeName[],
): boolean {
  return new Set([...hit, ...others]).size <= hitLimit(nodes.length);
}

/** Decides whom a fault hits. Pure: all chance comes from `question.random`. */
export function resolveTargets(question: TargetQuestion): Targets {
  const { spec, nodes, eligible = new Set(nodes) } = question;
  const wanted = wantedOf(question);
  if ('reason' in wanted) return wanted;
  const able = wanted.from.filter((node) => eligible.has(node));
  if (able.length === 0) {
    return { reason: `${nameOf(spec)}: ${wanted.from.join(', ')} cannot be hit now` };
  }
  const free = asksBeyondQuorum(spec) || question.quorum === 'ignore';
  const picked = free ? able.slice(0, wanted.count) : withinQuorum(able, wanted.count, question);
  if (picked.length === 0) return { reason: quorumReason(nameOf(spec), nodes, question.others) };
  return { targets: nodes.filter((node) => picked.includes(node)) };
}

/** One line for people: why the quorum rule leaves nothing, and how to ask for it all the same. */
export function quorumReason(
  what: string,
  nodes: readonly NodeName[],
  others: ReadonlySet<NodeName>,
): string {
  const limit = hitLimit(nodes.length);
  const now =
    others.size === 0 ? '' : `; other faults hit ${[...others].toSorted().join(', ')} now`;
  return (
    `${what}: it would cost the majority: at most ${limit} of ${nodes.length} nodes may be hit` +
    `${now} ("quorum": "ignore" lifts this)`
  );
}

/** `n2 (leader), n3`, for the text of a fault. */
export function withRoles(targets: readonly NodeName[], roles: readonly RoleSample[]): string {
  const leaders = new Set(leadersOf(roles));
  return targets.map((node) => (leaders.has(node) ? `${node} (leader)` : node)).join(', ');
}

/** Two different nodes; those not named are drawn. */
export function pairOf(
  named: { readonly from: NodeName | undefined; readonly to: NodeName | undefined },
  nodes: readonly NodeName[],
  random: Random,
): { readonly from: NodeName; readonly to: NodeName } | { readonly reason: string } {
  const [first, second] = random.shuffle(nodes);
  const from = named.from ?? (first === named.to ? second : first);
  const to = named.to ?? (from === first ? second : first);
  const stranger = [from, to].find((node) => node !== undefined && !nodes.includes(node));
  if (stranger !== undefined) return { reason: `no such node: ${stranger}` };
  invariant(from !== undefined && to !== undefined, 'a link has two ends');
  return { from, to };
}

/** Candidates in the order of preference, and how many of them are wanted. */
type Wanted =
  | { readonly from: readonly NodeName[]; readonly count: number }
  | { readonly reason: string };

function wantedOf({ spec, nodes, roles, random, led }: TargetQuestion): Wanted {
  const size = nodes.length;
  if (typeof spec !== 'string') {
    const strangers = spec.filter((node) => !nodes.includes(node));
    if (strangers.length > 0) return { reason: `no such node: ${strangers.join(', ')}` };
    return { from: spec, count: spec.length };
  }
  switch (spec) {
    case 'one':
      return { from: random.shuffle(nodes), count: 1 };
    case 'minority':
      return atLeastOne(spec, random.shuffle(nodes), minorityOf(size));
    case 'minority-third':
      return atLeastOne(spec, random.shuffle(nodes), Math.floor((size - 1) / 3));
    case 'majority':
      return { from: random.shuffle(nodes), count: Math.floor(size / 2) + 1 };
    case 'all':
      return { from: nodes, count: size };
    case 'leader':
      return believers(leadersOf(roles).slice(0, 1));
    case 'leaders':
      return believers(leadersOf(roles));
    case 'old-leader':
      return oldLeader(leadersOf(roles)[0], led);
    case 'follower':
      return anyOf(roles, 'follower', random, 1);
    case 'followers':
      return anyOf(roles, 'follower', random, size);
    case 'learner':
      return anyOf(roles, 'learner', random, 1);
    default:
      return unreachable(spec);
  }
}

function atLeastOne(spec: TargetWord, from: readonly NodeName[], count: number): Wanted {
  return count > 0 ? { from, count } : { reason: `${spec} of ${from.length} nodes is none` };
}

/** At most `most` of those who say that they are this, in a random order. */
function anyOf(
  roles: readonly RoleSample[],
  role: 'follower' | 'learner',
  random: Random,
  most: number,
): Wanted {
  const from = roles.filter((sample) => sample.role === role).map(({ node }) => node);
  if (from.length > 0) return { from: random.shuffle(from), count: Math.min(most, from.length) };
  return { reason: `no node says that it ${role === 'follower' ? 'follows' : 'learns'}` };
}

function oldLeader(leader: NodeName | undefined, led: readonly Leader[] = []): Wanted {
  if (leader === undefined) return { reason: NO_LEADER };
  const before = led.findLast(({ node }) => node !== leader)?.node;
  if (before === undefined) return { reason: `nobody was seen to lead before ${leader}` };
  return { from: [before], count: 1 };
}

function believers(leaders: readonly NodeName[]): Wanted {
  if (leaders.length === 0) return { reason: NO_LEADER };
  return { from: leaders, count: leaders.length };
}

/**
 * As many as wanted, as long as the majority stays untouched. Nodes that another lane already hits
 * cost nothing more, so a full count is found whenever there is one.
 */
function withinQuorum(
  able: readonly NodeName[],
  count: number,
  { nodes, others }: TargetQuestion,
): NodeName[] {
  const picked: NodeName[] = [];
  for (const node of able) {
    if (picked.length === count) break;
    if (keepsQuorum([...picked, node], others, nodes)) picked.push(node);
  }
  return picked;
}

/** Specs that say by themselves that the majority may be lost. */
export function asksBeyondQuorum(spec: TargetSpec): boolean {
  return typeof spec !== 'string' || spec === 'majority' || spec === 'all';
}

function nameOf(spec: TargetSpec): string {
  return typeof spec === 'string' ? spec : 'the named nodes';
}
