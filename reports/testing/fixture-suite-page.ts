/** A made-up suite in which everything that the page of a suite can show is there once. */
import type {
  SuiteManifest,
  SuiteResult,
  SuiteRun,
  SuiteTest,
} from '../../harness/protocols/suite.ts';

const manifest: SuiteManifest = {
  schism: 1,
  suite: '5c1e',
  version: '0.1.0',
  node: 'v24.21.0',
  platform: 'linux x64',
  argv: ['run', '--repeat-each', '4'],
  startedAt: '2026-11-21T01:47:12.000Z',
  seed: '0x5eed1234',
  config: 'schism.config.ts',
  shard: { index: 2, total: 4 },
  selected: 24,
};

const STALE = 'Client c3 read k17 = 41 at 72.908 s from n3. That value was out of date.';

export function suiteRun(
  run: string,
  verdict: SuiteRun['verdict'],
  parts: Partial<SuiteRun> = {},
): SuiteRun {
  const failed = verdict === 'fail';
  return {
    run,
    dir: `../../runs/20261121T014712Z-${run}`,
    verdict,
    exitCode: { pass: 0, fail: 1, unknown: 2, error: 3 }[verdict],
    reasons: failed ? [`linearizable: ${STALE}`] : [],
    counts: { ok: 14_200, fail: 310, info: 95, open: 2 },
    wallMs: 131_200,
    faults: [
      { fault: 'pause', tookEffect: 6, begun: 6 },
      { fault: 'clock-skew', tookEffect: 0, begun: 2 },
    ],
    availability: 0.972,
    anomalies: failed ? ['stale-read'] : [],
    checks: [
      {
        checker: 'linearizable',
        verdict: failed ? 'invalid' : verdict === 'unknown' ? 'unknown' : 'valid',
        line: failed ? STALE : '64 of 64 keys',
        ...(failed && { kind: 'stale-read' }),
      },
      { checker: 'availability', verdict: 'valid', line: '97.2 % of 14607 operations served' },
      { checker: 'thresholds', verdict: 'valid', line: '3 of 3 hold' },
    ],
    ...(failed && { fingerprint: '0f3a9b6c2d1e4f58' }),
    ...(verdict !== 'pass' && {
      text: ` ✗ FAIL  register\n\n   ${STALE}\n\n exit 1: 1 violation\n`,
    }),
    ...parts,
  };
}

export function suiteTest(
  title: string,
  outcome: SuiteTest['outcome'],
  runs: readonly SuiteRun[],
  parts: { readonly project?: string; readonly repeat?: number; readonly expects?: boolean } = {},
): SuiteTest {
  const { project, repeat, expects } = parts;
  const id = [title, project, repeat].filter((part) => part !== undefined).join('-');
  return {
    test: {
      id: id.replaceAll(/[^\w./-]/g, '-'),
      title,
      file: 'chaos/register.chaos.ts',
      line: 12,
      ...(project !== undefined && { project }),
      ...(repeat !== undefined && { repeat }),
    },
    ...(expects === true && { expects: { anomaly: 'stale-read', runs: 10 } }),
    runs,
    outcome,
    exitCode: { pass: 0, fail: 1, unknown: 2, error: 3, 'not-run': 130 }[outcome],
    reason: REASONS[outcome],
  };
}

const REASONS: Readonly<Record<SuiteTest['outcome'], string>> = {
  pass: '',
  fail: STALE,
  unknown: 'The checker stopped after 5 min on key k3 without finding an order.',
  error: 'Node n2 never became ready: it ended with code 1.',
  'not-run': 'The suite ended before its turn.',
};

/** Two projects; one test is repeated, one is expected to fail. */
export function suiteResult(tests: readonly SuiteTest[] = suiteTests()): SuiteResult {
  return { manifest, tests, exitCode: 1, wallMs: 1_451_000 };
}

export function suiteTests(): readonly SuiteTest[] {
  const repeats = (['pass', 'fail', 'pass', 'pass'] as const).map((verdict, at) =>
    suiteTest('register/pause-leader', verdict, [suiteRun(`7f3${at}`, verdict)], {
      project: 'linearizable',
      repeat: at + 1,
    }),
  );
  const known = [suiteRun('aa01', 'pass'), suiteRun('aa02', 'fail')];
  return [
    ...repeats,
    suiteTest('register/pause-leader', 'pass', [suiteRun('81b0', 'pass')], {
      project: 'serializable',
    }),
    suiteTest('register/halves', 'unknown', [suiteRun('91c0', 'unknown')], {
      project: 'linearizable',
    }),
    suiteTest('register/halves', 'error', [suiteRun('91c1', 'error', { checks: [] })], {
      project: 'serializable',
    }),
    suiteTest('known/stale read after a pause', 'pass', known, { expects: true }),
    suiteTest('bank/kill-all', 'not-run', []),
  ];
}

/** The suite before it: there halves failed, and pause-leader passed. */
export function previousSuite(): SuiteResult {
  const tests = suiteTests().map((test): SuiteTest => {
    if (test.test.title === 'register/halves') return { ...test, outcome: 'fail' };
    return test.outcome === 'fail' ? { ...test, outcome: 'pass' } : test;
  });
  return { ...suiteResult(tests), manifest: { ...manifest, suite: '4b0d' } };
}
