import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testDir } from '../harness/store/layout.ts';
import { failRun } from '../reports/testing/fixture-result.ts';
import { derivedReporters, rebuildDerived } from './derived.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-derived-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const IN_TEST = ['cluster.jsonl', 'faults.jsonl', 'metrics.jsonl', 'repro.sh'];

test('every run has its files, and they can be made again byte for byte', async () => {
  const { result, history } = failRun();
  const folder = { dir, testDir: testDir(dir, 'register') };
  for (const reporter of derivedReporters(folder)) await reporter.write(result, history);
  const names = (await readdir(folder.testDir)).toSorted((a, b) => (a < b ? -1 : 1));
  expect(names).toEqual(IN_TEST);
  const paths = [...names.map((name) => join(folder.testDir, name)), join(dir, 'summary.md')];
  const before = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  for (const path of paths) await writeFile(path, 'spoiled');
  expect(await rebuildDerived(dir, result, history)).toHaveLength(paths.length);
  expect(await Promise.all(paths.map((path) => readFile(path, 'utf8')))).toEqual(before);
});

test('a file that cannot be written costs only itself', async () => {
  const { result, history } = failRun();
  const folder = { dir, testDir: testDir(dir, 'register') };
  await mkdir(join(folder.testDir, 'faults.jsonl', 'in the way'), { recursive: true });
  const written = await Promise.allSettled(
    derivedReporters(folder).map((reporter) => reporter.write(result, history)),
  );
  const states = written.map(({ status }) => status);
  expect(states.filter((status) => status === 'rejected')).toHaveLength(1);
  expect(await readdir(dir)).toContain('summary.md');
});
