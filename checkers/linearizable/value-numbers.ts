import type { JsonValue } from '../../harness/core/json.ts';
import { PairMap } from './pair-map.ts';

/** Numbers values from 0; those of equal JSON have the same. Texts are made of hardly any. */
export class ValueNumbers {
  readonly #scalars: Map<JsonValue, number> = new Map();
  /** By the numbers of both parts. */
  readonly #pairs: PairMap = new PairMap();
  readonly #texts: Map<string, number> = new Map();
  #size = 0;

  of(value: JsonValue): number {
    if (typeof value !== 'object' || value === null) return this.#named(this.#scalars, value);
    if (!Array.isArray(value) || value.length !== 2)
      return this.#named(this.#texts, JSON.stringify(value));
    const [a, b] = [this.of(value[0] as JsonValue), this.of(value[1] as JsonValue)];
    const known = this.#pairs.get(a, b);
    if (known !== undefined) return known;
    this.#pairs.add(a, b, this.#size);
    return this.#size++;
  }

  #named<K>(numbers: Map<K, number>, name: K): number {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, this.#size);
    return this.#size++;
  }
}
