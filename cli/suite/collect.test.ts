import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { collectTests, findTestFiles, loadTestFile } from './collect.ts';
import { test as declare } from './test-api.ts';

/** What the package exports as `test`, without all else that it exports. */
const PACKAGE = join(import.meta.dirname, 'test-api.ts');
const IMPORT = `import { test } from ${JSON.stringify(PACKAGE)};\n`;

const LOADS_ALL = { timeout: 60_000 };

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-collect-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

async function file(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

async function refused(name: string, text: string): Promise<HarnessError> {
  const error = await loadTestFile(await file(name, text)).catch((thrown: unknown) => thrown);
  expect.assert(error instanceof HarnessError);
  return error;
}

test(
  'the package can be imported by its name, and each call keeps its line',
  LOADS_ALL,
  async () => {
    const [only, ...others] = await collectTests(join(import.meta.dirname, 'testdata'));
    expect(others).toEqual([]);
    expect(only?.file).toBe('cli/suite/testdata/example.chaos.ts');
    expect(only?.tests).toEqual([
      {
        title: 'reads of a healthy cluster',
        line: 4,
        options: { system: 'memory', faults: false, tags: ['@quick'] },
      },
      {
        title: 'a stale read',
        line: 6,
        options: { system: 'memory', bug: 'stale-read' },
        expects: { anomaly: 'stale-read', within: '3 runs' },
      },
    ]);
  },
);

test('files of all four kinds are found in order, but not in folders that are not the user’s', async () => {
  const names = ['b.chaos.ts', 'a/z.chaos.mjs', 'a/y.chaos.mts', 'c.chaos.js'];
  for (const name of names) await file(`found/${name}`, '');
  for (const name of ['node_modules/m/n.chaos.js', '.schism/r.chaos.ts', 'a/chaos.ts', 'd.test.ts'])
    await file(`found/${name}`, '');
  const found = await findTestFiles(join(root, 'found'));
  expect(found.map((path) => path.slice(root.length + '/found/'.length))).toEqual([
    'a/y.chaos.mts',
    'a/z.chaos.mjs',
    'b.chaos.ts',
    'c.chaos.js',
  ]);
  expect(await findTestFiles(join(root, 'nowhere'))).toEqual([]);
  await file('found/chaos/deep/d.chaos.ts', '');
  const beside = await findTestFiles(join(root, 'found'), { isDefault: true });
  expect(beside.map((path) => path.slice(root.length + '/found/'.length))).toEqual([
    'b.chaos.ts',
    'c.chaos.js',
    'chaos/deep/d.chaos.ts',
  ]);
  await file('found/kept/repro/1a2b.chaos.ts', '');
  await file('found/kept/mine.chaos.ts', '');
  expect(
    (await findTestFiles(join(root, 'found'), { store: join(root, 'found/kept') })).at(-1),
  ).toBe(join(root, 'found/kept/mine.chaos.ts'));
});

test('marks are kept, and a schedule is found beside the file that names it', async () => {
  const words = `test.only('one', { schedule: 's.json' });\ntest.skip('two', { rate: 1 });\n`;
  const path = await file('marks/m.chaos.mjs', IMPORT + words);
  expect(await loadTestFile(path)).toEqual([
    { title: 'one', line: 2, mark: 'only', options: { schedule: join(root, 'marks/s.json') } },
    { title: 'two', line: 3, mark: 'skip', options: { rate: 1 } },
  ]);
  // A module runs once in a process; what it declared is still known.
  expect(await loadTestFile(path)).toHaveLength(2);
});

test('a folder may be reached by a link', async () => {
  await file('real/l.chaos.mjs', `${IMPORT}test('linked', {});`);
  await symlink(join(root, 'real'), join(root, 'link'));
  const [found] = await collectTests(join(root, 'link'));
  expect(found?.path).toBe(join(root, 'link', 'l.chaos.mjs'));
  expect(found?.tests).toEqual([{ title: 'linked', line: 2, options: {} }]);
});

test('a helper may declare the tests of the file that calls it', async () => {
  await file(
    'helped/helper.mjs',
    `${IMPORT}export const both = () => ['a', 'b'].map((t) => test(t, {}));`,
  );
  const path = await file('helped/h.chaos.mjs', "import { both } from './helper.mjs';\nboth();\n");
  const tests = await loadTestFile(path);
  expect(tests.map(({ title, line }) => [title, line])).toEqual([
    ['a', 2],
    ['b', 2],
  ]);
});

test('a file that imports another does not take its tests', async () => {
  const inner = await file('nested/inner.chaos.mjs', `${IMPORT}test('inner', {});`);
  const outer = await file(
    'nested/a.chaos.mjs',
    `import './inner.chaos.mjs';\n${IMPORT}test('outer', {});`,
  );
  expect((await loadTestFile(outer)).map(({ title }) => title)).toEqual(['outer']);
  expect((await loadTestFile(inner)).map(({ title }) => title)).toEqual(['inner']);
});

test.each([
  [
    'twice',
    "test('x', {});\ntest('x', {});",
    /line 3: test\('x'\): there is a test of this title, on line 2$/,
  ],
  [
    'key',
    "test('x', { rates: 1 });",
    /line 2: test\('x'\): has no 'rates' \(did you mean 'rate'\?\); it has: /,
  ],
  [
    'value',
    "test.only('x', { rate: 'fast' });",
    /test\.only\('x'\): rate: must be a number of operations/,
  ],
  ['none', "test('x');", /test\('x'\): must be an object with keys$/],
  ['title', 'test({});', /line 2: test: a test begins with its title, a text$/],
  ['anomaly', "test('x', { anomaly: 'y' });", /has no 'anomaly'/],
  [
    'within',
    "test.expectViolation('x', { within: 'often' });",
    /within: must be a number of runs such as '10 runs'$/,
  ],
  ['tag', "test('x', { tags: ['slow'] });", /tags\.0: is no tag: it begins with '@'/],
  ['checks', "test('x', { checks: [{}] });", /checks\.0: must be a check, with name, check$/],
  [
    'name',
    "test('x', { checks: [{ name: '../x', check() {} }] });",
    /checks\.0: has no name of small letters/,
  ],
  [
    'same',
    "const c = { name: 'c', check() {} };\ntest('x', { checks: [c, c] });",
    /checks\.1: there is a check 'c' already$/,
  ],
  [
    'schedule',
    "test('x', { schedule: [{ at: '1s' }] });",
    /schedule: must be a file, or faults such as/,
  ],
])('a bad call is refused in one line that names the place: %s', async (name, words, line) => {
  const error = await refused(`bad-${name}.chaos.mjs`, IMPORT + words);
  expect(error.message).toMatch(line);
  expect(error.message).toMatch(new RegExp(`bad-${name}\\.chaos\\.mjs: line `));
  expect(error.message).not.toContain('\n');
  expect(error.code).toBe('bad-option');
});

test('a file that does not load, or declares nothing, is refused in one line', async () => {
  const thrown = await refused('throws.chaos.mjs', "throw new Error('dear\\nme');");
  expect(thrown.message).toMatch(/throws\.chaos\.mjs does not load: dear me$/);
  expect(thrown.details).toMatch(/^ +at file:.*throws\.chaos\.mjs:1:7$/m);
  expect((await refused('empty.chaos.mjs', '')).message).toMatch(
    /empty\.chaos\.mjs declares no test; write: import \{ test \} from 'schism'/,
  );
  const missing = await refused('missing.chaos.mjs', "import 'schism';");
  expect(missing.message).toMatch(/install it where the file is: npm install --save-dev schism$/);
  expect(missing.details).toBeUndefined();
  const syntax = await refused('syntax.chaos.ts', 'const a: number = 1;\nconst b = ;');
  expect(syntax.message).toContain('syntax.chaos.ts does not load: Expression expected');
  expect(syntax.details).toMatch(/syntax\.chaos\.ts:2\n[^]*const b = ;\n +\^\n/);
});

test('a test is declared in a test file or not at all', () => {
  expect(() => {
    declare('x', {});
  }).toThrow('test() was called outside of a test file; its name ends in .chaos.ts');
});
