import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SchismConfig } from '../config/config.ts';
import { defaultFlags, type Flags } from '../flags.ts';
import type { Asked } from '../suite/choose-tests.ts';
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
