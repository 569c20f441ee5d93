import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { SuiteRun } from '../../harness/protocols/suite.ts';
import {
  previousSuite,
  suiteResult,
  suiteRun,
  suiteTest,
  suiteTests,
} from '../testing/fixture-suite-page.ts';
import { allElements, type ParsedElement, parseMarkup, textOf } from '../testing/markup-parser.ts';
import { renderSuiteHtml, type SuiteHtmlOptions } from './suite.ts';
import { propertyRows, testRows } from './suite-rows.ts';

const link = (run: SuiteRun): string => `${run.dir}/report.html`;

function page(options: Partial<SuiteHtmlOptions> = {}, result = suiteResult()): ParsedElement {
  const text = renderSuiteHtml(result, { link, ...options });
  // What the script says is no markup.
  return parseMarkup(text.replace(/<script>.*<\/script>/s, ''), 'html');
}

function headings(root: ParsedElement): readonly string[] {
  return allElements(root)
    .filter(({ name }) => name === 'h2')
    .map(textOf);
}

function links(root: ParsedElement): readonly string[] {
  return allElements(root).flatMap(({ name, attributes }) =>
    name === 'a' ? [attributes.get('href') ?? ''] : [],
  );
}

describe('the rows of a suite', () => {
  test('put repeats together, with the rate of violations and its interval', () => {
    const [first] = testRows(suiteResult());
    expect(first).toMatchObject({
      title: 'register/pause-leader',
      project: 'linearizable',
      place: 'chaos/register.chaos.ts:12',
      outcome: 'fail',
      operations: 4 * 14_607,
      availability: 0.972,
      rate: { found: 1, of: 4 },
    });
    expect(first?.faults).toContainEqual({ fault: 'pause', tookEffect: 24, begun: 24 });
    expect(first?.rate?.low).toBeCloseTo(0.0456, 3);
  });

  test('leave runs that the machine spoiled out of the rate', () => {
    const runs = [suiteRun('a', 'fail'), suiteRun('b', 'error'), suiteRun('c', 'pass')];
    const [row] = testRows(suiteResult([suiteTest('t', 'fail', runs)]));
    expect(row?.rate).toMatchObject({ found: 1, of: 2 });
  });

  test('say against the suite before what is new, goes on failing, or is fixed', () => {
    const before = previousSuite();
    const changes = testRows(suiteResult(), before).map(({ change }) => change);
    expect(changes).toEqual(['new', undefined, undefined, undefined, undefined, undefined]);
    const again = testRows(suiteResult(), suiteResult());
    expect(again[0]?.change).toBe('still failing');
    const fixed = suiteResult([
      suiteTest('register/halves', 'pass', [suiteRun('x', 'pass')], { project: 'linearizable' }),
    ]);
    expect(testRows(fixed, before)[0]?.change).toBe('fixed');
    expect(testRows(fixed)[0]?.change).toBeUndefined();
  });

  test('count each check over all runs, what is broken first and thresholds last', () => {
    const rows = propertyRows(testRows(suiteResult()));
    expect(
      rows.map(({ checker, valid, invalid, unknown }) => [checker, valid, invalid, unknown]),
    ).toEqual([
      ['linearizable', 5, 2, 1],
      ['availability', 8, 0, 0],
      ['thresholds', 8, 0, 0],
    ]);
    expect(rows[0]?.broken.map(({ isExpected }) => isExpected)).toEqual([false, true]);
  });
});

describe('the page of a suite', () => {
  test('goes from the environment over what was exercised to what held, test by test', () => {
    const root = page();
    expect(headings(root)).toEqual(['Environment', 'Utilization', 'Properties', 'Tests']);
    const text = textOf(root);
    expect(text).toContain('6 tests: 1 failed, 1 in error, 1 unknown, 1 not run, 2 passed');
    expect(text).toContain('⚠ never took effect');
    expect(text).toContain('1 of 4 (95\u00a0% interval 5\u00a0% to 70\u00a0%)');
    expect(text).toContain('2 of 4, of 24 tests');
    expect(text).toContain('a violation is expected');
    expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  test('leads to the report of every run, and to every test that did not pass', () => {
    const root = page();
    const runs = suiteTests().flatMap((one) => one.runs);
    for (const run of runs) expect(links(root)).toContain(link(run));
    const ids = allElements(root).map(({ attributes }) => attributes.get('id'));
    for (const href of links(root).filter((one) => one.startsWith('#')))
      expect(ids).toContain(href.slice(1));
  });

  test.each([
    'javascript:alert(1)',
    'https://example.org/',
    '//example.org/',
    String.raw`\\host\x`,
  ])('never leads to %s', (address) => {
    expect(links(page({ link: () => address })).filter((href) => !href.startsWith('#'))).toEqual(
      [],
    );
  });

  test('allows its own script alone, and asks for nothing', () => {
    const text = renderSuiteHtml(suiteResult(), { link, previous: previousSuite() });
    const [, script = ''] = /<script>(.*)<\/script>/s.exec(text) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    const policies = allElements(page()).filter(({ attributes }) => attributes.has('http-equiv'));
    expect(policies.map(({ attributes }) => attributes.get('content'))).toEqual([
      `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:`,
    ]);
    expect(text.match(/<script/g)).toHaveLength(1);
    const sources = allElements(page()).flatMap(({ attributes }) => attributes.get('src') ?? []);
    expect(sources).toEqual([]);
  });

  test('of a suite without tests says that nothing was selected', () => {
    const text = textOf(page({}, { ...suiteResult([]), exitCode: 4 }));
    expect(text).toContain('Nothing was selected to run.');
    expect(text).toContain('exit 4');
  });

  test('shows what comes from outside as text', () => {
    const evil = `</script><img src=x onerror=alert(1)>\u001b[31m\u2028"'\u0000\ud800`;
    const run = suiteRun(evil, 'fail', {
      text: evil,
      dir: evil,
      fingerprint: evil,
      checks: [{ checker: evil, verdict: 'invalid', line: evil, kind: evil }],
      faults: [{ fault: evil, tookEffect: 1, begun: 1 }],
    });
    const one = suiteTest(evil, 'fail', [run], { project: evil });
    const base = suiteResult([one, suiteTest(evil, 'pass', [], { project: 'other' })]);
    const { manifest } = base;
    const result = { ...base, manifest: { ...manifest, suite: evil, seed: evil, argv: [evil] } };
    const text = renderSuiteHtml(result, { link, previous: result });
    expect(text.match(/<script|<\/script/g)).toHaveLength(2);
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/<img|[\u0000\u001b\u2028\ud800]/);
    expect(textOf(page({ previous: result }, result))).toContain('<img src=x onerror=alert(1)>');
  });
});
