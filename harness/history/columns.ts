/**
 * The storage below `History`: one typed array a field, in blocks, so that nothing is copied as a
 * history grows. An entry takes 37 bytes; one with an error, a server stamp or another rare field
 * takes a row of details besides, whose fields take memory only where they are used.
 */
import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import type { Nanos } from '../core/units.ts';
import { Numbers } from './numbers.ts';
import type { Op, OpDraft, OpError, OpType, Phase, Process, ReadMode, ServerStamp } from './op.ts';
import { ABSENT_CODE, Texts, Values } from './values.ts';

const TYPES: readonly OpType[] = ['invoke', 'ok', 'fail', 'info'];
const PHASES: readonly Phase[] = ['quiet', 'main', 'heal', 'recover', 'final'];
const MODES: readonly (ReadMode | undefined)[] = [undefined, 'linearizable', 'serializable'];
export const NEMESIS = -1;
export const OBSERVER = -2;
export const NONE = -1;
export const INVOKE = 0;

const BITS = 14;
const SIZE = 1 << BITS;

/** The fields of `SIZE` entries. Codes and rows that may be absent are +1, so that 0 is absent. */
class Block {
  readonly time: Float64Array = new Float64Array(SIZE);
  readonly process: Int32Array = new Int32Array(SIZE);
  /** Type, phase and mode in one number: 2, 3 and 2 bits. */
  readonly kind: Uint8Array = new Uint8Array(SIZE);
  readonly f: Uint16Array = new Uint16Array(SIZE);
  readonly node: Uint16Array = new Uint16Array(SIZE);
  readonly key: Int32Array = new Int32Array(SIZE);
  readonly value: Int32Array = new Int32Array(SIZE);
  /** The other half of the operation. */
  readonly pair: Int32Array = new Int32Array(SIZE);
  /** The n of an id `c<process>/<n>`. */
  readonly count: Int32Array = new Int32Array(SIZE);
  /** Row of the details. */
  readonly detail: Int32Array = new Int32Array(SIZE);
}

export class Columns {
  length = 0;
  readonly #blocks: Block[] = [];
  readonly #details: Details;
  /** Few: functions and nodes. */
  readonly #names: Texts = new Texts();
  readonly #keys: Texts = new Texts();
  readonly #values: Values = new Values();
  /** Codes of functions that clients asked for, and where each was asked for first; in that order. */
  readonly #functions: number[] = [];
  readonly #firstAsked: number[] = [];
  /** Invocations that have not completed, by process, or by lane of faults. */
  readonly #open: Map<number | string, number> = new Map();

  constructor() {
    this.#details = new Details(this.#values);
  }

  push(op: OpDraft, time: Nanos): void {
    const at = this.length;
    if (at > 0 && time < this.time(at - 1)) invariant(false, 'history: time went back');
    if ((at & (SIZE - 1)) === 0) this.#blocks.push(new Block());
    const block = this.#block(at);
    const n = at & (SIZE - 1);
    const process = processCode(op.process);
    block.time[n] = time;
    block.process[n] = process;
    block.kind[n] =
      TYPES.indexOf(op.type) | (PHASES.indexOf(op.phase) << 2) | (MODES.indexOf(op.mode) << 5);
    const f = this.#name(op.f);
    block.f[n] = f;
    if (process >= 0 && op.type === 'invoke') this.#ask(f, at);
    if (op.node !== undefined) block.node[n] = this.#name(op.node) + 1;
    if (op.key !== undefined) block.key[n] = this.#keys.id(op.key) + 1;
    const invoke = this.#pair(at, op, process);
    block.pair[n] = invoke + 1;
    block.value[n] = this.#value(op.value, invoke);
    const count = op.id === undefined ? NONE : countOf(op.id, process);
    block.count[n] = count + 1;
    block.detail[n] = this.#details.add(op, count === NONE ? op.id : undefined) + 1;
    this.length++;
  }

  #ask(f: number, at: number): void {
    // They are so few that nothing is faster than to look.
    if (this.#functions.includes(f)) return;
    this.#functions.push(f);
    this.#firstAsked.push(at);
  }

  /** Codes of functions that clients asked for in the first `length` entries, in order of first use. */
  functionCodes(length: number): readonly number[] {
    return this.#functions.filter((_, place) => (this.#firstAsked[place] as number) < length);
  }

  #block(at: number): Block {
    return this.#blocks[at >>> BITS] as Block;
  }

  #name(text: string): number {
    const code = this.#names.id(text);
    if (code >= 0xffff) invariant(false, `history: '${text}' is one name of f or node too many`);
    return code;
  }

  /**
   * The invocation that this entry completes, or `NONE`. Processes and lanes are single-threaded:
   * what completes belongs to the last invocation.
   */
  #pair(at: number, op: OpDraft, process: number): number {
    if (process === OBSERVER) return NONE;
    const who = process === NEMESIS ? (op.lane ?? '') : process;
    if (op.type === 'invoke') {
      this.#open.set(who, at);
      return NONE;
    }
    const invoke = this.#open.get(who);
    if (invoke === undefined) return NONE;
    this.#open.delete(who);
    this.#block(invoke).pair[invoke & (SIZE - 1)] = at + 1;
    return invoke;
  }

  /** A completion mostly repeats the value of its invocation, so arrays are stored only once. */
  #value(value: JsonValue, invoke: number): number {
    if (invoke !== NONE && typeof value === 'object' && value !== null) {
      const known = this.#block(invoke).value[invoke & (SIZE - 1)] as number;
      if (this.#values.is(known, value)) return known;
    }
    return this.#values.code(value);
  }

  time(at: number): Nanos {
    return this.#block(at).time[at & (SIZE - 1)] as Nanos;
  }

  /** The number of a client, `NEMESIS` or `OBSERVER`. */
  processCode(at: number): number {
    return this.#block(at).process[at & (SIZE - 1)] as number;
  }

  process(at: number): Process {
    return processOf(this.processCode(at));
  }

  type(at: number): OpType {
    return TYPES[this.#kind(at) & 3] as OpType;
  }

  isInvoke(at: number): boolean {
    return (this.#kind(at) & 3) === INVOKE;
  }

  #kind(at: number): number {
    return this.#block(at).kind[at & (SIZE - 1)] as number;
  }

  /** The index of the other half, also if it lies beyond the end of a history; or `NONE`. */
  pairOf(at: number): number {
    return (this.#block(at).pair[at & (SIZE - 1)] as number) - 1;
  }

  f(at: number): string {
    return this.nameText(this.fCode(at));
  }

  /** A small number, the same for equal ones; `nameText` has its text. */
  fCode(at: number): number {
    return this.#block(at).f[at & (SIZE - 1)] as number;
  }

  nameText(code: number): string {
    return this.#names.text(code);
  }

  mode(at: number): ReadMode | undefined {
    return MODES[this.#kind(at) >> 5];
  }

  node(at: number): string | undefined {
    const code = this.#block(at).node[at & (SIZE - 1)] as number;
    return code === 0 ? undefined : this.#names.text(code - 1);
  }

  /** A number for each key from 1, in order of appearance; 0: the entry has none. */
  keyCode(at: number): number {
    return this.#block(at).key[at & (SIZE - 1)] as number;
  }

  /** The key with this code. */
  keyText(code: number): string | undefined {
    return code === 0 ? undefined : this.#keys.text(code - 1);
  }

  /** See `Values`. */
  valueCode(at: number): number {
    return this.#block(at).value[at & (SIZE - 1)] as number;
  }

  /** The code of what a refused cas saw, or `ABSENT_CODE`. */
  seenCode(at: number): number {
    const row = this.#block(at).detail[at & (SIZE - 1)] as number;
    return row === 0 ? ABSENT_CODE : this.#details.seenCode(row - 1);
  }

  /** The code of the entry's error. */
  errorCode(at: number): string | undefined {
    const row = this.#block(at).detail[at & (SIZE - 1)] as number;
    return row === 0 ? undefined : this.#details.error(row - 1)?.code;
  }

  /** The store's revision, or `NONE`. */
  revision(at: number): number {
    const row = this.#block(at).detail[at & (SIZE - 1)] as number;
    return row === 0 ? NONE : this.#details.revision(row - 1);
  }

  /** The code of a scalar, and the value of any code. */
  get values(): Pick<Values, 'code' | 'value' | 'part'> {
    return this.#values;
  }

  op(at: number): Op {
    const block = this.#block(at);
    const n = at & (SIZE - 1);
    const kind = block.kind[n] as number;
    const process = block.process[n] as number;
    const op: { -readonly [K in keyof Op]: Op[K] } = {
      index: at,
      time: block.time[n] as Nanos,
      process: processOf(process),
      type: TYPES[kind & 3] as OpType,
      f: this.#names.text(block.f[n] as number),
      value: this.#values.value(block.value[n] as number),
      phase: PHASES[(kind >> 2) & 7] as Phase,
    };
    const key = block.key[n] as number;
    if (key !== 0) op.key = this.#keys.text(key - 1);
    const node = block.node[n] as number;
    if (node !== 0) op.node = this.#names.text(node - 1);
    const mode = MODES[kind >> 5];
    if (mode !== undefined) op.mode = mode;
    const count = block.count[n] as number;
    if (count !== 0) op.id = `c${process}/${count - 1}`;
    const row = block.detail[n] as number;
    if (row !== 0) this.#details.read(row - 1, op);
    return op;
  }
}

function processOf(code: number): Process {
  if (code === NEMESIS) return 'nemesis';
  return code === OBSERVER ? 'observer' : code;
}

function processCode(process: Process): number {
  if (process === 'nemesis') return NEMESIS;
  return process === 'observer' ? OBSERVER : process;
}

/** The n of `c<process>/<n>`, or `NONE` for any other id. No text is made on the way. */
function countOf(id: string, process: number): number {
  if (process < 0 || id.charCodeAt(0) !== 99 || id.length > 20) return NONE;
  const slash = id.indexOf('/');
  return wholeNumber(id, 1, slash) === process ? wholeNumber(id, slash + 1, id.length) : NONE;
}

/** A decimal number below 10^9 without leading zeros, or `NONE`. */
function wholeNumber(text: string, from: number, to: number): number {
  if (to <= from || to - from > 9 || (text.charCodeAt(from) === 48 && to - from > 1)) return NONE;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return NONE;
    number = number * 10 + digit;
  }
  return number;
}

/** What only some entries have; a row each. Absent fields of a row are never written. */
class Details {
  #length = 0;
  readonly #values: Values;
  readonly #texts: Texts = new Texts();
  readonly #errors: OpError[] = [];
  readonly #errorAt: Map<string, number> = new Map();
  /** All of these are +1, so that 0 means absent. */
  readonly #error: Numbers = new Numbers();
  readonly #seen: Numbers = new Numbers();
  readonly #id: Numbers = new Numbers();
  readonly #lane: Numbers = new Numbers();
  readonly #revision: Numbers = new Numbers();
  readonly #modRevision: Numbers = new Numbers();
  readonly #version: Numbers = new Numbers();
  readonly #term: Numbers = new Numbers();
  readonly #member: Numbers = new Numbers();
  readonly #cluster: Numbers = new Numbers();
  /** 1: the entry has a stamp, though perhaps an empty one. */
  readonly #stamped: Numbers = new Numbers();

  constructor(values: Values) {
    this.#values = values;
  }

  /** Returns the row, or `NONE` if there is nothing to keep. */
  add({ error, seen, server, lane }: OpDraft, id: string | undefined): number {
    if (
      error === undefined &&
      seen === undefined &&
      server === undefined &&
      lane === undefined &&
      id === undefined
    )
      return NONE;
    const row = this.#length++;
    if (error !== undefined) this.#error.set(row, this.#errorCode(error) + 1);
    if (seen !== undefined) this.#seen.set(row, this.#values.code(seen) ^ SEEN);
    if (id !== undefined) this.#id.set(row, this.#texts.id(id) + 1);
    if (lane !== undefined) this.#lane.set(row, this.#texts.id(lane) + 1);
    if (server !== undefined) this.#addServer(row, server);
    return row;
  }

  #addServer(row: number, server: ServerStamp): void {
    const { revision, modRevision, version, term, member, cluster } = server;
    this.#stamped.set(row, 1);
    if (revision !== undefined) this.#revision.set(row, revision + 1);
    if (modRevision !== undefined) this.#modRevision.set(row, modRevision + 1);
    if (version !== undefined) this.#version.set(row, version + 1);
    if (term !== undefined) this.#term.set(row, term + 1);
    if (member !== undefined) this.#member.set(row, this.#texts.id(member) + 1);
    if (cluster !== undefined) this.#cluster.set(row, this.#texts.id(cluster) + 1);
  }

  #errorCode(error: OpError): number {
    const name = `${error.definite ? '!' : '?'}${error.code}\n${error.message ?? '\n'}`;
    let code = this.#errorAt.get(name);
    if (code === undefined) {
      code = this.#errors.push(error) - 1;
      this.#errorAt.set(name, code);
    }
    return code;
  }

  /** The code of what was seen, or `ABSENT_CODE`. */
  seenCode(row: number): number {
    const seen = this.#seen.get(row);
    return seen === 0 ? ABSENT_CODE : seen ^ SEEN;
  }

  error(row: number): OpError | undefined {
    return this.#errors[this.#error.get(row) - 1];
  }

  /** The store's revision, or `NONE`. */
  revision(row: number): number {
    return this.#revision.get(row) - 1;
  }

  read(row: number, op: { -readonly [K in keyof Op]?: Op[K] }): void {
    const error = this.#error.get(row);
    if (error !== 0) op.error = this.#errors[error - 1] as OpError;
    const seen = this.#seen.get(row);
    if (seen !== 0) op.seen = this.#values.value(seen ^ SEEN);
    const id = this.#id.get(row);
    if (id !== 0) op.id = this.#texts.text(id - 1);
    const lane = this.#lane.get(row);
    if (lane !== 0) op.lane = this.#texts.text(lane - 1);
    if (this.#stamped.get(row) !== 0) op.server = this.#server(row);
  }

  #server(row: number): ServerStamp {
    const stamp: { -readonly [K in keyof ServerStamp]: ServerStamp[K] } = {};
    const revision = this.#revision.get(row);
    if (revision !== 0) stamp.revision = revision - 1;
    const modRevision = this.#modRevision.get(row);
    if (modRevision !== 0) stamp.modRevision = modRevision - 1;
    const version = this.#version.get(row);
    if (version !== 0) stamp.version = version - 1;
    const term = this.#term.get(row);
    if (term !== 0) stamp.term = term - 1;
    const member = this.#member.get(row);
    if (member !== 0) stamp.member = this.#texts.text(member - 1);
    const cluster = this.#cluster.get(row);
    if (cluster !== 0) stamp.cluster = this.#texts.text(cluster - 1);
    return stamp;
  }
}

/** Turns the code of a value, which may be 0, into another number: no code is equal to it. */
const SEEN = ABSENT_CODE;
