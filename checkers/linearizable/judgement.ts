import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { Model } from '../models/model.ts';
import type { Outcome, RoundBudget, Size } from './rounds.ts';
import type { UnknownReason } from './wgl.ts';

export interface JudgeOptions extends RoundBudget {
  readonly model: Model;
}

export interface KeyJudgement extends Size {
  readonly key: string;
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** For `unknown`. `steps`: it was left when the others had shown a violation. */
  readonly reason?: UnknownReason;
  /** Everything that completed before this entry has an order; -1: nothing is known. */
  readonly decidedUpTo: number;
  /** For `unknown`: how many those are, and how many of unknown outcome had begun by then. */
  readonly decided: number;
  readonly doubts: number;
  /** Steps of the search; 0 where it was not needed. */
  readonly steps: number;
  readonly configurations: number;
  /** The most operations in flight at once, and states of the model, as the search counted them. */
  readonly width: number;
  readonly states: number;
  /** For `invalid`; empty only for keys beyond those that are explained. */
  readonly anomalies: readonly Anomaly[];
}

/** What a search amounts to for its key. */
export function judgementOf(
  base: Size & Pick<KeyJudgement, 'key'>,
  outcome: Outcome,
  decidedUpTo: number,
  anomalies: readonly Anomaly[] = [],
): KeyJudgement {
  const { result, reason, steps, configurations, states, width } = outcome;
  return {
    ...base,
    result,
    ...(reason !== undefined && { reason }),
    decidedUpTo,
    decided: 0,
    doubts: 0,
    steps,
    configurations,
    states,
    width,
    anomalies,
  };
}
