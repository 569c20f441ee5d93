/** Thresholds, derived files and retention of real runs, from the config to the folder. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readResult, storedHistory } from '../harness/store/store.ts';
import { sandbox } from './cli-testing.ts';

const CONFIG = {
  system: 'memory',
  workload: 'register',
  faults: false,
  duration: '300ms',
  quietStart: '50ms',
  thresholds: { availability: ['rate>0.5'] },
  retain: { history: 'on-failure', logs: 'on-failure', runs: { max: 2 } },
};

test('a threshold fails a run, and old runs go as the config says', async () => {
  await using box = await sandbox();
  await writeFile(join(box.dir, 'schism.config.json'), JSON.stringify(CONFIG));
  const runs = async (): Promise<readonly string[]> =>
    (await readdir(join(box.dir, '.schism', 'runs'))).filter((name) => /^\d/.test(name));

  const passed = await box.schism(['run', '-q']);
  expect(passed.code).toBe(0);
  const [first = ''] = await runs();
  const dir = join(box.dir, '.schism', 'runs', first);
  expect(() => storedHistory(dir, 'register')).toThrow(/retain\.history may have let it go/);
  expect((await readResult(dir)).checks.at(-1)).toMatchObject({
    checker: 'thresholds',
    verdict: 'valid',
  });
  const left = await readdir(join(dir, 'tests', 'register'));
  expect(left).toEqual(expect.arrayContaining(['metrics.jsonl', 'repro.sh']));
  const metrics = await readFile(join(dir, 'tests', 'register', 'metrics.jsonl'), 'utf8');
  expect(JSON.parse(metrics.split('\n')[0] ?? '')).toMatchObject({ t: 0 });

  const failed = await box.schism(['run', '-q', '--threshold', 'latency_ms: max<0.00001']);
  expect(failed.code).toBe(1);
  expect(failed.out).toMatch(/Max of the latency was .* ms; max<0\.00001 was asked\./);
  const again = await box.schism(['check', 'latest']);
  expect(again.code).toBe(1);
  const explained = await box.schism(['explain', 'latest']);
  expect(explained.out).toMatch(/1 of 1 claim holds/);
  expect(failed.err).not.toContain('deleted');

  const third = await box.schism(['run', '-q']);
  expect(third.err).toMatch(/deleted 1 run, .* as the config says: more than 2 runs/);
  expect(await runs()).not.toContain(first);
  expect(await runs()).toHaveLength(2);
});
