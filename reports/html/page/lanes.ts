/** Which operations are drawn in which line. */
import type { RunData } from './decode.ts';

/** One client's line: a process takes the place of one whose operation was of unknown outcome. */
export interface Lane {
  readonly label: string;
  /** In order; they do not overlap. */
  readonly rows: Int32Array;
}

interface Filling {
  /** Of its first process. */
  readonly first: number;
  process: number;
  /** When its process is spent; the line is free from then on. */
  freeAt: number;
  count: number;
}

export interface Lanes {
  readonly lanes: readonly Lane[];
  /** Lane of each row. */
  readonly of: Int32Array;
}

/** Of processes that might go on in several lines, the one they are congruent to comes first. */
export function lanesOf({ header, ops }: RunData): Lanes {
  const fillings: Filling[] = [];
  const byProcess = new Map<number, number>();
  const of = new Int32Array(ops.length);
  for (let row = 0; row < ops.length; row++) {
    const process = ops.client[row] as number;
    let at = byProcess.get(process);
    if (at === undefined) {
      at = place(fillings, process, ops.start[row] as number, header.clients);
      byProcess.set(process, at);
    }
    const filling = fillings[at] as Filling;
    filling.count++;
    // Unknown or open: the process is spent.
    filling.freeAt = ((ops.kind[row] as number) & 3) >= 2 ? (ops.end[row] as number) : Infinity;
    of[row] = at;
  }
  return ordered(fillings, of);
}

function place(fillings: Filling[], process: number, start: number, clients: number): number {
  const isFree = ({ freeAt }: Filling): boolean => freeAt <= start;
  const isOwn = (filling: Filling): boolean =>
    clients > 0 && (process - filling.process) % clients === 0;
  const own = fillings.findIndex((filling) => isOwn(filling) && isFree(filling));
  // A client that has not been seen before takes no other's line.
  const isNew = process < clients && !fillings.some(isOwn);
  const at = own >= 0 || isNew ? own : fillings.findIndex(isFree);
  const found = fillings[at];
  if (found === undefined)
    return fillings.push({ first: process, process, freeAt: Infinity, count: 0 }) - 1;
  found.process = process;
  found.freeAt = Infinity;
  return at;
}

/** In the order of their first processes. */
function ordered(fillings: readonly Filling[], of: Int32Array): Lanes {
  const order = fillings
    .map((_, at) => at)
    .toSorted((a, b) => first(fillings, a) - first(fillings, b));
  const placeOf = new Int32Array(order.length);
  for (const [to, at] of order.entries()) placeOf[at] = to;
  const lanes = order.map((at) => ({
    label: `c${first(fillings, at)}`,
    rows: new Int32Array(fillings[at]?.count ?? 0),
  }));
  const next = new Int32Array(lanes.length);
  for (let row = 0; row < of.length; row++) {
    const lane = placeOf[of[row] as number] as number;
    of[row] = lane;
    const own = lanes[lane] as Lane;
    const at = next[lane] as number;
    own.rows[at] = row;
    next[lane] = at + 1;
  }
  return { lanes, of };
}

function first(fillings: readonly Filling[], at: number): number {
  return fillings[at]?.first ?? 0;
}
