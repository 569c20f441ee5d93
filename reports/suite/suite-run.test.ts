import { expect, test } from 'vitest';
import {
  errorRun,
  failRun,
  fixtureConfig,
  fixtureManifest,
  passRun,
} from '../testing/fixture-result.ts';
import { suiteRunOf } from './suite-run.ts';

const PLACE = { dir: '../../runs/x-7f3a', runPath: '.schism/runs/x-7f3a' };

test('of a pass it keeps what was covered, and no text', () => {
  const { result, history } = passRun();
  const kept = suiteRunOf(result, history, PLACE);
  const { ok, fail, info, open } = result.counts;
  expect(kept.availability).toBe(ok / (ok + fail + info + open));
  expect(kept.faults).toEqual([
    { fault: 'partition', tookEffect: 2, begun: 2 },
    { fault: 'kill', tookEffect: 1, begun: 2 },
    { fault: 'pause', tookEffect: 1, begun: 1 },
  ]);
  expect(kept.checks).toHaveLength(result.checks.length);
  expect(kept).toMatchObject({ run: '7f3a', dir: PLACE.dir, anomalies: [] });
  expect(kept).not.toHaveProperty('text');
  expect(kept).not.toHaveProperty('fingerprint');
});

test('of a violation it keeps the kind, the fingerprint and the whole text', () => {
  const { result, history } = failRun();
  const kept = suiteRunOf(result, history, PLACE);
  expect(kept.anomalies).toEqual(['stale-read']);
  expect(kept.checks[0]).toMatchObject({ checker: 'linearizable', kind: 'stale-read' });
  expect(kept.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(kept.text).toContain(`Report        ${PLACE.runPath}/report.html`);
  expect(kept.text).not.toContain('\u001b');
});

test('a fault that nobody tried is there with zeroes; without operations there is no share', () => {
  const { result, history } = errorRun();
  const manifest = fixtureManifest({ config: fixtureConfig({ faults: ['clock'] }) });
  const kept = suiteRunOf({ ...result, manifest }, history, PLACE);
  expect(kept.faults).toEqual([{ fault: 'clock', tookEffect: 0, begun: 0 }]);
  expect(kept).not.toHaveProperty('availability');
});
