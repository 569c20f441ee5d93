import { expect, test } from 'vitest';
import type { FindingChange, SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { plainStyle } from '../style.ts';
import { renderSuiteText } from '../suite/suite-text.ts';
import { fixtureSuiteManifest } from '../testing/fixture-suite.ts';
import { changesOf, cleanRunsNeeded } from './changes.ts';
import { changeLines } from './changes-lines.ts';
import { changesMarkdown } from './changes-markdown.ts';

/** `p`: a run that passed, `f`: one with the finding, `g`: another finding, `u`: unknown. */
function madeTest(id: string, runs: string, more: Partial<SuiteTest> = {}): SuiteTest {
  return {
    test: { id, title: `title of ${id}` },
    runs: Array.from(runs, (letter, at) => ({
      run: `${id}${at}`,
      dir: '../../runs/x',
      verdict: letter === 'p' ? 'pass' : letter === 'u' ? 'unknown' : 'fail',
      exitCode: 0,
      reasons: [],
      counts: { ok: 1, fail: 0, info: 0, open: 0 },
      wallMs: 1,
      faults: [],
      anomalies: letter === 'f' ? ['stale-read'] : letter === 'g' ? ['lost-write'] : [],
      ...(letter === 'f' && { fingerprint: 'f1' }),
      ...(letter === 'g' && { fingerprint: 'g1' }),
      checks: [],
    })),
    outcome: /[fg]/.test(runs) ? 'fail' : 'pass',
    exitCode: /[fg]/.test(runs) ? 1 : 0,
    reason: '',
    ...more,
  };
}

function night(
  nth: number,
  tests: readonly SuiteTest[],
  more: Partial<SuiteResult> = {},
): SuiteResult {
  const startedAt = `2026-11-${String(nth).padStart(2, '0')}T02:00:00.000Z`;
  return {
    manifest: fixtureSuiteManifest({ suite: `s00${nth}`, startedAt }),
    tests,
    exitCode: 0,
    wallMs: 1,
    ...more,
  };
}

function only(tonight: SuiteResult, earlier: readonly SuiteResult[]): FindingChange | undefined {
  const { findings } = changesOf(tonight, earlier);
  expect(findings.length).toBeLessThanOrEqual(1);
  return findings[0];
}

test('a finding that no earlier suite had is new, one that some had is ongoing', () => {
  const tonight = night(3, [madeTest('a', 'pf')]);
  expect(only(tonight, [night(1, [madeTest('a', 'pp')])])).toMatchObject({
    state: 'new',
    found: 1,
    of: 4,
    clean: 0,
    kinds: ['stale-read'],
    tests: ['title of a'],
    run: 'a1',
  });
  expect(only(tonight, [night(1, [madeTest('a', 'ff')])])).toMatchObject({
    state: 'ongoing',
    found: 3,
    of: 4,
    first: '2026-11-01T02:00:00.000Z',
    last: '2026-11-03T02:00:00.000Z',
  });
});

test('one that was not seen tonight is rare, until enough clean runs rule its rate out', () => {
  const before = night(1, [madeTest('a', 'ffffffffff')]);
  const rare = only(night(2, [madeTest('a', 'ppp')]), [before]);
  expect(rare).toMatchObject({ state: 'rare', clean: 3, needed: 5, found: 10, of: 13 });
  const gone = only(night(2, [madeTest('a', 'ppppp')]), [before]);
  expect(gone).toMatchObject({ state: 'resolved', clean: 5 });
});

test('runs of other tests, unknown ones and tests without a turn make nothing resolved', () => {
  const before = night(1, [madeTest('a', 'ffffffffff')]);
  const tonight = night(2, [
    madeTest('b', 'pppppppppp'),
    madeTest('a', 'uuuuuuuuu', { outcome: 'unknown' }),
  ]);
  expect(only(tonight, [before])).toMatchObject({ state: 'rare', clean: 0 });
});

test('repeats of a test are one test, and all findings of exploring count by nights', () => {
  const explored = {
    runs: 900,
    ms: 1,
    operations: 1,
    fresh: 1,
    situations: 1,
    undecided: 0,
    findings: 1,
  };
  const before = [
    night(1, [madeTest('a.repeat-1', 'f'), madeTest('a.repeat-2', 'p')]),
    night(2, [madeTest('exploring/shard-1/1-x', 'g')], { explored }),
  ];
  const { findings } = changesOf(night(3, [madeTest('a.repeat-3', 'p')], { explored }), before);
  expect(findings).toMatchObject([
    { fingerprint: 'g1', found: 1, of: 2, clean: 1 },
    { fingerprint: 'f1', found: 1, of: 3, clean: 1 },
  ]);
});

test('a known bug that was found as expected is no finding, and another violation is one', () => {
  const expects = { anomaly: 'stale-read', runs: 1 };
  const found = madeTest('a', 'f', { expects, outcome: 'pass' });
  const other = madeTest('b', 'g', { expects });
  const { findings } = changesOf(night(1, [found, other]), []);
  expect(findings.map(({ fingerprint }) => fingerprint)).toEqual(['g1']);
});

test('a suite is never compared with itself, and one that is given twice counts once', () => {
  const tonight = night(2, [madeTest('a', 'f')]);
  const before = night(1, [madeTest('a', 'p')]);
  expect(changesOf(tonight, [tonight, before, before])).toMatchObject({
    nights: 1,
    findings: [{ state: 'new', of: 2 }],
  });
});

test('so many clean runs are needed that three by them lies below the rate', () => {
  expect([0.5, 0.1, 0.01].map(cleanRunsNeeded)).toEqual([6, 30, 300]);
  expect(cleanRunsNeeded(0)).toBe(3_000_000);
});

test('the end of a suite names each finding with counts, new ones first', () => {
  const earlier = [night(1, [madeTest('a', 'fffffp')])];
  const tonight = night(2, [madeTest('a', 'pp'), madeTest('b', 'g')]);
  const result = { ...tonight, changes: changesOf(tonight, earlier) };
  const page = { result, style: plainStyle, columns: 100, verbose: false };
  expect(changeLines(page)).toEqual([
    '',
    ' Findings, beside those of 1 earlier suite',
    '   state   finding     test          seen  since',
    '   ✗ new   lost-write  title of b  1 of 1  run b0, its rate was 21 to 100\u00a0%',
    '   ? rare  stale-read  title of a  5 of 8  not seen in 2 runs since 2026-11-01; after 7 it would',
    '                                           count as resolved',
  ]);
  expect(renderSuiteText(result)).toContain('Findings, beside those of 1 earlier suite');
  expect(changesMarkdown(result)).toContain('| `✗ new` | `lost-write` | `title of b` | `1 of 1` |');
  expect(renderSuiteText(tonight)).not.toContain('Findings');
});

test('a suite that has the id of another is another', () => {
  const [tonight, before] = [night(2, [madeTest('a', 'f')]), night(1, [madeTest('a', 'f')])];
  const { suite } = tonight.manifest;
  const twin = { ...before, manifest: { ...before.manifest, suite } };
  expect(changesOf(tonight, [twin])).toMatchObject({ nights: 1, findings: [{ state: 'ongoing' }] });
});
