/** A harness is believed because it finds what was planted and never accuses what is right. */
import { describe, expect, test } from 'vitest';
import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';
import { type VirtualRun, virtualRun } from './virtual-run.ts';

const FAULTS = ['partition', 'kill', 'pause'];

function kinds({ checks }: VirtualRun): string[] {
  return checks.flatMap(({ anomalies }) => anomalies.map(({ kind }) => kind));
}

function invalid({ checks }: VirtualRun): string[] {
  return checks.filter(({ verdict }) => verdict === 'invalid').map(({ checker }) => checker);
}

describe('the correct store', () => {
  test('is never accused: register, 200 seeds, under partition, kill and pause', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const run = await virtualRun({ seed, workload: register, faults: FAULTS, durationMs: 1500 });
      expect({ seed, invalid: invalid(run), problems: run.problems }).toEqual({
        seed,
        invalid: [],
        problems: [],
      });
      expect(run.checks.find(({ checker }) => checker === 'linearizable')?.verdict).toBe('valid');
    }
  }, 120_000);

  test('is never accused: reads in both modes, 50 seeds', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const run = await virtualRun({ seed, workload: reads, faults: FAULTS, durationMs: 1500 });
      expect({ seed, invalid: invalid(run), problems: run.problems }).toEqual({
        seed,
        invalid: [],
        problems: [],
      });
    }
  }, 120_000);
});

describe('two workloads together', () => {
  const both = together([register, reads]);

  test('never accuse the correct store, 30 seeds', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const run = await virtualRun({ seed, workload: both, faults: FAULTS, clients: 20 });
      const { problems } = run;
      expect({ seed, invalid: invalid(run), problems }).toEqual({
        seed,
        invalid: [],
        problems: [],
      });
      const { covered } = run.checks.find(({ checker }) => checker === 'read-modes') ?? {};
      expect(covered).toMatch(/\d+ linearizable reads, \d+ serializable reads/);
    }
  }, 120_000);

  test('find a wrong one, each by its own checker', async () => {
    const run = await virtualRun({ seed: 1, workload: both, bug: 'stale-read', clients: 20 });
    expect(invalid(run)).toEqual(['linearizable', 'read-modes']);
    for (const anomaly of run.checks.flatMap(({ anomalies }) => anomalies))
      expect([anomaly, recheckCertificate(anomaly, run.history)]).toEqual([anomaly, true]);
  });
});

/** What each wrong twin may be called; found within so many seeds. */
const TWINS = [
  { bug: 'stale-read', faults: [], expected: ['stale-read'], seeds: 3 },
  { bug: 'lost-write', faults: [], expected: ['stale-read', 'lost-write'], seeds: 3 },
  { bug: 'dirty-read', faults: [], expected: ['read-of-failed-write'], seeds: 3 },
  { bug: 'cas-two-winners', faults: [], expected: ['split-brain-cas'], seeds: 5 },
  {
    bug: 'split-brain',
    faults: ['partition'],
    expected: ['stale-read', 'lost-write', 'split-brain-cas'],
    seeds: 5,
  },
];

describe('every wrong twin', () => {
  test.each(TWINS)(
    '$bug is found and named',
    async ({ bug, faults, expected, seeds }) => {
      const found: string[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const run = await virtualRun({ seed, workload: register, bug, faults });
        found.push(...kinds(run));
        for (const anomaly of run.checks.flatMap(({ anomalies }) => anomalies))
          expect([anomaly, recheckCertificate(anomaly, run.history)]).toEqual([anomaly, true]);
      }
      expect(found.some((kind) => expected.includes(kind))).toBe(true);
    },
    60_000,
  );

  test('two runs of one seed are the same to the last entry', async () => {
    const once = async (): Promise<string> => {
      const { history } = await virtualRun({ seed: 5, workload: register, faults: FAULTS });
      return [...history.ops()].map((op) => JSON.stringify(op)).join('\n');
    };
    expect(await once()).toBe(await once());
  });
});

describe('a promise that a mode does not keep', () => {
  test('serializable reads are stale and allowed; claimed linearizable they are a violation', async () => {
    const options = { seed: 2, workload: reads, faults: ['partition'] } as const;
    const allowed = await virtualRun(options);
    expect(invalid(allowed)).toEqual([]);
    const claimed = await virtualRun({
      ...options,
      promises: { linearizable: 'linearizable', serializable: 'linearizable' },
    });
    expect(invalid(claimed)).toEqual(['read-modes']);
    expect(kinds(claimed)).toContain('stale-read');
    for (const anomaly of claimed.checks.flatMap(({ anomalies }) => anomalies))
      expect([anomaly, recheckCertificate(anomaly, claimed.history)]).toEqual([anomaly, true]);
  });
});
