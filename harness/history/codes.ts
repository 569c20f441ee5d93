import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';

/** What the two lowest bits of a code say of the others. */
const KIND_BITS = 2;
const INTEGER = 0;
const SCALAR = 1;
const PAIR = 2;
const OTHER = 3;
const INTEGER_MAX = 2 ** 29 - 1;

/**
 * Values and texts as small numbers. Integers of 30 bits are their own code and cost nothing; other
 * scalars are kept once each; pairs, the values of a cas, take two codes; anything else is kept as
 * it is. Equal scalars have equal codes.
 */
export class Codes {
  readonly #scalars: (null | boolean | number | string)[] = [null];
  readonly #ids: Map<unknown, number> = new Map<unknown, number>([[null, 0]]);
  readonly #texts: string[] = [];
  readonly #textIds: Map<string, number> = new Map();
  /** Codes of both parts, one after the other. */
  #pairs: Int32Array = new Int32Array(64);
  #pairsLength = 0;
  readonly #others: JsonValue[] = [];

  /** The code of a text, dense from 0, for `at`; apart from those of values. */
  text(text: string): number {
    let id = this.#textIds.get(text);
    if (id === undefined) {
      id = this.#texts.push(text) - 1;
      this.#textIds.set(text, id);
    }
    return id;
  }

  at(id: number): string {
    const text = this.#texts[id];
    invariant(text !== undefined, `no text ${id}`);
    return text;
  }

  /** The code of a value, for `get`. 32 bits, signed. */
  value(value: JsonValue): number {
    if (typeof value !== 'object' || value === null) return this.#scalar(value);
    if (isPair(value)) return this.#pair(value);
    return ((this.#others.push(value) - 1) << KIND_BITS) | OTHER;
  }

  #scalar(value: null | boolean | number | string): number {
    if (isSmall(value)) return (value << KIND_BITS) | INTEGER;
    let id = this.#ids.get(value);
    if (id === undefined) {
      id = this.#scalars.push(value) - 1;
      this.#ids.set(value, id);
    }
    return (id << KIND_BITS) | SCALAR;
  }

  #pair(value: readonly [Scalar, Scalar]): number {
    const at = this.#pairsLength;
    if (2 * at === this.#pairs.length) {
      const grown = new Int32Array(4 * at);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    this.#pairs[2 * at] = this.#scalar(value[0]);
    this.#pairs[2 * at + 1] = this.#scalar(value[1]);
    this.#pairsLength++;
    return (at << KIND_BITS) | PAIR;
  }

  /** Pairs are made anew at each call. */
  get(code: number): JsonValue {
    const id = code >> KIND_BITS;
    switch (code & 3) {
      case INTEGER:
        return id;
      case SCALAR:
        return this.#scalars[id] as JsonValue;
      case PAIR:
        return [this.get(this.#pairs[2 * id] as number), this.get(this.#pairs[2 * id + 1] as number)];
      default:
        return this.#others[id] as JsonValue;
    }
  }

  /** Whether `code` surely stands for `value`; false may also mean that it is not worth the look. */
  is(code: number, value: JsonValue): boolean {
    if (typeof value !== 'object' || value === null) return this.get(code) === value;
    const id = code >> KIND_BITS;
    if ((code & 3) === OTHER) return this.#others[id] === value;
    if ((code & 3) !== PAIR || !isPair(value)) return false;
    return (
      this.#pairs[2 * id] === this.#scalar(value[0]) &&
      this.#pairs[2 * id + 1] === this.#scalar(value[1])
    );
  }
}

type Scalar = null | boolean | number | string;

function isPair(value: JsonValue): value is [Scalar, Scalar] {
  return (
    Array.isArray(value) && value.length === 2 && isScalar(value[0]) && isScalar(value[1])
  );
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object';
}

/** Integers that fit beside the kind; -0 is none, as it would come back as 0. */
function isSmall(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    (value | 0) === value &&
    value >= -INTEGER_MAX &&
    value <= INTEGER_MAX &&
    !Object.is(value, -0)
  );
}
