/** Made-up nights, for tests of the trend. */
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { fixtureSuiteManifest } from './fixture-suite.ts';

const TITLES = ['register under partition', 'reads while the leader is frozen', 'exploring'];

/** Twelve nights: a finding that comes and goes, one that went, and figures that rise and fall. */
export function trendNights(): readonly SuiteResult[] {
  return Array.from({ length: 12 }, (_, at): SuiteResult => {
    const startedAt = `2026-11-${String(at + 1).padStart(2, '0')}T02:17:00.000Z`;
    const tests = TITLES.flatMap((title, nth): readonly SuiteTest[] => {
      if (nth === 2 && at < 2) return [];
      const isFound = nth === 0 ? at % 4 === 3 : nth === 1 && at === 1;
      return [madeTest(title, nth, at, isFound)];
    });
    const isExploring = at >= 2;
    return {
      manifest: fixtureSuiteManifest({ suite: `s${String(at).padStart(4, '0')}`, startedAt }),
      tests,
      exitCode: Math.max(...tests.map(({ exitCode }) => exitCode)),
      wallMs: 7_200_000,
      ...(isExploring && {
        explored: {
          runs: 900 + at,
          ms: 5_000_000,
          operations: 800_000,
          fresh: Math.round(4000 / (at * at)),
          situations: 6000 + 100 * at,
          undecided: 0,
          findings: 0,
        },
      }),
    };
  });
}

function madeTest(title: string, nth: number, at: number, isFound: boolean): SuiteTest {
  const verdict = isFound ? 'fail' : 'pass';
  const isWhole = title === 'exploring';
  const run = {
    run: `${at}${nth}ab`,
    dir: `../../runs/20261101T000000Z-${at}${nth}ab`,
    verdict,
    exitCode: isFound ? 1 : 0,
    reasons: isFound ? ['a stale read'] : [],
    counts: { ok: 9000 + 31 * at, fail: 40, info: 12 + at, open: 0 },
    wallMs: 40_000,
    throughput: 280 + 9 * ((at * 7) % 5),
    ...(at !== 5 && { longestGapMs: 900 + 140 * ((at * 3) % 7) }),
    checkMs: 1200 + 60 * at,
    faults: [],
    anomalies: isFound ? [nth === 0 ? 'stale-read' : 'lost-write'] : [],
    ...(isFound && { fingerprint: `0123456789abcde${nth}` }),
    checks: [],
  } as const;
  return {
    test: { id: title.replaceAll(' ', '-'), title },
    runs: isWhole ? [] : [run],
    outcome: verdict,
    exitCode: run.exitCode,
    reason: run.reasons[0] ?? '',
  };
}
