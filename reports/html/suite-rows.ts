/** The tests of a suite as rows: repeats of one test together, against the suite before. */
import type {
  FaultCount,
  SuiteResult,
  SuiteRun,
  SuiteTest,
  TestOutcome,
} from '../../harness/protocols/suite.ts';
import { type Rate, wilson } from '../rate.ts';

/** Against the suite before: it began to fail, goes on failing, or passes again. */
export type Change = 'new' | 'still failing' | 'fixed';

/** One test in one project, with all its repeats. */
export interface TestRow {
  /** Of letters that an address may hold. */
  readonly anchor: string;
  readonly title: string;
  readonly project: string;
  /** `chaos/register.chaos.ts:12`; empty for a test that is the config itself. */
  readonly place: string;
  readonly outcome: TestOutcome;
  readonly change: Change | undefined;
  readonly tests: readonly SuiteTest[];
  readonly runs: readonly SuiteRun[];
  /** In how many runs a violation was found; only where there are several. */
  readonly rate: Rate | undefined;
  readonly wallMs: number;
  readonly operations: number;
  /** Of the run where it was lowest. */
  readonly availability: number | undefined;
  readonly faults: readonly FaultCount[];
  /** It passes when a violation is found. */
  readonly isExpected: boolean;
}

const WORST: readonly TestOutcome[] = ['fail', 'error', 'unknown', 'not-run', 'pass'];

/** In the order of the suite. */
export function testRows(result: SuiteResult, previous?: SuiteResult): readonly TestRow[] {
  const before = new Map(groupsOf(previous?.tests ?? []).map((row) => [nameOf(row), row]));
  return groupsOf(result.tests).map((tests, at) => {
    const [first] = tests;
    const test = first?.test;
    const runs = tests.flatMap((one) => one.runs);
    const outcome = worstOf(tests);
    return {
      anchor: `test-${at + 1}`,
      title: test?.title ?? '',
      project: test?.project ?? '',
      place: test?.file === undefined ? '' : `${test.file}${lineText(test.line)}`,
      outcome,
      change: previous === undefined ? undefined : changeOf(outcome, before.get(nameOf(tests))),
      tests,
      runs,
      rate: rateOf(runs),
      wallMs: runs.reduce((sum, { wallMs }) => sum + wallMs, 0),
      operations: runs.reduce((sum, run) => sum + operationsOf(run), 0),
      availability: lowest(runs.flatMap((run) => run.availability ?? [])),
      faults: faultsOf(runs),
      isExpected: first?.expects !== undefined,
    };
  });
}

/** The repeats of one test in one project belong together. */
function groupsOf(tests: readonly SuiteTest[]): readonly (readonly SuiteTest[])[] {
  return [...Map.groupBy(tests, (one) => nameOf([one])).values()];
}

function nameOf([first]: readonly SuiteTest[]): string {
  const { title = '', file = '', project = '' } = first?.test ?? {};
  return JSON.stringify([file, title, project]);
}

function lineText(line: number | undefined): string {
  return line === undefined ? '' : `:${line}`;
}

function worstOf(tests: readonly SuiteTest[]): TestOutcome {
  return WORST.find((outcome) => tests.some((one) => one.outcome === outcome)) ?? 'not-run';
}

/** A test of which nothing is known now has neither begun nor ceased to fail. */
function changeOf(
  outcome: TestOutcome,
  before: readonly SuiteTest[] | undefined,
): Change | undefined {
  const failed = before !== undefined && worstOf(before) === 'fail';
  if (outcome === 'fail') return failed ? 'still failing' : 'new';
  return outcome === 'pass' && failed ? 'fixed' : undefined;
}

/** A run that the machine spoiled says nothing of the store. */
function rateOf(runs: readonly SuiteRun[]): Rate | undefined {
  const judged = runs.filter(({ verdict }) => verdict !== 'error');
  if (judged.length < 2) return undefined;
  return wilson(judged.filter(({ verdict }) => verdict === 'fail').length, judged.length);
}

export function operationsOf({ counts }: SuiteRun): number {
  return counts.ok + counts.fail + counts.info + counts.open;
}

function lowest(rates: readonly number[]): number | undefined {
  return rates.length === 0 ? undefined : Math.min(...rates);
}

/** Over several runs, by kind. */
export function faultsOf(runs: readonly SuiteRun[]): readonly FaultCount[] {
  const kinds = Map.groupBy(
    runs.flatMap(({ faults }) => faults),
    ({ fault }) => fault,
  );
  return [...kinds].map(([fault, counts]) => ({
    fault,
    tookEffect: counts.reduce((sum, { tookEffect }) => sum + tookEffect, 0),
    begun: counts.reduce((sum, { begun }) => sum + begun, 0),
  }));
}

/** What one check said in all runs of a suite. */
export interface PropertyRow {
  readonly checker: string;
  readonly valid: number;
  readonly invalid: number;
  readonly unknown: number;
  /** Anchor and title of tests in which it did not hold. */
  readonly broken: readonly TestRow[];
}

/** Those that did not hold come first, thresholds last; else as they came. */
export function propertyRows(rows: readonly TestRow[]): readonly PropertyRow[] {
  const all = rows.flatMap((row) =>
    row.runs.flatMap(({ checks }) => checks.map((check) => ({ row, ...check }))),
  );
  const rank = ({ checker, invalid, unknown }: PropertyRow): number =>
    (checker === 'thresholds' ? 4 : 0) + (invalid > 0 ? 0 : unknown > 0 ? 1 : 2);
  return [...Map.groupBy(all, ({ checker }) => checker)]
    .map(([checker, checks]): PropertyRow => {
      const count = (wanted: string): number =>
        checks.filter(({ verdict }) => verdict === wanted).length;
      const broken = checks.filter(({ verdict }) => verdict === 'invalid').map(({ row }) => row);
      return {
        checker,
        valid: count('valid'),
        invalid: count('invalid'),
        unknown: count('unknown'),
        broken: [...new Set(broken)],
      };
    })
    .toSorted((a, b) => rank(a) - rank(b));
}
