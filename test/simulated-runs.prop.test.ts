/** The correct store on the simulator: the same seed, the same history; and never a violation. */
import { describe, expect, test } from 'vitest';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';
import { historyText, type VirtualRun, virtualRun } from './virtual-run.ts';

const FAULTS = ['partition', 'kill', 'pause'];
const both = together([register, reads]);

function simulate(seed: number, durationMs: number, faults = FAULTS): Promise<VirtualRun> {
  return virtualRun({
    seed,
    system: raftkv,
    workload: both,
    faults,
    durationMs,
    rate: 200,
    clientTimeoutMs: 1_000,
    faultIntervalMs: 500,
    faultDurationMs: 800,
  });
}

describe('raftkv on virtual time', () => {
  test('records the same from one seed, 20 seeds of two simulated seconds', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const [first, second] = [await simulate(seed, 2_000), await simulate(seed, 2_000)];
      const isSame = historyText(second) === historyText(first);
      expect({ seed, isSame }).toEqual({ seed, isSame: true });
      expect(first.history.length).toBeGreaterThan(200);
    }
  }, 120_000);

  test.each([[FAULTS], [['power', 'partition']], [['power', 'kill', 'pause', 'latency']]])(
    'is never accused: 15 seeds of six simulated seconds under %s',
    async (faults) => {
      for (let seed = 100; seed < 115; seed++) {
        const { checks, problems } = await simulate(seed, 6_000, faults);
        const invalid = checks.filter(({ verdict }) => verdict === 'invalid');
        expect({ seed, invalid, problems }).toEqual({ seed, invalid: [], problems: [] });
      }
    },
    120_000,
  );

  test('loses its power, as the history proves, and comes back', async () => {
    const { history, problems } = await simulate(7, 8_000, ['power']);
    const begun = [...history.ops()]
      .filter(({ f, type }) => f === 'power' && type === 'info')
      .map(({ value }) => JSON.stringify(value));
    const installed = begun.filter((text) => text.includes('"result":"installed"'));
    expect(installed.length).toBeGreaterThan(2);
    expect(installed.some((text) => /power failure of .*n1.*n2.*n3.*n4.*n5/.test(text))).toBe(true);
    expect(problems).toEqual([]);
  }, 60_000);
});
