import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findConfig } from '../config/load.ts';
import { addRunFlags, type Flags } from '../flags.ts';
import type { Asked } from '../suite/choose-tests.ts';
import type { SuitePlan } from '../suite/plan.ts';
import { planSuite } from '../suite/plan-suite.ts';
import { preview } from '../suite/preview.ts';

const COMMON = { 'schism-regression': 1, system: 'memory', version: '0.1.0', backend: 'memory' };
const STALE = { bug: 'stale-read', workload: 'register', nodes: 3, faults: false };

const FILES = {
  'known-bug': {
    ...COMMON,
    options: STALE,
    seed: 7,
    expect: { verdict: 'fail', anomalies: ['stale-read', 'lost-write'] },
    runs: { within: 4 },
    tags: ['@quick'],
  },
  'no-bug': {
    ...COMMON,
    options: { workload: ['register', 'reads'], faults: ['kill'] },
    seed: '0x9',
    expect: { verdict: 'pass' },
  },
  'not-here': {
    ...COMMON,
    system: 'etcd',
    backend: 'process',
    options: { workload: 'reads', systemOptions: { binary: '/nowhere/etcd' } },
    versions: ['3.4.20 - 3.4.41'],
    seed: 1,
    expect: { verdict: 'fail' },
  },
};

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'schism-regression-tests-'));
  const config = {
    nodes: 5,
    rate: 11,
    workers: 2,
    thresholds: { ops_unknown: ['rate<0.1'] },
    projects: [{ name: 'busy', rate: 900 }],
  };
  await writeFile(join(home, 'schism.config.json'), JSON.stringify(config));
  await mkdir(join(home, 'regressions'));
  for (const [name, file] of Object.entries(FILES))
    await writeFile(join(home, 'regressions', `${name}.json`), JSON.stringify({ ...file, name }));
});
afterAll(async () => {
  await rm(home, { recursive: true });
});

/** As `schism run --regressions` would ask with these words in a folder that has some. */
async function asked(...words: readonly string[]): Promise<Asked> {
  const command = addRunFlags(new Command('run').argument('[filter...]').exitOverride());
  command.configureOutput({ writeErr: () => undefined });
  command.parse([...words, '--regressions'], { from: 'user' });
  return {
    flags: command.opts<Flags>(),
    isGiven: (name) => command.getOptionValueSource(name) === 'cli',
    filters: command.args,
    loaded: await findConfig(undefined, home),
    env: {},
  };
}

async function planned(...words: readonly string[]): Promise<SuitePlan> {
  const plan = await planSuite(await asked(...words));
  expect.assert(plan !== undefined);
  return plan;
}

const ids = ({ tests }: SuitePlan): readonly string[] => tests.map(({ ref }) => ref.id);

describe('regressions as tests', () => {
  test('are what their files say, whatever the config and its projects say', async () => {
    const { tests, workers } = await planned();
    expect(workers).toBe(2);
    expect(tests.map(({ ref }) => [ref.id, ref.title, ref.project])).toEqual([
      ['regressions/known-bug', 'known-bug', undefined],
      ['regressions/no-bug', 'no-bug', undefined],
    ]);
    const [known, plain] = tests;
    expect(known?.config).toMatchObject({ seed: 7, workload: 'register', faults: [] });
    expect(known?.config.nodes).toEqual(['n1', 'n2', 'n3']);
    expect(known?.config.systemOptions).toEqual({ bug: 'stale-read' });
    expect(known?.config.workloadOptions.rate).toBe(500);
    expect(known?.config.thresholds).toBeUndefined();
    expect(plain?.config).toMatchObject({ seed: 9, workload: 'register+reads', faults: ['kill'] });
  });

  test('expect what their files say; one that must pass is an ordinary test', async () => {
    const { tests } = await planned();
    expect(tests.map(({ expects }) => expects)).toEqual([
      {
        anomalies: ['stale-read', 'lost-write'],
        every: false,
        runs: 4,
        known: 'memory with the bug stale-read, workload register, 3 nodes, faults: none',
      },
      undefined,
    ]);
  });

  test('that cannot be played here are skipped, with the reason', async () => {
    const { skipped } = await planned();
    expect(skipped).toEqual([
      {
        ref: expect.objectContaining({ id: 'regressions/not-here' }),
        why: expect.stringContaining("'/nowhere/etcd' cannot be run"),
      },
    ]);
    const text = await preview(await asked('--list'));
    expect(text).toMatch(/known-bug {2}@quick {2}must show stale-read or lost-write within 4 runs/);
    expect(text).toMatch(
      /not-here {2}must show a violation within 1 run {2}skipped: .*cannot be run/,
    );
    expect(text).toMatch('2 tests, 1 skipped');
  });

  test('that cannot be played are an error where all are required, or nothing else is left', async () => {
    await expect(planned('--require-regressions')).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('not-here cannot be played here'),
    });
    // What nobody asked for need not be there.
    expect(ids(await planned('no-bug', '--require-regressions'))).toEqual(['regressions/no-bug']);
    await expect(planned('--system', 'etcd')).rejects.toMatchObject({
      code: 'nothing-selected',
      message: expect.stringContaining("not-here: '/nowhere/etcd' cannot be run"),
    });
  });

  test('are chosen by what they say of themselves, by words, tags and shards', async () => {
    expect(ids(await planned('--bug', 'stale-read'))).toEqual(['regressions/known-bug']);
    expect(ids(await planned('--workload', 'register,reads'))).toEqual(['regressions/no-bug']);
    expect(ids(await planned('no-bug'))).toEqual(['regressions/no-bug']);
    expect(ids(await planned('-g', '@quick'))).toEqual(['regressions/known-bug']);
    expect(ids(await planned('--shard', '2/2'))).toEqual(['regressions/no-bug']);
    await expect(planned('--bug', 'figure-8')).rejects.toMatchObject({
      code: 'nothing-selected',
      message: expect.stringMatching(/^none of 3 regressions in .* has --bug figure-8$/),
    });
  });

  test('are changed by the flags that do not choose', async () => {
    const { tests } = await planned('--bug', 'stale-read', '--duration', '3s', '--seed', '5');
    expect(tests[0]?.config).toMatchObject({
      durationMs: 3000,
      systemOptions: { bug: 'stale-read' },
    });
    expect(tests[0]?.config.seed).not.toBe(7);
  });

  test('know of no projects', async () => {
    await expect(planned('--project', 'busy')).rejects.toMatchObject({ code: 'bad-option' });
  });
});
