/**
 * Operations on registers as columns of numbers, for the judges that need linear time. Every
 * operation of `register` is one of these: it needs a value or none, and it puts a value or none.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Interval, KeyOp } from '../key-history.ts';
import type { Call, Model } from '../models/model.ts';
import { casParts, producedBy, register, requiredBy, valueKey } from '../models/register.ts';
import { zeros } from './room.ts';

/** In `needs` and `puts`: no value. In `revision`: not known. */
export const NONE = -1;
/** In `needs`: anything but a value. It is its own inverse. */
export function anythingBut(value: number): number {
  return -2 - value;
}
/** In `ret`: nobody knows whether it took effect. */
export const NEVER = 0x7fffffff;

export interface RegisterColumns {
  readonly length: number;
  readonly keys: readonly string[];
  /** By number; equal values of two keys are two values. */
  readonly values: readonly JsonValue[];
  /** The key of each value. */
  readonly keyOf: Int32Array;
  /** What each key begins with. */
  readonly initial: Int32Array;
  /** The key of each operation. */
  readonly key: Int32Array;
  /** The value that must be there when it takes effect; below `NONE`: see `anythingBut`. */
  readonly needs: Int32Array;
  /** The value that it leaves. A cas from a value to itself only needs it. */
  readonly puts: Int32Array;
  /** Moments below `moments`, each of them used once; within a key they are in order of time. */
  readonly call: Int32Array;
  readonly ret: Int32Array;
  readonly moments: number;
  /** The store's revision in the answer. */
  readonly revision: Int32Array;
}

/** Whether the columns say all of a history that the model looks at, whatever its name and start. */
export function isRegister(model: Model): boolean {
  return (['step', 'functions', 'per'] as const).every((part) => model[part] === register[part]);
}

export interface KeyIntervals {
  readonly key: string;
  readonly ops: readonly (Interval & Partial<Pick<KeyOp, 'completion'>>)[];
}

/**
 * `key`: one key after the other, so that what belongs together lies together; moments are then
 * comparable only within a key. `call`: all keys together, in order of invocation.
 */
export function columnsOf(
  parts: readonly KeyIntervals[],
  order: 'key' | 'call' = 'key',
  init: JsonValue = register.init,
): RegisterColumns {
  const count = parts.reduce((sum, { ops }) => sum + ops.length, 0);
  const builder = new ColumnsBuilder(count, init);
  if (order === 'key') {
    for (const { key, ops } of parts) {
      const number = builder.key(key);
      addAll(builder, ops, () => number);
    }
  } else {
    const rows = parts.flatMap(({ key, ops }) => ops.map((op) => ({ op, key: builder.key(key) })));
    rows.sort((a, b) => a.op.start - b.op.start);
    const ops = rows.map(({ op }) => op);
    addAll(builder, ops, (at) => rows[at]?.key ?? 0);
  }
  return builder.build();
}

function addAll(
  builder: ColumnsBuilder,
  ops: KeyIntervals['ops'],
  keyOf: (at: number) => number,
): void {
  const ranks = ranksOf(ops);
  const first = builder.moments;
  for (const [at, { call, completion }] of ops.entries()) {
    const revision = completion?.server?.revision ?? call.stamp?.revision ?? NONE;
    const [start, end] = [first + (ranks[2 * at] as number), ranks[2 * at + 1] as number];
    const ret = end === NEVER ? NEVER : first + end;
    builder.add(keyOf(at), call, { call: start, ret, revision });
  }
  builder.moments = first + 2 * ops.length;
}

/** So many moments for each operation are counted faster than they are sorted. */
const MOMENTS_PER_OP = 8;

/**
 * The order of all moments, from 0; of equal ones invocations first, so that doubt always means
 * concurrent. Two numbers for each operation; a completion that never came is `NEVER`.
 */
export function ranksOf(ops: readonly Interval[]): Int32Array {
  let [first, last] = [Infinity, -Infinity];
  let areWhole = true;
  for (const { start, end } of ops) {
    areWhole &&= Number.isInteger(start) && (Number.isInteger(end) || end === Infinity);
    first = Math.min(first, start);
    last = Math.max(last, end === Infinity ? start : end);
  }
  return areWhole && ops.length > 0 && last - first < MOMENTS_PER_OP * ops.length
    ? countedRanksOf(ops, first, last - first + 1)
    : sortedRanksOf(ops);
}

/** For whole numbers below `first + count`. */
function countedRanksOf(ops: readonly Interval[], first: number, count: number): Int32Array {
  const ranks = zeros(2 * ops.length).fill(NEVER);
  /** By moment, invocations before completions: how many there are, and then the next rank. */
  const next = zeros(2 * count);
  for (const { start, end } of ops) {
    (next[2 * (start - first)] as number)++;
    if (end !== Infinity) (next[2 * (end - first) + 1] as number)++;
  }
  let before = 0;
  for (let at = 0; at < next.length; at++) {
    const own = next[at] as number;
    next[at] = before;
    before += own;
  }
  for (let at = 0; at < ops.length; at++) {
    const { start, end } = ops[at] as Interval;
    ranks[2 * at] = (next[2 * (start - first)] as number)++;
    if (end !== Infinity) ranks[2 * at + 1] = (next[2 * (end - first) + 1] as number)++;
  }
  return ranks;
}

function sortedRanksOf(ops: readonly Interval[]): Int32Array {
  const ranks = zeros(2 * ops.length).fill(NEVER);
  const scale = 2 * ops.length;
  // Moment, sort and operation in one number, which is exact as long as it has at most 53 bits.
  const nodes = new Float64Array(scale);
  let count = 0;
  let isExact = true;
  const add = (moment: number, node: number): void => {
    const code = (moment * 2 + (node & 1)) * scale + node;
    isExact &&= Number.isSafeInteger(code) && Number.isInteger(moment) && moment >= 0;
    nodes[count++] = code;
  };
  for (const [at, { start, end }] of ops.entries()) {
    add(start, 2 * at);
    if (end !== Infinity) add(end, 2 * at + 1);
  }
  if (!isExact) return slowRanksOf(ops);
  nodes.subarray(0, count).sort();
  for (let rank = 0; rank < count; rank++) ranks[(nodes[rank] as number) % scale] = rank;
  return ranks;
}

/** For moments that are no whole numbers, or large ones. */
function slowRanksOf(ops: readonly Interval[]): Int32Array {
  const ranks = zeros(2 * ops.length).fill(NEVER);
  const momentOf = (node: number): number => {
    const { start, end } = ops[node >> 1] as Interval;
    return (node & 1) === 0 ? start : end;
  };
  const nodes = Array.from(ranks, (_, node) => node).filter((node) => momentOf(node) < Infinity);
  nodes.sort((a, b) => momentOf(a) - momentOf(b) || (a & 1) - (b & 1) || a - b);
  for (const [rank, node] of nodes.entries()) ranks[node] = rank;
  return ranks;
}

/** For whoever has operations whose moments are in order already. */
export class ColumnsBuilder {
  readonly #init: JsonValue;
  readonly #keys: string[] = [];
  readonly #keyNumbers: Map<string, number> = new Map();
  /** Of each key: the numbers of values, by the value where that is a name, or by its JSON text. */
  readonly #scalars: Map<JsonValue, number>[] = [];
  readonly #texts: Map<string, number>[] = [];
  readonly #initial: number[] = [];
  readonly #values: JsonValue[] = [];
  readonly #keyOf: number[] = [];
  readonly #columns: Readonly<Record<Column, Int32Array>>;
  #length = 0;
  /** To be set before `build`: all moments are below. */
  moments = 0;

  /** `capacity`: how many operations there may be. */
  constructor(capacity: number, init: JsonValue = register.init) {
    this.#init = init;
    const column = (): Int32Array => zeros(capacity);
    this.#columns = {
      key: column(),
      needs: column(),
      puts: column(),
      call: column(),
      ret: column(),
      revision: column(),
    };
  }

  /** The number of a key. */
  key(name: string): number {
    const known = this.#keyNumbers.get(name);
    if (known !== undefined) return known;
    const number = this.#keys.push(name) - 1;
    this.#keyNumbers.set(name, number);
    this.#scalars.push(new Map());
    this.#texts.push(new Map());
    this.#initial.push(this.#value(number, this.#init));
    return number;
  }

  /** `ret` is `NEVER` exactly for calls of indefinite outcome. */
  add(
    key: number,
    call: Call,
    at: { readonly call: number; readonly ret: number; readonly revision: number },
  ): void {
    const [needed, put] = [requiredBy(call), producedBy(call)];
    let needs = needed === undefined ? NONE : this.#value(key, needed);
    if (call.outcome === 'refused') {
      const expected = this.#value(key, casParts(call.input).from);
      if (needed === undefined) needs = anythingBut(expected);
      // What cannot be, a refusal by what it expected, needs something that nobody puts.
      else if (needs === expected) needs = this.#fresh(key, needed);
    }
    const puts = put === undefined ? NONE : this.#value(key, put);
    const columns = this.#columns;
    const row = this.#length++;
    columns.key[row] = key;
    columns.needs[row] = needs;
    columns.puts[row] = puts === needs ? NONE : puts;
    columns.call[row] = at.call;
    columns.ret[row] = at.ret;
    columns.revision[row] = at.revision;
  }

  build(): RegisterColumns {
    const length = this.#length;
    const { key, needs, puts, call, ret, revision } = this.#columns;
    return {
      length,
      keys: this.#keys,
      values: this.#values,
      keyOf: Int32Array.from(this.#keyOf),
      initial: Int32Array.from(this.#initial),
      key: key.subarray(0, length),
      needs: needs.subarray(0, length),
      puts: puts.subarray(0, length),
      call: call.subarray(0, length),
      ret: ret.subarray(0, length),
      moments: this.moments,
      revision: revision.subarray(0, length),
    };
  }

  #value(key: number, value: JsonValue): number {
    const isScalar = typeof value !== 'object' || value === null;
    const text = isScalar ? '' : valueKey(value);
    const known = isScalar ? this.#scalars[key]?.get(value) : this.#texts[key]?.get(text);
    if (known !== undefined) return known;
    const number = this.#fresh(key, value);
    if (isScalar) this.#scalars[key]?.set(value, number);
    else this.#texts[key]?.set(text, number);
    return number;
  }

  #fresh(key: number, value: JsonValue): number {
    this.#keyOf.push(key);
    return this.#values.push(value) - 1;
  }
}

type Column = 'key' | 'needs' | 'puts' | 'call' | 'ret' | 'revision';
