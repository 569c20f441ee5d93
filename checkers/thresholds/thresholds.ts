import type { History } from '../../harness/history/history.ts';
import type { Anomaly, Checker, CheckResult } from '../../harness/protocols/checker.ts';
import type { ThresholdRow, ThresholdsDetails } from '../../harness/protocols/details.ts';
import { type Measured, verdictOn } from './aggregate.ts';
import { brokenText, figureText } from './describe.ts';
import { type Material, materialOf, measure } from './measure.ts';
import { aggregateText, parseThresholds, type Threshold } from './parse.ts';

/**
 * Whether a run was as good as it was asked to be: metrics mapped to expressions, as
 * `parseThreshold` reads them. What cannot be measured is unknown; it never passes. Throws
 * `bad-option` for a threshold that says nothing.
 */
export function thresholds(spec: Readonly<Record<string, readonly string[]>>): Checker {
  const all = parseThresholds(spec);
  return { name: 'thresholds', check: (history) => Promise.resolve(resultOf(all, history)) };
}

interface Judged {
  readonly threshold: Threshold;
  readonly measured: Measured;
  readonly row: ThresholdRow;
}

function resultOf(all: readonly Threshold[], history: History): CheckResult {
  const material = materialOf(history);
  const judged = all.map((threshold) => judge(threshold, material));
  const broken = judged.filter(({ row }) => row.passed === false);
  const reasons = judged.flatMap(({ row: { metric, expression, reason } }) =>
    reason === undefined ? [] : [`${metric} ${expression} was not decided: ${reason}.`],
  );
  const details: ThresholdsDetails = { rows: judged.map(({ row }) => row) };
  const base = {
    checker: 'thresholds',
    anomalies: broken.map(anomalyOf),
    covered: coveredText(details.rows),
    details: details as unknown as CheckResult['details'],
  };
  if (broken.length > 0) return { ...base, verdict: 'invalid' };
  return reasons.length === 0
    ? { ...base, verdict: 'valid' }
    : { ...base, verdict: 'unknown', reason: reasons.join(' ') };
}

function judge(threshold: Threshold, material: Material): Judged {
  const measured = measure(threshold, material);
  const { metric, expression } = threshold;
  const base = { metric, expression };
  if ('nothing' in measured) {
    const { nothing } = measured;
    const row = { ...base, value: null, shown: 'no data', passed: null, reason: nothing };
    return { threshold, measured, row };
  }
  const shown = figureText(measured, threshold);
  const passed = verdictOn(measured, threshold) ?? null;
  const value = measured.low === measured.high ? measured.low : null;
  const reason = `it was ${shown} when the history ended`;
  return {
    threshold,
    measured,
    row: { ...base, value, shown, passed, ...(passed === null && { reason }) },
  };
}

function anomalyOf({ threshold, row }: Judged): Anomaly {
  const { metric, expression, name, tags, aggregate, comparison, limit } = threshold;
  return {
    kind: 'threshold',
    ops: [],
    certificate: {
      metric,
      expression,
      name,
      tags,
      aggregate: aggregateText(aggregate),
      comparison,
      limit,
      value: row.value,
    },
    explanation: brokenText(threshold, row.shown),
  };
}

function coveredText(rows: readonly ThresholdRow[]): string {
  const met = rows.filter(({ passed }) => passed === true).length;
  const each = rows.map(({ metric, expression, shown, passed }) => {
    const not = passed === false ? ', not met' : '';
    return `${metric} ${expression} (${shown}${not})`;
  });
  return `${met} of ${rows.length}: ${each.join(', ')}`;
}
