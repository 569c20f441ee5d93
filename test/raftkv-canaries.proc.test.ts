/** Planted bugs of raftkv are seen on real processes too; the same faults accuse nobody else. */
import { beforeAll, describe, expect, test } from 'vitest';
import { BUGS } from '../cluster/raftkv/bugs.ts';
import { CANARIES } from '../regressions/raftkv-canaries.ts';
import { PROCESS_CANARIES, processWordsOf } from '../regressions/raftkv-process-canaries.ts';
import { type Hunt, hunt, inLanes, recordedProcessRun } from './recorded-process-run.ts';

const LANES = 2;
const QUICK = PROCESS_CANARIES.filter(({ isQuick }) => isQuick);

describe('on real processes', () => {
  const hunts: Hunt[] = [];

  beforeAll(async () => {
    hunts.push(...(await inLanes(LANES, QUICK, (canary) => hunt(canary))));
  }, 300_000);

  test.each(QUICK)('$bug is seen within $tries runs', ({ bug, tries }) => {
    const done = hunts.find(({ canary }) => canary.bug === bug);
    expect(done?.seen.length).toBeGreaterThan(0);
    expect(done?.tries).toBeLessThanOrEqual(tries);
  });

  test('it is not seen where it is not: same words, same faults', async () => {
    const canary = PROCESS_CANARIES.find(({ bug }) => bug === 'even-quorum');
    expect.assert(canary !== undefined);
    const { checks, problems } = await recordedProcessRun(processWordsOf(canary, 1));
    const accused = checks.filter(({ anomalies }) => anomalies.length > 0);
    expect({ accused, problems }).toEqual({ accused: [], problems: [] });
  });
});

describe('the recorded runs', () => {
  test('there is one for each bug of the simulator that must show on processes too', () => {
    const here = new Set(PROCESS_CANARIES.map(({ bug }) => bug));
    const there = CANARIES.map(({ bug }) => bug).filter((bug) => BUGS[bug].host === 'both');
    expect(there.filter((bug) => !here.has(bug))).toEqual([]);
    expect(here.size).toBe(PROCESS_CANARIES.length);
  });
});
