/** Raft's own properties, looked at inside the simulated nodes: broken by what is planted, and only then. */
import { describe, expect, test } from 'vitest';
import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import type { Bug } from '../cluster/raftkv/bugs.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { InvariantName } from '../harness/protocols/invariants.ts';
import { cleanWords, SIMULATED } from './planted.ts';
import { recordedRun } from './recorded-run.ts';
import type { VirtualRun } from './virtual-run.ts';

const SEEDS = [1, 2, 3];

/** Faults as recorded for this bug, with a seed that nobody chose. */
function simulate(bug: Bug, seed: number, isPlanted: boolean): Promise<VirtualRun> {
  const planted = SIMULATED.find((each) => each.bug === bug);
  expect.assert(planted !== undefined);
  return recordedRun([...cleanWords(planted, seed), ...(isPlanted ? ['--bug', bug] : [])]);
}

function resultOf({ checks }: VirtualRun): CheckResult {
  const result = checks.find(({ checker }) => checker === 'invariants');
  expect.assert(result !== undefined);
  return result;
}

const BREAKS: readonly { readonly bug: Bug; readonly property: InvariantName }[] = [
  { bug: 'vote-not-persisted', property: 'election-safety' },
  { bug: 'no-truncate', property: 'log-matching' },
  { bug: 'stale-log-vote', property: 'leader-completeness' },
  { bug: 'even-quorum', property: 'state-machine-safety' },
];

describe.each(BREAKS)('$bug', ({ bug, property }) => {
  test(`breaks ${property}, and the history shows it`, async () => {
    const runs = [];
    for (const seed of SEEDS) runs.push(await simulate(bug, seed, true));
    const kinds = runs.flatMap((run) => resultOf(run).anomalies.map(({ kind }) => kind));
    expect(kinds).toContain(property);
    for (const run of runs)
      for (const anomaly of resultOf(run).anomalies)
        expect([anomaly, recheckCertificate(anomaly, run.history)]).toEqual([anomaly, true]);
  });

  test('is all that breaks it: the same faults without it', async () => {
    for (const seed of SEEDS) {
      const run = await simulate(bug, seed, false);
      const { verdict, anomalies, covered } = resultOf(run);
      expect({ seed, verdict, anomalies }).toEqual({ seed, verdict: 'valid', anomalies: [] });
      // It passes because it looked, not because nobody did.
      const [, steps = '0'] = /after each of (\d+) steps/.exec(covered) ?? [];
      expect(Number(steps)).toBeGreaterThan(5_000);
    }
  });
});
