/**
 * Short proofs need little of a long history: what happened around the moment that no order gets
 * past, and who put the values that were observed there. Operations are built of these alone; what
 * is said of all others, such as that nobody else wrote a value, is looked up in the columns.
 */
import type { Codes, History, Operation } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import { isRefusal, type KeyHistory, type KeyOp, keyHistoryOf } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { casParts, requiredBy, valueKey } from '../models/register.ts';
import { NEVER, NONE, type RegisterColumns } from './columns.ts';

/** So many operations that began before the impasse, and half as many after it. */
const SIZES = [256, 2048] as const;
/** An excerpt is worth it if a key has so many times its size. */
const SHARE = 4;

/** Whether a key of so many operations has any. */
export function isWorthExcerpts(operations: number): boolean {
  return operations > SHARE * SIZES[0];
}

/** Rows that tell of one value what matters; `NONE`: there is none. */
interface ValueFacts {
  /** The first two that put it, if only in place of itself. */
  first: number;
  other: number;
  /** Of those that put it in place of another before the excerpt, the last to end. */
  last: number;
  before: number;
  /** The first to end of those that observed it, and of those that put another in its place. */
  seen: number;
  winner: number;
}

/** Excerpts of some keys of a history, of which these are the columns. */
export class Excerpts {
  readonly #history: History;
  readonly #model: Model;
  readonly #reads: readonly ReadMode[];
  readonly #columns: RegisterColumns;
  readonly #rows: ReadonlyMap<number, Int32Array>;
  /** Of each value: its place among `#facts`, plus one. */
  readonly #places: Int32Array;
  #facts: ValueFacts[] = [];

  constructor(
    history: History,
    model: Model,
    reads: readonly ReadMode[],
    columns: RegisterColumns,
    keys: readonly number[],
  ) {
    this.#history = history;
    this.#model = model;
    this.#reads = reads;
    this.#columns = columns;
    this.#rows = rowsOf(columns, keys);
    this.#places = new Int32Array(columns.keyOf.length);
  }

  /** Around the entry `upTo`, the shortest first. */
  *near(key: number, upTo: number, sizes: readonly number[] = SIZES): Generator<KeyHistory> {
    const rows = this.#rows.get(key) ?? new Int32Array();
    for (const size of sizes)
      if (upTo >= 0 && rows.length > SHARE * size) yield this.#excerpt(key, rows, upTo, size);
  }

  #excerpt(key: number, rows: Int32Array, upTo: number, size: number): KeyHistory {
    const { call, ret, needs } = this.#columns;
    const middle = countBelow(rows, call, upTo);
    const first = Math.max(0, middle - size);
    const end = Math.min(rows.length, middle + (size >> 1));
    const from = call[rows[first] as number] as number;
    const until = end < rows.length ? (call[rows[end] as number] as number) : Infinity;
    const inside = rows.subarray(0, end).filter((row) => (ret[row] as number) >= from);
    const observing = inside.filter((row) => ret[row] !== NEVER && (needs[row] as number) >= 0);
    this.#lookUp(rows, observing, from);
    const wanted = new Set(inside);
    for (const { first: one, other, last, seen, winner } of this.#facts)
      for (const row of [one, other, last, seen, winner]) if (row !== NONE) wanted.add(row);
    const operations = [...wanted].toSorted((a, b) => a - b).map((row) => this.#operation(row));
    const name = this.#columns.keys[key] as string;
    const { ops } = keyHistoryOf(name, operations, this.#model, this.#reads);
    const values = this.#leftOut(ops, observing, wanted, from);
    const isStrange = this.#facts.some((facts) => facts.first === NONE);
    const failed = isStrange ? this.#failed(name) : [];
    this.#forget(observing);
    return { key: name, ops, failed, excerpt: { from, until, values } };
  }

  #operation(row: number): Operation {
    const { call, ret } = this.#columns;
    return operationAt(this.#history, call[row] as number, ret[row] as number);
  }

  /** The facts of every value that is observed. */
  #lookUp(rows: Int32Array, observing: Int32Array, from: number): void {
    const places = this.#places;
    const { needs, puts } = this.#columns;
    for (const row of observing) {
      const value = needs[row] as number;
      if (places[value] === 0) places[value] = this.#facts.push(noFacts());
    }
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      const put = puts[row] as number;
      const need = needs[row] as number;
      if (put >= 0 && places[put] !== 0) this.#notePut(places[put] as number, row, from);
      if (need >= 0 && places[need] !== 0) this.#noteNeed(places[need] as number, row);
    }
  }

  #notePut(place: number, row: number, from: number): void {
    const { call, ret } = this.#columns;
    const facts = this.#facts[place - 1] as ValueFacts;
    addProducer(facts, row);
    if ((call[row] as number) >= from) return;
    facts.before++;
    if (facts.last === NONE || (ret[row] as number) > (ret[facts.last] as number)) facts.last = row;
  }

  #noteNeed(place: number, row: number): void {
    const { call, ret, puts } = this.#columns;
    const { codes } = this.#history;
    const facts = this.#facts[place - 1] as ValueFacts;
    const [end, isWinner] = [ret[row] as number, (puts[row] as number) >= 0];
    if (!isWinner && facts.other === NONE && putsBack(codes, call[row] as number, end))
      addProducer(facts, row);
    if (end === NEVER) return;
    if (facts.seen === NONE || end < (ret[facts.seen] as number)) facts.seen = row;
    if (isWinner && (facts.winner === NONE || end < (ret[facts.winner] as number)))
      facts.winner = row;
  }

  /** Of each value that is observed, by its text: how many of those before are not `wanted`. */
  #leftOut(
    ops: readonly KeyOp[],
    observing: Int32Array,
    wanted: ReadonlySet<number>,
    from: number,
  ): ReadonlyMap<string, number> {
    const { call, needs, puts } = this.#columns;
    const told = new Map<number, number>();
    for (const row of wanted) {
      const put = puts[row] as number;
      if (put >= 0 && (call[row] as number) < from) told.set(put, (told.get(put) ?? 0) + 1);
    }
    const byStart = new Map(ops.map((op) => [op.start, op]));
    const left = new Map<string, number>();
    for (const row of observing) {
      const { call: asked } = byStart.get(call[row] as number) as KeyOp;
      const text = valueKey(requiredBy(asked) ?? null);
      // In the columns this observed a value of its own, so that nothing is known of this one.
      if (asked.outcome === 'refused' && valueKey(casParts(asked.input).from) === text) continue;
      const value = needs[row] as number;
      const { before } = this.#facts[(this.#places[value] as number) - 1] as ValueFacts;
      left.set(text, before - (told.get(value) ?? 0));
    }
    return left;
  }

  #forget(observing: Int32Array): void {
    for (const row of observing) this.#places[this.#columns.needs[row] as number] = 0;
    this.#facts = [];
  }

  /** Only a value that nobody put makes anyone ask for them. */
  #failed(name: string): readonly KeyOp[] {
    const { codes, length } = this.#history;
    const found: Operation[] = [];
    for (let at = 0; at < length; at++) {
      if (!codes.isInvoke(at) || codes.processCode(at) < 0) continue;
      const pair = codes.pairOf(at);
      if (pair < 0 || pair >= length || codes.type(pair) !== 'fail') continue;
      if ((codes.keyText(codes.keyCode(at)) ?? '') !== name) continue;
      const operation = operationAt(this.#history, at, pair);
      if (operation.completion !== undefined && !isRefusal(operation.completion))
        found.push(operation);
    }
    return keyHistoryOf(name, found, this.#model, this.#reads).failed;
  }
}

function noFacts(): ValueFacts {
  return { first: NONE, other: NONE, last: NONE, before: 0, seen: NONE, winner: NONE };
}

function addProducer(facts: ValueFacts, row: number): void {
  if (facts.first === NONE) facts.first = row;
  else if (facts.other === NONE) facts.other = row;
}

/** A cas from a value to itself, or perhaps one, as it is neither a read nor a refusal. */
function putsBack(codes: Codes, call: number, ret: number): boolean {
  return codes.f(call) === 'cas' && (ret === NEVER || codes.type(ret) !== 'fail');
}

function operationAt(history: History, call: number, ret: number): Operation {
  const pair = ret === NEVER ? history.pairOf(call) : ret;
  return { invoke: history.op(call), completion: pair < 0 ? undefined : history.op(pair) };
}

/** The rows of some keys, in order. */
function rowsOf(
  { length, key, keys: names }: RegisterColumns,
  keys: readonly number[],
): ReadonlyMap<number, Int32Array> {
  const counts = new Int32Array(names.length);
  for (let row = 0; row < length; row++)
    counts[key[row] as number] = (counts[key[row] as number] as number) + 1;
  const rows = new Map(keys.map((own) => [own, new Int32Array(counts[own] as number)]));
  const listOf = names.map((_, own) => rows.get(own));
  counts.fill(0);
  for (let row = 0; row < length; row++) {
    const own = key[row] as number;
    const list = listOf[own];
    if (list === undefined) continue;
    const at = counts[own] as number;
    counts[own] = at + 1;
    list[at] = row;
  }
  return rows;
}

/** How many of the first rows were called before a moment. */
function countBelow(rows: Int32Array, call: Int32Array, moment: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((call[rows[middle] as number] as number) < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
