/** A part of the columns of registers as a question for the engine: no model is asked. */
import { anythingBut, NONE } from './columns.ts';
import type { PartColumns } from './partition.ts';
import { OVERWRITE, type Problem, READ_ONLY } from './problem.ts';

/** The state of a register is the number of its value, of which there are `values`. */
export function registerProblem(columns: PartColumns, values: number): Problem {
  const { calls, returns } = columns;
  const { kinds, needs, puts } = kindsOf(columns.needs, columns.puts, values);
  return {
    kinds,
    calls,
    returns,
    flags: Uint8Array.from(needs, (needed, kind) =>
      puts[kind] === NONE ? READ_ONLY : needed === NONE ? OVERWRITE : 0,
    ),
    step: (state, kind) => {
      const needed = needs[kind] as number;
      if (needed >= 0 ? needed !== state : needed !== NONE && anythingBut(needed) === state)
        return -1;
      const put = puts[kind] as number;
      return put < 0 ? state : put;
    },
    absorption: true,
    credit: true,
  };
}

interface Kinds {
  readonly kinds: Int32Array;
  /** Of each kind. */
  readonly needs: readonly number[];
  readonly puts: readonly number[];
}

/** A table with a place for each pair may have so many of them for each operation. */
const PLACES = 4;

/** Operations with the same needs and puts are of one kind. */
function kindsOf(needed: Int32Array, put: Int32Array, values: number): Kinds {
  const places = (2 * values + 1) * (values + 1);
  return places <= PLACES * (needed.length + 64)
    ? kindsByPlace(needed, put, values)
    : kindsByHash(needed, put);
}

function kindsByPlace(needed: Int32Array, put: Int32Array, values: number): Kinds {
  const [needs, puts]: [number[], number[]] = [[], []];
  const kinds = new Int32Array(needed.length);
  /** Kinds, plus one; what is needed is from -1 - values to values - 1. */
  const table = new Int32Array((2 * values + 1) * (values + 1));
  for (let op = 0; op < needed.length; op++) {
    const [from, to] = [needed[op] as number, put[op] as number];
    const place = (from + values + 1) * (values + 1) + to + 1;
    let kind = table[place] as number;
    if (kind === 0) {
      kind = needs.push(from);
      puts.push(to);
      table[place] = kind;
    }
    kinds[op] = kind - 1;
  }
  return { kinds, needs, puts };
}

function kindsByHash(needed: Int32Array, put: Int32Array): Kinds {
  const [needs, puts]: [number[], number[]] = [[], []];
  const kinds = new Int32Array(needed.length);
  /** Kinds, plus one, in an open hash table that is at most half full. */
  let table = new Int32Array(64);
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
    table = new Int32Array(mask + 1);
    for (const [kind, one] of needs.entries()) table[placeOf(one, puts[kind] as number)] = kind + 1;
  }
  return { kinds, needs, puts };
}

function hash(a: number, b: number): number {
  const h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return h ^ (h >>> 15);
}
