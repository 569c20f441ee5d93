import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageFiles, pickFiles } from './images-pick.ts';
import { RECIPES, ROOT } from './images-table.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-pick-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function project(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries({ 'package.json': '{}', ...files })) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

describe('picking what a program needs', () => {
  test('imports are followed, of types alone not', async () => {
    await project({
      'a/main.ts': [
        "import { b } from './b.ts';",
        "import type { C } from '../c.ts';",
        "import {\n  d,\n} from '../d.ts';",
        "export { e } from './e.ts';",
        "await import('./f.ts');",
        "const g: typeof import('./g.ts') = h;",
        "const i = new URL('./i.proto', import.meta.url);",
        'const j = new URL(`./j${extname(import.meta.url)}`, import.meta.url);',
        "const k = join(import.meta.dirname, 'k.html');",
        "export const L = './.l';",
      ].join('\n'),
      'a/k.html': '',
      ...Object.fromEntries(
        ['a/b.ts', 'c.ts', 'd.ts', 'a/e.ts', 'a/f.ts', 'a/g.ts', 'a/i.proto', 'a/j.ts'].map(
          (path) => [path, path === 'd.ts' ? "import './a/main.ts';" : ''],
        ),
      ),
    });
    expect(pickFiles(root, ['a/main.ts']).files).toEqual([
      'a/b.ts',
      'a/e.ts',
      'a/f.ts',
      'a/i.proto',
      'a/j.ts',
      'a/k.html',
      'a/main.ts',
      'd.ts',
      'package.json',
    ]);
  });

  test('packages come with what they need, from where Node.js would take it', async () => {
    const of = (needs: object): string => JSON.stringify({ dependencies: needs });
    await project({
      'main.ts': "import { x } from '@a/x/sub';\nimport { y } from 'node:fs';",
      'node_modules/@a/x/package.json': of({ y: '1', z: '1', '@types/node': '1' }),
      'node_modules/@a/x/index.js': '',
      'node_modules/@a/x/index.d.ts': '',
      'node_modules/@a/x/node_modules/y/package.json': of({ z: '1' }),
      'node_modules/y/package.json': of({}),
      'node_modules/z/package.json': JSON.stringify({ optionalDependencies: { missing: '1' } }),
      'node_modules/@types/node/package.json': of({}),
    });
    expect(pickFiles(root, ['main.ts']).packages).toEqual([
      'node_modules/@a/x',
      'node_modules/@a/x/node_modules/y',
      'node_modules/z',
    ]);
    expect(packageFiles(root, 'node_modules/@a/x')).toEqual([
      'node_modules/@a/x/index.js',
      'node_modules/@a/x/node_modules/y/package.json',
      'node_modules/@a/x/package.json',
    ]);
  });
});

test('no image holds tests, or packages that only builders need', () => {
  for (const { entries, name } of RECIPES) {
    const { files, packages } = pickFiles(ROOT, entries);
    expect({ name, tests: files.filter((path) => path.includes('.test.')) }).toEqual({
      name,
      tests: [],
    });
    for (const tool of ['vitest', 'typescript', '@biomejs/biome', 'assemblyscript'])
      expect(packages).not.toContain(`node_modules/${tool}`);
  }
});

test('nodes and links do not carry the harness with them', () => {
  const of = (name: string): ReturnType<typeof pickFiles> =>
    pickFiles(ROOT, RECIPES.find((recipe) => recipe.name === name)?.entries ?? []);
  expect(of('toxiproxy-server').packages).toEqual(['node_modules/pure-rand']);
  expect(of('raftkv').packages).toContain('node_modules/@grpc/grpc-js');
  for (const name of ['raftkv', 'toxiproxy-server'])
    expect(of(name).files.filter((path) => /^(checkers|workloads|cli)\//.test(path))).toEqual([]);
});
