import { describe, expect, test } from 'vitest';
import { readRun } from '../reading.ts';
import { fingerprintOf, summaryOf } from '../summary.ts';
import {
  type FixtureRun,
  failRun,
  fixtureConfig,
  fixtureManifest,
  passRun,
} from '../testing/fixture-result.ts';
import { parseMarkup } from '../testing/markup-parser.ts';
import { widthOf } from '../words.ts';
import { type Compared, diffRows, renderDiff } from './diff.ts';
import { bytesText, type RunRow, sentenceOf, timeText } from './figures.ts';
import { renderIndexPage } from './index-page.ts';
import { renderRunList } from './list.ts';
import { renderRun } from './show.ts';

const AT = Date.UTC(2026, 10, 21, 1, 47, 12);

function row({ result, history }: FixtureRun, id: string, more: Partial<RunRow> = {}): RunRow {
  return {
    id,
    folder: `20261121T014712Z-${id}`,
    startedAtMs: AT,
    bytes: 3_400_000,
    pinned: false,
    state: result.verdict,
    summary: summaryOf(result, history),
    ...more,
  };
}

const CRASHED: RunRow = {
  id: '91c0',
  folder: '20261121T014712Z-91c0',
  startedAtMs: AT,
  bytes: 812,
  pinned: true,
  state: 'crashed',
};
const ROWS = [row(failRun(), '7f3a'), row(passRun(), 'a41e'), CRASHED];
const FILES = [
  { name: 'harness.log', bytes: 812 },
  { name: 'tests/register/history.jsonl.gz', bytes: 3_390_000 },
];

function compared({ result, history }: FixtureRun): Compared {
  const fingerprint = fingerprintOf(result, history);
  return {
    result,
    reading: readRun(result, history),
    ...(fingerprint !== undefined && { fingerprint }),
  };
}

const other = passRun({ rate: 40 });
const OTHER: FixtureRun = {
  ...other,
  result: {
    ...other.result,
    manifest: fixtureManifest({
      run: 'a41e',
      config: fixtureConfig({ seed: 7, faults: ['pause'], durationMs: 30_000 }),
    }),
  },
};

describe.each([80, 120])('at %i columns', (columns) => {
  const fits = async (name: string, text: string): Promise<void> => {
    await expect(text).toMatchFileSnapshot(`./golden/${name}-${columns}.txt`);
    expect(text.split('\n').filter((line) => widthOf(line) > columns)).toEqual([]);
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  };

  test('the list of runs', () => fits('list', renderRunList(ROWS, { columns, all: 5 })));

  test('a run that failed', () =>
    fits('show', renderRun(ROWS[0] ?? CRASHED, FILES, { columns, path: '.schism/runs/x' })));

  test('a run that crashed', () =>
    fits('crashed', renderRun(CRASHED, FILES, { columns, path: '.schism/runs/x' })));

  test('two runs side by side', () =>
    fits('diff', renderDiff(compared(failRun()), compared(OTHER), columns)));
});

test('no runs are said to be none', () => {
  expect(renderRunList([], { columns: 80, all: 0 })).toBe(' 0 runs, 0\u00a0B\n');
});

test('a run compared with itself differs in nothing', () => {
  const run = compared(failRun());
  const rows = diffRows(run, run);
  expect(rows.filter(({ a, b }) => a !== b)).toEqual([]);
  expect(rows.map(({ section }) => section)).not.toContain('configuration');
  expect(renderDiff(run, run, 80)).toMatch(
    /The verdicts are the same; the configurations are the same\.\n$/,
  );
});

test('only what was set otherwise is listed of a configuration', () => {
  const rows = diffRows(compared(failRun()), compared(OTHER));
  const names = rows.filter(({ section }) => section === 'configuration').map(({ name }) => name);
  expect(names).toEqual(['durationMs', 'faults', 'seed']);
});

test('thresholds of two runs stand side by side, with what was measured', () => {
  const withRow = (shown: string, passed: boolean | null): Compared => {
    const run = compared(passRun());
    const rows = [{ metric: 'latency_ms', expression: 'max<9', value: null, shown, passed }];
    const check = { checker: 'thresholds', anomalies: [], covered: '', details: { rows } };
    const checks = [...run.result.checks, { ...check, verdict: 'valid' as const }];
    return { ...run, result: { ...run.result, checks } };
  };
  const rows = diffRows(withRow('8.5', true), withRow('no data', null));
  expect(rows.filter(({ section }) => section === 'thresholds')).toEqual([
    { section: 'thresholds', name: 'latency_ms max<9', a: '✓ 8.5', b: '? no data' },
  ]);
});

test('sizes and moments for people', () => {
  const sizes = [0, 999, 1000, 999_499, 999_500, 3_400_000, 99_960_000, 5e9, 2e15, Number.NaN];
  expect(sizes.map((size) => bytesText(size).replace('\u00a0', ' '))).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '999 kB',
    '1.0 MB',
    '3.4 MB',
    '100 MB',
    '5.0 GB',
    '2000 TB',
    '–',
  ]);
  expect(timeText(AT)).toBe('2026-11-21 01:47:12');
  expect(timeText(Number.NaN)).toBe('–');
  expect(sentenceOf({ ...CRASHED, state: 'running' })).toBe('It has not ended yet.');
});

describe('the page with all runs', () => {
  test('links to the report of each that has one', () => {
    const text = renderIndexPage(ROWS);
    parseMarkup(text, 'html');
    expect([...text.matchAll(/href="(\/[^"]*)"/g)].map(([, href]) => href)).toEqual([
      '/runs/20261121T014712Z-7f3a/report.html',
      '/runs/20261121T014712Z-a41e/report.html',
    ]);
    expect(text.match(/<tr data-state="/g)).toHaveLength(3);
    expect(text).not.toMatch(/src=|https?:/);
  });

  test('says when there are none', () => {
    expect(renderIndexPage([])).toContain('There are none yet.');
  });

  test('shows hostile words as words', () => {
    const hostile = `"><script>alert(1)</script><img src=x onerror='x'>`;
    const summary = ROWS[0]?.summary;
    if (summary === undefined) throw new Error('no summary');
    const bad = { ...summary, sentence: hostile, system: hostile, faults: [hostile] };
    const text = renderIndexPage([{ ...CRASHED, state: 'fail', summary: bad }]);
    parseMarkup(text, 'html');
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toContain('<img');
  });
});
