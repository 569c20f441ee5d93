import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { loadRegression, loadRegressions, OWN_REGRESSIONS, regressionsDir } from './load.ts';

const GOOD = {
  'schism-regression': 1,
  name: 'good',
  system: 'memory',
  version: '0.1.0',
  backend: 'memory',
  options: { bug: 'stale-read', workload: 'register', nodes: 3, rate: 200 },
  seed: 1,
  expect: { verdict: 'fail', anomalies: ['stale-read'] },
};

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-regressions-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

async function written(value: unknown, name = 'good'): Promise<string> {
  const path = join(dir, `${name}.json`);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

async function refused(value: unknown): Promise<string> {
  const path = await written(value);
  const error = await loadRegression(path).catch((thrown: unknown) => thrown);
  expect.assert(error instanceof HarnessError);
  expect(error.message).not.toContain('\n');
  expect(error.message).toContain('good.json: ');
  return error.message.slice(error.message.indexOf('good.json: ') + 'good.json: '.length);
}

describe('a regression', () => {
  test('is read with what it leaves out', async () => {
    const path = await written(GOOD);
    expect(await loadRegression(path)).toEqual({
      name: 'good',
      path,
      system: 'memory',
      version: '0.1.0',
      versions: [],
      backend: 'memory',
      options: { ...GOOD.options, system: 'memory', backend: 'memory', seed: 1 },
      expect: { verdict: 'fail', anomalies: ['stale-read'], every: false },
      within: 1,
      seen: [],
    });
  });

  test('names a schedule below schedules/, or has faults of its own', async () => {
    const file = await loadRegression(await written({ ...GOOD, schedule: 'deep/a.json' }));
    expect(file.options.schedule).toBe(join(dir, 'schedules', 'deep', 'a.json'));
    const schedule = [{ at: '1s', fault: 'pause', for: '2s' }];
    const inline = await loadRegression(await written({ ...GOOD, schedule }));
    expect(inline.options.schedule).toEqual(schedule);
  });

  test.each([
    [{ ...GOOD, seed: undefined, sed: 1 }, "has no 'sed' (did you mean 'seed'?)"],
    [{ ...GOOD, 'schism-regression': 2 }, 'schism-regression: must be 1, the form that this'],
    [{ name: 'good' }, "it is no regression: it has no 'schism-regression'"],
    [[], "it is no regression: it has no 'schism-regression'"],
    [{ ...GOOD, name: 'bad' }, "name: it is 'bad', and the file says 'good'"],
    [{ ...GOOD, options: { rat: 1 } }, "has no 'rat' (did you mean 'rate'?)"],
    [{ ...GOOD, options: { seed: 1 } }, 'options.seed: it is no option here; leave it out'],
    [{ ...GOOD, backend: 'cloud' }, 'backend: must be one of memory, process'],
    [{ ...GOOD, schedule: '../a.json' }, "schedule: '../a.json' does not lie below schedules/"],
    [{ ...GOOD, schedule: '/a.json' }, "schedule: '/a.json' does not lie below schedules/"],
    [{ ...GOOD, versions: ['3.4'] }, "versions: '3.4' is no version"],
    [{ ...GOOD, expect: { verdict: 'green' } }, 'expect.verdict: must be fail or pass'],
    [{ ...GOOD, expect: { verdict: 'pass', every: true } }, 'what passes shows no anomalies'],
    [
      { ...GOOD, expect: { verdict: 'pass' }, runs: { within: 2 } },
      'runs: to pass in one of several runs is no promise',
    ],
    [{ ...GOOD, runs: { within: 0 } }, 'runs.within: must be a whole number from 1'],
    [{ ...GOOD, seen: [{ runs: 1 }] }, 'seen.0.of: is missing'],
    [{ ...GOOD, tags: ['quick'] }, 'is no tag'],
  ])('that cannot be used is refused in one line: %#', async (value, why) => {
    expect(await refused(value)).toContain(why);
  });

  test('that is no JSON is refused with its name', async () => {
    const error = await loadRegression(await written('{')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bad-input' });
    expect(String(error)).toMatch(/cannot read .*good\.json: /);
  });
});

describe('the folder', () => {
  test('is the one beside the config, or ours', async () => {
    const config = join(dir, 'schism.config.json');
    expect(regressionsDir(true, config)).toBe(OWN_REGRESSIONS);
    await mkdir(join(dir, 'regressions'));
    expect(regressionsDir(true, config)).toBe(join(dir, 'regressions'));
    expect(regressionsDir(dir)).toBe(dir);
  });

  test('that is named and not there is an error that thinks of a filter', () => {
    expect(() => regressionsDir('figure-8')).toThrow('words to filter by stand before the flag');
  });

  test('of ours has at least one of a real store and one of each kind of cluster', async () => {
    const all = await loadRegressions(OWN_REGRESSIONS);
    expect(all.length).toBeGreaterThan(40);
    expect(new Set(all.map(({ system }) => system))).toEqual(new Set(['raftkv', 'etcd']));
    expect(new Set(all.map(({ backend }) => backend))).toEqual(new Set(['process', 'sim']));
  });
});
