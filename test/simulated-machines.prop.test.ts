/** Disks and clocks that fail under the simulated store: what it promised holds, and all is compared. */
import { describe, expect, test } from 'vitest';
import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';
import { recordedRun } from './recorded-run.ts';
import { type VirtualRun, virtualRun } from './virtual-run.ts';

const both = together([register, reads]);

const MIXES: readonly (readonly string[])[] = [
  ['slow-disk', 'failing-sync', 'full-disk', 'clock-skew', 'power', 'kill', 'partition'],
  ['failing-sync', 'power'],
  ['failing-sync', 'full-disk', 'pause'],
  ['slow-disk', 'clock-skew', 'power', 'pause'],
];

function simulate(seed: number, faults: readonly string[]): Promise<VirtualRun> {
  return virtualRun({
    seed,
    system: raftkv,
    workload: both,
    faults,
    durationMs: 6_000,
    rate: 150,
    clientTimeoutMs: 1_000,
    faultIntervalMs: 800,
    faultDurationMs: 700,
  });
}

function kindsOf({ checks }: VirtualRun): string[] {
  return checks.flatMap(({ anomalies }) => anomalies.map(({ kind }) => kind));
}

describe('the correct store', () => {
  test.each(MIXES.map((faults) => [faults]))(
    'is never accused, and its copies are the same in the end, 12 seeds under %s',
    async (faults) => {
      const installed = new Set<string>();
      for (let seed = 0; seed < 12; seed++) {
        const run = await simulate(seed, faults);
        const { checks, problems, history } = run;
        expect({ seed, kinds: kindsOf(run), problems }).toEqual({ seed, kinds: [], problems: [] });
        const hash = checks.find(({ checker }) => checker === 'hash');
        expect(hash).toMatchObject({ verdict: 'valid', details: { alone: [] } });
        expect(hash?.covered).toContain('5 of 5 nodes compared');
        for (const { f, type, value } of history.faults())
          if (type === 'info' && JSON.stringify(value).includes('"installed"')) installed.add(f);
      }
      expect(installed).toEqual(new Set(faults));
    },
    120_000,
  );
});

describe('reads that rest on clocks', () => {
  const words = (leaseReads: boolean, seed: number): readonly string[] => {
    const load = '--workload reads --nodes 3 --rate 200 --quiet-start 500ms --duration 20s';
    const faults = '--schedule regressions/schedules/slow-clock-of-leader.json';
    return `${load} --system-option lease-reads=${leaseReads} ${faults} --seed ${seed}`.split(' ');
  };

  test('are stale where the clock of the leader is slow', async () => {
    const run = await recordedRun(words(true, 1));
    expect(kindsOf(run)).toContain('stale-read');
    for (const anomaly of run.checks.flatMap(({ anomalies }) => anomalies))
      expect([anomaly, recheckCertificate(anomaly, run.history)]).toEqual([anomaly, true]);
  }, 60_000);

  test('are the only ones: those that ask a quorum are right by any clock', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const run = await recordedRun(words(false, seed));
      const evidence = run.checks.find(({ checker }) => checker === 'evidence');
      expect([kindsOf(run), evidence?.covered]).toEqual([
        [],
        'clock-skew 2 times, partition 2 times',
      ]);
    }
  }, 60_000);
});

describe('copies that are not the same', () => {
  test.each([
    ['no-truncate', '--schedule regressions/schedules/isolate-leader.json --nodes 3'],
    ['consistent-index', '--fault kill --fault-interval 1s --fault-duration 1s'],
  ])(
    '%s is found by its hashes, and proven',
    async (bug, faults) => {
      const found: string[] = [];
      for (let seed = 1; seed <= 3; seed++) {
        const load = '--rate 200 --quiet-start 500ms --duration 8s';
        const words = `${load} ${faults} --bug ${bug} --seed ${seed}`;
        const run = await recordedRun(words.split(' '));
        const hash = run.checks.find(({ checker }) => checker === 'hash');
        for (const anomaly of hash?.anomalies ?? [])
          expect([anomaly, recheckCertificate(anomaly, run.history)]).toEqual([anomaly, true]);
        found.push(...(hash?.anomalies.map(({ kind }) => kind) ?? []));
      }
      expect(found).toContain('replicas-diverge');
    },
    60_000,
  );
});
