/** What must still be found for a run to count as the same. */
import { HarnessError } from '../../harness/core/errors.ts';
import type { RunResult } from '../../harness/protocols/run.ts';

export interface Target {
  readonly checker: string;
  /** Of the anomaly; '' where the check names none. */
  readonly kind: string;
}

/** The first violation of a run: what its report begins with. Throws `bad-input` for a run without. */
export function targetOf({ checks, manifest }: RunResult): Target {
  const broken = checks.find(({ verdict }) => verdict === 'invalid');
  if (broken === undefined)
    throw new HarnessError(
      'bad-input',
      `run ${manifest.run} found no violation, so nothing is shrunk`,
    );
  return { checker: broken.checker, kind: broken.anomalies[0]?.kind ?? '' };
}

/** The same check finds an anomaly of the same kind, among whatever else. */
export function shows({ checks }: Pick<RunResult, 'checks'>, { checker, kind }: Target): boolean {
  return checks.some(
    (check) =>
      check.checker === checker &&
      check.verdict === 'invalid' &&
      (kind === '' || check.anomalies.some((anomaly) => anomaly.kind === kind)),
  );
}
