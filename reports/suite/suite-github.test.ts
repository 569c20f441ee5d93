import { describe, expect, test } from 'vitest';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { SUMMARY_BYTES_MAX } from '../github.ts';
import {
  failSuite,
  interruptedSuite,
  passSuite,
  repeatedSuite,
  unknownSuite,
} from '../testing/fixture-suite.ts';
import { suiteAnnotations, suiteSummary } from './suite-github.ts';

/** Each test that did not pass so many times over, under names of their own. */
function times(result: SuiteResult, count: number): SuiteResult {
  const tests = Array.from({ length: count }, (_, at) =>
    result.tests.map((each) => ({
      ...each,
      test: { ...each.test, id: `${each.test.id}-${at}`, title: `${each.test.title} ${at}` },
      runs: each.runs.map((run) => ({ ...run, fingerprint: `${each.test.id}-${at}` })),
    })),
  ).flat();
  return { ...result, tests };
}

describe('annotations', () => {
  test('stand at the test that did not pass', () => {
    const lines = suiteAnnotations(failSuite());
    expect(lines[0]).toMatch(
      /^::error file=chaos\/register\.chaos\.ts,line=31,title=FAIL register\/pause-leader::linearizable: Client c903/,
    );
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      ...Array.from({ length: 5 }, () => '::error'),
      '::warning',
      '::notice',
    ]);
  });

  test('doubts are warnings, and so are faults without effect', () => {
    expect(suiteAnnotations(unknownSuite())[0]).toMatch(
      /^::warning file=chaos\/register\.chaos\.ts,line=12,title=UNKNOWN register\/ring::/,
    );
    expect(suiteAnnotations(passSuite())[0]).toMatch(
      /^::warning .*clock took no effect, of 3 tries\./,
    );
  });

  test('of more than GitHub shows the tenth says how many are missing', () => {
    const errors = suiteAnnotations(times(failSuite(), 20)).filter((line) =>
      line.startsWith('::error'),
    );
    expect(errors).toHaveLength(10);
    expect(errors.at(-1)).toBe('::error title=schism::and 91 more errors; see the report');
  });
});

describe('the summary', () => {
  test('begins with what did not pass, and tells each', async () => {
    const text = suiteSummary(failSuite(), { folder: '.schism/suites/x' });
    await expect(text).toMatchFileSnapshot('../testing/golden/suite-fail.md');
    expect(text).toMatch(/^## ✗ FAIL 10 tests: 3 failed, 4 passed, 1 unknown, 2 errors\n/);
  });

  test('of a pass is short', () => {
    const text = suiteSummary(passSuite());
    expect(text).toContain('<summary>Passed: 5</summary>');
    expect(text).not.toContain('--last-failed');
    expect(text.length).toBeLessThan(3000);
  });

  test('names what was not run, and how often a repeated test failed', () => {
    expect(suiteSummary(interruptedSuite())).toContain('– `bank/kill` | `NOT RUN the suite was');
    expect(suiteSummary(repeatedSuite())).toContain(
      '- `register/pause-leader`: violation found in 2 of 6 (95\u00a0% interval 10\u00a0% to 70\u00a0%)',
    );
  });

  test('stays within what GitHub takes, and says what is missing', () => {
    const text = suiteSummary(times(failSuite(), 200));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(SUMMARY_BYTES_MAX);
    expect(text).toMatch(/_Left out, to stay within GitHub's limit: .* and \d+ more\._/);
    for (const bytesMax of [20_000, 2000, 200, 20]) {
      const short = suiteSummary(failSuite(), { bytesMax });
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(bytesMax);
    }
  });
});
