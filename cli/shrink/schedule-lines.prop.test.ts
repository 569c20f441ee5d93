/** A schedule is printed in words that are read as the same schedule. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSchedule } from '../../cluster/nemeses/parse-schedule.ts';
import type { FaultTrigger, ScheduledFault } from '../../harness/protocols/run.ts';
import { BUILT_IN, makeNemesis } from '../registry.ts';
import { scheduleLines } from './repro.ts';

const nemeses = Object.keys(BUILT_IN.nemeses).map((name) => makeNemesis(name));
const ms = fc.oneof(
  fc.nat(30_000),
  fc.integer({ min: 1, max: 30_000_000 }).map((us) => us / 1000),
);
const withinMs = ms.filter((each) => each > 0);
const node = fc.constantFrom('n1', 'n2', 'n3');

const trigger: fc.Arbitrary<FaultTrigger> = fc.oneof(
  fc.record({ after: fc.constant('leader-change' as const), delayMs: ms, withinMs }),
  fc.record(
    {
      after: fc.constantFrom('fault-begun' as const, 'fault-ended' as const),
      // There is always one in another lane than all of these.
      of: fc.constantFrom('compact', 'compact-a'),
      delayMs: ms,
      withinMs,
    },
    { requiredKeys: ['after', 'delayMs', 'withinMs'] },
  ),
  fc.record({
    while: fc.constant('write-in-flight' as const),
    on: fc.oneof(fc.constantFrom('leader', 'any'), node),
    withinMs,
  }),
);

/** With words that triggers have, too. */
const what: fc.Arbitrary<Pick<ScheduledFault, 'fault' | 'options'>> = fc.oneof(
  fc.record({
    fault: fc.constantFrom('kill', 'pause'),
    options: fc.record({ target: fc.oneof(node, fc.constant('old-leader')) }, { requiredKeys: [] }),
  }),
  fc.record({
    fault: fc.constant('reset'),
    options: fc.record({ after: fc.constantFrom('0ms', '2s') }, { requiredKeys: [] }),
  }),
  fc.record({
    fault: fc.constant('slow-close'),
    options: fc.record({ delay: fc.constant('2s'), on: fc.constant('all') }, { requiredKeys: [] }),
  }),
);

const entry = fc
  .tuple(what, fc.record({ atMs: ms, forMs: ms }), fc.option(trigger), fc.option(fc.nat(3)))
  .map(
    ([kind, times, waits, lane]): ScheduledFault => ({
      ...times,
      ...kind,
      ...(waits !== null && { trigger: waits }),
      // Lanes of one fault each, so that none overlap.
      ...(lane !== null && { lane: `${kind.fault}-x${lane}` }),
    }),
  );

const compact: ScheduledFault = {
  atMs: 0,
  forMs: 0,
  fault: 'compact',
  options: {},
  lane: 'compact-a',
};

const schedule = fc
  .uniqueArray(entry, { minLength: 1, maxLength: 8, selector: ({ lane, atMs }) => lane ?? atMs })
  .map((entries) => [compact, ...entries]);

test('printed and read again it is the same, lanes that were given out included', () => {
  fc.assert(
    fc.property(schedule, (entries) => {
      const text = (given: readonly ScheduledFault[]): string =>
        JSON.stringify(scheduleLines(given));
      const read = parseSchedule(text(entries), 'faults.json', nemeses);
      const without = (given: readonly ScheduledFault[]): object[] =>
        given.map(({ lane: _lane, ...rest }) => rest);
      // Reading gives out lanes, and changes nothing else.
      expect(without(read)).toEqual(without(entries.toSorted((a, b) => a.atMs - b.atMs)));
      expect(parseSchedule(text(read), 'faults.json', nemeses)).toEqual(read);
    }),
    { numRuns: 500 },
  );
});
