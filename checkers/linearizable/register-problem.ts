/** A part of the columns of registers as a question for the engine: no model is asked. */
import { anythingBut, NONE } from './columns.ts';
import type { PartColumns } from './partition.ts';
import { OVERWRITE, type Problem, READ_ONLY } from './problem.ts';
import { Room, zeroBytes, zeros } from './room.ts';

/**
 * The state of a register is the number of its value, of which there are `values`. It is valid as
 * long as the columns and the room are.
 */
export function registerProblem(
  columns: PartColumns,
  values: number,
  room: Room = new Room(0),
): Problem {
  const { calls, returns } = columns;
  const kinds = room.column(calls.length);
  const { needs, puts } = kindsOf(columns, values, kinds, room);
  const flags = zeroBytes(needs.length);
  for (let kind = 0; kind < flags.length; kind++)
    flags[kind] = puts[kind] === NONE ? READ_ONLY : needs[kind] === NONE ? OVERWRITE : 0;
  return {
    kinds,
    calls,
    returns,
    flags,
    step: (state, kind) => {
      const needed = needs[kind] as number;
      if (needed >= 0 ? needed !== state : needed !== NONE && anythingBut(needed) === state)
        return -1;
      const put = puts[kind] as number;
      return put < 0 ? state : put;
    },
    absorption: true,
    credit: true,
    states: () => values,
  };
}

/** Of each kind. */
interface Kinds {
  readonly needs: readonly number[];
  readonly puts: readonly number[];
}

/** A table with a place for each pair may have so many of them for each operation. */
const PLACES = 4;

/** Operations with the same needs and puts are of one kind. */
function kindsOf(columns: PartColumns, values: number, kinds: Int32Array, room: Room): Kinds {
  const places = (2 * values + 1) * (values + 1);
  return places <= PLACES * (kinds.length + 64)
    ? kindsByPlace(columns, values, kinds, room.column(places).fill(0))
    : kindsByHash(columns, kinds);
}

/** `table`: of kinds, plus one; what is needed is from -1 - values to values - 1. */
function kindsByPlace(
  { needs: needed, puts: put }: PartColumns,
  values: number,
  kinds: Int32Array,
  table: Int32Array,
): Kinds {
  const [needs, puts]: [number[], number[]] = [[], []];
  const width = values + 1;
  for (let op = 0; op < kinds.length; op++) {
    const from = needed[op] as number;
    const to = put[op] as number;
    const place = (from + width) * width + to + 1;
    let kind = table[place] as number;
    if (kind === 0) {
      kind = needs.push(from);
      puts.push(to);
      table[place] = kind;
    }
    kinds[op] = kind - 1;
  }
  return { needs, puts };
}

function kindsByHash({ needs: needed, puts: put }: PartColumns, kinds: Int32Array): Kinds {
  const [needs, puts]: [number[], number[]] = [[], []];
  /** Kinds, plus one, in an open hash table that is at most half full. */
  let table = zeros(64);
  let mask = 63;
  const placeOf = (from: number, to: number): number => {
    let place = hash(from, to) & mask;
    for (;;) {
      const kind = (table[place] as number) - 1;
      if (kind < 0 || (needs[kind] === from && puts[kind] === to)) return place;
      place = (place + 1) & mask;
    }
  };
  for (let op = 0; op < needed.length; op++) {
    const [from, to] = [needed[op] as number, put[op] as number];
    const place = placeOf(from, to);
    if (table[place] === 0) {
      table[place] = needs.push(from);
      puts.push(to);
    }
    kinds[op] = (table[place] as number) - 1;
    if (2 * needs.length <= mask) continue;
    mask = 2 * mask + 1;
    table = zeros(mask + 1);
    for (const [kind, one] of needs.entries()) table[placeOf(one, puts[kind] as number)] = kind + 1;
  }
  return { needs, puts };
}

function hash(a: number, b: number): number {
  const h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return h ^ (h >>> 15);
}
