/** The list of stored runs as a browser shows it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunServer, serveRuns } from '../cli/serve.ts';
import { realClock } from '../harness/core/clock.ts';
import { runFolderName } from '../harness/store/layout.ts';
import { renderHtml } from '../reports/html/report.ts';
import { summaryOf } from '../reports/summary.ts';
import {
  type FixtureRun,
  failRun,
  passRun,
  unknownRun,
} from '../reports/testing/fixture-result.ts';
import { describeWith } from './requires.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];

/** Folder, length and outcome, oldest first. */
const RUNS: readonly (readonly [id: string, wallMs: number, () => FixtureRun])[] = [
  ['a41e', 900_000, passRun],
  ['7f3a', 66_120, failRun],
  ['91c0', 5_000, unknownRun],
];

describeWith('chromium', 'the list of runs', () => {
  let root = '';
  let server: RunServer;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'schism-list-'));
    for (const [at, [id, wallMs, make]] of RUNS.entries()) {
      const { result, history } = make();
      const dir = join(root, 'runs', runFolderName(id, Date.UTC(2026, 10, 21, at)));
      const summary = { ...summaryOf(result, history), run: id, wallMs };
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, 'verdict.json'), JSON.stringify(summary));
      await writeFile(join(dir, 'report.html'), renderHtml(result, history));
    }
    server = await serveRuns(root, 0, realClock());
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  async function opened(): Promise<{ page: Page; complaints: string[] } & AsyncDisposable> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 600 } });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(server.url);
    return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
  }

  const shown = (page: Page): Promise<string[]> =>
    page.locator('tbody tr:not([hidden]) th').allTextContents();

  test('is searched by words, filtered by verdict, and sorted both ways', async () => {
    await using list = await opened();
    const { page } = list;
    expect(await shown(page)).toEqual(['91c0', '7f3a', 'a41e']);
    await page.keyboard.press('/');
    await page.keyboard.type('K99 date');
    expect(await shown(page)).toEqual(['7f3a']);
    expect(await page.locator('#shown').textContent()).toBe('1 of 3 shown');
    await page.fill('#search', '');
    await page.selectOption('#state', 'pass');
    expect(await shown(page)).toEqual(['a41e']);
    await page.selectOption('#state', '');
    await page.getByRole('button', { name: 'length' }).click();
    expect(await shown(page)).toEqual(['91c0', '7f3a', 'a41e']);
    await page.getByRole('button', { name: 'length' }).click();
    expect(await shown(page)).toEqual(['a41e', '7f3a', '91c0']);
    expect(await page.locator('th[aria-sort]').textContent()).toBe('length');
    expect(list.complaints).toEqual([]);
  });

  test('leads to reports that open without a complaint', async () => {
    await using list = await opened();
    await list.page.getByRole('link', { name: '7f3a' }).click();
    await list.page.waitForURL(/report\.html$/);
    expect(await list.page.locator('h1').textContent()).toContain('FAIL');
    expect(list.complaints).toEqual([]);
  });
});
