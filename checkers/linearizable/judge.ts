/** Judges the keys of a history one by one, within one budget of time and memory. */
import type { Clock } from '../../harness/core/clock.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import type { Nanos } from '../../harness/core/units.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyHistory } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { anomalyOf } from './explain.ts';
import { noOrderAnomaly } from './explain-search.ts';
import { findingsOf } from './refute.ts';
import { shrink } from './shrink.ts';
import { findOrder, type Search, type SearchBudget } from './wgl.ts';

export interface JudgeOptions {
  readonly model: Model;
  readonly clock: Pick<Clock, 'now'>;
  /** On that clock; when it has passed, what is left is unknown. */
  readonly deadline: Nanos;
  readonly memoryBytes: number;
}

export interface KeyJudgement {
  readonly key: string;
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** For `unknown`. */
  readonly reason?: 'time' | 'memory';
  /** Everything that completed before this entry has an order; -1: nothing is known. */
  readonly decidedUpTo: number;
  readonly operations: number;
  readonly indefinite: number;
  /** Steps of the search; 0 where it was not needed. */
  readonly steps: number;
  readonly configurations: number;
  /** For `invalid`; empty only for keys beyond those that are explained. */
  readonly anomalies: readonly Anomaly[];
}

/** Steps of the first round; those who need more wait until all others had their turn. */
const FIRST_STEPS = 1_000_000;
const STEPS_FACTOR = 8;
/** Kinds of anomaly told of one key; the first one is the most telling. */
const ANOMALIES_PER_KEY = 3;
/** Keys for which a smallest sub-history is searched, and how hard. */
const SHRUNK_KEYS_MAX = 4;
const SHRINK_STEPS = 20_000_000;

/** One judgement per key, in the order given. */
export function judgeKeys(keys: readonly KeyHistory[], options: JudgeOptions): KeyJudgement[] {
  const judgements = new Map<KeyHistory, KeyJudgement>();
  let waiting = keys.toSorted((a, b) => cost(a) - cost(b));
  if (options.model === register) {
    for (const key of waiting) {
      const findings = findingsOf(key).slice(0, ANOMALIES_PER_KEY);
      const anomalies = findings.map((finding) => anomalyOf(key.key, finding));
      if (anomalies.length > 0)
        judgements.set(key, { ...blank(key), result: 'invalid', anomalies });
    }
    waiting = waiting.filter((key) => !judgements.has(key));
  }
  let shrunk = 0;
  for (let steps = FIRST_STEPS; waiting.length > 0; steps *= STEPS_FACTOR) {
    const next: KeyHistory[] = [];
    for (const key of waiting) {
      const search = findOrder(key.ops, options.model, { ...options, steps });
      if (search.result === 'unknown' && search.reason === 'steps') {
        next.push(key);
        continue;
      }
      const explain = search.result === 'invalid' && shrunk++ < SHRUNK_KEYS_MAX;
      judgements.set(key, judgementOf(key, search, explain ? options : undefined));
    }
    waiting = next;
  }
  return keys.map((key) => judgements.get(key) ?? blank(key));
}

/** Cheap keys first: doubt costs far more than length. */
function cost({ ops }: KeyHistory): number {
  return ops.length + 50 * ops.filter(({ call }) => call.outcome === 'indefinite').length;
}

function blank({ key, ops }: KeyHistory): KeyJudgement {
  return {
    key,
    result: 'unknown',
    decidedUpTo: -1,
    operations: ops.length,
    indefinite: ops.filter(({ call }) => call.outcome === 'indefinite').length,
    steps: 0,
    configurations: 0,
    anomalies: [],
  };
}

function judgementOf(
  key: KeyHistory,
  search: Search,
  explain: JudgeOptions | undefined,
): KeyJudgement {
  const { steps, configurations, result } = search;
  const base = { ...blank(key), steps, configurations };
  switch (result) {
    case 'valid':
      return { ...base, result, decidedUpTo: Infinity };
    case 'unknown': {
      const reason = search.reason === 'memory' ? 'memory' : 'time';
      return { ...base, result, reason, decidedUpTo: search.upTo };
    }
    case 'invalid': {
      if (explain === undefined) return { ...base, result, decidedUpTo: search.upTo };
      const budget: SearchBudget = { ...explain, steps: SHRINK_STEPS };
      const core = shrink(key.ops, explain.model, search.upTo, budget);
      const anomalies = [noOrderAnomaly(key, core)];
      return { ...base, result, decidedUpTo: search.upTo, anomalies };
    }
    default:
      return unreachable(result);
  }
}
