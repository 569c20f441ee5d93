import { expect, test } from 'vitest';
import { failSuite } from '../testing/fixture-suite.ts';
import { trendNights } from '../testing/fixture-trend.ts';
import { figuresOf } from './figures.ts';
import { renderTrendPage } from './page.ts';

test('the page shows tests, findings and figures of all nights, without scripts', () => {
  const text = renderTrendPage(trendNights(), '1.2.3');
  expect(text).toContain('12 suites');
  expect(text).toContain('stale-read');
  expect(text).toMatch(/aria-label="operations that succeeded, a second: /);
  expect(text).toContain('✗ ongoing');
  expect(text).not.toContain('<script');
  expect(text).not.toMatch(/undefined|NaN|\[object/);
});

test('the order in which suites are given changes nothing', () => {
  const nights = trendNights();
  expect(renderTrendPage(nights.toReversed(), '1')).toBe(renderTrendPage(nights, '1'));
});

test('without any suite it says so', () => {
  expect(renderTrendPage([], '1')).toContain('There are no suites yet.');
});

test('what a suite from elsewhere says is text, and figures that are none are left out', () => {
  const evil = '<img src=x onerror=alert(1)>';
  const suite = failSuite();
  const [first, ...rest] = suite.tests;
  const test0 = {
    ...first,
    test: { id: evil, title: evil, project: evil },
    runs: first?.runs.map((run) => ({
      ...run,
      verdict: 'fail' as const,
      anomalies: [evil],
      fingerprint: evil,
      throughput: evil as unknown as number,
      longestGapMs: Number.POSITIVE_INFINITY,
    })),
  } as (typeof suite.tests)[number];
  const strange = { ...suite, tests: [test0, ...rest], explored: { fresh: evil } as never };
  const text = renderTrendPage([strange], evil);
  expect(text).not.toContain('<img');
  expect(text).not.toMatch(/NaN|Infinity/);
  expect(figuresOf([strange])[0]).not.toHaveProperty('fresh');
});
