import type { History } from '../../harness/history/history.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import type { FaultCount, SuiteRun } from '../../harness/protocols/suite.ts';
import { availabilityOf, evidenceOf, statsOf } from '../details.ts';
import { checkLine, fingerprintOf } from '../summary.ts';
import { renderText } from '../text.ts';

/**
 * What a suite keeps of a run. `dir`: its folder, relative to that of the suite; `runPath`: the
 * same, as the reader should see it.
 */
export function suiteRunOf(
  result: RunResult,
  history: History,
  { dir, runPath }: { readonly dir: string; readonly runPath: string },
): SuiteRun {
  const { checks, counts, verdict } = result;
  const all = counts.ok + counts.fail + counts.info + counts.open;
  const anomalies = checks.flatMap((check) => check.anomalies.map(({ kind }) => kind));
  const fingerprint = fingerprintOf(result, history);
  return {
    run: result.manifest.run,
    dir,
    verdict,
    exitCode: result.exitCode,
    reasons: result.reasons,
    counts,
    wallMs: result.wallMs,
    faults: faultCounts(result),
    ...(all > 0 && { availability: counts.ok / all }),
    ...measuresOf(result),
    anomalies: [...new Set(anomalies)],
    ...(fingerprint !== undefined && { fingerprint }),
    checks: checks.map((check) => {
      const { line } = checkLine(check);
      const kind = check.anomalies[0]?.kind;
      return {
        checker: check.checker,
        verdict: check.verdict,
        line,
        ...(kind !== undefined && { kind }),
      };
    }),
    ...(verdict !== 'pass' && {
      text: renderText(result, history, {
        columns: 100,
        reportPath: `${runPath}/report.html`,
        runPath,
      }),
    }),
  };
}

/** What a trend over nights is drawn of. */
function measuresOf(result: RunResult): Pick<SuiteRun, 'throughput' | 'longestGapMs' | 'checkMs'> {
  const main = result.phases.find(({ phase }) => phase === 'main');
  const seconds = main === undefined ? 0 : (main.endNanos - main.startNanos) / 1e9;
  const asked = Object.values(statsOf(result)?.main ?? {});
  const longestGapMs = availabilityOf(result)?.longestGapMs;
  return {
    ...(seconds > 0 && { throughput: asked.reduce((sum, { ok }) => sum + ok, 0) / seconds }),
    ...(longestGapMs !== undefined && { longestGapMs }),
    ...(result.checkMs !== undefined && { checkMs: result.checkMs }),
  };
}

/** Kinds that were asked for and never tried are there, too, with two zeroes. */
function faultCounts(result: RunResult): readonly FaultCount[] {
  const kinds = evidenceOf(result)?.kinds ?? [];
  const tried = kinds.map(({ fault, installed, skipped, failed }) => ({
    fault,
    tookEffect: installed,
    begun: installed + skipped + failed,
  }));
  const never = result.manifest.config.faults.filter(
    (fault) => !kinds.some((kind) => kind.fault === fault),
  );
  return [...tried, ...never.map((fault) => ({ fault, tookEffect: 0, begun: 0 }))];
}
