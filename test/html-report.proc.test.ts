/** The report as it was written in Node, without its program, opened from `file://`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderHtml } from '../reports/html/report.ts';
import { renderSuiteHtml } from '../reports/html/suite.ts';
import { lostWriteRun } from '../reports/testing/fixture-lost-write.ts';
import {
  errorRun,
  type FixtureRun,
  failRun,
  passRun,
  shortRun,
  unknownRun,
} from '../reports/testing/fixture-result.ts';
import { previousSuite, suiteResult } from '../reports/testing/fixture-suite-page.ts';
import { trendNights } from '../reports/testing/fixture-trend.ts';
import { renderTrendPage } from '../reports/trend/page.ts';
import { unclean } from './axe.ts';
import { describeWith } from './requires.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser;
let folder: string;

interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** Errors, warnings (violations of the policy are among them), and requests but the page itself. */
  readonly complaints: readonly string[];
}

async function opened({ result, history }: FixtureRun, width = 1280): Promise<Opened> {
  return openedText(renderHtml(result, history, { script: '' }), width);
}

async function openedText(text: string, width = 1280, hash = ''): Promise<Opened> {
  const path = join(folder, 'report.html');
  await writeFile(path, text);
  const page = await browser.newPage({ colorScheme: 'light', viewport: { width, height: 900 } });
  const complaints: string[] = [];
  const address = pathToFileURL(path).href;
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => {
    const url = request.url();
    if (url.split('#')[0] !== address && url !== 'data:,') complaints.push(`request to ${url}`);
  });
  await page.goto(`${address}${hash}`);
  return {
    page,
    complaints,
    [Symbol.asyncDispose]: () => page.close(),
  };
}

const RUNS: readonly (readonly [string, () => FixtureRun, string])[] = [
  ['fail', lostWriteRun, '✗ FAIL'],
  ['pass', passRun, '✓ PASS'],
  ['short', shortRun, '✓ PASS'],
  ['unknown', unknownRun, '? UNKNOWN'],
  ['error', errorRun, '✗ ERROR'],
];

const BACKGROUNDS = [
  ['light', 'rgb(255, 255, 255)'],
  ['dark', 'rgb(16, 20, 24)'],
] as const;

/** Texts of a plot that stand outside of it, or lie over another text. */
const MISPLACED = `[...document.querySelectorAll('svg[role=img]')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll('text')]
    .map((text) => [text.textContent, text.getBoundingClientRect()]);
  const outside = boxes.filter(([, box]) =>
    box.left < frame.left - 1 || box.right > frame.right + 1 ||
    box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
  const over = boxes.flatMap(([a, p], i) => boxes.slice(i + 1)
    .filter(([, q]) => p.left < q.right - 1 && q.left < p.right - 1
      && p.top < q.bottom - 2 && q.top < p.bottom - 2)
    .map(([b]) => a + ' over ' + b));
  return [...outside.map(([text]) => text + ' is cut'), ...over];
})`;

/** The texts of each time axis. */
const AXES = `[...document.querySelectorAll('svg.plot g')]
  .map((g) => [...g.querySelectorAll('text')].map((text) => text.textContent).join(' '))
  .filter((text) => text.endsWith('seconds'))`;

/** Words of the page whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3). */
const CONTRASTS = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/^rgba.*, 0\\)$/.test(color)) return color;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  return [...document.querySelectorAll('main *, header *, footer *')]
    .filter((element) => element.closest('svg') === null)
    .filter((element) => [...element.childNodes]
      .some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
    .flatMap((element) => {
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return ratio >= 4.5 ? [] : [element.textContent.slice(0, 40) + ' ' + ratio.toFixed(2)];
    });
})()`;

describeWith('chromium', 'the report without its program in a browser', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'schism-report-'));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(RUNS)('the page of a run that ends %s', (_, make, words) => {
    test('opens without a complaint, light and dark', async () => {
      await using open = await opened(make());
      const { page } = open;
      expect(await page.locator('h1').innerText()).toContain(words);
      for (const [colorScheme, colour] of BACKGROUNDS) {
        await page.emulateMedia({ colorScheme });
        const background = 'getComputedStyle(document.body).backgroundColor';
        expect(await page.evaluate(background)).toBe(colour);
        // Words that do not stand out from what is behind them.
        expect(await page.evaluate(CONTRASTS)).toEqual([]);
      }
      const picture = await page.screenshot({ fullPage: true });
      expect(picture.length).toBeGreaterThan(10_000);
      expect(open.complaints).toEqual([]);
    });
  });

  describe('what the plots show', () => {
    test.each([
      ['fail', lostWriteRun],
      ['short', shortRun],
    ] as const)('%s: no label is cut or lies over another', async (_, make) => {
      await using open = await opened(make());
      expect(await open.page.evaluate(MISPLACED)).toEqual([]);
    });

    test('three plots over one time axis, each with its key and numbers', async () => {
      await using open = await opened(passRun());
      const plots = open.page.locator('svg.plot[role=img]');
      expect(await plots.count()).toBe(3);
      for (const plot of await plots.all()) {
        const box = await plot.boundingBox();
        expect(box?.height ?? 0).toBeGreaterThan(100);
        expect(await plot.locator('text', { hasText: 'seconds' }).count()).toBe(1);
        expect(await plot.locator('..').locator('..').locator('.key').count()).toBeGreaterThan(2);
      }
      const axes = await open.page.evaluate(AXES);
      const axis = '0 5 10 15 20 25 30 35 40 45 50 55 60 seconds';
      expect(axes).toEqual([axis, axis, axis]);
    });

    test('a narrow window scrolls inside its boxes, never as a whole', async () => {
      await using open = await opened(failRun(), 400);
      const over = await open.page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(over).toBe(0);
    });
  });

  test.for([1280, 400])('the page of the trend is clean for axe, %d wide', async (width) => {
    await using open = await openedText(renderTrendPage(trendNights(), '1.2.3'), width);
    expect(await unclean(open.page)).toEqual([]);
    await open.page.emulateMedia({ colorScheme: 'dark' });
    expect(await unclean(open.page, ['color-contrast'])).toEqual([]);
    expect(open.complaints).toEqual([]);
    const over = await open.page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(over).toBe(0);
  });

  describe('the page of a suite', () => {
    const text = renderSuiteHtml(suiteResult(), {
      previous: previousSuite(),
      link: ({ dir }) => `${dir}/report.html`,
    });

    test('opens without a complaint or a request, and clean for axe in both themes', async () => {
      await using open = await openedText(text, 1280, '#test-1');
      expect(await unclean(open.page)).toEqual([]);
      await open.page.emulateMedia({ colorScheme: 'dark' });
      expect(await unclean(open.page, ['color-contrast'])).toEqual([]);
      expect(open.complaints).toEqual([]);
    });

    test('can be searched, filtered, sorted, and walked through by keys', async () => {
      await using open = await openedText(text);
      const { page } = open;
      const shown = async (): Promise<readonly string[]> =>
        page.locator('table.tests tbody:not([hidden]) th').allInnerTexts();
      expect(await shown()).toHaveLength(6);
      await page.keyboard.press('/');
      await page.keyboard.type('halves serial');
      expect(await shown()).toEqual([expect.stringContaining('[serializable]')]);
      await page.locator('#search').fill('');
      await page.getByLabel('Show').selectOption('new');
      expect(await shown()).toEqual([expect.stringMatching(/pause-leader\s+\[linearizable\]/)]);
      await page.getByLabel('Show').selectOption('');
      await page.getByRole('button', { name: 'test' }).click();
      expect((await shown())[0]).toContain('bank/kill-all');
      await page.getByRole('button', { name: 'verdict' }).click();
      expect((await shown())[0]).toContain('pause-leader');
      await page.keyboard.press('n');
      expect(new URL(page.url()).hash).toBe('#test-1');
      expect(await page.locator('#test-1 details').getAttribute('open')).toBe('');
      expect(await page.locator('#test-1 pre').isVisible()).toBe(true);
      await page.keyboard.press('p');
      expect(new URL(page.url()).hash).not.toBe('#test-1');
    });

    test('a narrow window scrolls inside its boxes, never as a whole', async () => {
      await using open = await openedText(text, 400);
      const over = await open.page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(over).toBe(0);
    });
  });
});
