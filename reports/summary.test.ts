import { expect, test } from 'vitest';
import { summaryOf } from './summary.ts';
import { failRun, fixtureConfig, fixtureManifest, passRun } from './testing/fixture-result.ts';

test('says what is needed to list a run', () => {
  const { result, history } = failRun();
  const summary = summaryOf(result, history);
  expect(summary).toMatchObject({
    schism: 1,
    run: '7f3a',
    verdict: 'fail',
    exitCode: 1,
    seed: '0x5eed1234',
    counts: result.counts,
  });
  expect(summary.sentence).toContain('k99 = 41');
  expect(summary.checks.map(({ checker, verdict }) => `${checker} ${verdict}`)).toEqual([
    'linearizable invalid',
    'read-modes invalid',
    'stats valid',
    'availability valid',
    'evidence valid',
  ]);
});

test('only a violation has a fingerprint; it does not depend on times, keys or the seed', () => {
  const { result, history } = passRun();
  expect(summaryOf(result, history).fingerprint).toBeUndefined();
  const one = failRun();
  const other = failRun({ seconds: 30, rate: 80 });
  const manifest = fixtureManifest({ config: fixtureConfig({ seed: 1 }) });
  const print = summaryOf(one.result, one.history).fingerprint;
  expect(print).toMatch(/^[0-9a-f]{16}$/);
  expect(summaryOf({ ...other.result, manifest }, other.history).fingerprint).toBe(print);
});

test('another workload, kind of fault or of anomaly has another fingerprint', () => {
  const { result, history } = failRun();
  const [first, ...rest] = result.checks;
  if (first === undefined) throw new Error('no check');
  const anomalies = first.anomalies.map((anomaly) => ({ ...anomaly, kind: 'lost-write' }));
  const prints = [
    result,
    { ...result, manifest: fixtureManifest({ config: fixtureConfig({ workload: 'reads' }) }) },
    { ...result, manifest: fixtureManifest({ config: fixtureConfig({ faults: ['kill'] }) }) },
    { ...result, checks: [{ ...first, anomalies }, ...rest] },
  ].map((each) => summaryOf(each, history).fingerprint);
  expect(new Set(prints).size).toBe(4);
});

test('says of a run whose history was cut by the disk that it is incomplete', () => {
  const { result, history } = failRun();
  expect(summaryOf({ ...result, incomplete: true }, history)).toHaveProperty('incomplete', true);
  expect(summaryOf(result, history)).not.toHaveProperty('incomplete');
});

test('stays within 8 KB, and keeps what was found', () => {
  const { result, history } = failRun();
  const many = Array.from({ length: 300 }, (_, at) => ({
    checker: `check-${at}-${'ж'.repeat(100)}`,
    verdict: 'valid' as const,
    anomalies: [],
    covered: '\u0000'.repeat(50) + '✗'.repeat(5000),
    details: {},
  }));
  const reasons = ['ж'.repeat(20_000)];
  const summary = summaryOf({ ...result, reasons, checks: [...result.checks, ...many] }, history);
  expect(Buffer.byteLength(JSON.stringify(summary, null, 2))).toBeLessThanOrEqual(8192);
  expect(summary.checks[0]?.verdict).toBe('invalid');
  expect(summary.checksLeftOut).toBe(305 - summary.checks.length);
});
