import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { wilson } from '../../reports/rate.ts';
import { aConfig } from './testing.ts';
import {
  conclusionOf,
  type Played,
  type Row,
  runsUntilNone,
  type TrialOptions,
  Trials,
} from './trials.ts';

interface Fake {
  readonly trials: Trials;
  readonly played: () => readonly RunConfig[];
}

/** `play` answers; each run takes a second. */
function fake(
  play: (config: RunConfig, count: number) => Played,
  options: Partial<TrialOptions> & { readonly budgetS?: number } = {},
): Fake {
  const configs: RunConfig[] = [];
  const trials = new Trials({
    isExact: false,
    repeats: 20,
    clock: { now: () => nanos(configs.length * 1e9) },
    deadline: nanos((options.budgetS ?? 10_000) * 1e9),
    interrupted: () => false,
    onRow: () => undefined,
    ...options,
    play: (config) => {
      configs.push(config);
      return Promise.resolve(play(config, configs.length));
    },
  });
  return { trials, played: () => configs };
}

/** Shows it as often as its rate says. */
function ofRate(seed: number, rateOf: (config: RunConfig) => number): (c: RunConfig) => Played {
  const random = Random.stream(seedFrom(seed), 'fake');
  return (config) => (random.float() < rateOf(config) ? 'found' : 'not-found');
}

const change = { what: 'pause', kind: 'without', config: aConfig({ durationMs: 1 }) } as const;

describe('a candidate whose runs do not come to their end', () => {
  test.each([true, false])(
    'is given up, and the next one is tried (exact: %s)',
    async (isExact) => {
      const tried = fake((config) => (config.durationMs === 1 ? 'broken' : 'found'), {
        isExact,
        repeats: 4,
      });
      expect(await tried.trials.original(aConfig({}), 'as recorded')).toBeDefined();
      const before = tried.played().length;
      expect(await tried.trials.accepts(change)).toBeUndefined();
      expect(tried.played().length - before).toBe(isExact ? 4 : 3);
      const other = { ...change, config: aConfig({ durationMs: 2 }) };
      expect(await tried.trials.accepts(other)).toBeDefined();
    },
  );

  test('now and then, is one of which the others count', async () => {
    const { trials } = fake((_, count) => (count % 3 === 0 ? 'broken' : 'not-found'));
    await trials.original(aConfig({}), 'as recorded');
    expect(trials.rows[0]?.rate).toMatchObject({ found: 0, of: 20 });
  });
});

describe('on real clusters', () => {
  test('the original is played until three runs showed it, or as often as is allowed', async () => {
    const always = fake(() => 'found');
    expect(await always.trials.original(aConfig({}), 'as recorded')).toBeDefined();
    expect(always.trials.rows[0]).toMatchObject({
      rate: { found: 3, of: 3 },
      conclusion: 'original',
    });
    const never = fake(() => 'not-found');
    expect(await never.trials.original(aConfig({}), 'as recorded')).toBeUndefined();
    expect(never.played().length).toBe(20);
  });

  test('a candidate is played until none of its runs would mean something', async () => {
    const { trials, played } = fake((config) => (config.durationMs === 1 ? 'not-found' : 'found'));
    await trials.original(aConfig({}), 'as recorded');
    expect(await trials.accepts(change)).toBeUndefined();
    const row = trials.rows[1] as Row;
    expect(row).toMatchObject({ conclusion: 'needed', rate: { found: 0, of: 5 } });
    expect(row.rate.high).toBeLessThan(trials.rows[0]?.rate.low ?? 0);
    expect(played().length).toBe(8);
  });

  test('what was not found in too few runs is not called needed', async () => {
    const { trials } = fake((config, count) =>
      config.durationMs !== 1 && count % 5 === 0 ? 'found' : 'not-found',
    );
    await trials.original(aConfig({}), 'as recorded');
    expect(await trials.accepts(change)).toBeUndefined();
    expect(trials.rows.map(({ rate, conclusion }) => [rate.found, rate.of, conclusion])).toEqual([
      [3, 15, 'original'],
      [0, 20, 'unseen'],
    ]);
  });

  test('a run that could not be made counts for nothing', async () => {
    const { trials } = fake((_, count) => (count % 2 === 0 ? 'found' : 'broken'));
    await trials.original(aConfig({}), 'as recorded');
    expect(trials.rows[0]?.rate).toMatchObject({ found: 3, of: 3 });
  });

  test('when the budget ends a candidate is not finished, and not taken', async () => {
    const { trials, played } = fake((config) => (config.durationMs === 1 ? 'not-found' : 'found'), {
      budgetS: 2,
    });
    await trials.original(aConfig({}), 'as recorded');
    expect(await trials.accepts(change)).toBeUndefined();
    // A third of it went to the original, which was found in each of its runs.
    expect(trials.rows.map(({ rate, conclusion }) => [rate.found, rate.of, conclusion])).toEqual([
      [1, 1, 'original'],
      [0, 1, 'unfinished'],
    ]);
    expect(trials.isOver()).toBe(true);
    // What is owed is played all the same.
    expect(await trials.result(aConfig({}), 'the smallest')).toMatchObject({ found: 1, of: 1 });
    expect(played().length).toBe(3);
  });

  test('one candidate takes no more than a quarter of the budget that is left', async () => {
    const { trials } = fake((config) => (config.durationMs === 1 ? 'not-found' : 'found'), {
      budgetS: 15,
    });
    await trials.original(aConfig({}), 'as recorded');
    expect(await trials.accepts(change)).toBeUndefined();
    expect(trials.rows[1]).toMatchObject({ conclusion: 'unseen', rate: { found: 0, of: 3 } });
    expect(trials.isOver()).toBe(false);
  });

  test('whoever interrupts ends the candidate and the result', async () => {
    let stopped = false;
    const { trials, played } = fake(
      (_, count) => {
        stopped = count === 4;
        return count < 4 ? 'found' : 'not-found';
      },
      { interrupted: () => stopped },
    );
    await trials.original(aConfig({}), 'as recorded');
    expect(await trials.accepts(change)).toBeUndefined();
    expect(await trials.result(aConfig({}), 'the smallest')).toMatchObject({ of: 0 });
    expect(trials.rows.map(({ conclusion }) => conclusion)).toEqual(['original', 'unfinished']);
    expect(trials.rows[1]?.rate.of).toBe(0);
    expect(played().length).toBe(4);
  });

  test('of a rate that is known: what does not matter goes, what it takes mostly stays', async () => {
    const counts = { harmless: 0, needed: 0 };
    for (let seed = 0; seed < 200; seed++) {
      const rateOf = ({ durationMs }: RunConfig): number => (durationMs === 1 ? 0 : 0.5);
      const { trials } = fake(ofRate(seed, rateOf));
      await trials.original(aConfig({}), 'as recorded');
      if (await trials.accepts({ ...change, config: aConfig({ durationMs: 2 }) }))
        counts.harmless++;
      if (await trials.accepts(change)) counts.needed++;
      for (const { rate, conclusion } of trials.rows.slice(1))
        expect(conclusion).toBe(conclusionOf(rate, trials.rows[0]?.rate as Row['rate']));
    }
    expect(counts.harmless).toBeGreaterThan(180);
    expect(counts.needed).toBe(0);
  });
});

describe('in the simulator', () => {
  test('one run says it, and other seeds are tried', async () => {
    const { trials, played } = fake(({ seed }) => (seed === 2 ? 'found' : 'not-found'), {
      isExact: true,
      repeats: 3,
    });
    const found = await trials.original(aConfig({ seed: 77 }), 'as recorded');
    expect(found?.seed).toBe(2);
    expect(played().map(({ seed }) => seed)).toEqual([77, 1, 2]);
    const next = await trials.accepts({ ...change, config: aConfig({ seed: 2 }) });
    expect(next?.seed).toBe(2);
    expect(played().length).toBe(4);
  });

  test('for what is worth more many more are', async () => {
    const { trials, played } = fake(({ seed }) => (seed === 5 ? 'found' : 'not-found'), {
      isExact: true,
      repeats: 2,
    });
    expect(await trials.accepts(change)).toBeUndefined();
    const found = await trials.accepts({ ...change, isWorthMore: true });
    expect(found?.seed).toBe(5);
    expect(played().length).toBe(2 + 6);
  });

  test('as long as that leaves room for others, and runs come to their end', async () => {
    const rare = fake(() => 'not-found', { isExact: true, repeats: 3, budgetS: 100 });
    expect(await rare.trials.accepts({ ...change, isWorthMore: true })).toBeUndefined();
    expect(rare.played().length).toBe(25);
    const broken = fake(() => 'broken', { isExact: true, repeats: 2 });
    expect(await broken.trials.accepts({ ...change, isWorthMore: true })).toBeUndefined();
    expect(broken.played().length).toBe(3);
  });

  test('what no seed shows is kept', async () => {
    const { trials } = fake(() => 'not-found', { isExact: true, repeats: 2 });
    expect(await trials.accepts(change)).toBeUndefined();
    expect(trials.rows).toMatchObject([{ conclusion: 'unseen', rate: { found: 0, of: 2 } }]);
  });
});

test('conclusions are drawn only where intervals lie apart', () => {
  for (let of = 1; of <= 25; of++)
    for (let found = 0; found <= of; found++)
      for (const original of [wilson(3, 3), wilson(3, 9), wilson(4, 20), wilson(20, 20)]) {
        const rate = wilson(found, of);
        const isApart = rate.high < original.low;
        const said = conclusionOf(rate, original);
        expect(['rarer', 'needed'].includes(said)).toBe(isApart);
        expect(['enough', 'rarer'].includes(said)).toBe(found > 0);
      }
});

test('as many runs as it takes, and no more than are allowed', () => {
  expect(runsUntilNone(wilson(3, 3), 20)).toBe(5);
  expect(runsUntilNone(wilson(4, 20), 20)).toBe(20);
  const of = runsUntilNone(wilson(3, 9), 100);
  expect(wilson(0, of).high).toBeLessThan(wilson(3, 9).low);
  expect(wilson(0, of - 1).high).toBeGreaterThanOrEqual(wilson(3, 9).low);
});
