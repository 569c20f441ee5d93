/** Made-up suites for tests of what is done with them. */
import type {
  SuiteManifest,
  SuiteResult,
  SuiteRun,
  SuiteTest,
} from '../../harness/protocols/suite.ts';

/** Of one run with this id that ended so. */
export function madeTest(
  id: string,
  run: string,
  outcome: 'pass' | 'fail' | 'unknown' | 'error' = 'pass',
): SuiteTest {
  const exitCode = { pass: 0, fail: 1, unknown: 2, error: 3 }[outcome];
  const made: SuiteRun = {
    run,
    dir: `../../runs/20260101T000000Z-${run}`,
    verdict: outcome,
    exitCode,
    reasons: [],
    counts: { ok: 1, fail: 0, info: 0, open: 0 },
    wallMs: 1000,
    faults: [],
    anomalies: [],
    checks: [],
  };
  return { test: { id, title: id }, runs: [made], outcome, exitCode, reason: '' };
}

export function madeSuite(
  tests: readonly SuiteTest[],
  manifest: Partial<SuiteManifest> = {},
): SuiteResult {
  return {
    manifest: {
      schism: 1,
      suite: 's0001',
      version: '1.0.0',
      node: 'v24.0.0',
      platform: 'linux x64',
      argv: ['run'],
      startedAt: '2026-01-01T00:00:00.000Z',
      seed: '0x1',
      config: 'schism.config.ts',
      selected: 4,
      ...manifest,
    },
    tests,
    exitCode: Math.max(0, ...tests.map(({ exitCode }) => exitCode)),
    wallMs: 5000,
  };
}
