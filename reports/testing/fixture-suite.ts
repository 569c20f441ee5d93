/** Made-up outcomes of suites, of the made-up runs. */
import type {
  SuiteManifest,
  SuiteResult,
  SuiteRun,
  SuiteTest,
  TestRef,
} from '../../harness/protocols/suite.ts';
import { suiteRunOf } from '../suite/suite-run.ts';
import {
  errorRun,
  type FixtureRun,
  failRun,
  interruptedRun,
  passRun,
  shortRun,
  unknownRun,
} from './fixture-result.ts';

/** Each made once: they are large, and never changed. */
const RUNS = new Map<() => FixtureRun, SuiteRun>();

function runOf(make: () => FixtureRun, run: string): SuiteRun {
  let made = RUNS.get(make);
  if (made === undefined) {
    const { result, history } = make();
    made = suiteRunOf(result, history, {
      dir: '../../runs/20261121T014712Z-7f3a',
      runPath: '.schism/runs/7f3a',
    });
    RUNS.set(make, made);
  }
  const dir = `../../runs/20261121T014712Z-${run}`;
  const text = made.text?.replaceAll('7f3a', run);
  return { ...made, run, dir, ...(text !== undefined && { text }) };
}

export function fixtureSuiteManifest(more: Partial<SuiteManifest> = {}): SuiteManifest {
  return {
    schism: 1,
    suite: 's41e',
    version: '0.0.0',
    node: 'v24.21.0',
    platform: 'linux x64',
    argv: ['run'],
    startedAt: '2026-11-21T01:47:12Z',
    seed: '0x5eed1234',
    config: 'schism.config.ts',
    selected: 12,
    ...more,
  };
}

function test(
  title: string,
  run: SuiteRun | undefined,
  { ref = {}, ...more }: { ref?: Partial<TestRef> } & Partial<Omit<SuiteTest, 'test'>> = {},
): SuiteTest {
  const id = `chaos/${title}${ref.project ?? ''}${ref.repeat ?? ''}`.replaceAll(/[^\w./-]/g, '_');
  return {
    test: { id, title, file: 'chaos/register.chaos.ts', line: 12, ...ref },
    runs: run === undefined ? [] : [run],
    outcome: run?.verdict ?? 'not-run',
    exitCode: run?.exitCode ?? 0,
    reason: run?.reasons[0] ?? '',
    ...more,
  };
}

function suite(
  tests: readonly SuiteTest[],
  exitCode: number,
  more: Partial<SuiteResult> = {},
): SuiteResult {
  const wallMs = tests.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.wallMs, 0);
  return { manifest: fixtureSuiteManifest(), tests, exitCode, wallMs, ...more };
}

const passed = (): readonly SuiteTest[] => [
  test('register/no-faults', runOf(shortRun, 'a001')),
  test('register/partition-halves', runOf(passRun, 'a002'), {
    ref: { project: 'linearizable' },
  }),
  test('register/partition-halves', runOf(passRun, 'a003'), {
    ref: { project: 'serializable' },
  }),
];

const found = (): SuiteTest =>
  test('known/stale read after pause', runOf(failRun, 'b001'), {
    expects: { anomaly: 'stale-read', runs: 10 },
    outcome: 'pass',
    exitCode: 0,
    reason: 'expected stale-read; found stale-read in run 1 of 10',
  });

const missing = (): SuiteTest =>
  test('known/lost write after kill', runOf(passRun, 'b002'), {
    expects: { anomaly: 'lost-write', runs: 1 },
    outcome: 'fail',
    exitCode: 1,
    reason: 'expected lost-write, and it was not found in one run',
  });

/** Two projects, one known bug that was found. One fault never took effect. */
export function passSuite(): SuiteResult {
  const idle = runOf(passRun, 'a004');
  const clock = { ...idle, faults: [...idle.faults, { fault: 'clock', tookEffect: 0, begun: 3 }] };
  const thresholds = {
    checker: 'thresholds',
    verdict: 'valid' as const,
    line: '2 of 2: availability{window:none} rate>0.999 (0.99987), recovery_ms p(95)<5000 (3104)',
  };
  return suite(
    [...passed(), test('clock/skew', { ...clock, checks: [...clock.checks, thresholds] }), found()],
    0,
  );
}

/** A stale read twice in the same way, a known bug that was not found, an error, an unknown. */
export function failSuite(): SuiteResult {
  const [bad, again] = [runOf(failRun, '7f3a'), runOf(failRun, '7f3b')];
  const threshold = {
    checker: 'thresholds',
    verdict: 'invalid' as const,
    line: 'availability outside faults was 0.9712; rate>0.999 was asked',
    kind: 'threshold',
  };
  return suite(
    [
      ...passed(),
      test(
        'register/pause-leader',
        { ...bad, checks: [...bad.checks, threshold] },
        {
          ref: { line: 31 },
        },
      ),
      test('register/pause-all', again, { ref: { line: 40 } }),
      found(),
      missing(),
      test('bank/kill-all', runOf(errorRun, 'c0de'), { ref: { file: 'chaos/bank.chaos.ts' } }),
      test('register/ring', runOf(unknownRun, '91c0')),
      test('bank/not here', undefined, {
        ref: { file: 'chaos/bank.chaos.ts', line: 99 },
        outcome: 'error',
        exitCode: 3,
        reason: 'etcd was not found on PATH: install it, or name it with -O binary=PATH',
      }),
    ],
    1,
  );
}

export function unknownSuite(): SuiteResult {
  return suite([...passed(), test('register/ring', runOf(unknownRun, '91c0'))], 2);
}

export function errorSuite(): SuiteResult {
  return suite([...passed(), test('bank/kill-all', runOf(errorRun, 'c0de'))], 3);
}

/** Ctrl-C in the second test; four others had no turn. */
export function interruptedSuite(): SuiteResult {
  const left = ['bank/kill', 'bank/pause', 'lease/kill', 'lease/pause'].map((title) =>
    test(title, undefined, { reason: 'the suite was interrupted by SIGINT' }),
  );
  const cut = test('register/pause-leader', runOf(interruptedRun, 'd00d'), { outcome: 'unknown' });
  return suite([...passed().slice(0, 1), cut, ...left], 130, { interrupted: 'SIGINT' });
}

/** One test six times, of which two found a violation. */
export function repeatedSuite(): SuiteResult {
  const tests = Array.from({ length: 6 }, (_, at) => {
    const run = at % 3 === 1 ? runOf(failRun, `e00${at}`) : runOf(passRun, `e00${at}`);
    return test('register/pause-leader', run, { ref: { repeat: at + 1 } });
  });
  return suite(tests, 1);
}

/** What a shard does that got none of the tests. */
export function emptyShard(): SuiteResult {
  return suite([], 0, { manifest: fixtureSuiteManifest({ shard: { index: 3, total: 4 } }) });
}
