/** A store whose every word means harm: whatever is made of its runs, they stay words. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { called } from '../cli/testing.ts';
import { allElements, parseMarkup } from '../reports/testing/markup-parser.ts';
import { type Said, type Sandbox, sandbox } from './cli-testing.ts';
import { describeWith } from './requires.ts';

const CONFIG = join(import.meta.dirname, 'hostile', 'schism.config.ts');
/** Everything that a terminal or a reader of logs would take for a command. */
const COMMANDS =
  /(?![\n\t])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/u;
const OWN = /^::(?:endgroup::$|group::|notice |warning |error (?:file|title)=)/;

let box: Sandbox;
let ran: Said;
let runDir = '';
let suiteDir = '';
let step = '';

const words = (args: string): string[] => [...args.split(' '), '--config', CONFIG];
/** A command for the run, which needs none of its code. */
const stored = (args: readonly string[], env = {}): Promise<Said> =>
  called([...args, '--output', join(box.dir, '.schism')], { env });
const inFolder = async (path: string): Promise<string> => readFile(path, 'utf8');

beforeAll(async () => {
  box = await sandbox();
  step = join(box.dir, 'step-summary.md');
  await writeFile(step, '');
  const github = { CI: '1', GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: step, NO_COLOR: '' };
  ran = await box.schism(words('run --reporter line,junit,html,github'), github);
  runDir = await box.runDir();
  const suites = join(box.dir, '.schism', 'suites');
  const [suite = ''] = (await readdir(suites)).filter((name) => /^\d{8}T/.test(name));
  suiteDir = join(suites, suite);
});
afterAll(async () => {
  await box[Symbol.asyncDispose]();
});

/** Nothing in it moves a cursor, turns text around, or is half a character. */
function harmless(text: string): void {
  expect(COMMANDS.exec(text)?.[0]).toBeUndefined();
  expect(text.isWellFormed()).toBe(true);
  for (const line of text.split('\n')) expect(line.length).toBeLessThan(20_000);
}

/** What GitHub reads as it is said: no line is a command but those of our own. */
function commandsNothing(text: string): void {
  for (const line of text.split('\n')) {
    expect(line).not.toMatch(/^\s*##\[/);
    if (/^\s*::/.test(line)) expect(line).toMatch(OWN);
  }
}

test('the run says what is wrong, in words that do nothing', async () => {
  expect(ran.code).toBe(1);
  expect(ran.out).toMatch(/linearizable/);
  for (const text of [ran.out, ran.err]) {
    harmless(text);
    commandsNothing(text);
  }
  // What breaks a command is seen only there, and makes a line longer.
  for (const line of ran.out.replaceAll(String.raw`\u0023[`, '#[').split('\n'))
    if (!OWN.test(line)) expect(line.length).toBeLessThanOrEqual(160);
  expect(ran.out).toMatch(/^::error /m);
  expect(await readdir(box.dir)).not.toContain('owned');
});

test('everything in the folders of run and suite is text that does nothing', async () => {
  for (const dir of [runDir, suiteDir])
    for (const name of await readdir(dir)) {
      if (/\.(md|txt|xml)$/.test(name)) harmless(await inFolder(join(dir, name)));
      if (name.endsWith('.json')) JSON.parse(await inFolder(join(dir, name)));
    }
  harmless(await inFolder(step));
  expect((await inFolder(step)).length).toBeLessThan(1_000_000);
  for (const dir of [runDir, suiteDir]) {
    const document = parseMarkup(await inFolder(join(dir, 'junit.xml')), 'xml');
    const names = new Set(allElements(document).map(({ name }) => name));
    expect([...names].filter((name) => ['x', 'b', 'img', 'script'].includes(name))).toEqual([]);
  }
});

describe('a stored run', () => {
  test.each(['text', 'md', 'github-issue'])('explained as %s does nothing', async (format) => {
    const github = { GITHUB_ACTIONS: 'true' };
    const { code, out } = await stored(['explain', '--format', format], github);
    expect(code).toBe(0);
    harmless(out);
    commandsNothing(out);
  });

  test('explained and judged as JSON is one document', async () => {
    const explained = await stored(['explain', '--format', 'json']);
    expect(JSON.parse(explained.out)).toMatchObject({ verdict: 'fail' });
    const checked = await box.schism(words('check latest --json'));
    expect(checked.code).toBe(1);
    expect(JSON.parse(checked.out)).toMatchObject({ verdict: 'fail' });
  });

  test('as CSV has no cell that a spreadsheet would run', async () => {
    const { code, out } = await stored(['export', '--to', 'csv']);
    expect(code).toBe(0);
    const rows = rowsOf(out);
    const [head = []] = rows;
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter((row) => row.length !== head.length)).toEqual([]);
    expect(rows.flat().filter((cell) => /^[=@+\t\r]|^-\D/.test(cell))).toEqual([]);
  });

  test.each(['edn', 'jsonl', 'ops'])('as %s is refused by the check again', async (form) => {
    const path = join(box.dir, `again.${form}`);
    await stored(['export', '--to', form, '-o', path]);
    const { code, out } = await called(['check', path, '--model', 'register']);
    expect(code).toBe(1);
    harmless(out);
  });

  test.each(['perfetto', 'porcupine'])('as %s is one JSON document', async (form) => {
    const { code, out } = await stored(['export', '--to', form]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toBeTypeOf('object');
  });
});

test('a history with bytes that are no text is refused, in words that do nothing', async () => {
  const tests = join(runDir, 'tests');
  const [name = ''] = await readdir(tests);
  const history = gunzipSync(await readFile(join(tests, name, 'history.jsonl.gz')));
  const spoiled = Buffer.from(
    history.toString('latin1').replaceAll('owned', '\u00ff\u00c0\u0080'),
    'latin1',
  );
  expect(spoiled.equals(history)).toBe(false);
  const path = join(box.dir, 'spoiled.jsonl');
  await writeFile(path, spoiled);
  const { code, out, err } = await called(['check', path, '--model', 'register']);
  expect(code).toBe(254);
  expect(err).toMatch(/^schism: .* are not UTF-8; /);
  harmless(out);
  harmless(err);
});

describeWith('chromium', 'the pages in a browser', () => {
  test('make no request, open no dialog, and show the words as words', async () => {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-sync', '--no-first-run'],
    });
    try {
      for (const dir of [runDir, suiteDir]) {
        const address = pathToFileURL(join(dir, 'report.html')).href;
        const page = await browser.newPage();
        const complaints: string[] = [];
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('console', (message) => complaints.push(message.text()));
        page.on('dialog', (dialog) => complaints.push(`dialog ${dialog.message()}`));
        page.on('request', (request) => {
          if (!request.url().startsWith(address) && request.url() !== 'data:,')
            complaints.push(`request to ${request.url()}`);
        });
        await page.goto(address);
        expect(complaints).toEqual([]);
        expect(await page.locator('img[onerror], b, details[ontoggle]').count()).toBe(0);
        expect(await page.locator('body').textContent()).toContain('onerror=');
        expect(await page.title()).not.toBe('');
        await page.close();
      }
    } finally {
      await browser.close();
    }
  });
});

/** RFC 4180: cells between commas, in quotes where they hold a comma, a quote or a line's end. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g,
  )) {
    if (end === '' && quoted === undefined && plain === '' && row.length === 0) break;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
