import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { historyOf } from '../../harness/history/history.ts';
import {
  errorRun,
  type FixtureRun,
  failRun,
  fixtureConfig,
  fixtureManifest,
  interruptedRun,
  passRun,
  shortRun,
  unknownRun,
} from '../testing/fixture-result.ts';
import { allElements, type ParsedElement, parseMarkup, textOf } from '../testing/markup-parser.ts';
import { escapeHtml, html, markupText } from './markup.ts';
import { renderHtml } from './report.ts';

function page({ result, history }: FixtureRun): ParsedElement {
  return parseMarkup(renderHtml(result, history, { script: '' }), 'html');
}

function plots(root: ParsedElement): readonly string[] {
  return allElements(root)
    .filter(({ name, attributes }) => name === 'svg' && attributes.get('role') === 'img')
    .map(({ attributes }) => attributes.get('aria-label') ?? '');
}

const RUNS: readonly (readonly [string, () => FixtureRun])[] = [
  ['pass', passRun],
  ['short', shortRun],
  ['fail', failRun],
  ['unknown', unknownRun],
  ['error', errorRun],
  ['interrupted', interruptedRun],
];

describe.each(RUNS)('the page of a run that ends %s', (_, make) => {
  const run = make();
  const text = renderHtml(run.result, run.history, { script: '' });
  const elements = allElements(parseMarkup(text, 'html'));

  test('without its program has no script, no address to fetch from, and forbids both', () => {
    const names = new Set(elements.map(({ name }) => name));
    for (const name of ['script', 'img', 'iframe', 'object', 'embed', 'base', 'form'])
      expect(names).not.toContain(name);
    const attributes = elements.flatMap((element) => [...element.attributes]);
    expect(attributes.filter(([name]) => name.startsWith('on') || name === 'src')).toEqual([]);
    const links = attributes.filter(([name]) => name === 'href').map(([, value]) => value);
    expect(links).toEqual(['data:,']);
    const csp = elements.find(({ attributes: has }) => has.get('http-equiv') !== undefined);
    expect(csp?.attributes.get('content')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    );
  });

  test('never shows what is not a figure', () => {
    expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  test('can be read without seeing it', () => {
    const [root] = elements;
    expect(root?.attributes.get('lang')).toBe('en');
    const tables = elements.filter(({ name }) => name === 'table');
    for (const table of tables) {
      const inside = allElements(table);
      expect(inside.some(({ name }) => name === 'caption')).toBe(true);
      const heads = inside.filter(({ name }) => name === 'th');
      expect(heads.every(({ attributes }) => attributes.has('scope'))).toBe(true);
    }
    const drawings = elements.filter(
      ({ name, attributes }) => name === 'svg' && attributes.get('aria-hidden') !== 'true',
    );
    for (const drawing of drawings)
      expect((drawing.attributes.get('aria-label') ?? '').length).toBeGreaterThan(20);
  });
});

test('a failing run: the sentence, the counterexample, and three plots over time', () => {
  const root = page(failRun());
  const text = textOf(root);
  expect(text).toContain('✗ FAIL');
  expect(text).toContain('Client c903 read k99 = 41 at 36.000 s from n3.');
  expect(text).toContain('observed, not proof of cause');
  expect(text).toContain('npx schism run --system etcd');
  expect(plots(root)).toEqual([
    '3 operations in the order of their begins and ends: c901 write 41, ok; c902 write 42, ok; c903 read → 41, ok.',
    'Timeline of 60.0 seconds: 5 faults, roles of 5 nodes, 1 violation.',
    expect.stringMatching(/^Operations a second over 60.0 seconds: /),
    expect.stringMatching(/^Latency on a logarithmic scale over 60.0 seconds/),
  ]);
});

describe('the page with its program', () => {
  const program = 'document.title += "</script><!--";';
  const run = failRun();
  const text = renderHtml(run.result, run.history, { script: program });
  const scripts = allElements(parseMarkup(text, 'html')).filter(({ name }) => name === 'script');

  test('carries data that no browser runs, and one script that the policy allows by its hash', () => {
    expect(scripts.map(({ attributes }) => attributes.get('type'))).toEqual([
      'application/gzip',
      undefined,
    ]);
    const [data = '', own = ''] = scripts.map((script) => textOf(script));
    expect(data).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const hash = createHash('sha256').update(own).digest('base64');
    expect(text).toContain(`script-src &#39;sha256-${hash}&#39;`);
  });

  test('nothing in the program ends its element', () => {
    const source = textOf(scripts[1] ?? { name: '', attributes: new Map(), children: [] });
    expect(source).toBe(String.raw`document.title += "<\/script><\!--";`);
  });

  test('shows the same without it', () => {
    const bare = renderHtml(run.result, run.history, { script: '' });
    const visible = (whole: string): string =>
      textOf(parseMarkup(whole.replaceAll(/<script[^]*?<\/script>/g, ''), 'html')).trim();
    expect(visible(text)).toBe(visible(bare));
  });
});

test('a run without history says so instead of drawing nothing', () => {
  const root = page(errorRun());
  expect(plots(root)).toEqual([]);
  expect(textOf(root)).toContain('there is nothing to draw');
  expect(textOf(root)).toContain('address already in use');
});

test('one operation that never ended is a page, too', () => {
  const { result } = shortRun();
  const history = historyOf([passRun().history.op(0)]);
  const text = renderHtml({ ...result, phases: [] }, history, { script: '' });
  expect(text).not.toMatch(/NaN|Infinity/);
  expect(textOf(parseMarkup(text, 'html'))).toContain('The run over time');
});

test('a run of ten milliseconds fills its axis', () => {
  const run = shortRun();
  const history = historyOf([...run.history.ops()].filter((op) => op.time < 10e6));
  const text = renderHtml({ ...run.result, phases: [] }, history, { script: '' });
  expect(text).not.toMatch(/NaN|Infinity/);
});

test('a hundred thousand operations stay well under 1 MB', { timeout: 60_000 }, () => {
  const run = passRun({ seconds: 120, clients: 30, rate: 1200 });
  expect(run.history.length).toBeGreaterThan(195_000);
  expect(renderHtml(run.result, run.history, { script: '' }).length).toBeLessThan(400_000);
});

test('thousands of faults and leader changes stay under 1 MB', { timeout: 60_000 }, () => {
  const run = passRun();
  const [band] = run.result.checks.flatMap(({ details }) => (details['events'] ?? []) as object[]);
  const events = Array.from({ length: 20_000 }, (_, at) => ({ ...band, id: `${at}` }));
  const checks = run.result.checks.map((check) =>
    check.checker === 'evidence' ? { ...check, details: { kinds: [], events } } : check,
  );
  const text = renderHtml({ ...run.result, checks }, run.history, { script: '' });
  expect(text.length).toBeLessThan(1_000_000);
  expect(text).toContain('more, not shown here');
});

test('the seed is shown as it is typed, settings one a line', () => {
  const { result, history } = passRun();
  const manifest = fixtureManifest({ config: fixtureConfig({ seed: 255 }) });
  const text = textOf(
    parseMarkup(renderHtml({ ...result, manifest }, history, { script: '' }), 'html'),
  );
  expect(text).toContain('seed0x000000ff');
  expect(text).toContain('workloadOptions.rate500');
});

describe('escaping', () => {
  const evil = `</script><script>alert(1)</script>"'\`&<!-- \u001b[31m\u0000\u009b\ud800`;

  test('nothing of a value is markup', () => {
    expect(escapeHtml(evil)).toBe(
      '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&#96;&amp;&lt;!-- \ufffd',
    );
  });

  test('templates escape text, join lists, keep pieces, and drop what is absent', () => {
    const piece = html`<b title="${'"'}">${['<', html`<i>${1}</i>`, false, undefined, Number.NaN]}</b>`;
    expect(markupText(piece)).toBe('<b title="&quot;">&lt;<i>1</i>–</b>');
  });

  test('an object that looks like a piece is none', () => {
    const forged = JSON.parse('{"markup":"<script>","html":"<script>"}') as string;
    expect(() => markupText(html`<p>${forged}</p>`)).not.toThrow();
    expect(markupText(html`<p>${forged}</p>`)).not.toContain('<script>');
  });
});
