import type { Call } from '../models/model.ts';
import { PairMap } from './pair-map.ts';
import { ValueNumbers } from './value-numbers.ts';

/** Instead of a number: there is no such part. */
const ABSENT = 0;

/** Numbers calls from 0; those of the same `callText` have the same number. */
export class DistinctCalls {
  readonly kinds: Call[] = [];
  readonly #values: ValueNumbers = new ValueNumbers();
  // One table for each pair of parts, as a number means something else in each.
  readonly #heads: PairMap = new PairMap();
  readonly #asked: PairMap = new PairMap();
  readonly #answered: PairMap = new PairMap();
  readonly #told: PairMap = new PairMap();
  readonly #stamped: PairMap = new PairMap();
  readonly #rests: PairMap = new PairMap();
  /** By the number of what was asked and answered, and for calls of which more is known by that. */
  readonly #plain: number[] = [];
  readonly #more: number[] = [];

  of(call: Call): number {
    const { f, input, output, outcome, seen, key, stamp } = call;
    const values = this.#values;
    const head = this.#heads.numberOf(values.of(f), values.of(outcome));
    const asked = this.#asked.numberOf(head, values.of(input));
    const answered = this.#answered.numberOf(asked, values.of(output));
    const isPlain = seen === undefined && key === undefined && stamp === undefined;
    if (isPlain) return (this.#plain[answered] ??= this.kinds.push(call) - 1);
    const number = this.#rests.numberOf(answered, this.#rest(call));
    return (this.#more[number] ??= this.kinds.push(call) - 1);
  }

  #rest({ seen, key, stamp }: Call): number {
    const values = this.#values;
    const told = this.#told.numberOf(
      seen === undefined ? ABSENT : 1 + values.of(seen),
      key === undefined ? ABSENT : 1 + values.of(key),
    );
    if (stamp === undefined) return this.#stamped.numberOf(told, ABSENT);
    const { revision = -1, modRevision = -1, version = -1 } = stamp;
    return this.#stamped.numberOf(told, 1 + values.of([revision, modRevision, version]));
  }
}
