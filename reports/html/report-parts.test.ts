/** Parts of a run's page that only some runs have. */
import { describe, expect, test } from 'vitest';
import { historyOf } from '../../harness/history/history.ts';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { lostWriteRun } from '../testing/fixture-lost-write.ts';
import { type FixtureRun, failRun, passRun } from '../testing/fixture-result.ts';
import { parseMarkup, textOf } from '../testing/markup-parser.ts';
import { renderHtml } from './report.ts';
import { rivalText } from './rivals.ts';

function pageOf({ result, history }: FixtureRun): string {
  return renderHtml(result, history, { script: '' });
}

function words(page: string): string {
  return textOf(parseMarkup(page, 'html'));
}

function withCheck(run: FixtureRun, change: (check: CheckResult) => CheckResult): FixtureRun {
  const result: RunResult = { ...run.result, checks: run.result.checks.map(change) };
  return { ...run, result };
}

describe('staleness over time', () => {
  const run = failRun();
  const read = run.result.checks[0]?.anomalies[0]?.ops.at(-1) ?? -1;
  const stale = (reads: readonly (readonly [number, number, number])[]): FixtureRun =>
    withCheck(run, (check) => {
      if (check.checker !== 'read-modes') return check;
      const [first, ...rest] = check.details['modes'] as readonly object[];
      const row = { ...first, stale: 7, staleMsMax: 506, staleReads: reads };
      return { ...check, details: { modes: [row, ...rest] } } as unknown as CheckResult;
    });

  test('has a dot for each stale read that the check names, and says how many there were', () => {
    const page = pageOf(stale([[read, 506, 1]]));
    expect(page.match(/<circle class="dot broken"/g)).toHaveLength(2);
    expect(words(page)).toContain(`entry ${read}: 506\u00a0ms old, 1 version behind`);
    expect(words(page)).toContain('the 1 stalest of 7');
  });

  test('leaves out entries that are not there, and is not drawn of older results', () => {
    const page = pageOf(
      stale([
        [1e9, 506, 1],
        [-1, 1, 1],
      ]),
    );
    // The one in the key of the plot.
    expect(page.match(/<circle class="dot broken"/g)).toHaveLength(1);
    expect(pageOf(run)).not.toContain('Staleness of reads over time');
  });
});

test('of a lost write the page shows what became of all writes', () => {
  const run = failRun();
  const [older = -1, newer = -1] = run.result.checks[0]?.anomalies[0]?.ops ?? [];
  const lost = withCheck(run, (check) => ({
    ...check,
    anomalies: check.anomalies.map((anomaly) => ({
      ...anomaly,
      kind: 'lost-write',
      certificate: { older, newer, read: anomaly.ops.at(-1) ?? -1 },
    })),
  }));
  const page = pageOf(lost);
  expect(words(page)).toMatch(/What became of writes1 lost, \d+ recovered, \d+ unknown, /);
  expect(page).toContain('class="fate lost" d="M');
  expect(words(page)).toContain('Step by step: what the history proves');
  expect(words(page)).toContain('✗ it finds 41, which is older');
  expect(pageOf(run)).not.toContain('What became of writes');
});

test('values in steps, fates and plots are text', () => {
  const evil = `</script><img src=x onerror=alert(1)>\u001b[31m\u2028\u0000\ud800`;
  const { result, history } = lostWriteRun();
  const ops = [...history.ops()].map((op) =>
    typeof op.process === 'number' && op.key === 'k99' && op.value !== null
      ? {
          ...op,
          value: `${evil}${JSON.stringify(op.value)}`,
          error: { code: evil, definite: false },
        }
      : op,
  );
  const page = pageOf({ result, history: historyOf(ops) });
  expect(words(page)).toContain('✗ it finds "</script><img src=x onerr');
  // oxlint-disable-next-line no-control-regex
  expect(page).not.toMatch(/<img|<script|[\u0000\u001b\u2028\ud800]/);
});

test('thresholds stand with their figures, and in the banner', () => {
  const base = passRun();
  const rows = [
    { metric: 'recovery_ms', expression: 'p(95)<5000', value: 3104, shown: '3104', passed: true },
    { metric: 'ops', expression: 'rate>9', value: 4, shown: '4', passed: false },
    {
      metric: '<b>',
      expression: '<i>',
      value: null,
      shown: 'no data',
      passed: null,
      reason: '<u>',
    },
  ];
  const check = { checker: 'thresholds', verdict: 'invalid', anomalies: [], covered: '' } as const;
  const checks = [...base.result.checks, { ...check, details: { rows } }];
  const page = pageOf({ ...base, result: { ...base.result, checks } });
  expect(words(page)).toContain('1 of 3 thresholds hold');
  for (const word of ['p(95)<5000', '✓ holds', '✗ broken', '? unknown', 'no data', '<u>'])
    expect(words(page)).toContain(word);
  expect(page).not.toMatch(/<(b|i|u)>/);
});

test('several leaders at once are told with their terms and for how long', () => {
  const leaders = [
    { node: 'n2', term: 3 },
    { node: 'n4', term: 2 },
  ];
  expect(rivalText({ leaders, startNanos: 9_039e6, endNanos: 10_670e6 })).toBe(
    '⚠ two leaders 1.631\u00a0s: n2 (term 3), n4 (term 2)',
  );
});
