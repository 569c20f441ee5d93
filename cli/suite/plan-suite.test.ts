import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { findConfig } from '../config/load.ts';
import { addRunFlags, type Flags, translateFlags } from '../flags.ts';
import { repeatOf } from './candidates.ts';
import type { Asked } from './choose-tests.ts';
import type { SuitePlan } from './plan.ts';
import { planRun, planSuite } from './plan-suite.ts';
import { preview } from './preview.ts';

const IMPORT = `import { test } from ${JSON.stringify(join(import.meta.dirname, 'test-api.ts'))};\n`;

let root = '';
let suite = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-plan-'));
  suite = await folder('suite', {
    'schism.config.mjs': `export default {
      system: 'memory', duration: '2s', rate: 100, seed: 7, testDir: 'chaos', workers: 2,
      systemOptions: { bug: 'dirty-read' }, thresholds: { ops_unknown: ['rate<0.1'] },
      projects: [{ name: 'plain' }, { name: 'busy', rate: 900, clients: '3n' }],
    };`,
    'chaos/a.chaos.mjs': `${IMPORT}
      test('first', { duration: '1s', tags: ['@quick'] });
      test.expectViolation('known', { bug: 'stale-read', anomaly: 'stale-read', within: '4 runs' });
      /* line 5 */ test.skip('later', {});`,
    'chaos/deep/b.chaos.mjs': `${IMPORT}test('schéma 1: a/b', { faults: ['kill'], rate: 50 });`,
  });
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

async function folder(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    const path = join(root, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return join(root, name);
}

/** As `schism run` would ask with these words in this folder. */
async function asked(dir: string, ...words: readonly string[]): Promise<Asked> {
  const command = addRunFlags(new Command('run').argument('[filter...]').exitOverride());
  command.configureOutput({ writeErr: () => undefined });
  command.parse(translateFlags(words), { from: 'user' });
  const flags = command.opts<Flags>();
  return {
    flags,
    isGiven: (name) => command.getOptionValueSource(name) === 'cli',
    filters: command.args,
    loaded: await findConfig(flags.config, dir),
    env: {},
  };
}

async function planned(...words: readonly string[]): Promise<SuitePlan> {
  const plan = await planSuite(await asked(suite, ...words));
  expect.assert(plan !== undefined);
  return plan;
}

async function refused(dir: string, ...words: readonly string[]): Promise<HarnessError> {
  const ask = async (): Promise<unknown> => await planSuite(await asked(dir, ...words));
  const error = await ask().catch((thrown: unknown) => thrown);
  expect.assert(error instanceof HarnessError);
  return error;
}

const ids = ({ tests }: SuitePlan): readonly string[] => tests.map(({ ref }) => ref.id);

describe('a plan', () => {
  test('has each test once for each project, with what each of them says', async () => {
    const plan = await planned();
    expect(ids(plan)).toEqual([
      'a/first/plain',
      'a/known/plain',
      'deep/b/sch-ma-1-a/b/plain',
      'a/first/busy',
      'a/known/busy',
      'deep/b/sch-ma-1-a/b/busy',
    ]);
    const [first, known, , , , last] = plan.tests;
    expect(first?.config).toMatchObject({
      system: 'memory',
      systemOptions: { bug: 'dirty-read' },
      durationMs: 1000,
      workloadOptions: { rate: 100, clients: 20 },
      thresholds: { ops_unknown: ['rate<0.1'] },
      test: first?.ref,
    });
    expect(known?.config.systemOptions).toEqual({ bug: 'stale-read' });
    expect(known?.expects).toEqual({ anomaly: 'stale-read', runs: 4 });
    expect(last?.config).toMatchObject({
      faults: ['kill'],
      workloadOptions: { rate: 50, clients: 15 * 1 },
    });
    expect(plan).toMatchObject({
      selected: 6,
      found: 8,
      seed: 7,
      workers: 2,
      maxFailures: 0,
      infraRetries: 0,
      passWithNoTests: false,
      configFile: relative('', join(suite, 'schism.config.mjs')),
    });
    expect(plan.skipped?.map(({ ref }) => ref.title)).toEqual(['later', 'later']);
    expect(plan.modules).toEqual([]);
  });

  test('names the files that its runs need, and no others', async () => {
    const dir = await folder('code', {
      'schism.config.mjs': "export default { system: 'memory', nemeses: { quake: () => ({}) } };",
      'a.chaos.mjs': `${IMPORT}test('a', { checks: [{ name: 'c', check() {} }] });`,
      'b.chaos.mjs': `${IMPORT}test('b', {});`,
    });
    const plan = await planSuite(await asked(dir));
    expect(plan?.modules).toEqual([join(dir, 'schism.config.mjs'), join(dir, 'a.chaos.mjs')]);
    expect(plan?.tests.map(({ config }) => config.ownChecks)).toEqual([['c'], undefined]);
    expect((await planSuite(await asked(dir, 'b.chaos')))?.modules).toEqual([
      join(dir, 'schism.config.mjs'),
    ]);
    expect((await planRun(await asked(dir))).modules).toEqual([join(dir, 'schism.config.mjs')]);
  });

  test('obeys a flag that is given over everything else', async () => {
    const plan = await planned('--rate', '1', '--duration', '9s', '-j', '3', '-x', 'first');
    expect(
      plan.tests.map(({ config }) => [config.workloadOptions.rate, config.durationMs]),
    ).toEqual([
      [1, 9000],
      [1, 9000],
    ]);
    expect(plan).toMatchObject({ workers: 3, maxFailures: 1 });
  });

  test('gives a test the same seed whatever else is selected, and each test its own', async () => {
    const all = await planned();
    const seeds = all.tests.map(({ config }) => config.seed);
    expect(new Set(seeds).size).toBe(6);
    const some = await planned('--project', 'busy', '--shard', '2/3');
    expect(ids(some)).toEqual(['a/known/busy']);
    expect(some.tests[0]?.config.seed).toBe(seeds[4]);
    const other = await planned('--seed', '8');
    expect(other.seed).toBe(8);
    expect(other.tests[0]?.config.seed).not.toBe(seeds[0]);
  });

  test('repeats tests under seeds of their own, the first of which is that of a single run', async () => {
    const [once] = (await planned('first', '--project', 'plain')).tests;
    const { tests, selected } = await planned('first', '--project', 'plain', '--test-count', '3');
    expect(selected).toBe(3);
    expect(tests.map(({ ref }) => [ref.id, ref.repeat])).toEqual([
      ['a/first/plain.repeat-1', 1],
      ['a/first/plain.repeat-2', 2],
      ['a/first/plain.repeat-3', 3],
    ]);
    const seeds = tests.map(({ config }) => config.seed);
    expect(seeds[0]).toBe(once?.config.seed);
    expect(new Set(seeds).size).toBe(3);
    const [first, , third] = tests;
    expect.assert(first !== undefined);
    expect(repeatOf(first, 3)).toEqual(third);
    const long = await planned('--repeat-for', '2h', '-g', 'known');
    expect(long).toMatchObject({ repeatForMs: 7_200_000, selected: 2 });
    expect(long.tests[0]?.ref.repeat).toBe(1);
  });

  test('selects before it cuts out a shard, and says so of an empty one', async () => {
    const plan = await planned('-g', '@quick', '--project', 'plain', '--shard', '2/4');
    expect(plan).toMatchObject({ tests: [], selected: 1, shard: { index: 2, total: 4 } });
  });

  test('finds a test by the path and the line of its file, from wherever that is named', async () => {
    const path = join(suite, 'chaos/a.chaos.mjs');
    expect(ids(await planned(`${path}:3`, '--project', 'busy'))).toEqual(['a/first/busy']);
    expect(ids(await planned('deep/b.chaos.mjs:2', '--project', 'plain'))).toEqual([
      'deep/b/sch-ma-1-a/b/plain',
    ]);
  });

  test('with nothing in it is an error, unless that is allowed', async () => {
    const error = await refused(suite, 'frist');
    expect(error.code).toBe('nothing-selected');
    expect(error.message).toMatch(
      /^no test that may run matches 'frist' \(did you mean 'first'\?\); there are 8 tests in 2 files below /,
    );
    expect((await planned('nothing', '--pass-with-no-tests')).tests).toEqual([]);
  });

  test('refuses numbers and names that cannot be', async () => {
    const message = async (...words: readonly string[]): Promise<string> =>
      (await refused(suite, ...words)).message;
    expect(await message('--project', 'bsy')).toBe(
      "--project: unknown project 'bsy' (did you mean 'busy'?); there are: plain, busy",
    );
    expect(await message('-j', '0')).toBe('--workers: there must be at least 1');
    expect(await message('-j', 'many')).toMatch(/^--workers: 'many' is not a whole number/);
    expect(await message('--infra-retries', '99')).toMatch(/from 0 to 10$/);
    expect(await message('-x', '--max-failures', '3')).toMatch(/give one of them$/);
    expect(await message('--repeat-each', '0')).toBe('--repeat-each: 0 runs show nothing');
    expect(await message('--repeat-each', '2', '--repeat-for', '1h')).toMatch(/give it alone/);
    expect(await message('--repeat-for', 'long')).toMatch(/^--repeat-for: /);
    expect(await message('--last-failed', 'sbeef')).toMatch(/no suite 'sbeef'/);
  });
});

test('what is wrong in every test alike is said once', async () => {
  const dir = await folder('wrong-alike', {
    'schism.config.mjs': `export default { system: 'memry' };`,
    'chaos/a.chaos.mjs': `${IMPORT}
test('one', {});
test('two', {});
test('three', {});`,
  });
  const error = await refused(dir);
  expect(error.message).toMatch(
    /a\.chaos\.mjs:\d 'one' \(and 2 more tests\): unknown system 'memry' \(did you mean 'memory'\?\)/,
  );
  expect(error.details).toBeUndefined();
});

test('a known bug must be one that a check could name', async () => {
  const dir = await folder('kinds', {
    'schism.config.json': '{ "system": "memory" }',
    'k.chaos.mjs': `${IMPORT}
      const mine = { name: 'mine', check: () => undefined };
      test.expectViolation('ours', { anomaly: 'stale-raed' });
      test.expectViolation('mine', { anomaly: 'my-own', checks: [mine] });`,
  });
  const words = /:4 'ours': anomaly: no check finds 'stale-raed' \(did you mean 'stale-read'\?\)/;
  await expect(asked(dir).then(planSuite)).rejects.toThrow(words);
  const plan = await asked(dir, '-g', 'mine').then(planSuite);
  expect(plan?.tests[0]?.expects).toEqual({ anomaly: 'my-own', runs: 1 });
});

test('every test that cannot run is named before anything starts', async () => {
  const dir = await folder('wrong', {
    'schism.config.json': '{ "system": "memory" }',
    'w.chaos.mjs': `${IMPORT}
test('good', {});
test('no such fault', { faults: ['parttion'] });
test('no such bug option', { systemOptions: { bgu: 'x' } });
test('schedule', { schedule: [{ at: '1s', fault: 'pause', for: '1s', target: 'nobody' }] });
test('threshold', { thresholds: { avail: ['rate>0.9'] } });
/* line 8 */ test.skip('not asked', { faults: ['nothing'] });`,
  });
  const error = await refused(dir);
  expect(error.code).toBe('bad-option');
  const file = relative('', join(dir, 'w.chaos.mjs'));
  expect(error.message).toContain(
    `${file}:4 'no such fault': unknown fault 'parttion' (did you mean 'partition'?)`,
  );
  const others = error.details?.split('\n') ?? [];
  expect(others).toHaveLength(3);
  expect(others[0]).toContain(
    ":5 'no such bug option': --system-option: memory has no option 'bgu'",
  );
  expect(others[1]).toContain(":6 'schedule': schedule: entry 1");
  expect(others[2]).toContain(":7 'threshold': ");
  expect((await planSuite(await asked(dir, 'good')))?.tests).toHaveLength(1);
});

describe('without tests', () => {
  test('a config is one run, and so is no config at all', async () => {
    const dir = await folder('single', {
      'schism.config.json': '{ "system": "memory", "rate": 3 }',
    });
    expect(await planSuite(await asked(dir))).toBeUndefined();
    const { config, origins, modules } = await planRun(await asked(dir, '--duration', '1s'));
    expect(config).toMatchObject({
      system: 'memory',
      durationMs: 1000,
      workloadOptions: { rate: 3 },
    });
    expect(origins).toMatchObject({
      system: 'config',
      durationMs: 'flag',
      'workloadOptions.rate': 'config',
      quietMs: 'default',
      seed: 'drawn',
    });
    expect(modules).toEqual([]);
    const bare = await folder('bare', { 'x.txt': '' });
    expect(await planSuite(await asked(bare))).toBeUndefined();
    expect((await planRun(await asked(bare))).modules).toEqual([]);
    await expect(planRun(await asked(bare, '-j', 'many'))).rejects.toThrow("--workers: 'many'");
  });

  test('a config with projects is a test for each, and repeats make a suite of anything', async () => {
    const dir = await folder('projects', {
      'schism.config.json':
        '{ "system": "memory", "projects": [{ "name": "a" }, { "name": "b" }] }',
    });
    const plan = await planSuite(await asked(dir));
    expect(plan?.tests.map(({ ref }) => ref)).toEqual([
      { id: 'register-reads/a', title: 'register+reads', project: 'a' },
      { id: 'register-reads/b', title: 'register+reads', project: 'b' },
    ]);
    const bare = await folder('bare', { 'x.txt': '' });
    const twice = await planSuite(await asked(bare, '--repeat-each', '2', '--workload', 'reads'));
    expect(twice?.tests.map(({ ref }) => ref.id)).toEqual(['reads.repeat-1', 'reads.repeat-2']);
    expect(await planSuite(await asked(bare, '--repeat-each', '1'))).toBeUndefined();
  });

  test('to ask for tests is an error', async () => {
    const dir = await folder('none', { 'schism.config.json': '{ "testDir": "chaos" }' });
    expect((await refused(dir)).message).toMatch(/^there are no test files below .*chaos \(/);
    expect((await refused(dir)).code).toBe('nothing-selected');
  });
});

describe('a preview', () => {
  test('lists what would run, a line a test', async () => {
    const text = await preview(
      await asked(suite, '--list', '--project', 'busy', '-g', 'known|later'),
    );
    const file = relative('', join(suite, 'chaos/a.chaos.mjs'));
    expect(text?.split('\n')).toEqual([
      `  ${file}:4  known  [busy]  must show stale-read within 4 runs`,
      `  ${file}:5  later  [busy]  skipped`,
      '1 test, 1 skipped, 2 not selected',
      '',
    ]);
    const shard = await preview(await asked(suite, '--list', '-g', 'known', '--shard', '3/4'));
    expect(shard).toMatch(/^0 of 2 tests fall in shard 3\/4/m);
    expect(await preview(await asked(suite))).toBeUndefined();
  });

  test('prints the configuration of each test, and where each value was said', async () => {
    const words = ['--print-config', '-g', 'first', '--project', 'busy', '--client-timeout', '2s'];
    const text = await preview(await asked(suite, ...words));
    const { tests, ...others } = JSON.parse(text ?? '') as {
      readonly tests: readonly { readonly values: object; readonly origins: object }[];
    };
    expect(others).toMatchObject({ seed: '0x00000007', workers: 2 });
    expect(tests).toHaveLength(1);
    expect(tests[0]?.values).toMatchObject({ durationMs: 1000, quietMs: 2000 });
    expect(tests[0]?.origins).toMatchObject({
      system: 'config',
      'systemOptions.bug': 'config',
      durationMs: 'test',
      'workloadOptions.rate': 'project',
      'workloadOptions.clientTimeoutMs': 'flag',
      quietMs: 'default',
      'thresholds.ops_unknown': 'config',
      seed: 'config',
    });
  });
});
