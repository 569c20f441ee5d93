/** A share of what `npm run soak -- --schedules` plays. */
import { describe, expect, test } from 'vitest';
import { type MixedRun, mixedRun } from './mixed-run.ts';

async function play(first: number, count: number, bug?: string): Promise<MixedRun[]> {
  const runs: MixedRun[] = [];
  for (let seed = first; seed < first + count; seed++) runs.push(await mixedRun(seed, bug));
  return runs;
}

describe('simulated runs with everything drawn', () => {
  test('never accuse the correct store: 120 seeds', async () => {
    const runs = await play(1, 120);
    const accused = runs.filter(({ wrong }) => wrong.length > 0);
    const undecided = runs.filter((run) => run.undecided.includes('linearizable'));
    expect({ accused, undecided }).toEqual({ accused: [], undecided: [] });
    expect(runs.filter(({ installed }) => installed > 0).length).toBeGreaterThan(100);
    expect(runs.filter(({ operations }) => operations > 50).length).toBeGreaterThan(100);
  }, 180_000);

  test.each([
    ['ack-before-commit', 'stale-read'],
    ['no-truncate', 'replicas-diverge'],
    ['stale-log-vote', 'stale-read'],
    ['ack-before-fsync', 'lost-write'],
    ['consistent-index', 'replicas-diverge'],
  ])(
    'accuse a wrong one within 60 seeds: %s, of a %s',
    async (bug, kind) => {
      let seed = 1;
      while (seed <= 60 && !(await mixedRun(seed, bug)).anomalies.includes(kind)) seed++;
      expect(seed).toBeLessThanOrEqual(60);
    },
    120_000,
  );
});
