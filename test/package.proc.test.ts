/** The package as npm makes it, in a project that is none of ours. */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MODULES = join(ROOT, 'node_modules');
/** What users bring themselves. */
const THEIRS = ['vitest', 'typescript', '@types/node'];

let dir = '';
let app = '';
let packed: readonly string[] = [];
let manifest: {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bin: { readonly schism: string };
};

interface Said {
  readonly exitCode?: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of the project, by this very Node.js. */
function run(
  path: string,
  args: readonly string[],
  { cwd = app, node = [] as readonly string[] } = {},
): Promise<Said> {
  const env = { CI: '', GITHUB_ACTIONS: '', NO_COLOR: '1', VITEST: '' };
  return execa(process.execPath, [...node, join(app, 'node_modules', path), ...args], {
    cwd,
    env,
    reject: false,
    stdin: 'ignore',
  });
}

const schism = (args: string, options = {}): Promise<Said> =>
  run(join('schism', manifest.bin.schism), args.split(' '), options);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-package-'));
  const dist = join(dir, 'dist');
  await execa(process.execPath, [join(ROOT, 'scripts', 'build-package.mjs'), dist]);
  const { stdout } = await execa('npm', ['pack', dist, '--json', '--pack-destination', dir]);
  const [archive] = (await readdir(dir)).filter((name) => name.endsWith('.tgz'));
  expect(stdout).toContain(archive);
  app = join(dir, 'app');
  const home = join(app, 'node_modules', 'schism');
  await mkdir(home, { recursive: true });
  await execa('tar', ['-xzf', join(dir, archive ?? ''), '-C', home, '--strip-components=1']);
  packed = (await readdir(home, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1));
  manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as typeof manifest;
  // What it depends on is not what is tried here: it comes from where it is already.
  for (const name of [...Object.keys(manifest.dependencies), ...THEIRS]) {
    const at = join(app, 'node_modules', name);
    await mkdir(dirname(at), { recursive: true });
    await symlink(join(MODULES, name), at);
  }
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('what is packed', () => {
  test('is compiled, with what it reads at run time, and nothing else', () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        'schism.js',
        'schism.d.ts',
        'vitest.js',
        'vitest.d.ts',
        'cli/judge-worker.js',
        'harness/runner/watchdog-main.js',
        'cluster/raftkv/main.js',
        'cluster/network/toxiproxy-server/main.js',
        'cluster/etcd-api/rpc.proto',
        'cluster/etcd-api/lock.proto',
        'cluster/etcd-api/election.proto',
        'checkers/linearizable/engine.wasm',
        'reports/html/built/page.js',
        'cli/init/template/chaos.yml',
        'regressions/etcd-20418-process.json',
        'regressions/schedules/etcd-20418.json',
      ]),
    );
    const sources = packed.filter((path) => /(?<!\.d)\.ts$/.test(path));
    expect(sources.filter((path) => !path.startsWith('cli/init/template/'))).toEqual([]);
    expect(packed.filter((path) => /\.test\.|^(test|bench|docs|scripts)\//.test(path))).toEqual([]);
  });

  test('imports no package but those it depends on', async () => {
    const names = new Set<string>();
    for (const path of packed.filter((name) => name.endsWith('.js') && !name.includes('built')))
      for (const [, name = ''] of (
        await readFile(join(app, 'node_modules', 'schism', path), 'utf8')
      ).matchAll(/^(?:import|export) .*?from '([^.'][^']*)';/gm))
        if (!name.startsWith('node:')) names.add(name);
    const known = [...Object.keys(manifest.dependencies), 'vitest'];
    expect(names.size).toBeGreaterThan(8);
    const isKnown = (name: string): boolean =>
      known.some((one) => name === one || name.startsWith(`${one}/`));
    expect([...names].filter((name) => !isKnown(name))).toEqual([]);
  });
});

describe('in a project', () => {
  test('init writes an example that passes, and its types are right', async () => {
    expect(await schism('init --yes')).toMatchObject({ exitCode: 0, stderr: '' });
    const { stdout, stderr, exitCode } = await schism('run --project simulated --seed 1');
    expect({ exitCode, stderr, said: exitCode === 0 ? '' : stdout }).toEqual({
      exitCode: 0,
      stderr: '',
      said: '',
    });
    expect(stdout).toMatch(/3 tests: .*3 passed/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^ ?exit 0/);
    const checked = await schism('check latest');
    expect(checked).toMatchObject({ exitCode: 1, stderr: '' });
    expect(checked.stdout).toContain('stale');

    const options = { module: 'nodenext', strict: true, noEmit: true, types: ['node'] };
    const strict = { ...options, target: 'es2024', lib: ['es2024', 'esnext.disposable'] };
    const config = { compilerOptions: strict, include: ['*.ts', 'chaos'] };
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify(config));
    const wrong = "import { chaosTest } from 'schism/vitest';\nchaosTest('x', { nodes: true });\n";
    await writeFile(join(app, 'wrong.ts'), wrong);
    const types = await run(join('typescript', 'bin', 'tsc'), []);
    expect(types.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^wrong\.ts\(2,18\): error TS2322: Type 'true' is not assignable/,
      ) as string,
    ]);
    await rm(join(app, 'wrong.ts'));
  });

  test('a run of real processes works, with its watchdog, links and worker', async () => {
    const cwd = join(dir, 'elsewhere');
    await mkdir(cwd);
    const flags = 'run --nodes 3 --fault pause --duration 2s --quiet-start 300ms --unknown warn -q';
    const { stdout, stderr, exitCode } = await schism(`${flags} --no-require-faults`, { cwd });
    expect({ exitCode, stderr, said: exitCode === 0 ? '' : stdout }).toEqual({
      exitCode: 0,
      stderr: '',
      said: '',
    });
    expect(stdout).toMatch(/✓ linearizable +valid +\d+ of \d+ keys/);
  });

  test('the regressions that come with it are played where a project has none', async () => {
    const flags = 'run stale-leader-read --regressions --backend sim -q';
    const { stdout, exitCode } = await schism(flags);
    expect({ exitCode, said: exitCode === 0 ? '' : stdout }).toEqual({ exitCode: 0, said: '' });
    expect(stdout).toMatch(/raftkv-stale-leader-read-sim +stale-read +found +1 of 1/);
  });

  test('vitest runs chaos tests: one passes, one says what is wrong', async () => {
    const common = "backend: 'sim', workload: 'register', nodes: 3, faults: false, seed: 5";
    await mkdir(join(app, 'unit'));
    await writeFile(
      join(app, 'unit', 'some.test.ts'),
      [
        "import { chaosTest } from 'schism/vitest';",
        `chaosTest('right', { ${common}, duration: '500ms' });`,
        `chaosTest('wrong', { ${common}, duration: '3s', quietStart: '500ms', bug: 'txn-race' });`,
      ].join('\n'),
    );
    const { stdout, stderr, exitCode } = await run(join('vitest', 'vitest.mjs'), ['run', 'unit']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/1 failed \| 1 passed/);
    expect(stderr).toMatch(/Error: chaos test: fail: linearizable/);
    expect(stderr).toMatch(/npx schism replay [0-9a-f]{4}/);
    expect(stderr).toMatch(/some\.test\.ts:3:1/);
  });
});

describe('on a Node.js that is too old', () => {
  const old =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })";

  test('it says so in one line', async () => {
    const { stdout, stderr, exitCode } = await schism('--version', {
      node: ['--import', `data:text/javascript,${old}`],
    });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 });
    expect(stderr).toMatch(
      /^schism: it needs Node\.js 24 or newer, and this is 20\.1\.0; .*node@24$/,
    );
  });

  test('it uses the one that the project has', async () => {
    const at = join(app, 'node_modules', 'node');
    await mkdir(join(at, 'bin'), { recursive: true });
    await writeFile(join(at, 'package.json'), JSON.stringify({ name: 'node', version: '24.21.0' }));
    await symlink(process.execPath, join(at, 'bin', 'node'));
    const { stdout, exitCode } = await schism('--version', {
      node: ['--import', `data:text/javascript,${old}`],
    });
    expect({ stdout, exitCode }).toEqual({ stdout: '0.1.0', exitCode: 0 });
    expect((await schism('run --nope')).exitCode).toBe(254);
  });
});
