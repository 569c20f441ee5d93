import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';

/** Gives each distinct text one number, dense from 0. */
export class Texts {
  readonly #texts: string[] = [];
  readonly #ids: Map<string, number> = new Map();

  id(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#texts.push(text) - 1;
    this.#ids.set(text, id);
    return id;
  }

  text(id: number): string {
    return this.#texts[id] as string;
  }
}

/** What the two lowest bits of a code say of the others. */
const KIND_BITS = 2;
const INTEGER = 0;
const SCALAR = 1;
const PAIR = 2;
const OTHER = 3;
const INTEGER_MAX = 2 ** 29 - 1;

/** Never a code: it would be the integer -2^29. */
export const ABSENT_CODE: number = -(2 ** 31);

type Scalar = null | boolean | number | string;

/**
 * Values as 32-bit codes. Integers up to 29 bits are their own code and cost nothing; other scalars
 * are kept once each; pairs, the values of a cas, are two codes; anything else is kept as it is.
 */
export class Values {
  readonly #scalars: Scalar[] = [];
  readonly #ids: Map<Scalar, number> = new Map();
  /** Codes of both parts, one after the other. */
  #pairs: Int32Array = new Int32Array(64);
  #pairCount = 0;
  readonly #others: JsonValue[] = [];

  code(value: JsonValue): number {
    if (typeof value !== 'object' || value === null) return this.#scalar(value);
    if (isPair(value)) return this.#pair(value);
    return tagged(this.#others.push(value) - 1, OTHER);
  }

  #scalar(value: Scalar): number {
    if (typeof value === 'number' && isSmall(value)) return (value << KIND_BITS) | INTEGER;
    let id = this.#ids.get(value);
    if (id === undefined) {
      id = this.#scalars.push(value) - 1;
      this.#ids.set(value, id);
    }
    return tagged(id, SCALAR);
  }

  #pair(value: readonly [Scalar, Scalar]): number {
    const at = this.#pairCount++;
    if (2 * at === this.#pairs.length) {
      const grown = new Int32Array(4 * at);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    this.#pairs[2 * at] = this.#scalar(value[0]);
    this.#pairs[2 * at + 1] = this.#scalar(value[1]);
    return tagged(at, PAIR);
  }

  /** Pairs are made anew at each call. */
  value(code: number): JsonValue {
    const id = code >> KIND_BITS;
    switch (code & 3) {
      case INTEGER:
        return id;
      case SCALAR:
        return this.#scalars[id] as Scalar;
      case PAIR: {
        const [from, to] = [this.#pairs[2 * id], this.#pairs[2 * id + 1]];
        return [this.value(from as number), this.value(to as number)];
      }
      default:
        return this.#others[id] as JsonValue;
    }
  }

  /** The code of one part of a pair, or `ABSENT_CODE` if `code` is not of a pair. */
  part(code: number, at: 0 | 1): number {
    if ((code & 3) !== PAIR) return ABSENT_CODE;
    return this.#pairs[2 * (code >> KIND_BITS) + at] as number;
  }

  /** Whether `code` stands for this array or object; equal ones that are not pairs may be missed. */
  is(code: number, value: JsonValue): boolean {
    const id = code >> KIND_BITS;
    if ((code & 3) === OTHER) return this.#others[id] === value;
    if ((code & 3) !== PAIR || !isPair(value)) return false;
    return (
      this.#pairs[2 * id] === this.#scalar(value[0]) &&
      this.#pairs[2 * id + 1] === this.#scalar(value[1])
    );
  }
}

/** Whether equal values have equal codes of this sort: so it is with all but arrays and objects. */
export function isScalarCode(code: number): boolean {
  return (code & 3) === INTEGER || (code & 3) === SCALAR;
}

/** The integer that this code is; negative also where it is none. */
export function integerOf(code: number): number {
  return (code & 3) === INTEGER ? code >> KIND_BITS : -1;
}

function tagged(id: number, kind: number): number {
  if (id > INTEGER_MAX) invariant(false, 'history: too many different values');
  return (id << KIND_BITS) | kind;
}

function isPair(value: JsonValue): value is [Scalar, Scalar] {
  return Array.isArray(value) && value.length === 2 && isScalar(value[0]) && isScalar(value[1]);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object';
}

/** Integers that fit beside the kind; not -0, which would come back as 0. */
function isSmall(value: number): boolean {
  return (
    (value | 0) === value &&
    value >= -INTEGER_MAX &&
    value <= INTEGER_MAX &&
    (value !== 0 || 1 / value > 0)
  );
}
