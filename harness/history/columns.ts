/**
 * The storage below `History`: one column a field, in blocks that are made on first use, so that
 * nothing is copied as a history grows and absent fields cost nothing. An entry takes about 30
 * bytes; one with an error, a server stamp or other rare fields takes a row of details besides.
 */
import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import { type Nanos, nanos } from '../core/units.ts';
import { Codes } from './codes.ts';
import { Numbers } from './numbers.ts';
import type { Op, OpDraft, OpError, OpType, Phase, Process, ReadMode, ServerStamp } from './op.ts';

const TYPES: readonly OpType[] = ['invoke', 'ok', 'fail', 'info'];
const PHASES: readonly Phase[] = ['quiet', 'main', 'heal', 'recover', 'final'];
const MODES: readonly (ReadMode | undefined)[] = [undefined, 'linearizable', 'serializable'];
export const NEMESIS = -1;
export const OBSERVER = -2;
export const NONE = -1;
export const INVOKE = 0;

export class Columns {
  length = 0;
  /** Type, phase and mode in one number: 2, 3 and 2 bits. */
  readonly #kind: Numbers = new Numbers(Uint8Array);
  readonly #time: Numbers = new Numbers(Float64Array);
  readonly #process: Numbers = new Numbers(Int32Array);
  /** f and node, whose distinct texts are few: 16 bits each. */
  readonly #f: Numbers = new Numbers(Uint16Array);
  readonly #node: Numbers = new Numbers(Uint16Array);
  readonly #key: Numbers = new Numbers(Int32Array);
  readonly #value: Numbers = new Numbers(Int32Array);
  /** The other half of the operation, +1; 0: none yet. */
  readonly #pair: Numbers = new Numbers(Int32Array);
  /** The n of an id `c<process>/<n>`, +1; 0: no id of this form. */
  readonly #count: Numbers = new Numbers(Int32Array);
  /** Row of the details, +1; 0: none. */
  readonly #detail: Numbers = new Numbers(Int32Array);
  readonly #details: Details;
  readonly #texts: Codes = new Codes();
  readonly #values: Codes = new Codes();
  /** Invocations that have not completed, by process, or by lane of faults. */
  readonly #open: Map<number | string, number> = new Map();

  constructor() {
    this.#details = new Details(this.#values);
  }

  push(op: OpDraft, time: Nanos): void {
    const at = this.length;
    invariant(at === 0 || time >= this.#time.get(at - 1), 'history: time went back');
    const process = processCode(op.process);
    this.#time.set(at, time);
    this.#process.set(at, process);
    this.#kind.set(
      at,
      TYPES.indexOf(op.type) | (PHASES.indexOf(op.phase) << 2) | (MODES.indexOf(op.mode) << 5),
    );
    this.#f.set(at, this.#smallText(op.f));
    if (op.node !== undefined) this.#node.set(at, this.#smallText(op.node) + 1);
    if (op.key !== undefined) this.#key.set(at, this.#texts.text(op.key) + 1);
    this.#setPair(at, op, process);
    this.#setValue(at, op);
    const count = op.id === undefined ? NONE : countOf(op.id, process);
    if (count !== NONE) this.#count.set(at, count + 1);
    const row = this.#details.add(op, count === NONE ? op.id : undefined);
    if (row !== NONE) this.#detail.set(at, row + 1);
    this.length++;
  }

  #smallText(text: string): number {
    const code = this.#texts.text(text);
    if (code < 0xffff) return code;
    invariant(false, `history: '${text}' is one of too many names of functions and nodes`);
  }

  /** Single-threaded processes and lanes: whatever completes belongs to the last invocation. */
  #setPair(at: number, op: OpDraft, process: number): void {
    if (process === OBSERVER) return;
    const who = process === NEMESIS ? (op.lane ?? '') : process;
    if (op.type === 'invoke') {
      this.#open.set(who, at);
      return;
    }
    const invoke = this.#open.get(who);
    if (invoke === undefined) return;
    this.#open.delete(who);
    this.#pair.set(at, invoke + 1);
    this.#pair.set(invoke, at + 1);
  }

  /** A completion mostly repeats the value of its invocation, so arrays are stored only once. */
  #setValue(at: number, { value, type }: OpDraft): void {
    const invoke = type === 'invoke' ? NONE : this.pairOf(at);
    const known = invoke === NONE ? undefined : this.#value.get(invoke);
    const code =
      known !== undefined && this.#values.is(known, value) ? known : this.#values.value(value);
    this.#value.set(at, code);
  }

  time(at: number): Nanos {
    return this.#time.get(at) as Nanos;
  }

  /** The number of a client, `NEMESIS` or `OBSERVER`. */
  processCode(at: number): number {
    return this.#process.get(at);
  }

  process(at: number): Process {
    return processOf(this.#process.get(at));
  }

  type(at: number): OpType {
    return TYPES[this.#kind.get(at) & 3] as OpType;
  }

  isInvoke(at: number): boolean {
    return (this.#kind.get(at) & 3) === INVOKE;
  }

  /** The index of the other half, also if it lies beyond the end of a history; or `NONE`. */
  pairOf(at: number): number {
    return this.#pair.get(at) - 1;
  }

  op(at: number): Op {
    invariant(at >= 0 && at < this.length, `history: no entry ${at}`);
    const kind = this.#kind.get(at);
    const process = this.#process.get(at);
    const op: { -readonly [K in keyof Op]: Op[K] } = {
      index: at,
      time: nanos(this.#time.get(at)),
      process: processOf(process),
      type: TYPES[kind & 3] as OpType,
      f: this.#texts.at(this.#f.get(at)),
      value: this.#values.get(this.#value.get(at)),
      phase: PHASES[(kind >> 2) & 7] as Phase,
    };
    const key = this.#key.get(at);
    if (key !== 0) op.key = this.#texts.at(key - 1);
    const node = this.#node.get(at);
    if (node !== 0) op.node = this.#texts.at(node - 1);
    const mode = MODES[kind >> 5];
    if (mode !== undefined) op.mode = mode;
    const count = this.#count.get(at);
    if (count !== 0) op.id = `c${process}/${count - 1}`;
    const row = this.#detail.get(at);
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
  readonly #values: Codes;
  readonly #texts: Codes = new Codes();
  readonly #errors: OpError[] = [];
  readonly #errorAt: Map<string, number> = new Map();
  /** All of these are +1, so that 0 means absent; server numbers may be large. */
  readonly #error: Numbers = new Numbers(Int32Array);
  readonly #seen: Numbers = new Numbers(Float64Array);
  readonly #id: Numbers = new Numbers(Int32Array);
  readonly #lane: Numbers = new Numbers(Int32Array);
  readonly #revision: Numbers = new Numbers(Uint32Array);
  readonly #modRevision: Numbers = new Numbers(Uint32Array);
  readonly #version: Numbers = new Numbers(Uint32Array);
  readonly #term: Numbers = new Numbers(Uint32Array);
  readonly #member: Numbers = new Numbers(Uint16Array);
  readonly #cluster: Numbers = new Numbers(Uint16Array);
  /** 1: the entry has a stamp, though perhaps an empty one. */
  readonly #stamped: Numbers = new Numbers(Uint8Array);

  constructor(values: Codes) {
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
    // Codes of values may be negative, so they are moved to make room for 0.
    if (seen !== undefined) this.#seen.set(row, this.#values.value(seen) + SEEN_SHIFT);
    if (id !== undefined) this.#id.set(row, this.#texts.text(id) + 1);
    if (lane !== undefined) this.#lane.set(row, this.#texts.text(lane) + 1);
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
    if (member !== undefined) this.#member.set(row, this.#texts.text(member) + 1);
    if (cluster !== undefined) this.#cluster.set(row, this.#texts.text(cluster) + 1);
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

  read(row: number, op: { -readonly [K in keyof Op]?: Op[K] }): void {
    const error = this.#error.get(row);
    if (error !== 0) op.error = this.#errors[error - 1] as OpError;
    const seen = this.#seen.get(row);
    if (seen !== 0) op.seen = this.#values.get(seen - SEEN_SHIFT);
    const id = this.#id.get(row);
    if (id !== 0) op.id = this.#texts.at(id - 1);
    const lane = this.#lane.get(row);
    if (lane !== 0) op.lane = this.#texts.at(lane - 1);
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
    if (member !== 0) stamp.member = this.#texts.at(member - 1);
    const cluster = this.#cluster.get(row);
    if (cluster !== 0) stamp.cluster = this.#texts.at(cluster - 1);
    return stamp;
  }
}

const SEEN_SHIFT = 2 ** 32;
