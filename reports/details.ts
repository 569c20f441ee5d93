/**
 * The checkers' own results, as far as they are there. A checker that threw or was ended has empty
 * details, and a stored run may be of another version: what lacks its shape is left out of reports.
 */
import type { CheckResult } from '../harness/protocols/checker.ts';
import type {
  AvailabilityDetails,
  AvailabilityWindow,
  EvidenceDetails,
  LinearizableDetails,
  LogPatternDetails,
  ReadModesDetails,
  StatsDetails,
  ThresholdsDetails,
} from '../harness/protocols/details.ts';
import type { RunProblem, RunResult } from '../harness/protocols/run.ts';

type Checks = Pick<RunResult, 'checks'>;

function detailsOf(result: Checks, checker: string, lists: readonly string[]): unknown {
  const check = result.checks.find((candidate) => candidate.checker === checker);
  if (check === undefined) return undefined;
  return lists.every((name) => Array.isArray(check.details[name])) ? check.details : undefined;
}

export function availabilityOf(result: Checks): AvailabilityDetails | undefined {
  const lists = ['windows', 'recovery', 'nodes'];
  return detailsOf(result, 'availability', lists) as AvailabilityDetails | undefined;
}

export function evidenceOf(result: Checks): EvidenceDetails | undefined {
  return detailsOf(result, 'evidence', ['kinds', 'events']) as EvidenceDetails | undefined;
}

export function readModesOf(result: Checks): ReadModesDetails | undefined {
  return detailsOf(result, 'read-modes', ['modes']) as ReadModesDetails | undefined;
}

export function logPatternOf(result: Checks): LogPatternDetails | undefined {
  return detailsOf(result, 'log-pattern', ['matches']) as LogPatternDetails | undefined;
}

export function thresholdsOf(result: Checks): ThresholdsDetails | undefined {
  return detailsOf(result, 'thresholds', ['rows']) as ThresholdsDetails | undefined;
}

export function statsOf(result: Checks): StatsDetails | undefined {
  const details = result.checks.find(({ checker }) => checker === 'stats')?.details;
  const whole = ['total', 'main', 'errors'].every(
    (name) => typeof details?.[name] === 'object' && details[name] !== null,
  );
  return whole ? (details as unknown as StatsDetails) : undefined;
}

/** Of one check, since several may judge linearizability. */
export function linearizableOf(check: CheckResult): LinearizableDetails | undefined {
  const { unknown, invalid } = check.details;
  return Array.isArray(unknown) && Array.isArray(invalid)
    ? (check.details as unknown as LinearizableDetails)
    : undefined;
}

/** All windows of one label together. */
export interface LabelRow {
  readonly label: string;
  readonly windows: number;
  readonly seconds: number;
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  readonly rate: number | null;
  readonly longestGapMs: number;
  /** Of the window where it was worst: percentiles of several windows cannot be merged. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export function byLabel(windows: readonly AvailabilityWindow[]): readonly LabelRow[] {
  const groups = Map.groupBy(windows, ({ label }) => label);
  return [...groups].map(([label, group]) => {
    const sum = (field: 'ok' | 'fail' | 'info'): number =>
      group.reduce((total, window) => total + window[field], 0);
    const worst = (field: 'p50Ms' | 'p99Ms'): number | null =>
      group.reduce<number | null>((most, window) => {
        const value = window[field];
        return value === null ? most : Math.max(most ?? 0, value);
      }, null);
    const [ok, fail, info] = [sum('ok'), sum('fail'), sum('info')];
    const all = ok + fail + info;
    const nanos = group.reduce(
      (total, { startNanos, endNanos }) => total + endNanos - startNanos,
      0,
    );
    return {
      label,
      windows: group.length,
      seconds: nanos / 1e9,
      ok,
      fail,
      info,
      rate: all === 0 ? null : ok / all,
      longestGapMs: Math.max(...group.map(({ longestGapMs }) => longestGapMs)),
      p50Ms: worst('p50Ms'),
      p99Ms: worst('p99Ms'),
    };
  });
}

/** Fatal problems first, else as they came. */
export function bySeverity(problems: readonly RunProblem[]): readonly RunProblem[] {
  const rank = ({ severity }: RunProblem): number => (severity === 'fatal' ? 0 : 1);
  return problems.toSorted((a, b) => rank(a) - rank(b));
}
