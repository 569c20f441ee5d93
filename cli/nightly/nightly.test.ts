import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SuiteFolder } from '../../harness/store/suites.ts';
import type { SchismConfig } from '../config/config.ts';
import { defaultFlags, type Flags } from '../flags.ts';
import type { Asked } from '../suite/choose-tests.ts';
import { runOf, whole } from './explore-night.ts';
import { askedForNight, planNight, seedOfShard } from './nightly.ts';

function asked(given: Partial<Flags>, config: SchismConfig = {}): Asked {
  return askedForNight({
    flags: { ...defaultFlags(), budget: '100s', ...given },
    isGiven: (flag) => flag in given,
    // Few of them: each one that is selected is resolved.
    filters: 'system' in given ? ['raftkv-r'] : [],
    loaded: { config },
    env: {},
  });
}

const SIMULATED = { backend: 'sim', system: 'raftkv' } as const;

test('regressions are played in an order of their own each night, for a fifth of the time', async () => {
  const plan = await planNight(asked({ ...SIMULATED, seed: '1' }), 100_000);
  const same = await planNight(asked({ ...SIMULATED, seed: '1' }), 100_000);
  const other = await planNight(asked({ ...SIMULATED, seed: '2' }), 100_000);
  const ids = (of: typeof plan): readonly string[] => of.tests.map(({ ref }) => ref.id);
  expect(plan.tests.length).toBeGreaterThan(2);
  expect(plan.deadline?.afterMs).toBe(20_000);
  expect(ids(same)).toEqual(ids(plan));
  expect(ids(other)).not.toEqual(ids(plan));
  expect(ids(other).toSorted()).toEqual(ids(plan).toSorted());
}, 60_000);

test('what is said of exploring makes no other runs of regressions, and nor does a seed', async () => {
  const plain = await planNight(asked({ ...SIMULATED, seed: '1' }), 1000);
  const given = { nodes: '5', rate: '10', duration: '1s', fault: 'kill', seed: '2' };
  const plan = await planNight(asked({ ...SIMULATED, ...given }), 1000);
  const played = ({ tests }: typeof plan): readonly unknown[] =>
    tests
      .map(({ config }) => config)
      .toSorted((a, b) => JSON.stringify(a.test).localeCompare(JSON.stringify(b.test)));
  expect(played(plan)).toEqual(played(plain));
  expect(plan.seed).toBe(2);
}, 60_000);

test('shards share the regressions out, and each draws runs of its own, the same again', async () => {
  const shards = await Promise.all(
    ['1/2', '2/2'].map((shard) => planNight(asked({ ...SIMULATED, seed: '1', shard }), 1000)),
  );
  const all = await planNight(asked({ ...SIMULATED, seed: '1' }), 1000);
  const ids = shards.flatMap(({ tests }) => tests.map(({ ref }) => ref.id));
  expect(ids.toSorted()).toEqual(all.tests.map(({ ref }) => ref.id).toSorted());
  const seeds = shards.map(seedOfShard);
  expect(new Set([...seeds, seedOfShard(all)]).size).toBe(3);
  expect(seedOfShard({ seed: 1, shard: { index: 2, total: 2 } })).toBe(seeds[1]);
}, 60_000);

test('without regressions of that store there is still a night, unless they were asked for', async () => {
  const plan = await planNight(asked({ bug: 'no-such-bug', seed: '7' }), 1000);
  expect(plan).toMatchObject({ tests: [], selected: 0, seed: 7 });
  const dir = await mkdtemp(join(tmpdir(), 'schism-none-'));
  try {
    await mkdir(join(dir, 'empty'));
    const none = asked({ regressions: join(dir, 'empty') });
    await expect(planNight(none, 1000)).rejects.toThrow(/there are no regressions/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('the regressions are those of the store that the config names', async () => {
  const plan = await planNight(asked({ seed: '7' }, { system: 'memory' }), 1000);
  expect(plan.tests).toEqual([]);
});

test.for([
  ['repeatEach', '--repeat-each'],
  ['lastFailed', '--last-failed'],
  ['leaveRunning', '--leave-running'],
])('%s does not go with a budget', ([flag = '', name]) => {
  expect(() => asked({ [flag]: '3' })).toThrow(`--budget: a night goes without ${name}`);
});

test('a search in which no check could decide anything has not passed', () => {
  const broken = new Map([['no room', 2]]);
  expect(whole('exploring', { runs: 5, undecided: 2, broken }).outcome).toBe('pass');
  expect(whole('exploring', { runs: 4, undecided: 2, broken })).toMatchObject({
    outcome: 'unknown',
    exitCode: 2,
    reason: 'no check could decide anything',
  });
  expect(whole('exploring', { runs: 2, undecided: 0, broken }).reason).toMatch(/no room$/);
  expect(whole('exploring', { runs: 0, undecided: 0, broken: new Map() }).reason).toMatch(
    /no time/,
  );
});

test('a finding whose run cannot be read any more is one without a run', async () => {
  const folder = { dir: '/nowhere/suites/s' } as SuiteFolder;
  expect(await runOf('/nowhere', { dir: '/nowhere/runs/x' }, { folder })).toBeUndefined();
});
