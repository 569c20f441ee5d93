/** A run becomes a regression, which is found again; and is missed when it is gone. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SuiteResult } from '../harness/protocols/suite.ts';
import { readSuite } from '../harness/store/suites.ts';
import { type Sandbox, sandbox } from './cli-testing.ts';

const FOUND = ['--backend', 'sim', '--bug', 'stale-leader-read', '--workload', 'reads'];
const SHORT = ['--nodes', '3', '--rate', '200', '--duration', '4s', '--seed', '1', '-q'];

function latest({ dir }: Sandbox): Promise<SuiteResult> {
  return readSuite(join(dir, '.schism', 'latest-suite'));
}

test('what a run showed is kept, found again, and missed when it is gone', async () => {
  await using box = await sandbox();
  const cut = { at: '1s', for: '2s', fault: 'partition', shape: 'isolate-leader' };
  await writeFile(join(box.dir, 's.json'), JSON.stringify([cut]));
  const first = await box.schism(['run', ...FOUND, ...SHORT, '--schedule', 's.json']);
  expect(first.code).toBe(1);

  const kept = await box.schism(['regression', 'latest', '--name', 'stale', '--note', 'by a test']);
  expect(kept).toMatchObject({ code: 0, err: '' });
  expect(kept.out).toContain('npx schism run stale --regressions');
  const path = join(box.dir, 'regressions', 'stale.json');
  const text = await readFile(path, 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    name: 'stale',
    system: 'raftkv',
    backend: 'sim',
    schedule: [{ at: '1s', fault: 'partition', shape: 'isolate-leader' }],
    expect: { verdict: 'fail', anomalies: expect.arrayContaining(['stale-read']), every: true },
    note: 'by a test',
    seen: [{ runs: 1, of: 1 }],
  });
  const twice = await box.schism(['regression', 'latest', '--name', 'stale']);
  expect(twice).toMatchObject({ code: 254, err: expect.stringContaining('is there already') });

  const again = await box.schism(['run', '--regressions', '-q']);
  expect({ code: again.code, out: again.code === 0 ? '' : again.out }).toEqual({
    code: 0,
    out: '',
  });
  const [found] = (await latest(box)).tests;
  expect(found).toMatchObject({ outcome: 'pass', test: { title: 'stale' } });
  expect(found?.reason).toMatch(/^expected .*stale-read.*; found .*stale-read.* in run 1 of 1$/);

  await writeFile(path, text.replace(/\s+"bug": "stale-leader-read",/, ''));
  const gone = await box.schism(['run', 'stale', '--regressions', 'regressions', '-q']);
  expect(gone.code).toBe(1);
  const words = gone.out.replaceAll(/\s+/g, ' ');
  expect(words).toMatch(/a known bug is no longer found: expected .*stale-read.* of raftkv, /);
  expect(words).toContain('workload reads, 3 nodes, faults: 1 of its own; played one run');
  const junit = await readFile(join(box.dir, '.schism', 'latest-suite', 'junit.xml'), 'utf8');
  expect(junit).toMatch(/<failure [^>]*a known bug is no longer found/);

  await writeFile(path, text.replace('"seed"', '"sed"'));
  const wrong = await box.schism(['run', '--regressions']);
  expect(wrong).toMatchObject({ code: 254, out: '' });
  expect(wrong.err).toMatch(/^schism: regressions\/stale\.json: .*'sed' \(did you mean 'seed'\?\)/);
});
