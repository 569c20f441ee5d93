import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import { type Nanos, nanos } from '../core/units.ts';
import type { Op, OpDraft, OpType, Phase, Process, ReadMode } from './op.ts';

const TYPES: readonly OpType[] = ['invoke', 'ok', 'fail', 'info'];
const PHASES: readonly Phase[] = ['quiet', 'main', 'heal', 'recover', 'final'];
const MODES: readonly (ReadMode | undefined)[] = [undefined, 'linearizable', 'serializable'];
const NEMESIS = -1;
const OBSERVER = -2;
const NONE = -1;

/** The rarely present fields of an entry, kept beside the columns. */
type Extra = Pick<Op, 'error' | 'seen' | 'server' | 'id' | 'lane'>;

/** An invocation and how it ended; `completion` is absent when the history ends first. */
export interface Operation {
  readonly invoke: Op;
  readonly completion: Op | undefined;
}

/**
 * The ordered entries of one run: columns of typed arrays, values interned, pairs known.
 * Append-only through `HistoryBuilder`; every reader sees a finished history.
 */
export class History {
  readonly length: number;
  readonly #columns: Columns;
  #pairs: Int32Array | undefined;

  /** Use `HistoryBuilder` or `historyOf`. */
  constructor(columns: Columns) {
    this.#columns = columns;
    this.length = columns.length;
  }

  /** The entry at `index`, built anew at each call. */
  op(index: number): Op {
    return this.#columns.op(index);
  }

  time(index: number): Nanos {
    return nanos(this.#columns.time[index] as number);
  }

  type(index: number): OpType {
    return TYPES[this.#columns.type[index] as number] as OpType;
  }

  process(index: number): Process {
    return processOf(this.#columns.process[index] as number);
  }

  isClient(index: number): boolean {
    return (this.#columns.process[index] as number) >= 0;
  }

  /** The index of the other half of this operation, or -1. */
  pairOf(index: number): number {
    this.#pairs ??= this.#columns.pairs();
    return this.#pairs[index] as number;
  }

  /** All entries in order. */
  *ops(): Generator<Op, void, undefined> {
    for (let index = 0; index < this.length; index++) yield this.op(index);
  }

  /** Client operations in order of invocation. */
  *operations(): Generator<Operation, void, undefined> {
    for (let index = 0; index < this.length; index++) {
      if (!this.isClient(index) || this.type(index) !== 'invoke') continue;
      const pair = this.pairOf(index);
      yield { invoke: this.op(index), completion: pair === NONE ? undefined : this.op(pair) };
    }
  }

  /** Client operations by key, each list in order of invocation. Operations without a key: ''. */
  operationsByKey(): Map<string, Operation[]> {
    return Map.groupBy(this.operations(), ({ invoke }) => invoke.key ?? '');
  }

  /** The entries of the nemesis, in order. */
  *faults(): Generator<Op, void, undefined> {
    yield* this.#ofProcess(NEMESIS);
  }

  /** The entries of the observer, in order. */
  *observations(): Generator<Op, void, undefined> {
    yield* this.#ofProcess(OBSERVER);
  }

  *#ofProcess(process: number): Generator<Op, void, undefined> {
    for (let index = 0; index < this.length; index++)
      if (this.#columns.process[index] === process) yield this.op(index);
  }
}

/** Takes entries in order; `index` must be dense and `time` must not go back. */
export class HistoryBuilder {
  readonly #columns: Columns = new Columns(1024);

  get length(): number {
    return this.#columns.length;
  }

  add(op: Op): void {
    invariant(op.index === this.#columns.length, `history: index ${op.index} is not the next one`);
    this.#columns.push(op, op.time);
  }

  /** Adds an entry that has no index yet; returns it with its index and time. */
  append(draft: OpDraft, time: Nanos): Op {
    const index = this.#columns.length;
    this.#columns.push(draft, time);
    return { ...draft, index, time };
  }

  /** The builder must not be used afterwards. */
  build(): History {
    return new History(this.#columns);
  }
}

export function historyOf(ops: Iterable<Op>): History {
  const builder = new HistoryBuilder();
  for (const op of ops) builder.add(op);
  return builder.build();
}

function processOf(code: number): Process {
  if (code === NEMESIS) return 'nemesis';
  return code === OBSERVER ? 'observer' : code;
}

function processCode(process: Process): number {
  if (process === 'nemesis') return NEMESIS;
  return process === 'observer' ? OBSERVER : process;
}

/** Gives each distinct text one small number. */
class Texts {
  readonly #list: string[] = [];
  readonly #ids = new Map<string, number>();

  id(text: string | undefined): number {
    if (text === undefined) return NONE;
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#list.push(text) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }

  text(id: number): string | undefined {
    return id === NONE ? undefined : this.#list[id];
  }
}

/** Gives each distinct number, text or null one id; arrays and objects get one each time. */
class Values {
  readonly #list: JsonValue[] = [null];
  readonly #ids = new Map<JsonValue, number>([[null, 0]]);

  id(value: JsonValue): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.#list.push(value) - 1;
    if (typeof value !== 'object') this.#ids.set(value, id);
    return id;
  }

  value(id: number): JsonValue {
    return this.#list[id] as JsonValue;
  }
}

class Columns {
  length = 0;
  #capacity: number;
  time: Float64Array;
  process: Int32Array;
  type: Uint8Array;
  #f: Uint16Array;
  #key: Int32Array;
  #value: Int32Array;
  #node: Int8Array;
  #phaseMode: Uint8Array;
  readonly #texts: Texts = new Texts();
  readonly #values: Values = new Values();
  readonly #extras: Map<number, Extra> = new Map();

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.time = new Float64Array(capacity);
    this.process = new Int32Array(capacity);
    this.type = new Uint8Array(capacity);
    this.#f = new Uint16Array(capacity);
    this.#key = new Int32Array(capacity);
    this.#value = new Int32Array(capacity);
    this.#node = new Int8Array(capacity);
    this.#phaseMode = new Uint8Array(capacity);
  }

  readonly #nodes: Texts = new Texts();
  readonly #functions: Texts = new Texts();

  push(op: OpDraft, time: Nanos): void {
    if (this.length === this.#capacity) this.#grow();
    const at = this.length;
    invariant(at === 0 || time >= (this.time[at - 1] as number), 'history: time went back');
    this.time[at] = time;
    this.process[at] = processCode(op.process);
    this.type[at] = TYPES.indexOf(op.type);
    this.#f[at] = this.#functions.id(op.f);
    this.#key[at] = this.#texts.id(op.key);
    this.#value[at] = this.#values.id(op.value);
    this.#node[at] = this.#nodes.id(op.node);
    this.#phaseMode[at] = PHASES.indexOf(op.phase) * 4 + MODES.indexOf(op.mode);
    const extra = extraOf(op);
    if (extra !== undefined) this.#extras.set(at, extra);
    this.length++;
  }

  op(at: number): Op {
    invariant(at >= 0 && at < this.length, `history: no entry ${at}`);
    const key = this.#texts.text(this.#key[at] as number);
    const node = this.#nodes.text(this.#node[at] as number);
    const phaseMode = this.#phaseMode[at] as number;
    const mode = MODES[phaseMode & 3];
    return {
      index: at,
      time: nanos(this.time[at] as number),
      process: processOf(this.process[at] as number),
      type: TYPES[this.type[at] as number] as OpType,
      f: this.#functions.text(this.#f[at] as number) as string,
      ...(key !== undefined && { key }),
      value: this.#values.value(this.#value[at] as number),
      phase: PHASES[phaseMode >> 2] as Phase,
      ...(node !== undefined && { node }),
      ...(mode !== undefined && { mode }),
      ...this.#extras.get(at),
    };
  }

  /** Client pairs by process; nemesis pairs by lane. Both are single-threaded, so order decides. */
  pairs(): Int32Array {
    const pairs = new Int32Array(this.length).fill(NONE);
    const open = new Map<number | string, number>();
    for (let at = 0; at < this.length; at++) {
      const process = this.process[at] as number;
      if (process === OBSERVER) continue;
      const who = process === NEMESIS ? (this.#extras.get(at)?.lane ?? '') : process;
      if (this.type[at] === 0) {
        open.set(who, at);
        continue;
      }
      const invoke = open.get(who);
      if (invoke === undefined) continue;
      open.delete(who);
      pairs[at] = invoke;
      pairs[invoke] = at;
    }
    return pairs;
  }

  #grow(): void {
    this.#capacity *= 2;
    const size = this.#capacity;
    this.time = grown(this.time, new Float64Array(size));
    this.process = grown(this.process, new Int32Array(size));
    this.type = grown(this.type, new Uint8Array(size));
    this.#f = grown(this.#f, new Uint16Array(size));
    this.#key = grown(this.#key, new Int32Array(size));
    this.#value = grown(this.#value, new Int32Array(size));
    this.#node = grown(this.#node, new Int8Array(size));
    this.#phaseMode = grown(this.#phaseMode, new Uint8Array(size));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

function extraOf(op: OpDraft): Extra | undefined {
  if (
    op.error === undefined &&
    op.seen === undefined &&
    op.server === undefined &&
    op.id === undefined &&
    op.lane === undefined
  )
    return undefined;
  return {
    ...(op.error !== undefined && { error: op.error }),
    ...(op.seen !== undefined && { seen: op.seen }),
    ...(op.server !== undefined && { server: op.server }),
    ...(op.id !== undefined && { id: op.id }),
    ...(op.lane !== undefined && { lane: op.lane }),
  };
}
