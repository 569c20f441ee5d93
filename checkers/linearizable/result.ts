import type { History } from '../../harness/history/history.ts';
import type { CheckLimits, CheckResult } from '../../harness/protocols/checker.ts';
import type { LinearizableDetails } from '../../harness/protocols/details.ts';
import { counted, listed } from '../text.ts';
import type { Asked } from './asked.ts';
import type { Judged } from './judge.ts';
import type { KeyJudgement } from './judgement.ts';
import { undecidedText } from './undecided.ts';

/** What the judgements of all keys amount to. `limits` are those that they had. */
export function resultOf(
  history: History,
  { judgements, asked }: Judged,
  limits: CheckLimits,
): CheckResult {
  const invalid = judgements.filter(({ result }) => result === 'invalid');
  const unknown = judgements.filter(({ result }) => result === 'unknown');
  const details: LinearizableDetails = {
    keys: judgements.length,
    valid: judgements.length - invalid.length - unknown.length,
    invalid: invalid.map(({ key }) => key),
    unknown: unknown.map((one) => ({
      key: one.key,
      reason: one.reason ?? 'time',
      decidedUpTo: one.decidedUpTo,
      operations: one.operations,
      indefinite: one.indefinite,
      configurations: one.configurations,
      states: one.states,
      width: one.width,
    })),
    operations: judgements.reduce((sum, { operations }) => sum + operations, 0),
    states: judgements.reduce((sum, { configurations }) => sum + configurations, 0),
  };
  const base = {
    checker: 'linearizable',
    covered: coveredText(asked, details),
    details: details as unknown as CheckResult['details'],
  };
  if (invalid.length > 0) return { ...base, verdict: 'invalid', anomalies: anomaliesOf(invalid) };
  if (unknown.length > 0) {
    const reason = undecidedText(history, judgements, limits);
    return { ...base, verdict: 'unknown', anomalies: [], reason };
  }
  if (!asked.observed) {
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

function coveredText(
  { counts, indefinite }: Asked,
  { keys, unknown }: LinearizableDetails,
): string {
  const parts = [...counts].map(([f, count]) => `${count} ${f}`);
  return (
    `${keys - unknown.length} of ${counted(keys, 'key')}: ` +
    (parts.length === 0 ? 'no operation' : listed(parts)) +
    (indefinite === 0 ? '' : `, ${indefinite} of unknown outcome`)
  );
}
