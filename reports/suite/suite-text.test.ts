import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { ansiStyle, plainStyle } from '../style.ts';
import {
  emptyShard,
  errorSuite,
  failSuite,
  interruptedSuite,
  passSuite,
  repeatedSuite,
  unknownSuite,
} from '../testing/fixture-suite.ts';
import { widthOf } from '../words.ts';
import { finishedLine, renderSuiteText } from './suite-text.ts';
import { testTitle } from './suite-words.ts';

const SUITES: readonly (readonly [string, () => SuiteResult])[] = [
  ['pass', passSuite],
  ['fail', failSuite],
  ['unknown', unknownSuite],
  ['error', errorSuite],
  ['interrupted', interruptedSuite],
  ['repeated', repeatedSuite],
  ['empty-shard', emptyShard],
];
const FILES = [['Report', '.schism/suites/20261121T014712Z-s41e/report.html']] as const;

/** Lines that are longer, but for commands and what belongs to them. */
function tooWide(text: string, columns: number): readonly string[] {
  return text
    .split('\n')
    .filter((line) => widthOf(line) > columns && !/npx schism| --|report\.html$/.test(line));
}

describe.each(SUITES)('the text of a suite: %s', (name, make) => {
  const result = make();

  test.each([80, 100, 120, 160])('at %i columns', async (columns) => {
    const text = renderSuiteText(result, { columns, files: FILES });
    await expect(text).toMatchFileSnapshot(`../testing/golden/suite-${name}-${columns}.txt`);
    expect(tooWide(text, columns)).toEqual([]);
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('colours change nothing but colours', () => {
    const plain = renderSuiteText(result, { columns: 90 });
    const colour = renderSuiteText(result, { columns: 90, style: ansiStyle });
    expect(colour).toContain('\u001b[');
    expect(stripVTControlCharacters(colour)).toBe(plain);
  });

  test('the last line names the exit code, with a reason', () => {
    const last = renderSuiteText(result).trimEnd().split('\n').at(-1) ?? '';
    expect(last).toMatch(new RegExp(`^ exit ${result.exitCode}: \\w`));
  });
});

describe('a suite with many failures', () => {
  const { tests, ...rest } = failSuite();
  const bad = tests.find(({ outcome }) => outcome === 'fail');
  const many = (fingerprint: (at: number) => string): SuiteResult => ({
    ...rest,
    tests: Array.from({ length: 40 }, (_, at): SuiteTest => {
      expect.assert(bad !== undefined);
      const runs = bad.runs.map((run) => ({
        ...run,
        run: `r${at}`,
        fingerprint: fingerprint(at),
      }));
      return { ...bad, test: { ...bad.test, id: `t${at}`, title: `test ${at}` }, runs };
    }),
  });

  test('tells five of them, and how to see the others', () => {
    const text = renderSuiteText(many(String));
    expect(text.match(/^ ✗ FAIL {2}test \d+/gm)).toHaveLength(5);
    expect(text).toContain('and 35 more that did not pass; npx schism explain RUN tells of each:');
    expect(text).toContain('     ✗ FAIL  test 5   run r5\n');
    expect(text).toContain('     and 15 more, in the report\n');
  });

  test('tells once what failed in the same way', () => {
    const text = renderSuiteText(many(() => 'same'));
    expect(text.match(/^ ✗ FAIL {2}test \d+/gm)).toHaveLength(1);
    expect(text).toContain('39 more tests failed in the same way:');
  });

  test('tells all of them to those who ask for details', () => {
    const text = renderSuiteText(
      many(() => 'same'),
      { verbose: true },
    );
    expect(text.match(/^ ✗ FAIL {2}test \d+/gm)).toHaveLength(40);
    expect(text).toContain(' Availability by window');
  });
});

test('minimal says of a pass that it is one', () => {
  const lines = renderSuiteText(passSuite(), { minimal: true }).trimEnd().split('\n');
  expect(lines.map((line) => line.trim())).toEqual([
    expect.stringMatching(/^✓ PASS {2}5 tests, no violation found but the expected +suite s41e/),
    '',
    '⚠ clock/skew: clock took no effect, of 3 tries. This test did not exercise clock.',
    '',
    '5 tests: 0 failed, 5 passed, 0 unknown, 0 errors    269.8 s',
    'exit 0: no violation found but the expected',
  ]);
});

test('a test that is skipped keeps no suite from passing', () => {
  const { tests, ...rest } = passSuite();
  const left: SuiteTest = {
    test: { id: 'x', title: 'slow' },
    runs: [],
    outcome: 'not-run',
    exitCode: 0,
    reason: 'it is marked with test.skip',
  };
  const text = renderSuiteText({ ...rest, tests: [...tests, left] });
  expect(text).toMatch(/^ ✓ PASS {2}5 tests, no violation found/);
  expect(text).toContain('it is marked with test.skip:\n     slow\n');
  expect(text).toContain('it is not a proof');
  expect(text).not.toContain('--last-failed');
});

test('run again means what did not pass, by the same words', () => {
  const { manifest, ...rest } = failSuite();
  const argv = ['run', '-c', 'my config.ts', '--project', 'a', '--last-failed'];
  const text = renderSuiteText({ ...rest, manifest: { ...manifest, argv } });
  expect(text).toContain("npx schism run -c 'my config.ts' --project a --last-failed\n");
});

test('a merged suite that lacks a shard is no pass, and says which one it lacks', () => {
  const { manifest, ...rest } = passSuite();
  const text = renderSuiteText({
    ...rest,
    exitCode: 3,
    manifest: { ...manifest, mergedFrom: ['1/3', '3/3'] },
  });
  expect(text).toMatch(/^ ✗ ERROR {2}shard 2\/3 is missing, 5 tests, no violation found/);
  expect(text).toMatch(/ exit 3: shard 2\/3 is missing\n$/);
});

test('what was expected of a test is said, though another failed in the same way', () => {
  const { tests, ...rest } = failSuite();
  const failed = tests.find(({ outcome }) => outcome === 'fail');
  expect.assert(failed !== undefined);
  const reason = 'expected lost-write, and another violation was found: stale-read';
  const other: SuiteTest = {
    ...failed,
    test: { ...failed.test, id: 'other', title: 'other' },
    expects: { anomaly: 'lost-write', runs: 2 },
    reason,
  };
  expect(renderSuiteText({ ...rest, tests: [failed, other] })).toContain(`   ${reason}\n`);
});

test('a run that was cut short is not blamed for faults it never came to', () => {
  const { tests, ...rest } = passSuite();
  const cut = tests.map((each) => ({ ...each, outcome: 'unknown' as const, exitCode: 130 }));
  const text = renderSuiteText({ ...rest, tests: cut, exitCode: 130, interrupted: 'SIGINT' });
  expect(text).not.toContain('did not exercise');
});

test('of a long title the project is what stays', () => {
  const ref = { id: 'x', title: 'registers agree with real time', project: 'simulated' };
  expect(testTitle(ref, 30)).toBe('registers agree w… [simulated]');
  expect(testTitle({ ...ref, repeat: 2 }, 30)).toBe('registe… [simulated] @repeat-2');
});

describe('the line of a finished test', () => {
  const [passed] = passSuite().tests;
  const failed = failSuite().tests.find(({ outcome }) => outcome === 'fail');
  expect.assert(passed !== undefined && failed !== undefined);

  test('is short for a pass, and has a word and a kind for anything else', () => {
    const options = { columns: 100, titleWidth: 24, style: plainStyle };
    expect(finishedLine(passed, options).replaceAll('\u00a0', ' ')).toBe(
      ' ✓ register/no-faults           5.3 s     252 ops    100 % ok',
    );
    expect(finishedLine(failed, options).replaceAll('\u00a0', ' ')).toBe(
      ' ✗ register/pause-leader       66.1 s   2 484 ops  89.73 % ok   FAIL stale-read',
    );
  });

  test.each([40, 60, 80, 160])('fits %i columns', (columns) => {
    const title = 'a very long title '.repeat(10);
    const line = finishedLine(
      { ...failed, test: { ...failed.test, title } },
      { columns, titleWidth: 60, style: plainStyle },
    );
    expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });
});
