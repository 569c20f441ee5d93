/**
 * The order that the store itself tells: changes by the revisions that they made. Given it, the
 * rest is easy and exact. What each key holds after each change is known; each session goes
 * through that, from operation to operation, to the first place that fits, and the first is the
 * best, since nothing is lost by being early. What a read's answer says of revisions is not needed.
 *
 * An operation of unknown outcome has no revision of its own; a read that shows its value, and the
 * revision that last changed the key, tells it. One that nobody read is put in just before a change
 * that needs it, or left out.
 */
import type { KeyOp } from '../key-history.ts';
import { anythingBut, NEVER, NONE, type RegisterColumns } from '../linearizable/columns.ts';
import { firstIndex } from './first-index.ts';
import type { OrderProblem } from './problem.ts';

/** Positions of a legal order; undefined: this order is none, which proves nothing. */
export function revisionOrder(problem: OrderProblem): readonly number[] | undefined {
  const { columns } = problem;
  const known = columns && changesByRevision(problem, columns);
  if (columns === undefined || known === undefined) return undefined;
  const replayed = replay(columns, known);
  const slots = replayed && slotsOf(problem, columns, replayed);
  return slots && inOrder(problem, replayed.changes, slots);
}

interface Known {
  /** Rows of changes in order. */
  readonly changes: readonly number[];
  /** By the value that they may have put: rows of unknown outcome whose revision nobody told. */
  readonly unknown: ReadonlyMap<number, number[]>;
}

/** Undefined where a revision is missing or there twice. */
function changesByRevision({ ops }: OrderProblem, columns: RegisterColumns): Known | undefined {
  const { length, puts, ret, revision } = columns;
  const byRevision = new Map<number, number>();
  for (let row = 0; row < length; row++) {
    if (ret[row] === NEVER || (puts[row] as number) < 0) continue;
    const own = revision[row] as number;
    if (own < 0 || byRevision.has(own)) return undefined;
    byRevision.set(own, row);
  }
  const unknown = unknownByValue(columns);
  for (let row = 0; row < length && unknown.size > 0; row++) {
    const shown = shownRevision(ops[row] as KeyOp);
    if (shown === undefined || byRevision.has(shown) || (puts[row] as number) >= 0) continue;
    const [made] = unknown.get(columns.needs[row] as number)?.splice(0, 1) ?? [];
    if (made !== undefined) byRevision.set(shown, made);
  }
  const changes = [...byRevision].toSorted(([a], [b]) => a - b).map(([, row]) => row);
  return { changes, unknown };
}

function unknownByValue({ length, puts, ret }: RegisterColumns): Map<number, number[]> {
  const rows = Int32Array.from({ length }, (_, row) => row);
  const open = rows.filter((row) => ret[row] === NEVER && (puts[row] as number) >= 0);
  return Map.groupBy(open, (row) => puts[row] as number);
}

/** The revision at which the key came to hold what this operation saw. */
function shownRevision({ completion }: KeyOp): number | undefined {
  const shown = completion?.server?.modRevision;
  return shown === 0 ? undefined : shown;
}

/** What a key holds from some slot on; slot 0 is before all changes, slot i after the i-th. */
interface Version {
  readonly from: number;
  readonly value: number;
}

interface Replayed {
  /** With those of unknown outcome that others need. */
  readonly changes: readonly number[];
  /** By key. */
  readonly held: readonly (readonly Version[])[];
}

/** Undefined where a change does not find what it needs. */
function replay(
  { key, needs, puts, initial }: RegisterColumns,
  known: Known,
): Replayed | undefined {
  const held: Version[][] = [...initial].map((value) => [{ from: 0, value }]);
  const changes: number[] = [];
  const add = (row: number): void => {
    const from = changes.push(row);
    held[key[row] as number]?.push({ from, value: puts[row] as number });
  };
  for (const row of known.changes) {
    const needed: number[] = [];
    const versions = held[key[row] as number] ?? [];
    for (let next = row; ; ) {
      const need = needs[next] as number;
      if (need < 0 || versions.at(-1)?.value === need) break;
      const [made] = known.unknown.get(need)?.splice(0, 1) ?? [];
      if (made === undefined) return undefined;
      needed.unshift(made);
      next = made;
    }
    for (const one of [...needed, row]) add(one);
  }
  return { changes, held };
}

/** By slot its rows that are no changes; undefined where some operation fits nowhere. */
function slotsOf(
  { sessions, keepsTime }: OrderProblem,
  columns: RegisterColumns,
  { changes, held }: Replayed,
): readonly (readonly number[])[] | undefined {
  const { key, needs, ret } = columns;
  const slotOf = new Map(changes.map((row, at) => [row, at + 1]));
  const endedBefore = lastSlotBefore(columns, changes);
  const slots: number[][] = Array.from({ length: changes.length + 1 }, () => []);
  const reached: number[][] = [];
  for (const { ops, after } of sessions) {
    const own: number[] = [after === undefined ? 0 : (reached[after.session]?.[after.count] ?? 0)];
    reached.push(own);
    for (const row of ops) {
      const before = own.at(-1) as number;
      const change = slotOf.get(row);
      if (change === undefined && ret[row] === NEVER) continue;
      if (change !== undefined && change <= before) return undefined;
      const from = keepsTime[row] === true ? Math.max(before, endedBefore(row)) : before;
      const slot = change ?? firstFit(held[key[row] as number] ?? [], needs[row] as number, from);
      if (slot === undefined) return undefined;
      if (change === undefined) slots[slot]?.push(row);
      own.push(slot);
    }
  }
  return slots;
}

/** For a row: the slot of the last change that had ended when it began. */
function lastSlotBefore(
  { call, ret }: RegisterColumns,
  changes: readonly number[],
): (row: number) => number {
  const ended = changes
    .map((row, at) => ({ end: ret[row] as number, slot: at + 1 }))
    .toSorted((a, b) => a.end - b.end);
  const latest: number[] = [];
  for (const { slot } of ended) latest.push(Math.max(slot, latest.at(-1) ?? 0));
  return (row) => {
    const count = firstIndex(ended.length, (at) => (ended[at]?.end ?? 0) > (call[row] as number));
    return latest[count - 1] ?? 0;
  };
}

/** The first slot from `from` on in which the key holds what is needed. */
function firstFit(versions: readonly Version[], needed: number, from: number): number | undefined {
  const fits = ({ value }: Version): boolean =>
    needed < NONE ? value !== anythingBut(needed) : needed === NONE || value === needed;
  const current = firstIndex(versions.length, (at) => (versions[at]?.from ?? 0) > from) - 1;
  for (let at = current; at < versions.length; at++) {
    const version = versions[at] as Version;
    if (fits(version)) return Math.max(version.from, from);
  }
  return undefined;
}

/** All rows in order, if what keeps time does so: nothing after it had ended when it began. */
function inOrder(
  { keepsTime, columns }: OrderProblem,
  changes: readonly number[],
  slots: readonly (readonly number[])[],
): readonly number[] | undefined {
  const order: number[] = [];
  for (const [slot, rows] of slots.entries()) {
    const change = changes[slot - 1];
    if (change !== undefined) order.push(change);
    for (const row of rows.toSorted((a, b) => a - b)) order.push(row);
  }
  let firstEnd: number = NEVER;
  for (const row of order.toReversed()) {
    if (keepsTime[row] === true && firstEnd < (columns?.call[row] ?? 0)) return undefined;
    firstEnd = Math.min(firstEnd, columns?.ret[row] ?? NEVER);
  }
  return order;
}
