/** Whole suites from the command line, on the in-process store. */
import { existsSync } from 'node:fs';
import { readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SuiteResult } from '../harness/protocols/suite.ts';
import { readResult } from '../harness/store/store.ts';
import { readSuite } from '../harness/store/suites.ts';
import { type Sandbox, sandbox } from './cli-testing.ts';

const LIBRARY = JSON.stringify(join(import.meta.dirname, '..', 'schism.ts'));

const CONFIG = {
  system: 'memory',
  workload: 'register',
  faults: false,
  duration: '1s',
  quietStart: '50ms',
  workers: 3,
  projects: [
    { name: 'three', nodes: 3 },
    { name: 'five', nodes: 5 },
  ],
};

const TESTS = `
import { test } from ${LIBRARY};
test('works', {});
test('is slow on purpose', { thresholds: { throughput: ['rate>1000000'] } });
test('is not there', { system: 'etcd', systemOptions: { binary: '/nowhere/etcd' } });
test.expectViolation('reads are stale', {
  bug: 'stale-read', duration: '2s', anomaly: 'stale-read', within: '20 runs',
});
`;

async function project(tests = TESTS): Promise<Sandbox> {
  const box = await sandbox();
  await writeFile(join(box.dir, 'schism.config.json'), JSON.stringify(CONFIG));
  await writeFile(join(box.dir, 'store.chaos.ts'), tests);
  return box;
}

function latest({ dir }: Sandbox, root = '.schism'): Promise<SuiteResult> {
  return readSuite(join(dir, root, 'latest-suite'));
}

test('tests in two projects: every run is an ordinary one, and the worst decides', async () => {
  await using box = await project();
  const { code, out, err } = await box.schism(['run']);
  expect({ code, err }).toMatchObject({ code: 1 });
  expect(out.trimEnd().split('\n').at(-1)).toMatch(/^ ?exit 1: /);
  const suite = await latest(box);
  expect(suite.tests.map(({ test: ref, outcome }) => [ref.id, outcome])).toEqual([
    ['store/works/three', 'pass'],
    ['store/is-slow-on-purpose/three', 'fail'],
    ['store/is-not-there/three', 'error'],
    ['store/reads-are-stale/three', 'pass'],
    ['store/works/five', 'pass'],
    ['store/is-slow-on-purpose/five', 'fail'],
    ['store/is-not-there/five', 'error'],
    ['store/reads-are-stale/five', 'pass'],
  ]);
  const folder = await realpath(join(box.dir, '.schism', 'latest-suite'));
  for (const name of ['junit.xml', 'summary.md', 'report.html', 'suite.json'])
    expect([name, existsSync(join(folder, name))]).toEqual([name, true]);
  for (const { runs } of suite.tests)
    for (const { dir, run, verdict } of runs) {
      const text = await readFile(join(folder, dir, 'verdict.json'), 'utf8');
      expect(JSON.parse(text)).toMatchObject({ run, verdict });
    }
  const list = JSON.parse((await box.schism(['runs', 'ls', '--json'])).out) as {
    runs: { suite: string }[];
  };
  expect(new Set(list.runs.map((run) => run.suite))).toEqual(new Set([suite.manifest.suite]));

  const again = await box.schism([
    'run',
    '--last-failed',
    '--project',
    'five',
    '--json',
    '-x',
    '-j',
    '1',
  ]);
  expect(again).toMatchObject({ code: 1 });
  const document = JSON.parse(again.out) as SuiteResult;
  expect(document.tests.map(({ test: ref, outcome }) => [ref.id, outcome])).toEqual([
    ['store/is-slow-on-purpose/five', 'fail'],
    ['store/is-not-there/five', 'not-run'],
  ]);
  expect(document).toEqual(await latest(box));
});

test('two shards become one suite again, with their runs', async () => {
  await using box = await project(`import { test } from ${LIBRARY}; test('works', {});`);
  for (const shard of ['1/2', '2/2']) {
    const args = ['run', '--shard', shard, '-o', `at-${shard[0]}`, '--reporter', 'line,blob'];
    expect((await box.schism(args)).code).toBe(0);
  }
  const one = await box.schism(['merge', 'at-1', '-o', 'half']);
  expect(one).toMatchObject({ code: 3 });
  expect(one.err).toContain('shard 2/2 is missing');
  const twice = await box.schism(['merge', 'at-1', 'at-1']);
  expect(twice.code).toBe(254);
  expect(twice.err).toBe('schism: merge: shard 1/2 stands in at-1 and in at-1');
  const blob = join('at-2', 'latest-suite', 'blob.zip');
  const both = await box.schism(['merge', blob, 'at-1', '-o', 'whole']);
  expect(both).toMatchObject({ code: 0, err: '' });
  const suite = await latest(box, 'whole');
  expect(suite.manifest.mergedFrom).toEqual(['1/2', '2/2']);
  expect(suite.tests).toHaveLength(2);
  const home = await realpath(join(box.dir, 'whole', 'latest-suite'));
  for (const run of suite.tests.flatMap(({ runs }) => runs))
    expect((await readResult(join(home, run.dir))).manifest.run).toBe(run.run);
});

test('Ctrl-C ends the running test as a single run ends, and the rest is not run', async () => {
  await using box = await project();
  const running = box.start(['run', '--duration', '60s', '-j', '1', '--project', 'three']);
  await box.recorded('"ph":"main"');
  running.kill('SIGINT');
  expect((await running).exitCode).toBe(130);
  const suite = await latest(box);
  expect(suite).toMatchObject({ exitCode: 130, interrupted: 'SIGINT' });
  expect(suite.tests.map(({ outcome, exitCode: code }) => [outcome, code])).toEqual([
    ['unknown', 130],
    ['not-run', 0],
    ['not-run', 0],
    ['not-run', 0],
  ]);
});
