/** The rows of the timeline from top to bottom, and time to horizontal place. */
import type { PageBand, PageHeader, PageRivals, PageSpan } from '../page-format.ts';
import type { Store } from './store.ts';

/** As wide as in the plots below, so that times stand under each other. */
export const LEFT = 86;
export const RIGHT = 16;
const LANES_MAX = 200;
const LINKS_MAX = 15;
const LEADERS_MAX = 500;

export type Row =
  | { readonly kind: 'faults'; readonly bands: readonly PageBand[] }
  | { readonly kind: 'lane'; readonly lane: number }
  | {
      readonly kind: 'node';
      readonly at: number;
      /** When another node led in a newer term while this one still said that it leads. */
      readonly overtaken: readonly (readonly [number, number])[];
    }
  | { readonly kind: 'rivals'; readonly rivals: readonly PageRivals[] }
  | { readonly kind: 'link'; readonly link: Link };

export type Placed = Row & {
  readonly label: string;
  readonly y: number;
  readonly height: number;
};

/** What was measured of one pair of nodes while faults were in effect. */
export interface Link {
  readonly nodes: readonly [string, string];
  readonly cuts: readonly { readonly from: number; readonly to: number; readonly state: Cut }[];
}
/** `there`: nothing came from the first to the second. */
export type Cut = 'both' | 'there' | 'back';

export interface Layout {
  readonly rows: readonly Placed[];
  readonly height: number;
  /** Clients that have no line, since there are too many. */
  readonly hidden: number;
}

const AXIS = 22;

export function layoutOf(store: Store): Layout {
  const { header } = store.data;
  const lanes = store.lanes.lanes.slice(0, LANES_MAX);
  const laneHeight = lanes.length <= 24 ? 15 : lanes.length <= 40 ? 10 : lanes.length <= 80 ? 7 : 5;
  const faults = [...Map.groupBy(header.bands, ({ lane }) => lane)];
  const links = linksOf(header.bands);
  const rows: Placed[] = [];
  let y = 6;
  const add = (label: string, height: number, row: Row): void => {
    rows.push({ ...row, label, y, height });
    y += height;
  };
  const gap = (): void => {
    y += 8;
  };
  for (const [lane, bands] of faults) add(lane, 20, { kind: 'faults', bands });
  gap();
  for (const [lane, { label }] of lanes.entries()) add(label, laneHeight, { kind: 'lane', lane });
  gap();
  for (const [at, { node }] of header.roles.entries())
    add(node, 16, { kind: 'node', at, overtaken: overtaken(header.roles, at) });
  if (header.rivals.length > 0) add('⚠ leaders', 16, { kind: 'rivals', rivals: header.rivals });
  if (header.roles.length > 0) gap();
  for (const link of links) add(link.nodes.join(' – '), 12, { kind: 'link', link });
  return { rows, height: y + AXIS, hidden: store.lanes.lanes.length - lanes.length };
}

function overtaken(roles: PageHeader['roles'], at: number): readonly (readonly [number, number])[] {
  const leads = ({ spans }: PageHeader['roles'][number]): readonly PageSpan[] =>
    spans.filter(({ role }) => role === 'leader').slice(0, LEADERS_MAX);
  const own = roles[at] === undefined ? [] : leads(roles[at]);
  const rivals = roles.filter((_, other) => other !== at).flatMap(leads);
  return own.flatMap(({ from, to, term }) =>
    rivals
      .filter((rival) => (rival.term ?? 0) > (term ?? 0) && rival.to > from && rival.from < to)
      .map((rival) => [Math.max(from, rival.from), Math.min(to, rival.to)] as const),
  );
}

function linksOf(bands: readonly PageBand[]): readonly Link[] {
  const links = new Map<string, { nodes: [string, string]; cuts: Link['cuts'][number][] }>();
  for (const { cut, from, to, result } of bands) {
    if (result !== 'installed') continue;
    const all = new Set(cut);
    for (const directed of all) {
      const [a = '', b = ''] = directed.split('>');
      const nodes: [string, string] = a < b ? [a, b] : [b, a];
      const name = nodes.join('>');
      const back = `${nodes[1]}>${nodes[0]}`;
      // Of a pair that is cut both ways, one of the two is enough.
      if (directed === back && all.has(name)) continue;
      const state = all.has(name) ? (all.has(back) ? 'both' : 'there') : 'back';
      const link = links.get(name) ?? { nodes, cuts: [] };
      link.cuts.push({ from, to, state });
      links.set(name, link);
    }
  }
  return [...links]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, link]) => link)
    .slice(0, LINKS_MAX);
}

/** Time to horizontal place and back, for a window shown `width` pixels wide. */
export interface Scale {
  readonly x: (time: number) => number;
  readonly time: (x: number) => number;
  /** Microseconds a pixel. */
  readonly step: number;
}

export function scaleOf(from: number, to: number, width: number): Scale {
  const room = Math.max(1, width - LEFT - RIGHT);
  const step = (to - from) / room;
  return {
    x: (time) => LEFT + (time - from) / step,
    time: (x) => from + (x - LEFT) * step,
    step,
  };
}
