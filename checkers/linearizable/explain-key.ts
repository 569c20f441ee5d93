import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyHistory } from '../key-history.ts';
import { isRegister } from './columns.ts';
import { anomalyOf } from './explain.ts';
import { noOrderAnomaly } from './explain-search.ts';
import type { JudgeOptions } from './judgement.ts';
import { findingsOf } from './refute.ts';
import { shrink } from './shrink.ts';

/** Kinds of anomaly told of one key; the first one is the most telling. */
const ANOMALIES_PER_KEY = 3;
/** Keys for which a smallest sub-history is searched, and how hard. */
const SHRUNK_KEYS_MAX = 4;
const SHRINK_STEPS = 20_000_000;

/** What a few operations of a key prove without a search. Empty proves nothing. */
export function provenAnomalies(key: KeyHistory, { model }: JudgeOptions): Anomaly[] {
  if (!isRegister(model)) return [];
  return findingsOf(key, model.init)
    .slice(0, ANOMALIES_PER_KEY)
    .map((finding) => anomalyOf(key.key, finding));
}

/** A key without an order: none gets past the completion `upTo`. */
export interface Hopeless {
  readonly key: KeyHistory;
  readonly upTo: number;
}

/** Says of each key why it has no order; of the last ones perhaps nothing, if there are many. */
export function explained(
  keys: readonly Hopeless[],
  options: JudgeOptions,
): (readonly Anomaly[])[] {
  let shrunk = 0;
  return keys.map(({ key, upTo }) => {
    const proven = provenAnomalies(key, options);
    if (proven.length > 0 || shrunk++ >= SHRUNK_KEYS_MAX) return proven;
    const core = shrink(key.ops, options.model, upTo, { ...options, steps: SHRINK_STEPS });
    return [noOrderAnomaly(key, core, options.model)];
  });
}
