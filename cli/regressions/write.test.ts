import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { etcd } from '../../cluster/systems/etcd.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { type FixtureRun, failRun, passRun } from '../../reports/testing/fixture-result.ts';
import { loadRegressions, OWN_REGRESSIONS } from './load.ts';
import { parseRegression, type Regression } from './regression.ts';
import { regressionOf, regressionText } from './write.ts';

function written(
  run: FixtureRun,
  more = {},
): { readonly file: JsonValue; readonly read: Regression } {
  const text = regressionOf(run, etcd, { name: 'kept', ...more });
  const file = JSON.parse(text) as JsonValue;
  return { file, read: parseRegression(file, '/somewhere/kept.json', 'kept.json') };
}

describe('of a stored run', () => {
  test('that failed: the same is asked for, and the same kinds must be found', () => {
    const run = failRun();
    const { file, read } = written(run, { note: 'a note', within: 3 });
    const kinds = run.result.checks.flatMap(({ anomalies }) => anomalies.map(({ kind }) => kind));
    expect(read.expect).toEqual({
      verdict: 'fail',
      anomalies: [...new Set(kinds)].filter((kind) => kind !== 'threshold'),
      every: false,
    });
    expect(read).toMatchObject({ system: 'etcd', backend: 'process', within: 3, note: 'a note' });
    expect(read.options).toMatchObject({ rate: 500, duration: '60s', seed: '0x5eed1234' });
    expect(read.options.faults).toEqual(['partition', 'kill', 'pause']);
    expect(file).toMatchObject({ seen: [{ runs: 1, of: 1 }] });
  });

  test('that passed must pass', () => {
    const { read } = written(passRun());
    expect(read.expect).toEqual({ verdict: 'pass' });
    expect(read.seen).toEqual([]);
  });

  test('that decided nothing, or was judged by code of its own, is refused', () => {
    const { result, history } = failRun();
    const of = (more: object): FixtureRun => ({ history, result: { ...result, ...more } });
    expect(() => written(of({ verdict: 'unknown' }))).toThrow('ended as unknown');
    const { manifest } = result;
    const config = { ...manifest.config, ownChecks: ['my-check'] };
    expect(() => written(of({ manifest: { ...manifest, config } }))).toThrow("'my-check'");
  });
});

test('ours are written as the formatter would, so that a measurement changes one line', async () => {
  const all = await loadRegressions(OWN_REGRESSIONS);
  expect(all.length).toBeGreaterThan(40);
  for (const { path } of all) {
    const text = await readFile(path, 'utf8');
    expect(regressionText(JSON.parse(text) as JsonValue)).toBe(text);
  }
});
