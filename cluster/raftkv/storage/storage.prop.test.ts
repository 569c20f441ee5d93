/**
 * Random work with crashes in between and within. Whatever was promised to be durable is there
 * afterwards; what was under way is there as a whole or not at all.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { type Action, StorageModel } from './storage-model.ts';

const fault = fc.record({
  after: fc.nat(9),
  written: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
});
const end = fc.constantFrom('kill' as const, 'power' as const);
const size = fc.oneof(fc.nat(40), fc.constantFrom(500, 1_100, 2_600));

const save = fc.record({
  do: fc.constant('save' as const),
  back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5)),
  sizes: fc.array(size, { maxLength: 4 }),
  zeros: fc.boolean(),
  hardState: fc.boolean(),
  mustSync: fc.boolean(),
});
const syncBackend = fc.constant({ do: 'sync-backend' as const });
const compact = fc.record({ do: fc.constant('compact' as const), behind: fc.nat(4) });
const install = fc.record({ do: fc.constant('install' as const), ahead: fc.nat(6), size });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: save },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('commit' as const), ahead: fc.nat(4), size }),
  },
  { weight: 1, arbitrary: syncBackend },
  { weight: 2, arbitrary: compact },
  { weight: 1, arbitrary: install },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('defragment' as const),
      meanwhile: fc.option(fc.oneof(save, syncBackend, compact, install)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      end,
      /** The start after it is interrupted, too. */
      fault: fc.option(fc.record({ fault, end })),
    }),
  },
);
const step = fc.record({
  action,
  fault: fc.option(fc.record({ fault, end }), { freq: 4 }),
});

it('keeps what it promised, and nothing by halves', async () => {
  const totals = { restarts: 0, faults: 0, repairs: 0, installs: 0, segments: 0, rewrites: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(step, { minLength: 5, maxLength: 40 }),
      async (seed, steps) => {
        const model = new StorageModel(Random.stream(seedFrom(seed), 'storage'));
        await model.start();
        for (const { action: next, fault: during } of steps)
          await model.act(next, during ?? undefined);
        await model.act({ do: 'restart', end: 'power', fault: null }, undefined);
        totals.restarts += model.counts.restarts;
        totals.faults += model.counts.faults;
        totals.repairs += model.counts.repairs;
        totals.installs += model.counts.installs;
        totals.rewrites += model.counts.rewrites;
        totals.segments = Math.max(totals.segments, model.counts.segments);
      },
    ),
    { numRuns: 400 },
  );
  // It must have tried what it is about.
  expect(totals.restarts).toBeGreaterThan(400);
  expect(totals.faults).toBeGreaterThan(100);
  expect(totals.repairs).toBeGreaterThan(50);
  expect(totals.installs).toBeGreaterThan(20);
  expect(totals.rewrites).toBeGreaterThan(50);
  expect(totals.segments).toBeGreaterThan(3);
});
