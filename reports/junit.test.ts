import { describe, expect, test } from 'vitest';
import type { RunResult } from '../harness/protocols/run.ts';
import { renderJunit } from './junit.ts';
import {
  errorRun,
  failRun,
  fixtureConfig,
  fixtureManifest,
  interruptedRun,
  passRun,
  unknownRun,
} from './testing/fixture-result.ts';
import { allElements, type ParsedElement, parseMarkup, textOf } from './testing/markup-parser.ts';

function suite(result: RunResult, text = ''): ParsedElement {
  return parseMarkup(renderJunit(result, { text, reportPath: 'report.html' }), 'xml');
}

/** `linearizable: failure stale-read`, one line a case. */
function outcomes(result: RunResult): readonly string[] {
  return allElements(suite(result))
    .filter(({ name }) => name === 'testcase')
    .map((element) => {
      const bad = allElements(element).find(({ name }) => /^(failure|error|skipped)$/.test(name));
      const name = element.attributes.get('name') ?? '';
      return bad === undefined
        ? `${name}: pass`
        : `${name}: ${bad.name} ${bad.attributes.get('type')}`;
    });
}

function withUnknown(unknown: 'fail' | 'warn' | 'pass', requireFaults = false): RunResult {
  const { result } = unknownRun();
  const checks = result.checks.map((check) =>
    check.checker === 'evidence'
      ? { ...check, verdict: 'unknown' as const, reason: 'clock: offset read back as 0' }
      : check,
  );
  const config = fixtureConfig({ unknown, requireFaults });
  return { ...result, checks, manifest: fixtureManifest({ config }) };
}

test('a case for each check, and one for the faults', () => {
  expect(outcomes(passRun().result)).toEqual([
    'linearizable: pass',
    'read-modes: pass',
    'stats: pass',
    'availability: pass',
    'faults took effect: pass',
  ]);
});

test('a violation is a failure of its kind, with its text in the body too', () => {
  const { result } = failRun();
  expect(outcomes(result)[0]).toBe('linearizable: failure stale-read');
  const root = suite(result, 'the whole text');
  const failure = allElements(root).find(({ name }) => name === 'failure');
  expect(failure?.attributes.get('message')).toContain('Client c903 read k99 = 41');
  expect(failure === undefined ? '' : textOf(failure)).toContain('the whole text');
  const [first] = root.children.filter((child) => typeof child !== 'string');
  expect(first?.attributes.get('failures')).toBe('2');
  expect(first?.attributes.get('tests')).toBe('5');
});

describe('unknown is what --unknown makes of it', () => {
  test.each([
    ['fail', 'linearizable: error unknown'],
    ['warn', 'linearizable: skipped unknown'],
    ['pass', 'linearizable: pass'],
  ] as const)('%s', (unknown, check) => {
    expect(outcomes(withUnknown(unknown))[0]).toBe(check);
  });

  test('a fault without effect is skipped, or an error where it is required', () => {
    const fault = 'faults took effect: ';
    expect(outcomes(withUnknown('fail')).at(-1)).toBe(`${fault}skipped fault-unavailable`);
    expect(outcomes(withUnknown('pass', true)).at(-1)).toBe(`${fault}error fault-unavailable`);
  });

  test('a run that is unknown for that alone says so in a case of its own', () => {
    const { checks, ...unknown } = withUnknown('fail');
    const others = checks.filter(({ checker }) => checker !== 'linearizable');
    expect(outcomes({ ...unknown, checks: others }).slice(-2)).toEqual([
      'faults took effect: skipped fault-unavailable',
      'run: error unknown',
    ]);
    const { checks: _, ...warned } = withUnknown('warn');
    expect(outcomes({ ...warned, checks: [] }).at(-1)).toBe('run: skipped unknown');
  });
});

test('each threshold is a case of its own, with what was measured', () => {
  const { result } = passRun();
  const rows = [
    { metric: 'availability', expression: 'rate>0.9', value: 0.95, shown: '0.95', passed: true },
    { metric: 'latency_ms', expression: 'p(99)<50', value: 412.9, shown: '412.9', passed: false },
    { metric: 'staleness_ms', expression: 'max<9', value: null, shown: 'no data', passed: null },
  ];
  const check = {
    checker: 'thresholds',
    verdict: 'invalid' as const,
    anomalies: [],
    covered: '1 of 3',
    details: { rows },
  };
  const cases = outcomes({ ...result, checks: [...result.checks, check] });
  expect(cases.filter((line) => line.startsWith('threshold'))).toEqual([
    'threshold availability rate>0.9: pass',
    'threshold latency_ms p(99)<50: failure threshold',
    'threshold staleness_ms max<9: error unknown',
  ]);
  expect(suiteFailure(result, check)).toContain('latency_ms p(99)<50; measured: 412.9');
});

function suiteFailure(result: RunResult, check: RunResult['checks'][number]): string {
  const root = suite({ ...result, checks: [check] });
  const failure = allElements(root).find(({ name }) => name === 'failure');
  return failure === undefined ? '' : textOf(failure);
}

test('texts lose their colours and whatever XML forbids', () => {
  const { result } = failRun();
  const text = renderJunit(result, { text: '\u001b[31mred\u001b[0m \u0000\ufffe ]]> & <b>' });
  for (const bad of ['\u001b', '[31m', '\u0000', '\ufffe']) expect(text).not.toContain(bad);
  expect(text).toContain('red  ]]&gt; &amp; &lt;b&gt;');
});

test('infrastructure, our own bugs and interrupts are errors of the run', () => {
  const { result } = errorRun();
  expect(outcomes(result)).toContain('run: error infrastructure');
  const problems = result.problems.map((problem) => ({ ...problem, bug: true }));
  expect(outcomes({ ...result, problems })).toContain('run: error harness');
  expect(outcomes(interruptedRun().result)).toContain('run: error interrupted');
});

test('properties carry what is needed to run again', () => {
  const properties = allElements(suite(passRun().result)).filter(({ name }) => name === 'property');
  const pairs = properties.map(({ attributes }) => [
    attributes.get('name'),
    attributes.get('value'),
  ]);
  expect(Object.fromEntries(pairs)).toMatchObject({
    seed: '0x5eed1234',
    run: '7f3a',
    system: 'etcd',
    workload: 'register',
  });
});

test('the parser of these tests refuses what is not well-formed', () => {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  for (const bad of ['<a>', '<a></b>', '<a b=c/>', '<a b="1" b="2"/>', '<a>&</a>', '<a b="<"/>'])
    expect(() => parseMarkup(`${head}${bad}\n`, 'xml')).toThrow(
      /expected|closed|twice|without|in an|raw/,
    );
});
