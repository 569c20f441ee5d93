import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ansiStyle } from './style.ts';
import {
  errorRun,
  type FixtureRun,
  failRun,
  interruptedRun,
  passRun,
  shortRun,
  unknownRun,
} from './testing/fixture-result.ts';
import { lostWriteRun, noOrderRun, splitBrainRun } from './testing/fixture-violations.ts';
import { exitReason, renderText } from './text.ts';
import { widthOf } from './words.ts';

const PATHS = { reportPath: '.schism/runs/7f3a/report.html', runPath: '.schism/runs/7f3a' };

const RUNS: readonly (readonly [string, () => FixtureRun])[] = [
  ['pass', passRun],
  ['short', shortRun],
  ['fail', failRun],
  ['split-brain', splitBrainRun],
  ['lost-write', lostWriteRun],
  ['no-order', noOrderRun],
  ['unknown', unknownRun],
  ['error', errorRun],
  ['interrupted', interruptedRun],
];

/** Commands and paths are pasted as they are. */
function tooWide(text: string, columns: number): readonly string[] {
  return text.split('\n').filter((line) => widthOf(line) > columns);
}

describe.each(RUNS)('the text of a run that ends %s', (name, make) => {
  const { result, history } = make();

  test.each([80, 100])('at %i columns', async (columns) => {
    const text = renderText(result, history, { columns, ...PATHS });
    await expect(text).toMatchFileSnapshot(`./testing/golden/${name}-${columns}.txt`);
    expect(tooWide(text, columns)).toEqual([]);
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test.each([120, 160])('at %i columns lines stay short enough to read', async (columns) => {
    const text = renderText(result, history, { columns, ...PATHS });
    await expect(text).toMatchFileSnapshot(`./testing/golden/${name}-100.txt`);
  });

  test('minimal leaves out what is not wrong, and verbose leaves out nothing', () => {
    const lines = (more: object): readonly string[] =>
      renderText(result, history, { ...PATHS, ...more }).split('\n');
    const all = lines({});
    const minimal = lines({ minimal: true });
    expect(minimal.length).toBeLessThanOrEqual(all.length);
    expect([minimal[0], minimal.at(-2)]).toEqual([all[0], all.at(-2)]);
    expect(minimal).not.toContain(' Checks');
    expect(lines({ verbose: true }).length).toBeGreaterThanOrEqual(all.length);
  });

  test('colours change nothing but colours', () => {
    const plain = renderText(result, history, { columns: 90, ...PATHS });
    const colour = renderText(result, history, { columns: 90, style: ansiStyle, ...PATHS });
    expect(colour).toContain('\u001b[');
    expect(stripVTControlCharacters(colour)).toBe(plain);
  });

  test('the last line names the exit code', () => {
    const last = renderText(result, history).trimEnd().split('\n').at(-1) ?? '';
    expect(last.trim().startsWith(`exit ${result.exitCode}: `)).toBe(true);
  });
});

test('a short run without faults reads short', () => {
  const { result, history } = shortRun();
  expect(renderText(result, history).split('\n').length).toBeLessThan(26);
});

test('a simulated run says how much of its own time passed in how much of ours', () => {
  const { result, history } = shortRun();
  const simulated = { virtualMs: 41_300, realMs: 2_100 };
  expect(renderText({ ...result, simulated }, history)).toContain(
    'Simulated: 41.3 s of virtual time took 2.1 s, 20 times as fast.',
  );
  expect(renderText(result, history)).not.toContain('Simulated');
});

test('a violation is drawn: who, what, when, where, and in which order', () => {
  const { result, history } = failRun();
  const lines = renderText(result, history, { columns: 100 }).split('\n');
  const rows = lines.filter((line) => /c90\d {4}/.test(line));
  expect(rows).toMatchInlineSnapshot(`
    [
      "      c901    write 41   ok        33.043  33.049  n3                  ├───┤",
      "      c902    write 42   ok        35.483  35.494  n5                          ├───┤",
      "   ✗  c903    read → 41  ok        36.000  36.005  n3    linearizable                  ├───┤",
    ]
  `);
});

test('many operations are a table without bars, cut at the front', () => {
  const { result, history } = failRun();
  const ops = Array.from({ length: 60 }, (_, at) => at).filter(
    (at) => history.type(at) === 'invoke',
  );
  const [first] = result.checks;
  if (first === undefined) throw new Error('no check');
  const anomaly = { kind: 'cycle', ops, certificate: {}, explanation: 'Many.' };
  const text = renderText({ ...result, checks: [{ ...first, anomalies: [anomaly] }] }, history, {
    columns: 80,
  });
  expect(text).toContain('earlier operation');
  expect(text).not.toContain('├');
});

test('details of another shape are left out, not crashed on', () => {
  const { result, history } = passRun();
  const checks = result.checks.map((check) => ({
    ...check,
    details: { windows: 'none', modes: 3 },
  }));
  const text = renderText({ ...result, checks }, history);
  expect(text).toContain('PASS');
  expect(text).not.toContain('Availability by window');
});

test('indices that are not in the history are left out', () => {
  const { result, history } = failRun();
  const [first] = result.checks;
  if (first === undefined) throw new Error('no check');
  const anomaly = { kind: 'x', ops: [-1, 1e9, 1.5], certificate: {}, explanation: 'It broke.' };
  const text = renderText({ ...result, checks: [{ ...first, anomalies: [anomaly] }] }, history);
  expect(text).toContain('It broke.');
});

describe('the reason for the exit code', () => {
  const { result } = unknownRun();
  test.each([
    ['unknown that fails', {}, '1 unknown verdict (--unknown warn to accept)'],
    ['unknown that is accepted', { exitCode: 0 }, '1 unknown verdict, accepted by --unknown fail'],
    ['nothing checked', { checks: [] }, 'nothing was checked (--unknown warn to accept)'],
    [
      'terminated',
      { verdict: 'pass', exitCode: 143, interrupted: 'SIGTERM' },
      'interrupted by SIGTERM',
    ],
    [
      'violations come before the interrupt',
      { verdict: 'fail', interrupted: 'SIGINT' },
      '0 violations',
    ],
    [
      'faults required',
      { verdict: 'error', exitCode: 3, reasons: ['evidence: no'] },
      'evidence: no',
    ],
  ] as const)('%s', (_, more, reason) => {
    expect(exitReason({ ...result, ...more })).toBe(reason);
  });
});

test('what is counted is said of a violation, and what to expect of doing it again', () => {
  const { result, history } = failRun();
  const text = renderText(result, history);
  expect(text).toContain(
    ' How often     1 of 41\u00a0220 linearizable reads stale; 1 of 33 keys with a violation, 32 linearizable',
  );
  expect(text).toContain('running again shows it sometimes.');
  const config = { ...result.manifest.config, backend: 'sim' as const };
  const manifest = { ...result.manifest, config };
  expect(renderText({ ...result, manifest }, history)).toContain('so does running again');
  const bare = { ...result, checks: result.checks.map((check) => ({ ...check, details: {} })) };
  expect(renderText(bare, history)).not.toContain('How often');
});

test('what a read may still return is said only where each value was written once', () => {
  const { result, history } = failRun();
  const line =
    'from 35.494 on, a linearizable read of k99 may return 42 or something newer, never 41';
  expect(renderText(result, history)).toContain(line);
  const checks = result.checks.map((check) => ({
    ...check,
    anomalies: check.anomalies.map((anomaly) => ({
      ...anomaly,
      certificate: { ...anomaly.certificate, by: 'writers' },
    })),
  }));
  expect(renderText({ ...result, checks }, history)).not.toContain('may return');
});

test('a run of a suite is called by its title, and is run again by its id', () => {
  const { result, history } = failRun();
  const ref = { id: 'x', title: 'register/pause', project: 'stale' };
  const config = { ...result.manifest.config, test: ref };
  const argv = ['run', '-c', 'a b.ts', '--output=out', '--shard', '1/2'];
  const text = renderText({ ...result, manifest: { ...result.manifest, argv, config } }, history);
  expect(text).toContain('✗ FAIL  register/pause [stale]');
  expect(text).toContain("Run again     npx schism replay 7f3a -o out -c 'a b.ts'\n");
});

test('thresholds stand with what was measured, and with a mark for each', () => {
  const { result, history } = passRun();
  const rows = [
    {
      metric: 'availability{window:none}',
      expression: 'rate>0.999',
      value: 0.99987,
      shown: '0.99987',
      passed: true,
    },
    {
      metric: 'recovery_ms',
      expression: 'p(95)<5000',
      value: 6104.4,
      shown: '6104',
      passed: false,
    },
    { metric: 'staleness_ms', expression: 'max<9', value: null, shown: 'no data', passed: null },
  ];
  const check = {
    checker: 'thresholds',
    verdict: 'invalid' as const,
    anomalies: [],
    covered: '1 of 3',
    details: { rows },
  };
  const text = renderText({ ...result, checks: [...result.checks, check] }, history);
  const at = text.indexOf(' Thresholds\n');
  const lines = text.slice(at).split('\n').slice(1, 5);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['metric', 'threshold', 'measured'],
    ['✓ availability{window:none}', 'rate>0.999', '0.99987'],
    ['✗ recovery_ms', 'p(95)<5000', '6104'],
    ['? staleness_ms', 'max<9', 'no data'],
  ]);
});
