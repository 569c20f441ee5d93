/** The interactive report in a real browser, opened from `file://` as its readers do. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { historyOf } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import { logLine } from '../reports/html/node-logs.ts';
import { type HtmlOptions, renderHtml } from '../reports/html/report.ts';
import { lostWriteRun } from '../reports/testing/fixture-lost-write.ts';
import {
  errorRun,
  type FixtureRun,
  failRun,
  passRun,
  shortRun,
  unknownRun,
} from '../reports/testing/fixture-result.ts';
import { unclean } from './axe.ts';
import { describeWith } from './requires.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-sync',
];

let browser: Browser;
let folder: string;
let script: string;

interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** Errors, warnings (violations of the policy are among them), and requests but the page itself. */
  readonly complaints: readonly string[];
}

interface Way extends BrowserContextOptions {
  readonly hash?: string;
  readonly html?: HtmlOptions;
  /** What to do to the file before it is opened. */
  readonly spoil?: (text: string) => string;
}

async function opened({ result, history }: FixtureRun, way: Way = {}): Promise<Opened> {
  const { hash = '', html, spoil = (text) => text, ...options } = way;
  const path = join(folder, 'report.html');
  await writeFile(path, spoil(renderHtml(result, history, { script, ...html })));
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const address = pathToFileURL(path).href;
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('dialog', (dialog) => complaints.push(`dialog ${dialog.message()}`));
  page.on('request', (request) => {
    const url = request.url();
    if (url.split('#')[0] !== address && url !== 'data:,') complaints.push(`request to ${url}`);
  });
  await page.goto(`${address}${hash}`);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until the timeline was painted. */
async function live(run: FixtureRun, way: Way = {}): Promise<Opened> {
  const open = await opened(run, way);
  await open.page.waitForSelector('html[data-live]');
  return open;
}

function addressOf(page: Page): URLSearchParams {
  return new URLSearchParams(new URL(page.url()).hash.slice(1));
}

async function addressBecomes(page: Page, pattern: RegExp): Promise<void> {
  await page.waitForURL((url) => pattern.test(url.hash));
}

const RUNS: readonly (readonly [string, () => FixtureRun])[] = [
  ['fail', lostWriteRun],
  ['pass', passRun],
  ['short', shortRun],
  ['unknown', unknownRun],
];

/** In place of the clipboard, which belongs to the whole machine. */
const CATCH_COPIES = `window.copied = [];
Object.defineProperty(navigator, 'clipboard', {
  value: { writeText: (text) => { copied.push(text); return Promise.resolve(); } },
})`;

const LOGS = [
  {
    node: 'n3',
    left: 2,
    lines: ['35.5', '36.001', '50'].map((second) => {
      const at = new Date(Number(second) * 1000).toISOString();
      const line = logLine(`{"ts":"${at}","level":"info","msg":"said at ${second}"}`, 'n3', 0);
      expect.assert(line !== undefined);
      return line;
    }),
  },
];

describeWith('chromium', 'the interactive report', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'schism-page-'));
    const outDir = join(folder, 'built');
    await build({ logLevel: 'error', build: { outDir, emptyOutDir: true } });
    script = await readFile(join(outDir, 'page.js'), 'utf8');
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  });

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(RUNS)('of a run that ends %s', (_, make) => {
    test('opens without a complaint, without a request, and clean for axe in both themes', async () => {
      await using open = await live(make(), { colorScheme: 'light', html: { logs: LOGS } });
      expect(await unclean(open.page)).toEqual([]);
      await open.page.emulateMedia({ colorScheme: 'dark' });
      // Nothing but colours differs.
      expect(await unclean(open.page, ['color-contrast'])).toEqual([]);
      expect(await open.page.locator('.timeline canvas[role=img]').count()).toBe(2);
      expect(open.complaints).toEqual([]);
    });
  });

  test('a run without operations is the static page, and says nothing of scripts', async () => {
    await using open = await opened(errorRun());
    await expect.poll(() => open.page.locator('.copy').count()).toBeGreaterThan(0);
    expect(await open.page.locator('body').innerText()).toContain('there is nothing to draw');
    expect(open.complaints).toEqual([]);
  });

  describe('the keyboard', () => {
    test('zooms, moves, searches, and goes to the table', async () => {
      await using open = await live(failRun());
      const { page } = open;
      await page.keyboard.press('0');
      await addressBecomes(page, /t=0-60&/);
      await page.keyboard.press('+');
      await addressBecomes(page, /t=15-45&/);
      await page.locator('.stage canvas').first().focus();
      await page.keyboard.press('ArrowRight');
      await addressBecomes(page, /t=18.75-48.75/);
      await page.keyboard.press('n');
      await addressBecomes(page, /t=32.78-38&violation=1/);
      await page.keyboard.press('k');
      await addressBecomes(page, /key=k99/);
      await page.keyboard.press('/');
      await page.keyboard.type('k');
      expect(addressOf(page).get('key')).toBe('k99');
      expect(await page.locator('#search').inputValue()).toBe('k');
      await page.locator('#search').blur();
      await page.keyboard.press('t');
      await expect.poll(() => page.evaluate('document.activeElement.className')).toBe('rows');
      await page.keyboard.press('?');
      expect(await page.locator('dialog').isVisible()).toBe(true);
      await page.keyboard.press('Escape');
      expect(await page.locator('dialog').isVisible()).toBe(false);
      expect(open.complaints).toEqual([]);
    });
  });

  describe('the pointer', () => {
    test('shows an operation, picks it, and a link to it leads back', async () => {
      const run = failRun();
      await using open = await live(run);
      const { page } = open;
      await page.getByLabel('Key', { exact: true }).fill('k99');
      await page.getByRole('button', { name: /^36\.000$/ }).click();
      const card = page.locator('.card');
      expect(await card.innerText()).toContain('read → 41');
      await addressBecomes(page, /op=\d+/);
      const hash = new URL(page.url()).hash;
      await using again = await live(run, { hash });
      expect(await again.page.locator('.card').innerText()).toBe(await card.innerText());
      await again.page.getByRole('button', { name: 'Close' }).first().click();
      expect(await again.page.locator('.card').count()).toBe(0);
    });

    test('takes along an operation, a table and a counterexample', async () => {
      await using open = await live(failRun());
      const { page } = open;
      await page.evaluate(CATCH_COPIES);
      const copied = async (name: string | RegExp): Promise<string> => {
        await page.getByRole('button', { name, exact: true }).first().click();
        return page.evaluate<string>('copied.shift()');
      };
      const ticket = await copied('Copy as Markdown');
      expect(ticket).toMatch(/^### `linearizable · stale-read · key k99`\n\n```text\nClient c/);
      expect(ticket).toContain('| `read → 41` | `ok` | `36.000` |');
      await page.getByLabel('Key', { exact: true }).fill('k99');
      await page.getByRole('button', { name: /^36\.000$/ }).click();
      expect(JSON.parse(await copied('Copy as JSON'))).toMatchObject({ operation: 'read → 41' });
      const [invoked, ended] = (await copied('Copy as EDN')).split('\n');
      expect(invoked).toMatch(
        /^\{:type :invoke, :process \d+, :f :read, :value \["k99" nil\], :time 36000000000,/,
      );
      expect(ended).toMatch(/^\{:type :ok, :process \d+, :f :read, :value \["k99" 41\], /);
      const rows = JSON.parse(await copied(/^Copy \d+ as JSON$/)) as unknown[];
      expect((await copied('as EDN')).split('\n').length).toBe(2 * rows.length);
    });

    test('brushes a window in the overview, and zooms with the wheel', async () => {
      await using open = await live(passRun());
      const { page } = open;
      const box = await page.locator('.minimap').boundingBox();
      expect.assert(box !== null);
      const at = (share: number): number => box.x + 86 + share * (box.width - 102);
      await page.mouse.move(at(0.5), box.y + 20);
      await page.mouse.down();
      await page.mouse.move(at(0.75), box.y + 20, { steps: 4 });
      await page.mouse.up();
      await expect.poll(() => addressOf(page).get('t')).toMatch(/^(29|30)(\.\d+)?-4[45]/);
      const stage = page.locator('.stage canvas').first();
      await stage.focus();
      await stage.hover();
      await page.mouse.wheel(0, -400);
      await expect
        .poll(() => {
          const [from = 0, to = 0] = (addressOf(page).get('t') ?? '').split('-').map(Number);
          return to - from;
        })
        .toBeLessThan(12);
      expect(open.complaints).toEqual([]);
    });

    test('over a plot shows the same time in the timeline', async () => {
      await using open = await live(passRun());
      const { page } = open;
      const over = page.locator('.u-over').first();
      await over.hover();
      const second = page.locator('.u-legend').nth(1).locator('.u-value').first();
      await expect.poll(() => second.innerText()).toMatch(/^\d+\.\d$/);
    });
  });

  test('an address leads to a violation, a time, a key and an operation at once', async () => {
    const run = failRun();
    const read = run.result.checks[0]?.anomalies[0]?.ops.at(-1) ?? -1;
    await using open = await live(run, { hash: `#violation=1&t=30-40&key=k99&op=${read}` });
    const { page } = open;
    expect(await page.locator('.card').innerText()).toContain('read → 41');
    expect(await page.getByLabel('Key', { exact: true }).inputValue()).toBe('k99');
    expect(await page.locator('.stage canvas').first().getAttribute('aria-label')).toContain(
      'from 30.000 to 40.000 s',
    );
    await page.evaluate("location.hash = '#t=1-2'");
    await page.locator('.card').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Key', { exact: true }).inputValue()).toBe('');
  });

  test('the table holds every operation, sorts and scrolls to the last', async () => {
    const run = passRun();
    await using open = await live(run);
    const { page } = open;
    await page.getByLabel('only the window of the timeline').uncheck();
    const table = page.locator('#every-operation table');
    const operations = [...run.history.operations()].length;
    expect(await table.getAttribute('aria-rowcount')).toBe(String(operations + 1));
    await page.evaluate("document.querySelector('#every-operation .rows').scrollTop = 1e9");
    const last = table.locator(`tr[aria-rowindex="${operations + 1}"]`);
    await last.waitFor();
    await table.getByRole('button', { name: 'duration' }).click();
    await table.getByRole('button', { name: 'duration' }).click();
    expect(await table.locator('th[aria-sort=descending]').innerText()).toContain('duration');
    expect(await table.locator('tbody tr[aria-rowindex]').count()).toBeLessThan(60);
    await page.getByRole('combobox', { name: 'Outcome' }).selectOption('failed');
    const shown = await table.locator('tbody tr[aria-rowindex] td:nth-child(7)').allInnerTexts();
    expect(shown.length).toBeGreaterThan(5);
    expect(shown.every((text) => text.startsWith('failed'))).toBe(true);
  });

  test('logs are those of the window, and can be filtered', async () => {
    await using open = await live(failRun(), { html: { logs: LOGS } });
    const rows = open.page.locator('#logs tbody tr');
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringContaining('said at 35.5'),
      expect.stringContaining('said at 36.001'),
    ]);
    await open.page.locator('#logs input[type=search]').fill('36');
    expect(await rows.count()).toBe(1);
    await open.page.locator('#logs input[type=checkbox]').uncheck();
    expect(await rows.count()).toBe(0);
  });

  test('colours can be chosen against the system’s', async () => {
    await using open = await live(passRun(), { colorScheme: 'light' });
    const background = 'getComputedStyle(document.body).backgroundColor';
    await open.page.getByLabel('Colours').selectOption('dark');
    expect(await open.page.evaluate(background)).toBe('rgb(16, 20, 24)');
    await open.page.getByLabel('Colours').selectOption('light');
    expect(await open.page.evaluate(background)).toBe('rgb(255, 255, 255)');
  });

  test('on paper stands what was written in Node', async () => {
    await using open = await live(failRun());
    const plots = open.page.locator('svg.plot');
    expect(await plots.first().isVisible()).toBe(false);
    await open.page.emulateMedia({ media: 'print' });
    expect(await plots.first().isVisible()).toBe(true);
    expect(await open.page.locator('.timeline').isVisible()).toBe(false);
  });

  test('a narrow window scrolls inside its boxes, never as a whole', async () => {
    await using open = await live(failRun(), { viewport: { width: 400, height: 800 } });
    const over = await open.page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(over).toBe(0);
  });

  describe('when something is wrong', () => {
    test('without scripts all is there to read', async () => {
      await using open = await opened(failRun(), { javaScriptEnabled: false });
      expect(await open.page.locator('svg.plot').count()).toBe(3);
      expect(await open.page.locator('svg.plot').first().isVisible()).toBe(true);
      expect(await open.page.locator('h1').innerText()).toContain('FAIL');
    });

    test('damaged data leave the page as it was written, and say so', async () => {
      await using open = await opened(failRun(), {
        spoil: (text) => text.replace(/(id="run-data">.{2000}).{500}/, '$1'),
      });
      const note = open.page.getByText('The interactive part of this page could not start');
      await note.waitFor();
      expect(await open.page.locator('svg.plot').first().isVisible()).toBe(true);
      expect(await open.page.locator('html[data-live]').count()).toBe(0);
    });

    test('a changed script does not run at all', async () => {
      await using open = await opened(failRun(), {
        spoil: (text) => text.replace('<script>', "<script>document.title = 'changed';"),
      });
      await expect.poll(() => open.complaints.join()).toContain('Content Security Policy');
      expect(await open.page.title()).toContain('FAIL');
    });

    test('whatever a store or a log says is text', async () => {
      await using open = await live(hostileRun(), {
        html: { logs: [{ node: EVIL, left: 0, lines: [evilLine()] }] },
        hash: `#key=${encodeURIComponent(EVIL.toWellFormed())}`,
      });
      const { page } = open;
      await page.keyboard.press('0');
      await page.locator('#search').fill('');
      await page.getByLabel('Key', { exact: true }).fill('');
      await page.locator('#every-operation td button').first().click();
      await page.locator('.card').waitFor();
      await page.locator('.stage canvas').first().hover();
      expect(await page.locator('.card').innerText()).toContain('<img src=x');
      expect(await page.locator('#logs').innerText()).toContain('<img src=x');
      expect(await page.locator('img, iframe, object, embed, form:not(dialog form)').count()).toBe(
        0,
      );
      expect(await page.title()).not.toContain('pwned');
      // oxlint-disable-next-line no-control-regex
      expect(await page.locator('body').innerText()).not.toMatch(/[\u0000-\u0008\u001b\u202e]/);
      expect(open.complaints).toEqual([]);
    });
  });

  test('a hundred thousand operations make a file of less than 2 MB', async () => {
    const run = passRun({ seconds: 120, clients: 30, rate: 1200 });
    expect(run.history.length / 2).toBeGreaterThan(97_000);
    expect(renderHtml(run.result, run.history, { script }).length).toBeLessThan(2e6);
    await using open = await live(run);
    await open.page.keyboard.press('0');
    await addressBecomes(open.page, /t=0-120/);
    expect(open.complaints).toEqual([]);
  });
});

const EVIL =
  `<img src=x onerror="document.title='pwned'"></script><script>document.title='pwned'</script>` +
  `{{x}}\${x}\u001b[31m\u0000\u202e\ud800&lt;"'\``;

function evilLine(): NonNullable<ReturnType<typeof logLine>> {
  const line = logLine(
    JSON.stringify({ ts: '1970-01-01T00:00:05Z', level: 'x', msg: EVIL }),
    EVIL,
    0,
  );
  expect.assert(line !== undefined);
  return line;
}

function hostileRun(): FixtureRun {
  const { result, history } = failRun({ seconds: 10 });
  const long = `${EVIL}${'x'.repeat(1_000_000)}`;
  const ops = [...history.ops()].map(
    (op, at): Op =>
      typeof op.process === 'number'
        ? {
            ...op,
            value: at < 4 ? long : { [EVIL]: EVIL },
            key: EVIL,
            node: EVIL,
            f: EVIL,
            ...(op.error !== undefined && { error: { ...op.error, code: EVIL, message: EVIL } }),
          }
        : op,
  );
  const checks = result.checks.map((check) => ({
    ...check,
    anomalies: check.anomalies.map((anomaly) => ({
      ...anomaly,
      kind: EVIL,
      key: EVIL,
      explanation: EVIL,
    })),
  }));
  return { history: historyOf(ops), result: { ...result, checks, reasons: [EVIL] } };
}
