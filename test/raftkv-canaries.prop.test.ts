/** Planted bugs of raftkv are found and named on the simulator; without them nobody is accused. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import { CANARIES, commandOf, wordsOf } from '../regressions/raftkv-canaries.ts';
import { recordedRun } from './recorded-run.ts';

describe.each(CANARIES)('$bug', (canary) => {
  test(`is seen as ${canary.expected.join(' and ')}`, async () => {
    const { checks, history } = await recordedRun([...wordsOf(canary), '--bug', canary.bug]);
    const anomalies = checks.flatMap((check) => check.anomalies);
    expect(anomalies.map(({ kind }) => kind)).toEqual(expect.arrayContaining([...canary.expected]));
    for (const anomaly of anomalies)
      expect([anomaly, recheckCertificate(anomaly, history)]).toEqual([anomaly, true]);
  });

  test('is not seen where it is not: same seed, same faults', async () => {
    const { checks, history, problems } = await recordedRun(wordsOf(canary));
    const doubtful = checks.filter(({ verdict }) => verdict !== 'valid');
    expect({ doubtful, problems }).toEqual({ doubtful: [], problems: [] });
    expect(history.length).toBeGreaterThan(300);
  });
});

describe('the recorded runs', () => {
  test('every recorded schedule is played, here or by a test that names it', async () => {
    const here = new URL('.', import.meta.url);
    const tests = (await readdir(here)).filter((name) => name.endsWith('.test.ts'));
    const texts = await Promise.all(tests.map((name) => readFile(new URL(name, here), 'utf8')));
    const played = [...CANARIES.map(commandOf), ...texts].join('\n');
    const names = await readdir(new URL('../regressions/schedules', here));
    expect(names.filter((name) => !played.includes(`schedules/${name}`))).toEqual([]);
  });
});
