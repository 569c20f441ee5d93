/**
 * What the interactive report costs: how long Node takes to write it, how large it is, and how long
 * Chromium takes from opening the file to the painted timeline; and of that, how long the page's own
 * thread had the processor, which says more where the machine is busy. Beside it a page with hardly
 * any data, since much of the time is the browser's own.
 *
 * Run: npx --no-install node bench/report-page.ts [operations ...]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { realClock } from '../harness/core/clock.ts';
import { renderHtml } from '../reports/html/report.ts';
import { type FixtureRun, failRun, shortRun } from '../reports/testing/fixture-result.ts';

const wanted = process.argv.slice(2).map(Number);
const sizes = wanted.length === 0 ? [100_000, 1_000_000] : wanted;
const OPENINGS = 5;
const clock = realClock();

async function measured(
  browser: Browser,
  dir: string,
  name: string,
  run: FixtureRun,
): Promise<void> {
  const before = clock.now();
  const text = renderHtml(run.result, run.history);
  const renderMs = (clock.now() - before) / 1e6;
  const path = join(dir, 'report.html');
  await writeFile(path, text);
  const paints: number[] = [];
  const busy: number[] = [];
  for (let at = 0; at < OPENINGS; at++) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.goto(pathToFileURL(path).href);
    await page.waitForSelector('html[data-live]');
    const marks = 'performance.getEntriesByName("timeline")[0].startTime';
    paints.push(await page.evaluate<number>(marks));
    const { metrics } = await session.send('Performance.getMetrics');
    busy.push(1000 * (metrics.find((metric) => metric.name === 'TaskDuration')?.value ?? 0));
    await page.close();
  }
  paints.sort((a, b) => a - b);
  busy.sort((a, b) => a - b);
  const operations = [...run.history.operations()].length;
  process.stdout.write(
    `${name.padEnd(10)} ${operations} operations: written in ${renderMs.toFixed(0)} ms, ` +
      `${(text.length / 1e6).toFixed(2)} MB, painted after ${paints.at(0)?.toFixed(0)} to ` +
      `${paints.at(-1)?.toFixed(0)} ms (the page's thread worked ${busy.at(0)?.toFixed(0)} to ` +
      `${busy.at(-1)?.toFixed(0)} ms)\n`,
  );
}

const dir = await mkdtemp(join(tmpdir(), 'schism-bench-'));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  await measured(browser, dir, 'small', shortRun());
  for (const operations of sizes) {
    const seconds = 120 * Math.max(1, operations / 200_000);
    // Some clients wait longer than their turn in faults: a fifth more is asked than comes.
    const rate = (operations / seconds) * 1.42;
    await measured(browser, dir, 'stale read', failRun({ seconds, clients: 30, rate }));
  }
} finally {
  await browser.close();
  await rm(dir, { recursive: true });
}
