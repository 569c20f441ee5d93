import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyHistory } from '../key-history.ts';
import { isRegister } from './columns.ts';
import { anomalyOf } from './explain.ts';
import { noOrderAnomaly } from './explain-search.ts';
import type { JudgeOptions } from './judgement.ts';
import { findingsOf } from './refute.ts';
import { shrink, shrinkExcerpt } from './shrink.ts';

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
  /** Excerpts around that moment, the shortest first. */
  readonly excerpts?: Iterable<KeyHistory>;
  /** All of it; asked for only if it takes that. */
  readonly whole: () => KeyHistory;
  readonly upTo: number;
}

/** Says of each key why it has no order; of the last ones perhaps nothing, if there are many. */
export function explained(
  keys: readonly Hopeless[],
  options: JudgeOptions,
): (readonly Anomaly[])[] {
  let shrunk = 0;
  return keys.map(({ excerpts = [], whole, upTo }) => {
    let longest: KeyHistory | undefined;
    for (const excerpt of excerpts) {
      const proven = provenAnomalies(excerpt, options);
      if (proven.length > 0) return proven;
      longest = excerpt;
    }
    const mayShrink = shrunk < SHRUNK_KEYS_MAX;
    const budget = { ...options, steps: SHRINK_STEPS };
    if (longest?.excerpt !== undefined && mayShrink) {
      const core = shrinkExcerpt(longest.ops, longest.excerpt, options.model, budget);
      shrunk += Number(core !== undefined);
      if (core !== undefined) return [noOrderAnomaly(longest, core, options.model)];
    }
    const key = whole();
    const proven = provenAnomalies(key, options);
    if (proven.length > 0 || !mayShrink) return proven;
    shrunk++;
    return [noOrderAnomaly(key, shrink(key.ops, options.model, upTo, budget), options.model)];
  });
}
