/** What a suite's results are called, counted and grouped by, in all of its reports. */
import { EXIT } from '../../harness/core/errors.ts';
import type {
  FaultCount,
  SuiteManifest,
  SuiteResult,
  SuiteRun,
  SuiteTest,
  TestOutcome,
  TestRef,
} from '../../harness/protocols/suite.ts';
import { type Rate, wilson } from '../rate.ts';
import { clean, clipped, counted, RUN_WORDS, widthOf } from '../words.ts';

export const OUTCOME_WORDS: Readonly<Record<TestOutcome, { symbol: string; word: string }>> = {
  ...RUN_WORDS,
  'not-run': { symbol: '–', word: 'NOT RUN' },
};

const TITLE_MAX = 120;
const TITLE_MIN = 8;
/** What a file says is no reason to count to a million. */
const SHARDS_MAX = 10_000;
const INTERRUPTED: ReadonlySet<number> = new Set([EXIT.interrupted, EXIT.terminated]);

/** `register/pause-leader [serializable] @repeat-3`. */
export function testTitle(test: TestRef, max: number = Number.POSITIVE_INFINITY): string {
  const repeat = test.repeat === undefined ? '' : ` @repeat-${test.repeat}`;
  return clipped(`${groupTitle(test, max - widthOf(repeat))}${repeat}`, max);
}

/**
 * The same for all repeats of a test together. Where it is longer than `max`, the title is cut and
 * not the project, which is all that tells some tests from others.
 */
export function groupTitle(
  { title, project }: TestRef,
  max: number = Number.POSITIVE_INFINITY,
): string {
  const suffix = project === undefined ? '' : ` [${clipped(clean(project), 40)}]`;
  const room = Math.max(TITLE_MIN, max - widthOf(suffix));
  return clipped(`${clipped(clean(title), Math.min(TITLE_MAX, room))}${suffix}`, max);
}

/** A test with its repeats. */
export interface TestGroup {
  readonly title: string;
  readonly tests: readonly SuiteTest[];
}

/** In the order in which they came first. */
export function groupsOf(tests: readonly SuiteTest[]): readonly TestGroup[] {
  const groups = Map.groupBy(tests, ({ test }) =>
    JSON.stringify([test.file, test.title, test.project]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ title: groupTitle(first.test), tests: group }];
  });
}

/** Of the repeats that came to a verdict, how many showed a violation; undefined without repeats. */
export function rateOf({ tests }: TestGroup): Rate | undefined {
  if (!tests.some(({ test }) => (test.repeat ?? 1) > 1)) return undefined;
  const judged = tests.filter(({ runs }) =>
    runs.some(({ verdict }) => verdict === 'pass' || verdict === 'fail'),
  );
  const found = judged.filter(({ runs }) => runs.some(({ verdict }) => verdict === 'fail'));
  return wilson(found.length, judged.length);
}

/** A few words on a test that is more than a plain pass; empty for one. */
export function outcomeNote({ outcome, expects, runs, reason }: SuiteTest): string {
  const kinds = runs.at(-1)?.anomalies.map(clean).join(', ') ?? '';
  if (outcome === 'pass') return expects === undefined ? '' : `${kinds || 'violation'} as expected`;
  const { word } = OUTCOME_WORDS[outcome];
  const why = outcome === 'fail' && expects === undefined && kinds !== '' ? kinds : clean(reason);
  return why === '' ? word : `${word} ${why}`;
}

/** The run that tells why the test is what it is: its last violation, or else its last run. */
export function tellingRun({ runs }: SuiteTest): SuiteRun | undefined {
  return runs.findLast(({ verdict }) => verdict === 'fail') ?? runs.at(-1);
}

export type Tally = Readonly<Record<TestOutcome, number>>;

export function tallyOf(tests: readonly SuiteTest[]): Tally {
  const tally = { pass: 0, fail: 0, unknown: 0, error: 0, 'not-run': 0 };
  for (const { outcome } of tests) tally[outcome]++;
  return tally;
}

/** `12 tests: 1 failed, 11 passed, 0 unknown, 0 errors`. */
export function tallyText(tests: readonly SuiteTest[]): string {
  const tally = tallyOf(tests);
  const parts = [
    `${tally.fail} failed`,
    `${tally.pass} passed`,
    `${tally.unknown} unknown`,
    counted(tally.error, 'error'),
    ...(tally['not-run'] > 0 ? [`${tally['not-run']} not run`] : []),
  ];
  return `${counted(tests.length, 'test')}: ${parts.join(', ')}`;
}

export interface Totals {
  readonly ok: number;
  readonly all: number;
  /** Operations whose outcome nobody knows. */
  readonly unknown: number;
}

export function totalsOf(runs: readonly SuiteRun[]): Totals {
  return runs.reduce(
    (sum, { counts: { ok, fail, info, open } }) => ({
      ok: sum.ok + ok,
      all: sum.all + ok + fail + info + open,
      unknown: sum.unknown + info + open,
    }),
    { ok: 0, all: 0, unknown: 0 },
  );
}

/** By kind, over several runs. */
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

/** `pause ×6, partition ×5`; what took no effect is for a warning. */
export function faultsText(runs: readonly SuiteRun[]): string {
  const effective = faultsOf(runs).filter(({ tookEffect }) => tookEffect > 0);
  const texts = effective.map(
    ({ fault, tookEffect }) => `${clipped(clean(fault), 30)}\u00a0×${tookEffect}`,
  );
  return texts.join(', ') || 'none';
}

/** What should be known of tests even where they passed, a sentence each. */
export function warningsOf(group: TestGroup): readonly string[] {
  const { title } = group;
  // Of a run that was cut short nobody expects that it got round to every fault.
  const whole = group.tests.filter(({ exitCode }) => !INTERRUPTED.has(exitCode));
  const runs = whole.flatMap((test) => test.runs);
  const idle = faultsOf(runs.filter(({ verdict }) => verdict !== 'error'))
    .filter(({ tookEffect }) => tookEffect === 0)
    .map(({ fault, begun }) => {
      const name = clipped(clean(fault), 30);
      const tries = `took no effect, of ${counted(begun, 'try', 'tries')}`;
      const said = begun === 0 ? 'was never tried' : tries;
      return `${title}: ${name} ${said}. This test did not exercise ${name}.`;
    });
  const again = group.tests.filter(
    ({ runs: own, expects }) =>
      expects === undefined && own.slice(0, -1).some(({ verdict }) => verdict === 'error'),
  );
  return [
    ...idle,
    ...(again.length > 0 ? [`${title}: ran again after a run that ended in an error.`] : []),
  ];
}

/** Which shards a merged suite was made without, a few words each. */
export function missingParts({ mergedFrom = [] }: SuiteManifest): readonly string[] {
  const shards = mergedFrom.flatMap((part) => /^(\d+)\/(\d+)$/.exec(part)?.slice(1) ?? []);
  const total = Math.min(Number(shards[1] ?? 0), SHARDS_MAX);
  const there = new Set(mergedFrom);
  return Array.from({ length: total }, (_, at) => `${at + 1}/${total}`)
    .filter((part) => !there.has(part))
    .map((part) => `shard ${part} is missing`);
}

/** The reason for the exit code, in a few words. */
export function suiteExitReason({ exitCode, tests, interrupted, manifest }: SuiteResult): string {
  const of = (outcome: TestOutcome): readonly SuiteTest[] =>
    tests.filter((test) => test.outcome === outcome);
  switch (exitCode) {
    case EXIT.violation: {
      const missing = of('fail').filter(isMissing);
      const found = of('fail').length - missing.length;
      return [
        ...(found > 0 ? [`violation in ${counted(found, 'test')}`] : []),
        ...(missing.length > 0
          ? [`${counted(missing.length, 'expected violation')} not found`]
          : []),
      ].join(', ');
    }
    case EXIT.bug:
      return 'a bug in the harness, not in the store';
    case EXIT.infrastructure: {
      const broken = of('error').length;
      return [
        ...missingParts(manifest),
        ...(broken > 0 ? [`${counted(broken, 'test')} ended in an error`] : []),
      ].join(', ');
    }
    case EXIT.unknown:
      return `${counted(of('unknown').length, 'unknown verdict')} (--unknown warn to accept)`;
    case EXIT.nothingSelected:
      return 'no test was selected';
    case EXIT.interrupted:
    case EXIT.terminated:
      return `interrupted by ${interrupted ?? (exitCode === EXIT.interrupted ? 'SIGINT' : 'SIGTERM')}`;
    case EXIT.pass:
      return passReason(tests);
    default:
      return clean(
        tests.find((test) => test.exitCode === exitCode)?.reason ?? 'it could not be run',
      );
  }
}

function passReason(tests: readonly SuiteTest[]): string {
  if (tests.length === 0) return 'no test to run';
  const { unknown } = tallyOf(tests);
  const found = foundText(tests);
  return unknown > 0 ? `${found}, ${counted(unknown, 'unknown verdict')} accepted` : found;
}

/** Of tests among which none failed. */
export function foundText(tests: readonly SuiteTest[]): string {
  const known = tests.some(({ expects, outcome }) => expects !== undefined && outcome === 'pass');
  return known ? 'no violation found but the expected' : 'no violation found';
}

/** A known bug that the suite could not find again. */
export function isMissing({ outcome, expects, runs }: SuiteTest): boolean {
  return (
    outcome === 'fail' && expects !== undefined && !runs.some(({ verdict }) => verdict === 'fail')
  );
}
