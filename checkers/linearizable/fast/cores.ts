import { NEVER, type RegisterColumns } from '../columns.ts';
import { zeroBytes } from '../room.ts';
import type { Conflict, Found } from './unique-writes.ts';

/** Looks up the operations of all conflicts in one pass: a moment belongs to one operation. */
export function coresOf(columns: RegisterColumns, found: readonly Found[]): Conflict[] {
  if (found.length === 0) return [];
  const rowAt = rowsAt(
    columns,
    found.flatMap(({ calls = [], rets = [] }) => [...calls, ...rets]),
  );
  let needers: ReadonlyMap<number, readonly number[]> | undefined;
  const needing = (value: number): readonly number[] => {
    needers ??= neederLists(columns, new Set(found.map(({ key }) => key)));
    return needers.get(value) ?? [];
  };
  return found.map(({ key: own, kind, rows = [], calls = [], rets = [] }) => {
    // An end and the start that it precedes, one pair after the other.
    const moments = rets.flatMap((end, at) => [end, ...calls.slice(at, at + 1)]);
    const looked = moments.map((moment) => rowAt.get(moment) ?? -1);
    const ops = [...rows, ...looked].filter((row) => row >= 0);
    const proofs = ops.flatMap((row) => proofOf(row, columns, needing) ?? []);
    return { key: own, kind, ops, proofs };
  });
}

/** By moment the row that it belongs to. */
function rowsAt(
  { length, call, ret, moments }: RegisterColumns,
  asked: readonly number[],
): ReadonlyMap<number, number> {
  const isAsked = zeroBytes(moments);
  for (const moment of asked) isAsked[moment] = 1;
  const rows = new Map<number, number>();
  for (let row = 0; row < length; row++) {
    const [start, end] = [call[row] as number, ret[row] as number];
    if (isAsked[start] === 1) rows.set(start, row);
    if (end !== NEVER && isAsked[end] === 1) rows.set(end, row);
  }
  return rows;
}

/** The rows of some keys that need a value, by that value. */
function neederLists(
  { length, key, needs }: RegisterColumns,
  keys: ReadonlySet<number>,
): ReadonlyMap<number, readonly number[]> {
  const lists = new Map<number, number[]>();
  for (let row = 0; row < length; row++) {
    const needed = needs[row] as number;
    if (needed < 0 || !keys.has(key[row] as number)) continue;
    const rows = lists.get(needed);
    if (rows === undefined) lists.set(needed, [row]);
    else rows.push(row);
  }
  return lists;
}

/** From an operation of unknown outcome to one of known outcome that needs what it put. */
function proofOf(
  first: number,
  { ret, puts }: RegisterColumns,
  needing: (value: number) => readonly number[],
): readonly number[] | undefined {
  if (ret[first] !== NEVER) return [];
  /** Each row by the one that it was found from; a chain may be as long as the history. */
  const from = new Map<number, number>([[first, first]]);
  for (const row of from.keys()) {
    if (ret[row] !== NEVER) return pathTo(row, first, from);
    for (const next of needing(puts[row] as number)) if (!from.has(next)) from.set(next, row);
  }
  return undefined;
}

function pathTo(last: number, first: number, from: ReadonlyMap<number, number>): number[] {
  const path: number[] = [];
  for (let row = last; row !== first; row = from.get(row) as number) path.push(row);
  return path.toReversed();
}
