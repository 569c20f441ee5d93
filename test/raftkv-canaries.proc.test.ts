/** Planted bugs of raftkv are seen on real processes too; the same faults accuse nobody else. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { OWN_REGRESSIONS } from '../cli/regressions/load.ts';
import { BUGS } from '../cluster/raftkv/bugs.ts';
import type { SuiteResult } from '../harness/protocols/suite.ts';
import { readSuite } from '../harness/store/suites.ts';
import { sandbox } from './cli-testing.ts';
import { cleanWords, ON_PROCESSES, SIMULATED } from './planted.ts';
import { recordedProcessRun } from './recorded-process-run.ts';

const QUICK = ON_PROCESSES.filter(({ isQuick }) => isQuick);

describe('on real processes', () => {
  let suite: SuiteResult;
  let said: { readonly code: number | undefined; readonly out: string };

  beforeAll(async () => {
    await using box = await sandbox();
    const which = ['--regressions', OWN_REGRESSIONS, '--system', 'raftkv', '--backend', 'process'];
    said = await box.schism(['run', ...which, '-g', '@quick', '-j', '2', '-q']);
    suite = await readSuite(join(box.dir, '.schism', 'latest-suite'));
  }, 600_000);

  test.each(QUICK)('$bug is seen within $tries runs', ({ regression, expected, tries }) => {
    const { outcome, runs, reason } =
      suite.tests.find(({ test: ref }) => ref.title === regression.name) ?? {};
    expect({ outcome, reason }).toMatchObject({ outcome: 'pass' });
    expect(runs?.length).toBeLessThanOrEqual(tries);
    const kinds = runs?.at(-1)?.anomalies ?? [];
    expect(expected.filter((kind) => kinds.includes(kind))).not.toEqual([]);
  });

  test('that all of them are seen is a pass', () => {
    expect(suite.tests.length).toBe(QUICK.length);
    expect({ code: said.code, out: said.code === 0 ? '' : said.out }).toEqual({ code: 0, out: '' });
  });

  test('it is not seen where it is not: same words, same faults', async () => {
    const planted = ON_PROCESSES.find(({ bug }) => bug === 'even-quorum');
    expect.assert(planted !== undefined);
    const { checks, problems } = await recordedProcessRun(cleanWords(planted));
    const accused = checks.filter(({ anomalies }) => anomalies.length > 0);
    expect({ accused, problems }).toEqual({ accused: [], problems: [] });
  });
});

describe('the recorded runs', () => {
  test('there is one for each bug of the simulator that must show on processes too', () => {
    const here = new Set(ON_PROCESSES.map(({ bug }) => bug));
    const there = SIMULATED.map(({ bug }) => bug).filter((bug) => BUGS[bug].host === 'both');
    expect(there.filter((bug) => !here.has(bug))).toEqual([]);
    expect(here.size).toBe(ON_PROCESSES.length);
  });
});
