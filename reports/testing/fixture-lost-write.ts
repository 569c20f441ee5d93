/** A failing run whose page has every part that only some runs have. */
import type { CheckResult } from '../../harness/protocols/checker.ts';
import { type FixtureRun, failRun } from './fixture-result.ts';

/** A proven lost write, stale reads of both modes, and thresholds. */
export function lostWriteRun(): FixtureRun {
  const run = failRun();
  const [broken] = run.result.checks;
  const [older = -1, newer = -1, read = -1] = broken?.anomalies[0]?.ops ?? [];
  const checks = run.result.checks.map((check): CheckResult => {
    const anomalies = check.anomalies.map((anomaly) => ({
      ...anomaly,
      kind: 'lost-write',
      certificate: { older, newer, read },
    }));
    if (check.checker !== 'read-modes') return { ...check, anomalies };
    const modes = (check.details['modes'] as readonly object[]).map((row, at) => ({
      ...row,
      stale: 2,
      staleMsMax: 506,
      staleReads: [
        [read, 506, 1],
        [older + 40 * (at + 1), 120, 3],
      ],
    }));
    return { ...check, anomalies, details: { ...check.details, modes } };
  });
  const rows = [
    { metric: 'recovery_ms', expression: 'p(95)<5000', value: 3104, shown: '3104', passed: true },
    { metric: 'ops_unknown', expression: 'rate<0.01', value: 0.2, shown: '0.2', passed: false },
    { metric: 'reads', expression: 'count>0', value: null, shown: 'no data', passed: null },
  ];
  const thresholds: CheckResult = {
    checker: 'thresholds',
    verdict: 'invalid',
    anomalies: [],
    covered: '1 of 3 hold',
    details: { rows },
  };
  return { ...run, result: { ...run.result, checks: [...checks, thresholds] } };
}
