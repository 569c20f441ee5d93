/** `schism init` in folders of every kind; that what it writes works is `test/package.proc.test.ts`. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Around, called } from '../testing.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-init-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const init = (words: readonly string[], around: Around = {}): ReturnType<typeof called> =>
  called(['init', ...words], around);

const text = (path: string): Promise<string> => readFile(join(dir, path), 'utf8');
const listed = async (): Promise<string[]> =>
  (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .toSorted();

const ALL = [
  '.github/workflows/chaos.yml',
  '.gitignore',
  'chaos/register.chaos.ts',
  'package.json',
  'schism.config.ts',
];

describe('in an empty folder', () => {
  test('it writes everything, and says what to do next', async () => {
    const { code, out, err } = await init([dir, '--yes']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await listed()).toEqual(ALL);
    for (const path of ALL) expect(out).toContain(path);
    expect(out).toMatch(/Next\n {2}cd .*\n {2}npm install --save-dev .*\n {2}npx schism run /);
    expect(JSON.parse(await text('package.json'))).toEqual({
      private: true,
      type: 'module',
      scripts: { chaos: 'schism run' },
    });
    expect(await text('.gitignore')).toBe('.schism/\n');
  });

  test('it makes the folder where there is none', async () => {
    expect((await init([join(dir, 'a', 'b'), '-y'])).code).toBe(0);
    expect(await listed()).toEqual(ALL.map((path) => join('a', 'b', path)));
  });

  test('a dry run writes nothing', async () => {
    const { code, out } = await init([dir, '--dry-run']);
    expect([code, await listed()]).toEqual([0, []]);
    for (const path of ALL) expect(out).toContain(path);
  });

  test.each([
    ['without a terminal', {}, []],
    ['when nothing may be asked', { isTty: true, input: '\n' }, ['--no-input']],
  ])('%s it asks for --yes and writes nothing', async (_, around, flags) => {
    const { code, out, err } = await init([dir, ...flags], around);
    expect([code, out, await listed()]).toEqual([254, '', []]);
    expect(err).toMatch(/^schism: init would write .*schism\.config\.ts.*--yes/);
  });

  test.each([
    ['\n', true],
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['what?\n', false],
    [undefined, false],
  ])('on a terminal it asks; the answer %j means %j', async (input, isWritten) => {
    const { code, out } = await init([dir], { isTty: true, ...(input !== undefined && { input }) });
    expect(code).toBe(0);
    expect(out).toContain('Write them? [Y/n]');
    expect(await listed()).toEqual(isWritten ? ALL : []);
    expect(out.includes('Nothing was written.')).toBe(!isWritten);
  });
});

describe('in a project', () => {
  test('what is there keeps everything it had', async () => {
    const manifest = { name: 'x', type: 'module', scripts: { test: 'vitest' }, files: ['dist'] };
    await writeFile(join(dir, 'package.json'), JSON.stringify(manifest, null, '\t'));
    await writeFile(join(dir, '.gitignore'), 'dist/\nnode_modules');
    expect((await init([dir, '--yes'])).code).toBe(0);
    expect(await text('.gitignore')).toBe('dist/\nnode_modules\n.schism/\n');
    const after = await text('package.json');
    expect(JSON.parse(after)).toEqual({
      ...manifest,
      scripts: { test: 'vitest', chaos: 'schism run' },
    });
    expect(after).toContain('\n\t"name"');
  });

  test('a line and a script that are there already stay alone', async () => {
    const manifest = '{ "type": "module", "scripts": { "chaos": "./own.sh" } }';
    await writeFile(join(dir, 'package.json'), manifest);
    await writeFile(join(dir, '.gitignore'), '/.schism\n');
    const { out } = await init([dir, '--yes']);
    expect(out).toContain('package.json has a script chaos, which stays as it is');
    expect([await text('package.json'), await text('.gitignore')]).toEqual([
      manifest,
      '/.schism\n',
    ]);
  });

  test('where files are not modules by themselves, those that it writes are', async () => {
    await writeFile(join(dir, 'package.json'), '{}');
    expect((await init([dir, '--yes'])).code).toBe(0);
    expect(await listed()).toEqual(
      [
        ...ALL.filter((path) => !path.endsWith('.ts')),
        'chaos/register.chaos.mts',
        'schism.config.mts',
      ].toSorted(),
    );
  });

  test('a folder within it gets neither package nor workflow of its own', async () => {
    await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
    await mkdir(join(dir, '.git'));
    const { out } = await init([join(dir, 'e2e'), '--yes']);
    expect(await listed()).toEqual(
      [
        'e2e/.gitignore',
        'e2e/chaos/register.chaos.ts',
        'e2e/schism.config.ts',
        'package.json',
      ].toSorted(),
    );
    expect(out).toContain('no workflow: GitHub reads those at the root of the repository only');
  });
});

describe('it overwrites nothing', () => {
  test.each([
    ['schism.config.json', '{}'],
    ['schism.config.ts', ''],
    ['chaos/register.chaos.ts', 'mine'],
    ['.github/workflows/chaos.yml', 'mine'],
  ])('%s: refused, said, and nothing else written', async (path, own) => {
    await mkdir(join(dir, path, '..'), { recursive: true });
    await writeFile(join(dir, path), own);
    const { code, err } = await init([dir, '--yes']);
    expect(code).toBe(254);
    expect(err).toMatch(/^schism: init overwrites nothing, and .* has: /);
    expect(err).toContain(path);
    expect(await listed()).toEqual([path]);
    expect(await text(path)).toBe(own);
  });

  test('a package.json that cannot be read is left, and said', async () => {
    await writeFile(join(dir, 'package.json'), '{ "name": ');
    const { code, err } = await init([dir, '--yes']);
    expect(code).toBe(254);
    expect(err).toMatch(/package\.json: .*JSON/);
    expect(await listed()).toEqual(['package.json']);
  });
});
