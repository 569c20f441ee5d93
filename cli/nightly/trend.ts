/** What `schism report --trend` is made of: stored suites, and the runs of each day that were in none. */
import { EXIT } from '../../harness/core/errors.ts';
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { worstExit } from '../../harness/runner/verdict.ts';
import type { RunRow } from '../../reports/stored/figures.ts';
import { VERSION } from '../version.ts';

/** One for each day: its runs are tests that bear the name of their store and workload. */
export function daysOf(rows: readonly RunRow[]): readonly SuiteResult[] {
  const single = rows.filter(({ suite, summary }) => suite === undefined && summary !== undefined);
  const days = Map.groupBy(single, ({ startedAtMs }) =>
    new Date(startedAtMs).toISOString().slice(0, 10),
  );
  return [...days].map(([day, runs]) => {
    const tests = runs.flatMap(testOf);
    return {
      manifest: {
        schism: 1,
        suite: `runs of ${day}`,
        version: VERSION,
        node: process.version,
        platform: process.platform,
        argv: [],
        startedAt: new Date(Math.min(...runs.map((run) => run.startedAtMs))).toISOString(),
        seed: '',
        selected: tests.length,
      },
      tests,
      exitCode: worstExit(tests.map(({ exitCode }) => exitCode)),
      wallMs: runs.reduce((sum, { summary }) => sum + (summary?.wallMs ?? 0), 0),
    };
  });
}

function testOf({ id, folder, summary }: RunRow, at: number): readonly SuiteTest[] {
  if (summary === undefined) return [];
  const { verdict, exitCode, counts, wallMs, fingerprint, system, workload, sentence } = summary;
  const title = `${system} ${workload}`;
  const run = {
    run: id,
    dir: `../../runs/${folder}`,
    verdict,
    exitCode,
    reasons: [sentence],
    counts,
    wallMs,
    faults: [],
    anomalies: verdict === 'fail' ? summary.checks.filter(isBroken).map(nameOf) : [],
    checks: [],
    ...(fingerprint !== undefined && { fingerprint }),
  };
  const ref = { id: `${title}.repeat-${at + 1}`, title, repeat: at + 1 };
  const code = verdict === 'pass' ? EXIT.pass : exitCode;
  return [{ test: ref, runs: [run], outcome: verdict, exitCode: code, reason: sentence }];
}

type Check = NonNullable<RunRow['summary']>['checks'][number];

function isBroken({ verdict }: Check): boolean {
  return verdict === 'invalid';
}

function nameOf({ checker }: Check): string {
  return checker;
}
