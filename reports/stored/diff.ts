/** Two runs side by side: figures, never a word such as faster, which two runs cannot bear out. */
import type { RunResult } from '../../harness/protocols/run.ts';
import { availabilityOf, byLabel, evidenceOf, thresholdsOf } from '../details.ts';
import { type Column, table } from '../layout.ts';
import type { Reading } from '../reading.ts';
import {
  CHECK_SYMBOLS,
  clean,
  counted,
  countText,
  msText,
  NO_FIGURE,
  RUN_WORDS,
  rateText,
  spanText,
} from '../words.ts';
import { parametersOf } from './parameters.ts';

/** A run to be compared. */
export interface Compared {
  readonly result: RunResult;
  readonly reading: Pick<Reading, 'functions' | 'latency'>;
  /** Of `fail` only. */
  readonly fingerprint?: string;
}

/** What is compared, with what each of the two says; `–` for what one of them has not. */
export interface DiffRow {
  readonly section:
    | 'verdict'
    | 'checks'
    | 'thresholds'
    | 'operations'
    | 'latency'
    | 'availability'
    | 'faults'
    | 'configuration';
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

/** All rows but those of the configuration are listed also where both say the same. */
export function diffRows(a: Compared, b: Compared): readonly DiffRow[] {
  return (
    ['verdict', 'checks', 'thresholds', 'operations', 'latency', 'availability', 'faults'] as const
  )
    .flatMap((section) => joined(section, FACTS[section](a), FACTS[section](b)))
    .concat(
      joined(
        'configuration',
        parametersOf(a.result.manifest),
        parametersOf(b.result.manifest),
      ).filter((row) => row.a !== row.b),
    );
}

type Fact = readonly [name: string, text: string];

const FACTS: Readonly<
  Record<Exclude<DiffRow['section'], 'configuration'>, (run: Compared) => readonly Fact[]>
> = {
  verdict: ({ result, fingerprint }) => [
    ['verdict', `${RUN_WORDS[result.verdict].symbol} ${RUN_WORDS[result.verdict].word}`],
    ['exit code', String(result.exitCode)],
    ...(fingerprint === undefined ? [] : [['fingerprint', fingerprint] as const]),
  ],
  checks: ({ result }) =>
    result.checks.map(({ checker, verdict, anomalies }) => [
      clean(checker),
      `${CHECK_SYMBOLS[verdict]} ${verdict}` +
        (anomalies.length > 0 ? `, ${counted(anomalies.length, 'violation')}` : ''),
    ]),
  thresholds: ({ result }) =>
    (thresholdsOf(result)?.rows ?? []).map(({ metric, expression, shown, passed }) => [
      clean(`${metric} ${expression}`),
      `${CHECK_SYMBOLS[passed === null ? 'unknown' : passed ? 'valid' : 'invalid']} ${clean(shown)}`,
    ]),
  operations: ({ result: { counts } }) => [
    ['ok', countText(counts.ok)],
    ['failed', countText(counts.fail)],
    ['unknown', countText(counts.info + counts.open)],
  ],
  latency: ({ reading }) =>
    [{ name: 'all', ...reading.latency }, ...reading.functions].map(({ name, p50, p99 }) => [
      `${clean(name)}, p50 and p99`,
      `${spanText(p50)}, ${spanText(p99)}`,
    ]),
  availability: ({ result }) => {
    const details = availabilityOf(result);
    if (details === undefined) return [];
    const [calm, faulty] = [true, false].map((isCalm) =>
      rateOf(byLabel(details.windows.filter(({ faults }) => (faults.length === 0) === isCalm))),
    );
    return [
      ['no fault', rateText(calm)],
      ['under faults', rateText(faulty)],
      ['longest without a success', msText(details.longestGapMs)],
    ];
  },
  faults: ({ result }) =>
    (evidenceOf(result)?.kinds ?? []).map(({ fault, installed, skipped, failed }) => [
      clean(fault),
      `${countText(installed)} of ${countText(installed + skipped + failed)} took effect`,
    ]),
};

function rateOf(
  rows: readonly { readonly ok: number; readonly fail: number; readonly info: number }[],
): number | null {
  const ok = rows.reduce((sum, row) => sum + row.ok, 0);
  const all = rows.reduce((sum, row) => sum + row.ok + row.fail + row.info, 0);
  return all === 0 ? null : ok / all;
}

/** Names in the order of the first, then those that only the second has. */
function joined(
  section: DiffRow['section'],
  first: readonly Fact[],
  second: readonly Fact[],
): readonly DiffRow[] {
  const [of, with_] = [new Map(first), new Map(second)];
  return [...new Set([...of.keys(), ...with_.keys()])].map((name) => ({
    section,
    name,
    a: of.get(name) ?? NO_FIGURE,
    b: with_.get(name) ?? NO_FIGURE,
  }));
}

/** The rows as tables, a `≠` before those that differ. */
export function renderDiff(a: Compared, b: Compared, columns: number): string {
  const rows = diffRows(a, b);
  const half = Math.max(16, Math.floor((columns - 40) / 2));
  const heads: Column[] = [
    { title: '' },
    { title: '', max: 34 },
    { title: `A: run ${clean(a.result.manifest.run)}`, max: half },
    { title: `B: run ${clean(b.result.manifest.run)}`, max: half },
  ];
  const sections = Map.groupBy(rows, ({ section }) => section);
  const body = [...sections].flatMap(([section, group]) => [
    ['', section, '', ''],
    ...group.map((row) => [row.a === row.b ? '' : '≠', `  ${row.name}`, row.a, row.b]),
  ]);
  const isSame = a.result.verdict === b.result.verdict;
  const same = rows.some(({ section }) => section === 'configuration')
    ? ''
    : '; the configurations are the same';
  return [
    ...table(heads, body, { columns, indent: 1 }),
    '',
    ` The verdicts ${isSame ? 'are the same' : 'differ'}${same}.`,
    '',
  ].join('\n');
}
