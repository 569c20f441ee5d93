import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import type { SuiteResult } from '../protocols/suite.ts';
import {
  createSuite,
  lastSuite,
  listSuites,
  openSuite,
  type SuiteFolder,
  suitesOfRuns,
} from './suites.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-suites-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function begin(second: number, seed = second): Promise<SuiteFolder> {
  const startedAtMs = Date.UTC(2026, 0, 1, 0, 0, second);
  return createSuite(root, { startedAtMs, random: Random.stream(seedFrom(seed), 'id') });
}

/** The same with another value at a path such as `tests.0.runs`. */
function broken(result: SuiteResult, path: string, value: unknown): SuiteResult {
  const copy: unknown = JSON.parse(JSON.stringify(result));
  const names = path.split('.');
  const last = names.pop() ?? '';
  let at = copy as Record<string, unknown>;
  for (const name of names) at = at[name] as Record<string, unknown>;
  at[last] = value;
  return copy as SuiteResult;
}

test.each<[string, unknown]>([
  ['manifest.selected', 'many'],
  ['explored', null],
  ['explored', { runs: 'many' }],
  ['manifest.shard', { index: 1, total: 4_294_967_295 }],
  ['manifest.shard', { index: 3, total: 2 }],
  ['manifest.shard', { index: 1, total: '2' }],
  ['tests.0.test.project', {}],
  ['tests.0.test.file', 7],
  ['tests.0.expects', { runs: 'two' }],
  ['tests.0.runs.0.text', ['x']],
  ['tests.0.runs.0.faults', [null]],
  ['tests.0.runs.0.checks', [null]],
  ['tests.0.runs.0.checks', [{ checker: 'x', verdict: 'fine', line: '' }]],
])('a suite from anywhere whose %s is %j is refused', async (path, value) => {
  const folder = await begin(1);
  const whole = resultOf(folder.id, ['20260101T000000Z-0001']);
  await folder.finish(whole);
  expect((await openSuite(root, folder.id)).result).toEqual(whole);
  await folder.finish(broken(whole, path, value));
  await expect(openSuite(root, folder.id)).rejects.toThrow('not a suite of this version');
});

function resultOf(suite: string, runs: readonly string[] = []): SuiteResult {
  return {
    manifest: {
      schism: 1,
      suite,
      version: '1.0.0',
      node: 'v24.0.0',
      platform: 'linux x64',
      argv: [],
      startedAt: '2026-01-01T00:00:00.000Z',
      seed: '0x1',
      selected: 0,
    },
    tests: runs.map((dir) => ({
      test: { id: dir, title: dir },
      runs: [
        {
          run: dir.slice(-4),
          dir: `../../runs/${dir}`,
          verdict: 'pass',
          exitCode: 0,
          reasons: [],
          counts: { ok: 0, fail: 0, info: 0, open: 0 },
          wallMs: 0,
          faults: [],
          anomalies: [],
          checks: [],
        },
      ],
      outcome: 'pass',
      exitCode: 0,
      reason: '',
    })),
    exitCode: 0,
    wallMs: 0,
  };
}

test('a suite is there when it came to its end, and the newest is the latest', async () => {
  const first = await begin(1);
  await first.finish(resultOf(first.id));
  const second = await begin(2);
  expect((await lastSuite(root))?.id).toBe(first.id);
  await second.finish(resultOf(second.id));
  expect((await lastSuite(root))?.id).toBe(second.id);
  expect((await listSuites(root)).map(({ id }) => id)).toEqual([first.id, second.id]);
  expect(await readlink(join(root, 'latest-suite'))).toBe(
    join('suites', `20260101T000002Z-${second.id}`),
  );
});

test('two that begin at the same moment with the same chance get folders of their own', async () => {
  const both = await Promise.all([begin(1, 7), begin(1, 7)]);
  expect(new Set(both.map(({ dir }) => dir)).size).toBe(2);
});

test('where nothing is, there is no last one', async () => {
  expect(await lastSuite(root)).toBeUndefined();
  expect(await listSuites(join(root, 'nowhere'))).toEqual([]);
});

test('a suite is found by latest, -1, its id, the beginning of it, its folder and its file', async () => {
  const folder = await begin(1);
  await folder.finish(resultOf(folder.id));
  const refs = ['latest', '-1', folder.id, folder.id.slice(0, 3), folder.dir];
  for (const ref of [...refs, join(folder.dir, 'suite.json')])
    expect([ref, (await openSuite(root, ref)).dir]).toEqual([ref, folder.dir]);
  await expect(openSuite(root, '-2')).rejects.toThrow(`the newest are ${folder.id}`);
  await expect(openSuite(root, 'nope')).rejects.toThrow("no suite 'nope'");
});

test('a beginning that two have names neither', async () => {
  for (const second of [1, 2]) {
    const folder = await begin(second);
    await folder.finish(resultOf(folder.id));
  }
  await expect(openSuite(root, 's')).rejects.toThrow('the beginning of 2 suites');
});

test.each([
  ['no JSON', '{'],
  ['another version', '{"manifest":{"schism":2},"tests":[]}'],
  ['a test without an outcome', JSON.stringify({ ...resultOf('s0001'), tests: [{}] })],
])('%s is refused with its path, and left out of lists', async (_, text) => {
  const folder = await begin(1);
  await writeFile(folder.path('suite.json'), text);
  await expect(openSuite(root, folder.id)).rejects.toThrow('suite.json');
  expect(await listSuites(root)).toEqual([]);
});

test('each run tells its suite', async () => {
  const folder = await begin(1);
  await folder.finish(resultOf(folder.id, ['20260101T000000Z-1111']));
  const suites = await suitesOfRuns(root);
  expect([...suites]).toEqual([['20260101T000000Z-1111', folder.id]]);
});

test('files appear whole, and foreign folders are no suites', async () => {
  const folder = await begin(1);
  await folder.writeText('summary.md', 'all is well');
  expect(await readFile(folder.path('summary.md'), 'utf8')).toBe('all is well');
  await mkdir(join(root, 'suites', 'notes'));
  await folder.finish(resultOf(folder.id));
  expect(await listSuites(root)).toHaveLength(1);
});
