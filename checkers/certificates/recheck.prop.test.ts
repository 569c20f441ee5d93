import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { linearizable } from '../linearizable/checker.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { bruteForceLinearizable } from '../testkit/brute-force.ts';
import { checkContext, randomOf } from '../testkit/context.ts';
import { MUTATIONS } from '../testkit/mutate.ts';
import { simulate } from '../testkit/simulate.ts';
import { recheckCertificate } from './recheck.ts';

/** The roles of each kind that claims a key to be not linearizable. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  'phantom-read': ['read'],
  'read-of-failed-write': ['read', 'failed'],
  'future-read': ['read', 'write'],
  'refused-matching-cas': ['cas'],
  'split-brain-cas': ['write', 'first', 'second'],
  'lost-write': ['older', 'newer', 'read'],
  'stale-read': ['older', 'newer', 'read'],
  'non-monotonic-read': ['older', 'newerWrite', 'newer', 'read'],
  'split-brain-read': ['proof', 'last', 'otherProof', 'otherLast'],
};

/** Of these the value may also have been written more than once. */
const BY_WRITERS = { 'stale-read': true, 'non-monotonic-read': true };

/** Any claim at all about the history, mostly nonsense. */
function anyClaim(random: Random, history: History): Anomaly {
  const starts = [...history.operations()].map(({ invoke }) => invoke.index);
  const kind = random.pick([...Object.keys(ROLES), 'not-linearizable']);
  const base = { kind, key: 'k0', ops: starts, explanation: '' };
  const moment = (): number => random.int(-1, history.length);
  if (kind === 'not-linearizable') {
    const operations = starts.filter(() => random.chance(0.7));
    return { ...base, certificate: { operations, from: moment(), upTo: moment() } };
  }
  const certificate: Record<string, JsonValue> = {};
  for (const role of ROLES[kind] ?? [])
    certificate[role] = random.chance(0.15) ? null : random.pick(starts);
  if (kind in BY_WRITERS && random.chance(0.5)) certificate['by'] = 'writers';
  return { ...base, certificate };
}

test('whatever is claimed, a claim that passes is about a history that has no order', () => {
  const passed = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      (seed, operations, values) => {
        const random = randomOf(seed);
        const history = historyOf(arbitraryHistory(random, { operations, processes: 4, values }));
        const claims = Array.from({ length: 30 }, () => anyClaim(random, history));
        const held = claims.filter((claim) => recheckCertificate(claim, history) === true);
        for (const { kind } of held) passed.set(kind, (passed.get(kind) ?? 0) + 1);
        expect(held.length > 0 && bruteForceLinearizable(history, 'k0')).toBe(false);
      },
    ),
    { numRuns: 15_000 },
  );
  // Chance finds a true claim of each kind now and then; final phases are not among these.
  expect([...passed.keys()]).toEqual(
    expect.arrayContaining(['stale-read', 'non-monotonic-read', 'not-linearizable']),
  );
});

test.for(Object.entries(MUTATIONS))(
  '%s: the certificate of a broken history fails on the whole one',
  async ([, mutate]) => {
    let rejected = 0;
    for (let seed = 0; seed < 20; seed++) {
      const ops = simulate(randomOf(seed), { operations: 60, clients: 4 });
      const broken = mutate(ops);
      if (broken === undefined) continue;
      const { anomalies } = await linearizable({}).check(historyOf(broken), checkContext());
      for (const anomaly of anomalies) {
        expect(recheckCertificate(anomaly, historyOf(ops))).toBeTypeOf('string');
        rejected++;
      }
    }
    expect(rejected).toBeGreaterThan(10);
  },
);
