import { type Clock, realClock } from '../../harness/core/clock.ts';
import { NANOS_PER_MS, nanos } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { CheckContext, Checker, CheckResult } from '../../harness/protocols/checker.ts';
import type { LinearizableDetails } from '../../harness/protocols/details.ts';
import { type KeyHistory, keyHistories } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { counted, listed } from '../text.ts';
import { type JudgeOptions, judgeKeys, type KeyJudgement } from './judge.ts';
import { undecidedText } from './undecided.ts';

export interface LinearizableOptions {
  /** Default: `register`. */
  readonly model?: Model;
  /** The reads that count; default: those that asked for a linearizable answer. */
  readonly modes?: readonly ReadMode[];
  /** Default: the real one. */
  readonly clock?: Clock;
}

/**
 * Is there, for each key by itself, an order of its operations that respects real time and that
 * the model accepts? Linearizability is local (Herlihy and Wing 1990), so keys judged apart
 * judge the whole.
 */
export function linearizable(options: LinearizableOptions = {}): Checker {
  const { model = register, modes = ['linearizable'] } = options;
  return {
    name: 'linearizable',
    check: (history, ctx) => {
      const keys = keyHistories(history, model, modes).filter(({ ops }) => ops.length > 0);
      const budget = budgetOf(options.clock ?? realClock(), model, ctx);
      return Promise.resolve(resultOf(history, keys, judgeKeys(keys, budget), ctx));
    },
  };
}

/** The whole of the limits, from now on. */
export function budgetOf(clock: Clock, model: Model, { limits }: CheckContext): JudgeOptions {
  const deadline = nanos(clock.now() + limits.timeoutMs * NANOS_PER_MS);
  return { model, clock, deadline, memoryBytes: limits.memoryBytes };
}

function resultOf(
  history: History,
  keys: readonly KeyHistory[],
  judgements: readonly KeyJudgement[],
  ctx: CheckContext,
): CheckResult {
  const invalid = judgements.filter(({ result }) => result === 'invalid');
  const unknown = judgements.filter(({ result }) => result === 'unknown');
  const details: LinearizableDetails = {
    keys: keys.length,
    valid: keys.length - invalid.length - unknown.length,
    invalid: invalid.map(({ key }) => key),
    unknown: unknown.map(({ key, reason = 'time', decidedUpTo, operations, indefinite }) => ({
      key,
      reason,
      decidedUpTo,
      operations,
      indefinite,
    })),
    operations: judgements.reduce((sum, { operations }) => sum + operations, 0),
    states: judgements.reduce((sum, { configurations }) => sum + configurations, 0),
  };
  const base = {
    checker: 'linearizable',
    covered: coveredText(keys, details),
    details: details as unknown as CheckResult['details'],
  };
  if (invalid.length > 0) return { ...base, verdict: 'invalid', anomalies: anomaliesOf(invalid) };
  if (unknown.length > 0) {
    const reason = undecidedText(history, keys, judgements, ctx);
    return { ...base, verdict: 'unknown', anomalies: [], reason };
  }
  if (!keys.some(({ ops }) => ops.some(isObservation))) {
    const reason =
      'There is nothing to judge: no read and no compare-and-set was answered, so nothing was ' +
      'observed that could be wrong.';
    return { ...base, verdict: 'unknown', anomalies: [], reason };
  }
  return { ...base, verdict: 'valid', anomalies: [] };
}

/** Short certificates before long ones, then by time. */
function anomaliesOf(invalid: readonly KeyJudgement[]): CheckResult['anomalies'] {
  return invalid
    .flatMap(({ anomalies }) => anomalies)
    .toSorted(
      (a, b) =>
        Number(a.kind === 'not-linearizable') - Number(b.kind === 'not-linearizable') ||
        (a.ops.at(-1) ?? 0) - (b.ops.at(-1) ?? 0),
    );
}

/** Anything but a blind write: it says what was there. */
function isObservation({ call }: KeyHistory['ops'][number]): boolean {
  return call.outcome === 'refused' || (call.outcome === 'ok' && call.f !== 'write');
}

function coveredText(keys: readonly KeyHistory[], details: LinearizableDetails): string {
  const counts = new Map<string, number>();
  let indefinite = 0;
  for (const { ops } of keys)
    for (const { call } of ops) {
      if (call.outcome === 'indefinite') indefinite++;
      else counts.set(call.f, (counts.get(call.f) ?? 0) + 1);
    }
  const parts = [...counts].map(([f, count]) => `${count} ${f}`);
  const decided = keys.length - details.unknown.length;
  return (
    `${decided} of ${counted(keys.length, 'key')}: ${parts.length === 0 ? 'no operation' : listed(parts)}` +
    (indefinite === 0 ? '' : `, ${indefinite} of unknown outcome`)
  );
}
