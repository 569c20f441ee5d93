/** Planted bugs of raftkv are found and named on the simulator; without them nobody is accused. */
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import { cleanWords, REGRESSIONS, SIMULATED } from './planted.ts';
import { recordedRun } from './recorded-run.ts';

describe.each(SIMULATED)('$bug', (planted) => {
  test(`is seen as ${planted.expected.join(' and ')}`, async () => {
    const { checks, history } = await recordedRun([...cleanWords(planted), '--bug', planted.bug]);
    const anomalies = checks.flatMap((check) => check.anomalies);
    expect(planted.expected).not.toEqual([]);
    expect(anomalies.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([...planted.expected]),
    );
    for (const anomaly of anomalies)
      expect([anomaly, recheckCertificate(anomaly, history)]).toEqual([anomaly, true]);
  });

  test('is not seen where it is not: same seed, same faults', async () => {
    const { checks, history, problems } = await recordedRun(cleanWords(planted));
    const doubtful = checks.filter(({ verdict }) => verdict !== 'valid');
    expect({ doubtful, problems }).toEqual({ doubtful: [], problems: [] });
    expect(history.length).toBeGreaterThan(300);
  });
});

describe('the recorded runs', () => {
  test('there is one in the simulator for each bug that there is one for at all', () => {
    const bugs = REGRESSIONS.flatMap(({ options }) => options.bug ?? []);
    const simulated = SIMULATED.map(({ bug }) => bug as string);
    expect(simulated.length).toBeGreaterThan(20);
    expect(bugs.filter((bug) => !simulated.includes(bug))).toEqual([]);
  });

  test('every recorded schedule is played, here or by a test that names it', async () => {
    const here = new URL('.', import.meta.url);
    const tests = (await readdir(here)).filter((name) => name.endsWith('.test.ts'));
    const texts = await Promise.all(tests.map((name) => readFile(new URL(name, here), 'utf8')));
    const played = REGRESSIONS.flatMap(({ options: { schedule } }) =>
      typeof schedule === 'string' ? [`schedules/${basename(schedule)}`] : [],
    );
    const text = [...played, ...texts].join('\n');
    const names = await readdir(new URL('../regressions/schedules', here));
    expect(names.filter((name) => !text.includes(`schedules/${name}`))).toEqual([]);
  });
});
