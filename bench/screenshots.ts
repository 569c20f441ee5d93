/**
 * Makes the pictures of docs/images anew, each from a run or a suite that it makes first, in a folder
 * of its own. The runs are simulated, so that the same pictures come of the same code. Needs Chromium.
 *
 * Run: npx --no-install node bench/screenshots.ts [pass stale-read split-brain suite]
 */
import { cp, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { type Browser, chromium, type Page } from 'playwright-core';
import { invariant } from '../harness/core/invariant.ts';
import { withPalette } from './palette-png.ts';

const ROOT = join(import.meta.dirname, '..');
const IMAGES = join(ROOT, 'docs', 'images');
const SCHEDULES = join(ROOT, 'regressions', 'schedules');

interface Shot {
  readonly name: string;
  readonly colorScheme: 'light' | 'dark';
  /** Of `schism run`. */
  readonly args: string;
  readonly exitCode: number;
  /** The picture goes from the top of the one element to the bottom of the other. */
  readonly from: string;
  readonly to: string;
}

const SHOTS: readonly Shot[] = [
  {
    name: 'pass',
    colorScheme: 'light',
    args: '--duration 12s --seed 2',
    exitCode: 0,
    from: '.banner',
    to: '.timeline',
  },
  {
    name: 'stale-read',
    colorScheme: 'light',
    args:
      '--bug stale-leader-read --workload reads --nodes 3 --rate 200 --duration 6s ' +
      '--schedule isolate-leader.json --seed 1',
    exitCode: 1,
    from: '.banner',
    to: '.timeline',
  },
  {
    name: 'split-brain',
    colorScheme: 'dark',
    args:
      '--bug even-quorum --workload register,reads --nodes 4 --rate 300 --duration 8s ' +
      '--schedule halves.json --seed 1',
    exitCode: 1,
    from: '#violations article:not(.other) h3',
    to: '.timeline',
  },
];

const SUITE = `import { test } from ${JSON.stringify(pathToFileURL(join(ROOT, 'schism.ts')).href)};
test('register/partitions', { workload: 'register', faults: ['partition'], duration: '8s' });
test('register/kills', { workload: 'register', faults: ['kill'], duration: '8s' });
test('reads/leader cut off', {
  workload: 'reads',
  bug: 'stale-leader-read',
  schedule: ${JSON.stringify(join(SCHEDULES, 'isolate-leader.json'))},
  duration: '6s',
});
test.expectViolation('known/two halves, two leaders', {
  within: '2 runs',
  workload: 'register',
  nodes: 4,
  bug: 'even-quorum',
  schedule: ${JSON.stringify(join(SCHEDULES, 'halves.json'))},
  duration: '6s',
});
`;

const SUITE_CONFIG = {
  system: 'raftkv',
  backend: 'sim',
  nodes: 3,
  rate: 200,
  projects: [
    { name: 'calm', faultInterval: '3s' },
    { name: 'rough', faultInterval: '700ms' },
  ],
};

async function schism(args: readonly string[], exitCode: number, cwd: string): Promise<void> {
  const program = join(ROOT, 'cli', 'main.ts');
  const done = await execa(process.execPath, [program, ...args], { cwd, reject: false });
  if (done.exitCode !== exitCode) process.stderr.write(`${done.stdout}\n${done.stderr}\n`);
  invariant(done.exitCode === exitCode, `it ended with ${done.exitCode}: ${args.join(' ')}`);
}

/** The page in the newest of the folders below one. */
async function newestPage(folder: string): Promise<string> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((one) => one.isDirectory());
  const newest = names
    .map(({ name }) => name)
    .toSorted()
    .at(-1);
  invariant(newest !== undefined, `${folder} is empty`);
  return join(folder, newest, 'report.html');
}

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly colorScheme: 'light' | 'dark';
  readonly from: string;
  readonly to: string;
  readonly ready: string;
}

async function take(browser: Browser, picture: Picture): Promise<void> {
  const { name, path, colorScheme, from, to, ready } = picture;
  const page = await browser.newPage({ colorScheme, viewport: { width: 1080, height: 900 } });
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector(ready);
  // The bar sticks to the top of what is seen, and would be seen where it does not belong.
  await page
    .addStyleTag({ content: '[data-holder="toolbar"] { position: static !important }' })
    .catch(() => undefined);
  const [top, bottom] = [await edge(page, from, 'top'), await edge(page, to, 'bottom')];
  const clip = { x: 0, y: top - 14, width: 1080, height: bottom - top + 28 };
  const file = join(IMAGES, `${name}.png`);
  await writeFile(file, withPalette(await page.screenshot({ fullPage: true, clip })));
  await page.close();
  process.stdout.write(`${file} ${Math.round((await stat(file)).size / 1000)} kB\n`);
}

function edge(page: Page, selector: string, side: 'top' | 'bottom'): Promise<number> {
  const element = `document.querySelector(${JSON.stringify(selector)})`;
  return page.evaluate<number>(`${element}.getBoundingClientRect().${side} + scrollY`);
}

async function shoot(browser: Browser, dir: string, shot: Shot): Promise<void> {
  const folder = join(dir, shot.name);
  await cp(SCHEDULES, folder, { recursive: true });
  await schism(
    ['run', '--system', 'raftkv', '--backend', 'sim', ...shot.args.split(' ')],
    shot.exitCode,
    folder,
  );
  const path = await newestPage(join(folder, '.schism', 'runs'));
  await take(browser, { ...shot, name: `report-${shot.name}`, path, ready: 'html[data-live]' });
}

async function shootSuite(browser: Browser, dir: string): Promise<void> {
  await writeFile(join(dir, 'example.chaos.ts'), SUITE);
  await writeFile(join(dir, 'schism.config.json'), JSON.stringify(SUITE_CONFIG));
  await schism(['run', '--seed', '3', '--repeat-each', '3'], 1, dir);
  const path = await newestPage(join(dir, '.schism', 'suites'));
  const ready = '#controls:not([hidden])';
  const frame = { colorScheme: 'light', from: '.banner', to: 'table.tests', ready } as const;
  await take(browser, { ...frame, name: 'suite', path });
}

const wanted = process.argv.slice(2);
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const dir = await mkdtemp(join(tmpdir(), 'schism-shots-'));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  for (const shot of SHOTS) if (isWanted(shot.name)) await shoot(browser, dir, shot);
  if (isWanted('suite')) await shootSuite(browser, dir);
} finally {
  await browser.close();
  await rm(dir, { recursive: true, force: true });
}
