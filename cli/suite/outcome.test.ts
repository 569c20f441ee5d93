import { describe, expect, test } from 'vitest';
import type { Expectation, SuiteRun, SuiteTest } from '../../harness/protocols/suite.ts';
import { judgeExpected } from './outcome.ts';
import { madeTest } from './testing.ts';

const KNOWN: Expectation = {
  anomalies: ['stale-read', 'lost-write'],
  runs: 2,
  known: 'raftkv with the bug even-quorum',
};

/** A run that showed these kinds; without any it passed. */
function run(...anomalies: readonly string[]): SuiteRun {
  const [made] = madeTest('a', 'r1', anomalies.length === 0 ? 'pass' : 'fail').runs;
  expect.assert(made !== undefined);
  return { ...made, anomalies };
}

function judged(expects: Expectation, ...runs: readonly SuiteRun[]): SuiteTest | undefined {
  const { test: ref } = madeTest('a', 'r1');
  return judgeExpected({ ref, expects }, expects, { runs }, runs.length);
}

describe('several kinds', () => {
  test('of which one is enough', () => {
    expect(judged(KNOWN, run('lost-write', 'phantom-read'))).toMatchObject({
      outcome: 'pass',
      reason: 'expected stale-read or lost-write; found lost-write, phantom-read in run 1 of 2',
    });
  });

  test('of which all are asked for: a part of them asks for another run', () => {
    const all = { ...KNOWN, every: true };
    expect(judged(all, run('stale-read', 'lost-write'))?.outcome).toBe('pass');
    expect(judged(all, run('lost-write'))).toBeUndefined();
    const reason = judged(all, run(), run('lost-write'))?.reason;
    expect(reason).toMatch(
      /^a known bug is no longer found: expected stale-read and lost-write of/,
    );
    expect(reason).toMatch(/played 2 runs, which showed only lost-write$/);
  });

  test('none of which is what was found: that is news, but for a bug that is known', () => {
    const { known: _, ...unknown } = KNOWN;
    expect(judged(KNOWN, run('replicas-diverge'))).toBeUndefined();
    expect(judged(KNOWN, run(), run('replicas-diverge'))?.reason).toMatch(
      /^a known bug is no longer found: .* played 2 runs, which showed only replicas-diverge$/,
    );
    expect(judged(unknown, run('replicas-diverge'))).toMatchObject({
      outcome: 'fail',
      reason: expect.stringContaining('another violation was found: replicas-diverge'),
    });
  });
});

test('a known bug that is no longer found fails, and says what was played and how often', () => {
  expect(judged(KNOWN, run())).toBeUndefined();
  expect(judged(KNOWN, run(), run())).toMatchObject({
    outcome: 'fail',
    exitCode: 1,
    reason:
      'a known bug is no longer found: expected stale-read or lost-write of ' +
      'raftkv with the bug even-quorum; played 2 runs',
  });
});

describe('runs that ended as errors', () => {
  const error: SuiteRun = { ...run(), verdict: 'error', exitCode: 3, reasons: ['no room'] };

  test('are no tries: where tries are missing, nothing is said of the bug', () => {
    expect(judged(KNOWN, error, run())).toMatchObject({
      outcome: 'error',
      exitCode: 3,
      reason: expect.stringMatching(/not found in one run; another ended in an error: no room$/),
    });
    expect(judged(KNOWN, run(), error)).toMatchObject({
      outcome: 'error',
      reason: expect.stringMatching(/the last ended in an error: no room$/),
    });
  });

  test('and were tried again cost nothing', () => {
    const { test: ref } = madeTest('a', 'r1');
    const runs = [error, run(), run()];
    expect(judgeExpected({ ref, expects: KNOWN }, KNOWN, { runs }, 2)?.outcome).toBe('fail');
  });
});
