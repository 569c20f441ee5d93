/** The operations of a run as columns of numbers, as `page-format.ts` says. */
import type { History } from '../../harness/history/history.ts';
import { ABSENT_CODE, integerOf, isScalarCode } from '../../harness/history/values.ts';
import { clean, clipped, valueText } from '../words.ts';
import {
  COLUMNS,
  integerCode,
  type PageFunction,
  type PageHeader,
  textCode,
} from './page-format.ts';
import { VarintWriter } from './varints.ts';

const TEXT_MAX = 80;
/** Letters of distinct values; what comes later is `…`. */
const TEXTS_MAX = 8e6;
const OUTCOME_CODES = { ok: 0, fail: 1, info: 2 } as const;

/** Microseconds of nanoseconds. */
export function micros(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1000));
}

/** Numbers texts in the order of their appearance. */
class Dictionary {
  readonly texts: string[] = [];
  readonly #places = new Map<string, number>();

  place(text: string): number {
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.texts.push(clipped(clean(text), TEXT_MAX)) - 1;
    this.#places.set(text, place);
    return place;
  }
}

/** Writes one operation after the other, by the codes of the history: there may be a million. */
export class ColumnWriter {
  readonly #history: History;
  readonly #columns: readonly VarintWriter[] = COLUMNS.map(() => new VarintWriter());
  readonly #functions: PageFunction[] = [];
  readonly #functionOf = new Map<string, number>();
  readonly #keys: string[] = [];
  /** By the key's code in the history. */
  readonly #keyPlaces: number[] = [];
  readonly #texts: string[] = [];
  readonly #textCodes = new Map<string | number, number>();
  readonly #nodes = new Dictionary();
  readonly #errors = new Dictionary();
  #letters = 0;
  #lastStart = 0;
  #lastEntry = 0;

  constructor(history: History) {
    this.#history = history;
  }

  add(index: number): void {
    const { codes } = this.#history;
    const end = this.#history.pairOf(index);
    const start = micros(codes.time(index));
    const type = end === -1 ? undefined : codes.type(end);
    const given = codes.valueCode(index);
    const from = codes.values.part(given, 0);
    const name = codes.f(index);
    const isPair = name === 'cas' && from !== ABSENT_CODE;
    const outcome = type === undefined || type === 'invoke' ? 3 : OUTCOME_CODES[type];
    const got = end !== -1 && type === 'ok' ? codes.valueCode(end) : undefined;
    const row: readonly number[] = [
      start - this.#lastStart,
      end === -1 ? 0 : 1 + Math.max(0, micros(codes.time(end)) - start),
      codes.processCode(index),
      4 * this.#function(name, codes.mode(index) ?? '', isPair) + outcome,
      this.#key(codes.keyCode(index)),
      isPair ? this.#value(from, true) : this.#value(given, false),
      isPair ? this.#value(codes.values.part(given, 1), true) : this.#got(name, given, got),
      this.#node(index),
      this.#error(end),
      index - this.#lastEntry,
    ];
    this.#lastStart = start;
    this.#lastEntry = index;
    for (let at = 0; at < row.length; at++) this.#columns[at]?.add(row[at] ?? 0);
  }

  #function(name: string, mode: string, isPair: boolean): number {
    const id = `${name}\n${mode}\n${isPair}`;
    const known = this.#functionOf.get(id);
    if (known !== undefined) return known;
    const place = this.#functions.push({ name: clipped(clean(name), 40), mode, isPair }) - 1;
    this.#functionOf.set(id, place);
    return place;
  }

  #key(code: number): number {
    if (code === 0) return 0;
    const text = this.#history.codes.keyText(code) ?? '';
    return (this.#keyPlaces[code] ??= this.#keys.push(clipped(clean(text), TEXT_MAX)));
  }

  /** Of a question, null is nothing; what came back may be the absence of a value. */
  #value(code: number, isTold: boolean): number {
    const { values } = this.#history.codes;
    const integer = integerOf(code);
    if (integer >= 0) return integerCode(integer);
    if (isScalarCode(code)) {
      const known = this.#textCodes.get(code);
      if (known !== undefined) return known;
    }
    const value = values.value(code);
    if (value === null && !isTold) return 0;
    const coded =
      typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 40
        ? integerCode(value)
        : this.#text(valueText(value, TEXT_MAX));
    if (isScalarCode(code) && value !== null) this.#textCodes.set(code, coded);
    return coded;
  }

  #text(text: string): number {
    const known = this.#textCodes.get(text);
    if (known !== undefined) return known;
    if (this.#letters > TEXTS_MAX && text !== '…') return this.#text('…');
    this.#letters += text.length;
    const coded = textCode(this.#texts.push(text) - 1);
    this.#textCodes.set(text, coded);
    return coded;
  }

  /** What came back, where it says more than what was asked. */
  #got(name: string, given: number, got: number | undefined): number {
    if (got === undefined) return 0;
    const isRead = name === 'read' || name === 'get';
    if (got === given && !isRead) return 0;
    const told = this.#value(got, isRead);
    return isRead || told !== this.#value(given, false) ? told : 0;
  }

  #node(index: number): number {
    const node = this.#history.codes.node(index);
    return node === undefined ? 0 : 1 + this.#nodes.place(node);
  }

  #error(end: number): number {
    const error = end === -1 ? undefined : this.#history.codes.errorCode(end);
    return error === undefined ? 0 : 1 + this.#errors.place(error);
  }

  body(): { readonly body: readonly Uint8Array[]; readonly bytes: readonly number[] } {
    const body = this.#columns.map((column) => column.bytes());
    return { body, bytes: body.map(({ length }) => length) };
  }

  dictionaries(): Pick<PageHeader, 'functions' | 'keys' | 'texts' | 'nodes' | 'errors'> {
    return {
      functions: this.#functions,
      keys: this.#keys,
      texts: this.#texts,
      nodes: this.#nodes.texts,
      errors: this.#errors.texts,
    };
  }
}
