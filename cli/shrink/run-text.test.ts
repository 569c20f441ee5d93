import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { wilson } from '../../reports/rate.ts';
import { plainStyle } from '../../reports/style.ts';
import {
  headLines,
  notShownLines,
  type Result,
  resultDocument,
  resultLines,
  rowLine,
} from './run-text.ts';
import { ANY, shows, targetOf } from './target.ts';
import { aConfig } from './testing.ts';
import { type Conclusion, conclusionText, type Row } from './trials.ts';

const target = { checker: 'linearizable', kind: 'stale-read' };
const ROWS: readonly Row[] = [
  { what: 'as recorded', kind: 'whole', rate: wilson(3, 14), conclusion: 'original' },
  { what: 'partition', kind: 'without', rate: wilson(2, 5), conclusion: 'enough' },
  { what: 'pause', kind: 'without', rate: wilson(0, 20), conclusion: 'unseen' },
  { what: '20 s instead of 120 s', kind: 'instead', rate: wilson(2, 7), conclusion: 'enough' },
  { what: 'faults half as long', kind: 'instead', rate: wilson(0, 3), conclusion: 'unfinished' },
];
const schedule = [{ atMs: 8000, forMs: 2900, fault: 'pause', options: { target: 'leader' } }];
const smallest = aConfig({ schedule, faults: ['pause'], durationMs: 20_000 });
const RESULT: Result = {
  run: '7f3a',
  target,
  original: aConfig({ faults: ['partition', 'pause'], durationMs: 120_000 }),
  smallest,
  rate: wilson(1, 2),
  rows: ROWS,
  file: '.schism/repro/7f3a.chaos.ts',
  scheduleFile: '.schism/repro/7f3a.schedule.json',
  command: 'npx schism run --system raftkv --schedule .schism/repro/7f3a.schedule.json --seed 0x7',
  kept: '91c0',
  keptDir: '.schism/runs/20261121T014712Z-91c0',
  budgetEnded: true,
  wallMs: 412_000,
};

test('on real clusters the table has counts and intervals', () => {
  const lines = [
    ...headLines('7f3a: raftkv/register', target, false),
    ...ROWS.map((row) => rowLine(row, plainStyle, false)),
  ];
  expect(`\n${lines.join('\n').replaceAll('\u00a0', ' ')}\n`).toBe(`
 shrink --run 7f3a: raftkv/register: linearizable, stale-read

                                                   found   of   95 % interval (Wilson)
   as recorded                                         3   14   8 to 48 %
   without partition                                   2    5   12 to 77 %      ← not needed, dropped
   without pause                                       0   20   0 to 16 %       ← not seen without it, kept
   20 s instead of 120 s                               2    7   8 to 64 %       ← still found, taken
   faults half as long                                 0    3   0 to 56 %       ← not finished
`);
});

test('in the simulator it says which seed showed it, and nothing of rates', () => {
  const row = (found: number, of: number): string =>
    rowLine(
      { what: 'x', kind: 'instead', rate: wilson(found, of), conclusion: 'enough' },
      plainStyle,
      true,
    );
  expect([row(1, 1), row(1, 3), row(0, 3)].map((line) => line.slice(51, 65).trim())).toEqual([
    'yes',
    'yes, seed #3',
    'no, 3 seeds',
  ]);
  expect(row(1, 1)).not.toContain('%');
});

describe('the end', () => {
  test('says what it takes, where that is, and that the budget ended it', () => {
    const text = resultLines(RESULT, plainStyle, 100).join('\n');
    expect(text).toContain('The smallest that showed it: 1 fault, 20 s, 3 nodes, 6 clients');
    expect(text).toContain('It was: 2 kinds of fault, 120 s, 3 nodes, 6 clients');
    expect(text).toContain('\n   pause leader 2.9 s at 8 s\n');
    expect(text).toContain('The budget ended: more might go (--budget).');
    expect(text).toContain('Shown again   run 91c0, .schism/runs/20261121T014712Z-91c0');
    expect(text).toMatch(/Run it {8}npx schism run --system raftkv/);
    expect(text).toContain('49 runs in 412.0 s');
  });

  test('says that it was interrupted, and that it was not played again', () => {
    const { kept: _kept, keptDir: _keptDir, ...rest } = RESULT;
    const cut = { ...rest, rate: wilson(0, 0), interrupted: 'SIGINT', budgetEnded: false } as const;
    const text = resultLines(cut, plainStyle, 100).join('\n');
    expect(text).toContain('Interrupted by SIGINT: this is the smallest until then.');
    expect(text).toContain('it was not played again');
    expect(text).not.toContain('The budget ended');
  });

  test('is one document for programs', () => {
    expect(resultDocument(RESULT)).toMatchObject({
      schism: 1,
      shrunk: '7f3a',
      check: 'linearizable',
      anomaly: 'stale-read',
      smallest: { durationMs: 20_000 },
      run: '91c0',
      rows: [{ what: 'as recorded' }, {}, {}, {}, {}],
    });
  });

  test('names no store or fault that could write to the terminal', () => {
    const options = { target: '\u001b[31mleader' };
    const faults = [{ atMs: 0, forMs: 1, fault: 'pause', options }];
    const text = resultLines(
      { ...RESULT, smallest: { ...smallest, schedule: faults }, command: 'x \u001b[2J' },
      plainStyle,
      100,
    ).join('\n');
    expect(text).not.toContain('\u001b');
  });
});

test('each conclusion says what was done about it', () => {
  const all: readonly Conclusion[] = ['enough', 'rarer', 'needed', 'unseen', 'unfinished'];
  const said = (kind: Row['kind']): string[] =>
    all.map((conclusion) => conclusionText({ what: '', kind, rate: wilson(0, 1), conclusion }));
  expect(said('without')).toEqual([
    'not needed, dropped',
    'found less often, kept',
    'needed, kept',
    'not seen without it, kept',
    'not finished',
  ]);
  expect(said('instead')).toEqual([
    'still found, taken',
    'found less often, not taken',
    'too small, not taken',
    'not seen, not taken',
    'not finished',
  ]);
});

describe('any violation', () => {
  const check = (checker: string, verdict: CheckResult['verdict'], kind: string): CheckResult =>
    ({
      checker,
      verdict,
      anomalies: verdict === 'invalid' ? [{ kind, explanation: '', ops: [] }] : [],
      details: {},
    }) as unknown as CheckResult;
  const ran = (...checks: readonly CheckResult[]): RunResult =>
    ({ checks, manifest: { run: '7f3a' } }) as unknown as RunResult;
  const recorded = ran(
    check('hash', 'valid', ''),
    check('linearizable', 'invalid', 'stale-read'),
    check('read-modes', 'invalid', 'stale-read'),
  );

  test('is what any check finds; else it is the same check and the same kind', () => {
    const [first, any] = [targetOf(recorded), targetOf(recorded, true)];
    expect(first).toEqual({ checker: 'linearizable', kind: 'stale-read' });
    expect(any).toEqual(ANY);
    const others = [
      ran(check('linearizable', 'invalid', 'phantom-read')),
      ran(check('hash', 'invalid', 'hash-mismatch')),
    ];
    for (const other of others)
      expect([shows(other, first), shows(other, any)]).toEqual([false, true]);
    expect(shows(ran(check('linearizable', 'unknown', ''), check('hash', 'valid', '')), any)).toBe(
      false,
    );
    expect(() => targetOf(ran(check('hash', 'valid', '')), true)).toThrow(
      '7f3a found no violation',
    );
  });

  test('stands at the head of the table', () => {
    expect(headLines('7f3a: raftkv/register', ANY, true)[0]).toBe(
      ' shrink --run 7f3a: raftkv/register: any violation',
    );
  });

  test('is pointed out where only others were found', () => {
    const rows: readonly Row[] = [
      { what: 'as recorded', kind: 'whole', rate: wilson(0, 5), conclusion: 'original' },
    ];
    const alone = notShownLines(rows, new Map());
    expect(alone.join('\n')).toContain('did not show again in 5 runs');
    expect(alone.join('\n')).not.toContain('--any');
    const found = new Map([
      ['linearizable, phantom-read', 2],
      ['hash, \u001b[31mred', 1],
    ]);
    expect(notShownLines(rows, found).slice(alone.length)).toEqual([
      ' Something else was found, which --any takes as well:',
      '   linearizable, phantom-read: 2 runs',
      expect.stringMatching(/^ {3}hash, .*red: 1 run$/),
    ]);
    expect(notShownLines(rows, found).join('')).not.toContain('\u001b');
  });
});
