/**
 * Shapes of partitions, as pure values. A grudge maps a node to the nodes it must not hear from;
 * nodes without a grudge are left out, and no node ever holds one against itself. The shapes are
 * those of `jepsen.nemesis`, plus one-way and single links.
 */
import { HarnessError } from '../../harness/core/errors.ts';
import type { Random } from '../../harness/core/prng.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { DirectedLink, Grudge } from '../../harness/protocols/network.ts';

/** From the target's point of view. `in`: it hears nothing. `out`: nobody hears it. */
export type CutDirection = 'both' | 'in' | 'out';

/** Nodes hear just their own component; a node that is in no component is not touched. */
export function completeGrudge(components: readonly (readonly NodeName[])[]): Grudge {
  const all = components.flat();
  return grudgeWhere(
    all,
    (to, from) => !components.some((c) => c.includes(to) && c.includes(from)),
  );
}

/** Cuts each target off from every other node, also from the other targets. */
export function isolate(
  nodes: readonly NodeName[],
  targets: NodeName | readonly NodeName[],
  { direction = 'both' }: { readonly direction?: CutDirection } = {},
): Grudge {
  const alone = new Set(typeof targets === 'string' ? [targets] : targets);
  return grudgeWhere(
    nodes,
    (to, from) => (direction !== 'out' && alone.has(to)) || (direction !== 'in' && alone.has(from)),
  );
}

/** The first half against the second, in the order given; the first is the smaller one. */
export function halves(nodes: readonly NodeName[]): Grudge {
  const middle = Math.floor(nodes.length / 2);
  return completeGrudge([nodes.slice(0, middle), nodes.slice(middle)]);
}

export function randomHalves(nodes: readonly NodeName[], random: Random): Grudge {
  return halves(random.shuffle(nodes));
}

/**
 * A random minority, as large as it can be, against a majority. Two nodes cannot be split so (half
 * of an even cluster is no majority): then the grudge is empty.
 */
export function majorityMinority(nodes: readonly NodeName[], random: Random): Grudge {
  const shuffled = random.shuffle(nodes);
  const minority = nodes.length - majoritySize(nodes.length);
  return completeGrudge([shuffled.slice(0, minority), shuffled.slice(minority)]);
}

/** Two halves that do not hear each other, and one node, the middle one, that hears both. */
export function bridge(nodes: readonly NodeName[]): Grudge {
  const middle = Math.floor(nodes.length / 2);
  return completeGrudge([nodes.slice(0, middle), nodes.slice(middle + 1)]);
}

/**
 * Every node hears a majority (itself included), no two nodes the same one, and hearing is mutual.
 * A ring in random order: up to 5 nodes just neighbours; larger clusters need chords, laid so that
 * the numbers of links differ by at most one. Three nodes form a line, since a ring of three cuts
 * nothing. Fewer than three nodes are all needed for a majority: the grudge is empty.
 */
export function majoritiesRing(nodes: readonly NodeName[], random: Random): Grudge {
  const ring = random.shuffle(nodes);
  const size = ring.length;
  const others = majoritySize(size) - 1;
  const reach = Math.floor(others / 2);
  const chord = Math.floor(size / 2);
  const place = new Map(ring.map((node, at) => [node, at]));
  const hears = (a: number, b: number): boolean => {
    const distance = Math.abs(a - b);
    if (Math.min(distance, size - distance) <= reach) return true;
    // An odd number of others takes half a step more: one chord a node, to the opposite side. In
    // an odd ring they cannot pair up, and the node in the middle gets two.
    return others % 2 === 1 && distance === chord && Math.min(a, b) <= (size - 1) / 2;
  };
  return grudgeWhere(ring, (to, from) => !hears(place.get(to) ?? 0, place.get(from) ?? 0));
}

/** Nobody in `to` hears anybody in `from`; the other way everything passes. */
export function oneWay(from: readonly NodeName[], to: readonly NodeName[]): Grudge {
  const all = [...new Set([...from, ...to])];
  return grudgeWhere(all, (hearer, speaker) => to.includes(hearer) && from.includes(speaker));
}

/** Cuts the link between two nodes; the direction is from `a`'s point of view. */
export function singleLink(
  a: NodeName,
  b: NodeName,
  { direction = 'both' }: { readonly direction?: CutDirection } = {},
): Grudge {
  return isolate([a, b], a, { direction });
}

/** The grudge that leaves just the connections in `allowed`: a node mapped to whom it may hear. */
export function invert(
  nodes: readonly NodeName[],
  allowed: ReadonlyMap<NodeName, ReadonlySet<NodeName>>,
): Grudge {
  return grudgeWhere(nodes, (to, from) => allowed.get(to)?.has(from) !== true);
}

/**
 * A grudge as somebody wrote it: `{ n1: ['n2'] }`, n1 must not hear from n2. Throws `bad-option`
 * for an unknown node and for a node that should not hear itself.
 */
export function fromCustom(
  nodes: readonly NodeName[],
  custom: Readonly<Record<NodeName, readonly NodeName[]>>,
): Grudge {
  for (const name of Object.entries(custom).flat(2)) {
    if (!nodes.includes(name))
      throw new HarnessError(
        'bad-option',
        `grudge: there is no node '${name}'${suggest(name, nodes)}; nodes are ${nodes.join(', ')}`,
      );
  }
  for (const [node, from] of Object.entries(custom)) {
    if (from.includes(node))
      throw new HarnessError('bad-option', `grudge: ${node} always hears itself; take it out`);
  }
  return grudgeWhere(nodes, (to, from) => custom[to]?.includes(from) === true);
}

/** Every direction that a grudge cuts, ordered as the grudge is. */
export function linksOf(grudge: Grudge): readonly DirectedLink[] {
  return [...grudge].flatMap(([to, speakers]) => [...speakers].map((from) => ({ from, to })));
}

/** How many nodes a majority takes. */
function majoritySize(nodes: number): number {
  return Math.floor(nodes / 2) + 1;
}

function grudgeWhere(
  nodes: readonly NodeName[],
  isCut: (to: NodeName, from: NodeName) => boolean,
): Grudge {
  const grudge = new Map<NodeName, ReadonlySet<NodeName>>();
  for (const to of nodes) {
    const cut = nodes.filter((from) => from !== to && isCut(to, from));
    if (cut.length > 0) grudge.set(to, new Set(cut));
  }
  return grudge;
}
