import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkContext } from '../checkers/testkit/context.ts';
import { parseHistory } from '../harness/history/notation.ts';
import type { WorkloadOptions } from '../harness/protocols/workload.ts';
import { checkersOf, judgeInMemory } from './judge.ts';
import { loadModules, modulesFor } from './modules.ts';

const TEST_API = join(import.meta.dirname, 'suite', 'test-api.ts');
const OPTIONS: WorkloadOptions = {
  clients: 1,
  nodes: ['n1'],
  rate: 0,
  clientTimeoutMs: 1000,
  readModes: ['linearizable'],
  capabilities: [],
  own: {},
};
const CHECK = (name: string, verdict: string): string =>
  `{ name: '${name}', check: async () => ({ checker: '${name}', verdict: '${verdict}',
    anomalies: [], covered: 'everything', details: {} }) }`;

let root = '';
let config = '';
let testFile = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-modules-'));
  await mkdir(join(root, 'chaos'));
  config = join(root, 'schism.config.mjs');
  await writeFile(
    config,
    `const own = { name: 'own', summary: '', needs: [], readModes: ['linearizable'], options: {},
       build() {}, checkers: () => [${CHECK('stats', 'valid')}] };
     const store = { name: 'my-store', options: {}, available() {}, deploy() {} };
     export default { systems: [store], workloads: [own], nemeses: { quake: () => ({}) } };`,
  );
  testFile = join(root, 'chaos', 'a.chaos.mjs');
  await writeFile(
    testFile,
    `import { test } from ${JSON.stringify(TEST_API)};
     test('a', { checks: [${CHECK('mine', 'invalid')}, ${CHECK('stats', 'unknown')}] });
     test('b', {});`,
  );
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const stored = { system: 'memory', workload: 'register', faults: [], ownChecks: ['mine'] };
const refTo = (file: string, title = 'a') => ({ id: 'x', title, file });

describe('what is loaded', () => {
  test('adds to what there is, and brings the checks of the test alone', async () => {
    const { catalogue, checks } = await loadModules([config, testFile], refTo(testFile));
    expect(catalogue.systems.map(({ name }) => name)).toContain('my-store');
    expect(catalogue.systems.map(({ name }) => name)).toContain('memory');
    expect(catalogue.workloads.map(({ name }) => name)).toContain('own');
    expect(Object.keys(catalogue.nemeses)).toEqual(expect.arrayContaining(['kill', 'quake']));
    expect(checks.map(({ name }) => name)).toEqual(['mine', 'stats']);
    expect((await loadModules([config, testFile], refTo(testFile, 'b'))).checks).toEqual([]);
    expect((await loadModules([config, testFile])).checks).toEqual([]);
  });

  test('may not take a name that we have', async () => {
    const path = join(root, 'taken.mjs');
    const memory = "{ name: 'memory', options: {}, available() {}, deploy() {} }";
    await writeFile(path, `export default { systems: [${memory}] };`);
    await expect(loadModules([path])).rejects.toThrow(
      "there is a system 'memory' already; call yours otherwise",
    );
    await writeFile(join(root, 'fault.mjs'), 'export default { nemeses: { kill: () => ({}) } };');
    await expect(loadModules([join(root, 'fault.mjs')])).rejects.toThrow("a fault 'kill' already");
  });
});

describe('for a run that was stored', () => {
  test('nothing is loaded that nobody needs', async () => {
    const { ownChecks: _, ...plain } = stored;
    expect(await modulesFor(undefined, { ...plain, test: refTo('chaos/a.chaos.mjs') })).toEqual([]);
    expect(await modulesFor(config, { ...plain, test: refTo('chaos/a.chaos.mjs') })).toEqual([
      config,
    ]);
  });

  test('its test file is found below the config of whoever asks, wherever the run was made', async () => {
    const found = [config, testFile];
    expect(await modulesFor(config, { ...stored, test: refTo('../chaos/a.chaos.mjs') })).toEqual(
      found,
    );
    expect(await modulesFor(config, { ...stored, test: refTo('chaos/a.chaos.mjs') })).toEqual(
      found,
    );
    expect(
      await modulesFor(config, { ...stored, test: refTo('../../elsewhere/a.chaos.mjs') }),
    ).toEqual([config]);
    expect(await modulesFor(config, { ...stored, workload: 'own+register' })).toEqual([config]);
  });

  test('of two files that end alike it is the one that was named, or none', async () => {
    const top = join(root, 'a.chaos.mjs');
    const text = `import { test } from ${JSON.stringify(TEST_API)};
      test('a', { checks: [${CHECK('other', 'valid')}] });`;
    await writeFile(top, text);
    try {
      const files = [config, testFile, top];
      const { checks } = await loadModules(files, refTo(top));
      expect(checks.map(({ name }) => name)).toEqual(['other']);
      expect((await loadModules(files, refTo('../elsewhere/a.chaos.mjs'))).checks).toEqual([]);
      const of = (file: string): Promise<readonly string[]> =>
        modulesFor(config, { ...stored, test: refTo(file) });
      expect(await of('a.chaos.mjs')).toEqual([config, top]);
      expect(await of('chaos/a.chaos.mjs')).toEqual([config, testFile]);
    } finally {
      await rm(top);
    }
  });

  test('a file that it names elsewhere is never loaded', async () => {
    const evil = join(root, 'evil.chaos.mjs');
    await writeFile(evil, "throw new Error('loaded');");
    const inner = join(root, 'inner');
    await mkdir(inner);
    await writeFile(join(inner, 'c.json'), '{}');
    for (const file of [evil, '../evil.chaos.mjs', `${inner}/../evil.chaos.mjs`])
      expect(await modulesFor(join(inner, 'c.json'), { ...stored, test: refTo(file) })).toEqual([
        join(inner, 'c.json'),
      ]);
  });

  test('a workload that nobody here knows is refused with what to do', async () => {
    await expect(modulesFor(undefined, { ...stored, workload: 'own' })).rejects.toThrow(
      "there is no workload 'own' here; give the config that defines it with --config",
    );
    await expect(modulesFor(config, { ...stored, workload: 'owm' })).rejects.toThrow(
      "schism.config.mjs (did you mean 'own'?)",
    );
  });
});

describe('what judges', () => {
  const task = { workload: 'own', workloadOptions: OPTIONS, ownChecks: ['mine', 'stats'] };

  test('is the workload, and the test, whose check goes before one of the same name', async () => {
    const modules = [config, testFile];
    const history = parseHistory('0 invoke write k 1; 0 ok');
    const judged = { ...task, modules, test: refTo(testFile), context: checkContext() };
    const results = await judgeInMemory(history, judged);
    expect(results.map(({ checker, verdict }) => `${checker} ${verdict}`)).toEqual([
      'mine invalid',
      'stats unknown',
      'sometimes valid',
    ]);
  });

  test('without the test file its checks are unknown, and never left out', async () => {
    const code = await loadModules([config]);
    const [mine] = checkersOf(task, code);
    expect(mine?.name).toBe('mine');
    expect(
      await mine?.check(parseHistory('0 invoke write k 1; 0 ok'), checkContext()),
    ).toMatchObject({
      verdict: 'unknown',
      reason: "the check is in the run's test file; give its config with --config",
    });
  });
});
