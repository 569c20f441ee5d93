/** What must still be found for a run to count as the same. */
import { HarnessError } from '../../harness/core/errors.ts';
import type { RunResult } from '../../harness/protocols/run.ts';

export interface Target {
  /** '' where any check will do, whatever it finds. */
  readonly checker: string;
  /** Of the anomaly; '' where the check names none. */
  readonly kind: string;
}

export const ANY: Target = { checker: '', kind: '' };

/**
 * The first violation of a run, which its report begins with, or any at all. Throws `bad-input` for a
 * run without.
 */
export function targetOf({ checks, manifest }: RunResult, isAny: boolean = false): Target {
  const broken = checks.find(({ verdict }) => verdict === 'invalid');
  if (broken === undefined)
    throw new HarnessError(
      'bad-input',
      `run ${manifest.run} found no violation, so nothing is shrunk`,
    );
  return isAny ? ANY : { checker: broken.checker, kind: broken.anomalies[0]?.kind ?? '' };
}

/** As it follows `schism shrink --run <run>:`, or `found`. */
export function targetText({ checker, kind }: Target): string {
  return [checker || 'any violation', kind].filter((word) => word !== '').join(', ');
}

/** The same check finds an anomaly of the same kind, among whatever else. */
export function shows({ checks }: Pick<RunResult, 'checks'>, { checker, kind }: Target): boolean {
  return checks.some(
    (check) =>
      (checker === '' || check.checker === checker) &&
      check.verdict === 'invalid' &&
      (kind === '' || check.anomalies.some((anomaly) => anomaly.kind === kind)),
  );
}
