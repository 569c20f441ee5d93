/**
 * Small histories of a register as the engine takes them, straight from chance and by the million,
 * and an oracle for any problem: all that is reachable, without a single idea.
 */
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import { NEVER, OVERWRITE, type Problem, READ_ONLY } from '../linearizable/problem.ts';

export interface RegisterProblemOptions {
  readonly operations: number;
  readonly processes: number;
  /** Values from 0 on; the register begins with 0. */
  readonly values: number;
  /** Chance that an operation never completes. */
  readonly unfinished: number;
  /** Chance for each answer that it is any instead of the true one. */
  readonly lies: number;
  /**
   * How likely a read, a write, a cas, a move is. A move goes up or down by one as far as there are
   * values: at the end it changes nothing, which no other operation does only in some states.
   */
  readonly weights: readonly number[];
}

interface Open {
  readonly op: number;
  readonly f: number;
  readonly from: number;
  readonly to: number;
  /** What it found; -1: it has not happened yet. */
  found: number;
}

const [READ, WRITE, CAS, MOVE] = [0, 1, 2, 3];

export function registerProblem(random: Random, options: RegisterProblemOptions): Problem {
  const { operations, processes, values } = options;
  const kinds = new Int32Array(operations);
  const calls = new Int32Array(operations);
  const returns = new Int32Array(operations).fill(NEVER);
  const open: (Open | undefined)[] = Array.from({ length: processes });
  const value = (): number => random.int(0, values - 1);
  let [called, moment, register] = [0, 0, 0];
  const happen = (one: Open): void => {
    one.found = register;
    if (one.f === WRITE || (one.f === CAS && register === one.from)) register = one.to;
    if (one.f === MOVE) register = moved(register, one.to, values);
  };
  while (called < operations || open.some((one) => one !== undefined)) {
    const process = random.int(0, processes - 1);
    const one = open[process];
    if (one === undefined) {
      if (called === operations) continue;
      const f = random.weighted(options.weights);
      const from = random.chance(0.5) ? register : value();
      open[process] = { op: called, f, from, to: value(), found: -1 };
      calls[called++] = moment++;
    } else if (one.found < 0 && random.chance(0.8)) happen(one);
    else {
      open[process] = undefined;
      const isUnfinished = one.f !== READ && random.chance(options.unfinished);
      if (one.found < 0 && !isUnfinished) happen(one);
      const found = random.chance(options.lies) ? value() : one.found;
      kinds[one.op] = kindOf(values, one, isUnfinished ? one.from : found);
      if (!isUnfinished) returns[one.op] = moment++;
    }
  }
  return { ...registerModel(values), kinds, calls, returns };
}

/** More than any search can decide: everybody asks at once, and few values are seen often. */
export function hardProblem(random: Random): Problem {
  return registerProblem(random, {
    operations: 3000,
    processes: 60,
    values: 4,
    unfinished: 0,
    lies: 0.01,
    weights: [1, 1, 6, 0],
  });
}

/** Up for odd numbers, else down. */
function moved(register: number, which: number, values: number): number {
  return (which & 1) === 1 ? Math.min(register + 1, values - 1) : Math.max(register - 1, 0);
}

/** Reads, writes, cas, refused cas by what they found, and the two moves, in this order. */
function kindOf(values: number, { f, from, to }: Open, found: number): number {
  if (f === READ) return found;
  if (f === WRITE) return values + to;
  if (f === MOVE) return (2 + 2 * values) * values + (to & 1);
  if (found === from) return 2 * values + from * values + to;
  return (2 + values) * values + from * values + found;
}

function registerModel(values: number): Omit<Problem, 'kinds' | 'calls' | 'returns'> {
  const moves = (2 + 2 * values) * values;
  const flags = new Uint8Array(moves + 2);
  flags.fill(READ_ONLY, 0, values);
  flags.fill(OVERWRITE, values, 2 * values);
  flags.fill(READ_ONLY, (2 + values) * values, moves);
  return {
    flags,
    absorption: true,
    credit: true,
    states: () => values,
    step: (state, kind) => {
      if (kind < values) return kind === state ? state : -1;
      if (kind < 2 * values) return kind - values;
      if (kind >= moves) return moved(state, kind - moves, values);
      const pair = kind - 2 * values;
      const [from, second] = [Math.floor(pair / values), pair % values];
      if (from < values) return from === state ? second : -1;
      return second === state && from - values !== state ? state : -1;
    },
  };
}

/** For up to 30 operations: is there an order? */
export function isPossible(problem: Problem): boolean {
  const needed = setOf(problem, (op) => problem.returns[op] !== NEVER);
  return isReached(problem, (done) => (needed & ~done) === 0);
}

/**
 * For up to 30 operations: is there an order of all that completed before `blocked` did and of
 * `placed`, which did not, with any of those of unknown outcome, that leads to this state?
 */
export function isReachable(
  problem: Problem,
  blocked: number,
  placed: readonly number[],
  state: number,
): boolean {
  const { returns } = problem;
  const end = returns[blocked] as number;
  const needed = setOf(problem, (op) => (returns[op] as number) < end || placed.includes(op));
  const free = setOf(problem, (op) => returns[op] === NEVER);
  return isReached(problem, (done, at) => at === state && (done & ~free) === needed);
}

function setOf({ kinds }: Problem, has: (op: number) => boolean): number {
  return kinds.reduce((set, _, op) => (has(op) ? set | (1 << op) : set), 0);
}

function isReached(
  { kinds, calls, returns, step }: Problem,
  isEnd: (done: number, state: number) => boolean,
): boolean {
  const seen = new Set<number>();
  const count = kinds.length;
  const reach = (done: number, state: number): boolean => {
    if (isEnd(done, state)) return true;
    const key = done + state * 2 ** 30;
    if (seen.has(key)) return false;
    seen.add(key);
    let first = NEVER;
    for (let op = 0; op < count; op++)
      if ((done & (1 << op)) === 0) first = Math.min(first, returns[op] ?? NEVER);
    for (let op = 0; op < count; op++) {
      if ((done & (1 << op)) !== 0 || (calls[op] ?? 0) > first) continue;
      const to = step(state, kinds[op] ?? 0);
      if (to >= 0 && reach(done | (1 << op), to)) return true;
    }
    return false;
  };
  return reach(0, 0);
}

/** Why this is not an order of all that completed before `upTo`; undefined: it is one. */
export function orderFault(
  problem: Problem,
  order: readonly number[],
  upTo: number,
): string | undefined {
  const { kinds, calls, returns, step } = problem;
  if (new Set(order).size < order.length) return 'an operation is there twice';
  const placed = new Set(order);
  for (const [op, ret] of returns.entries())
    if (ret < upTo && !placed.has(op)) return `operation ${op} is missing`;
  let [state, latest] = [0, -1];
  for (const op of order) {
    if ((returns[op] as number) < latest) return `operation ${op} comes too late`;
    latest = Math.max(latest, calls[op] as number);
    state = step(state, kinds[op] as number);
    if (state < 0) return `operation ${op} is illegal`;
  }
  return undefined;
}

/**
 * Kind and moments of each operation: `r1[0,3]` reads 1, `w1` writes it, `c12` is a cas from 1 to 2,
 * `f12` a refused one from 1 that saw 2; `up` and `down` move; `-` is a completion that never came.
 */
export function problemText({ kinds, calls, returns, flags }: Problem): string {
  const values = valuesOf(flags);
  const moves = flags.length - 2;
  const name = (kind: number): string => {
    if (kind < values) return `r${kind}`;
    if (kind < 2 * values) return `w${kind - values}`;
    if (kind >= moves) return kind === moves ? 'down' : 'up';
    const pair = kind - 2 * values;
    const [from, second] = [Math.floor(pair / values), pair % values];
    return from < values ? `c${from}${second}` : `f${from - values}${second}`;
  };
  return [...kinds]
    .map((kind, op) => `${name(kind)}[${calls[op]},${returns[op] === NEVER ? '-' : returns[op]}]`)
    .join(' ');
}

/** Of (2 + 2v)v + 2 kinds, v. */
function valuesOf(flags: Uint8Array): number {
  return Math.round((Math.sqrt(4 + 8 * (flags.length - 2)) - 2) / 4);
}

/** What `problemText` wrote, with values up to 3. */
export function parseProblem(text: string): Problem {
  const values = 4;
  const rows = [...text.matchAll(/([a-z]+)(\d?)(\d?)\[(\d+),(\d+|-)\]/g)];
  const kindOfRow = ([, f = '', first = '0', second = '0']: readonly string[]): number => {
    const [from, to] = [Number(first), Number(second)];
    invariant(from < values && to < values, `values are from 0 to ${values - 1}`);
    if (f === 'r') return from;
    if (f === 'w') return values + from;
    const block = f === 'c' ? 2 : f === 'f' ? 2 + values : 2 + 2 * values;
    return block * values + (f === 'up' ? 1 : f === 'down' ? 0 : from * values + to);
  };
  return {
    ...registerModel(values),
    kinds: Int32Array.from(rows, kindOfRow),
    calls: Int32Array.from(rows, (row) => Number(row[4])),
    returns: Int32Array.from(rows, (row) => (row[5] === '-' ? NEVER : Number(row[5]))),
  };
}
