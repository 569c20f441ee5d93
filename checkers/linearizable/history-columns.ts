import type { JsonValue } from '../../harness/core/json.ts';
import type { Codes, History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import { ABSENT_CODE, integerOf, isScalarCode } from '../../harness/history/values.ts';
import { casParts, register, valueKey } from '../models/register.ts';
import type { Asked } from './asked.ts';
import { anythingBut, NEVER, NONE, type RegisterColumns } from './columns.ts';
import { Room, zeros } from './room.ts';

/**
 * The same as `columnsOf` of the history's keys in order of invocation, where moments are the
 * indices of entries, in one pass over the history's own columns: no entry is built.
 */
export function historyColumns(
  history: History,
  reads: readonly ReadMode[] = ['linearizable'],
  init: JsonValue = register.init,
): HistoryColumns {
  return new Pass(history, reads, init).run();
}

export interface HistoryColumns extends RegisterColumns {
  readonly asked: Asked;
}

const OTHER = 0;
const READ = 1;
const WRITE = 2;
const CAS = 3;
type Role = typeof OTHER | typeof READ | typeof WRITE | typeof CAS;

function roleOf(f: string): Role {
  if (!register.functions.includes(f)) return OTHER;
  return f === 'read' ? READ : f === 'cas' ? CAS : WRITE;
}

class Pass {
  readonly #roles: Role[] = [];
  /** Of operations with a known outcome, by the code of the function. */
  readonly #counts: number[] = [];
  readonly #length: number;
  readonly #codes: Codes;
  /** Whether reads of these modes count. */
  readonly #linearizable: boolean;
  readonly #serializable: boolean;
  readonly #ids: ValueIds;
  /** Number of a key by its code plus one. */
  readonly #keyNumbers: number[] = [];
  readonly #keys: string[] = [];
  readonly #initial: number[] = [];
  readonly #init: number;

  constructor(history: History, reads: readonly ReadMode[], init: JsonValue) {
    this.#length = history.length;
    this.#codes = history.codes;
    this.#linearizable = reads.includes('linearizable');
    this.#serializable = reads.includes('serializable');
    this.#ids = new ValueIds(history.codes, history.length);
    this.#init = this.#ids.code(init);
  }

  run(): HistoryColumns {
    const length = this.#length;
    const codes = this.#codes;
    // Those that do not count are overwritten by those that do.
    const call = invocations(codes, length);
    const all = zeros(5 * call.length);
    const column = (at: number): Int32Array =>
      all.subarray(at * call.length, (at + 1) * call.length);
    const [key, needs, puts, ret, revision] = [
      column(0),
      column(1),
      column(2),
      column(3),
      column(4),
    ];
    let row = 0;
    let [indefinite, observed] = [0, false];
    for (let next = 0; next < call.length; next++) {
      const at = call[next] as number;
      if (codes.processCode(at) < 0) continue;
      const f = codes.fCode(at);
      const role = this.#roleOf(f);
      if (role === OTHER) continue;
      const isRead = role === READ;
      if (!this.#isCounted(at, isRead)) continue;
      const other = codes.pairOf(at);
      const pair = other < length ? other : NONE;
      const type = pair === NONE ? 'info' : codes.type(pair);
      const isRefusal = type === 'fail' && codes.errorCode(pair) === 'cas-mismatch';
      if (isRead ? type !== 'ok' && !isRefusal : type === 'fail' && !isRefusal) continue;
      const own = this.#keyOf(at);
      let needed = NONE;
      let put = NONE;
      if (isRefusal) needed = this.#seenBy(own, at, pair);
      else if (isRead) needed = this.#ids.id(own, codes.valueCode(pair));
      else {
        const value = codes.valueCode(at);
        const isCas = role === CAS;
        put = this.#ids.id(own, isCas ? this.#ids.part(value, 1) : value);
        if (isCas) needed = this.#ids.id(own, this.#ids.part(value, 0));
      }
      key[row] = own;
      needs[row] = needed;
      puts[row] = put === needed ? NONE : put;
      call[row] = at;
      ret[row] = type === 'info' ? NEVER : pair;
      if (type === 'info') indefinite++;
      else {
        this.#counts[f] = (this.#counts[f] ?? 0) + 1;
        observed ||= needed !== NONE;
      }
      revision[row] = pair === NONE ? NONE : codes.revision(pair);
      row++;
    }
    const ids = this.#ids;
    const counted = (numbers: Int32Array): Int32Array =>
      row === numbers.length ? numbers : numbers.subarray(0, row);
    let values: readonly JsonValue[] | undefined;
    return {
      asked: { counts: this.#byName(length), indefinite, observed },
      length: row,
      keys: this.#keys,
      // Hardly anybody asks.
      get values(): readonly JsonValue[] {
        return (values ??= ids.values());
      },
      keyOf: this.#ids.keys(),
      initial: Int32Array.from(this.#initial),
      key: counted(key),
      needs: counted(needs),
      puts: counted(puts),
      call: counted(call),
      ret: counted(ret),
      moments: length,
      revision: counted(revision),
    };
  }

  #byName(length: number): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const f of this.#codes.functionCodes(length))
      if (this.#counts[f] !== undefined) counts.set(this.#codes.nameText(f), this.#counts[f]);
    return counts;
  }

  /** What a function is to a register, by its code. */
  #roleOf(f: number): Role {
    return (this.#roles[f] ??= roleOf(this.#codes.nameText(f)));
  }

  #isCounted(at: number, isRead: boolean): boolean {
    const mode = this.#codes.mode(at);
    if (mode === undefined) return !isRead || this.#linearizable;
    return mode === 'linearizable' ? this.#linearizable : this.#serializable;
  }

  #keyOf(at: number): number {
    const code = this.#codes.keyCode(at);
    const known = this.#keyNumbers[code];
    if (known !== undefined) return known;
    const number = this.#keys.push(this.#codes.keyText(code) ?? '') - 1;
    this.#keyNumbers[code] = number;
    this.#initial.push(this.#ids.id(number, this.#init));
    return number;
  }

  /** What a refusal saw; if that is what it expected, something that nobody puts. */
  #seenBy(key: number, at: number, pair: number): number {
    const expected = this.#ids.id(key, this.#ids.part(this.#codes.valueCode(at), 0));
    const seen = this.#codes.seenCode(pair);
    if (seen === ABSENT_CODE) return anythingBut(expected);
    const id = this.#ids.id(key, seen);
    return id === expected ? this.#ids.fresh(key, seen) : id;
  }
}

/** The entries that are invocations. There is no branch, which would be a guess each time. */
function invocations(codes: Codes, length: number): Int32Array {
  const found = zeros(length);
  let count = 0;
  for (let at = 0; at < length; at++) {
    found[count] = at;
    count += Number(codes.isInvoke(at));
  }
  return found.subarray(0, count);
}

const DIRECT_MAX = 2 ** 22;
/** So many of the smallest integers have a place for each key. */
const NEAR_BITS = 4;
/** Of tables that grow, powers of two: the first room of a short history, and of a long one. */
const [ROOM_MIN, ROOM_MAX] = [32, 1024];

const NOTHING = zeros(0);
/** For the tables of one history after the other, which nobody needs in the end. */
const room = new Room();

/** A number for each value of each key. */
class ValueIds {
  readonly #codes: Codes;
  /** How many places a table has at first. */
  readonly #room: number;
  /**
   * Key, code and number plus one of each, in an open hash table of a power of two of them. This and
   * the next two are made when somebody needs them: most histories have values of one sort.
   */
  #table: Int32Array = NOTHING;
  #mask = -1;
  #inTable = 0;
  /**
   * Number plus one of a small integer's use by the first key that had it: values that are all
   * different mostly come in the order of their uses, which is kind to the cache.
   */
  #direct: Int32Array = NOTHING;
  /** Number plus one of the integers below `2 ** NEAR_BITS`, by key. */
  #near: Int32Array = NOTHING;
  #keyOf: Int32Array;
  #codeOf: Int32Array;
  #count = 0;
  /** One code for each array or object, by its JSON text. */
  readonly #texts: Map<string, number> = new Map();

  /** `entries`: of the history. */
  constructor(codes: Codes, entries: number) {
    this.#codes = codes;
    let first = ROOM_MIN;
    while (first < entries && first < ROOM_MAX) first *= 2;
    this.#room = first;
    this.#keyOf = zeros(first);
    this.#codeOf = zeros(first);
    room.clear();
  }

  /** The code of a value that is not of the history. */
  code(value: JsonValue): number {
    const code = this.#codes.values.code(value);
    return this.#canonical(code);
  }

  id(key: number, anyCode: number): number {
    const code = isScalarCode(anyCode) ? anyCode : this.#canonical(anyCode);
    const small = smallOf(code);
    if (small < 0) return this.#hashed(key, code);
    if (small >> NEAR_BITS === 0) return this.#nearOne((key << NEAR_BITS) + small, key, code);
    if (small >= this.#direct.length) this.#widen(small);
    const number = this.#direct[small] as number;
    if (number === 0) return (this.#direct[small] = this.fresh(key, code) + 1) - 1;
    return this.#keyOf[number - 1] === key ? number - 1 : this.#hashed(key, code);
  }

  #nearOne(place: number, key: number, code: number): number {
    if (place >= this.#near.length)
      this.#near = doubled(this.#near, Math.max(this.#room, place + 1));
    const number = this.#near[place] as number;
    return number === 0 ? (this.#near[place] = this.fresh(key, code) + 1) - 1 : number - 1;
  }

  #widen(small: number): void {
    const more = room.zeros(Math.max(this.#room, 2 ** Math.ceil(Math.log2(small + 1))));
    more.set(this.#direct);
    this.#direct = more;
  }

  #hashed(key: number, code: number): number {
    if (this.#mask < 0) {
      this.#mask = this.#room - 1;
      this.#table = room.zeros(3 * this.#room);
    }
    const table = this.#table;
    let slot = hash(key, code) & this.#mask;
    for (;;) {
      const number = table[3 * slot + 2] as number;
      if (number === 0) break;
      if (table[3 * slot] === key && table[3 * slot + 1] === code) return number - 1;
      slot = (slot + 1) & this.#mask;
    }
    // The one scalar that has another code than an equal one.
    if (Object.is(this.#codes.values.value(code), -0)) return this.id(key, 0);
    const id = this.fresh(key, code);
    table[3 * slot] = key;
    table[3 * slot + 1] = code;
    table[3 * slot + 2] = id + 1;
    if (2 * ++this.#inTable > this.#mask) this.#grow();
    return id;
  }

  /** A number that no other use of the value has. */
  fresh(key: number, code: number): number {
    const id = this.#count++;
    if (id === this.#keyOf.length) {
      this.#keyOf = doubled(this.#keyOf);
      this.#codeOf = doubled(this.#codeOf);
    }
    this.#keyOf[id] = key;
    this.#codeOf[id] = code;
    return id;
  }

  /** `from` (0) or `to` (1) of a cas. */
  part(code: number, at: 0 | 1): number {
    const { values } = this.#codes;
    const part = values.part(code, at);
    if (part !== ABSENT_CODE) return part;
    const { from, to } = casParts(values.value(code));
    return values.code(at === 0 ? from : to);
  }

  keys(): Int32Array {
    return this.#keyOf.slice(0, this.#count);
  }

  values(): JsonValue[] {
    const codes = this.#codeOf.subarray(0, this.#count);
    return Array.from(codes, (code) => this.#codes.values.value(code));
  }

  #canonical(code: number): number {
    if (isScalarCode(code)) return code;
    const text = valueKey(this.#codes.values.value(code));
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, code);
    return known ?? code;
  }

  #grow(): void {
    const old = this.#table;
    this.#mask = 2 * this.#mask + 1;
    this.#table = room.zeros(3 * (this.#mask + 1));
    for (let from = 0; from < old.length; from += 3) {
      if (old[from + 2] === 0) continue;
      let slot = hash(old[from] as number, old[from + 1] as number) & this.#mask;
      while (this.#table[3 * slot + 2] !== 0) slot = (slot + 1) & this.#mask;
      this.#table.set(old.subarray(from, from + 3), 3 * slot);
    }
  }
}

/** A whole number below `DIRECT_MAX`, or -1. */
function smallOf(code: number): number {
  const number = integerOf(code);
  return number >= 0 && number < DIRECT_MAX ? number : -1;
}

function doubled(numbers: Int32Array, least: number = 1): Int32Array {
  const more = zeros(Math.max(least, 2 * numbers.length));
  more.set(numbers);
  return more;
}

/** Mixes two numbers into 32 bits. */
function hash(a: number, b: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return h ^ (h >>> 13);
}
