/** What the runs of one test amount to. */
import { EXIT } from '../../harness/core/errors.ts';
import {
  type Expectation,
  expectedText,
  type SuiteRun,
  type SuiteTest,
} from '../../harness/protocols/suite.ts';
import type { PlannedTest } from './plan.ts';

/** What a test has to show for itself by now. */
export interface MadeRuns {
  readonly runs: readonly SuiteRun[];
  /** What kept the last one from being made. */
  readonly error?: { readonly message: string; readonly exitCode: number };
  /** The last one was cut short by it. */
  readonly by?: 'SIGINT' | 'SIGTERM';
}

type Test = Pick<PlannedTest, 'ref' | 'expects'>;

export function notRun(test: Test, reason: string): SuiteTest {
  return resultOf(test, { runs: [] }, { outcome: 'not-run', exitCode: EXIT.pass, reason });
}

/** A test that asks for no violation: its last run decides. */
export function judgeRuns(test: Test, made: MadeRuns): SuiteTest {
  const last = made.runs.at(-1);
  if (made.error !== undefined || last === undefined) return couldNotRun(test, made);
  const { verdict, exitCode, reasons } = last;
  // What was cut short has not passed.
  const outcome = made.by !== undefined && verdict === 'pass' ? 'unknown' : verdict;
  return resultOf(test, made, { outcome, exitCode, reason: reasons[0] ?? '' });
}

/**
 * A test that asks for a violation, after the `nth` of its runs; undefined when another is to be
 * made. A violation of another kind is news, and no more runs are made.
 */
export function judgeExpected(
  test: Test,
  expects: Expectation,
  made: MadeRuns,
  nth: number,
): SuiteTest | undefined {
  const last = made.runs.at(-1);
  const { runs: most } = expects;
  const asked = expectedText(expects) ?? 'a violation';
  const wanted = kindsOf(expects);
  if (last?.verdict === 'fail' && made.error === undefined && !isSlow(last, wanted)) {
    const kinds = last.anomalies.join(', ');
    const found = wanted.filter((kind) => last.anomalies.includes(kind));
    if (found.length >= (expects.every === true ? wanted.length : Math.min(1, wanted.length))) {
      const reason = `expected ${asked}; found ${kinds || 'it'} in run ${nth} of ${most}`;
      return resultOf(test, made, { outcome: 'pass', exitCode: EXIT.pass, reason });
    }
    // A part of what is looked for is no news, and nor is what else a bug that is known may do.
    if (found.length === 0 && expects.known === undefined) {
      const reason = `expected ${asked}, and another violation was found: ${kinds}`;
      return resultOf(test, made, { outcome: 'fail', exitCode: EXIT.violation, reason });
    }
  }
  if (made.by !== undefined) {
    const exitCode = made.by === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    const reason = `interrupted by ${made.by} in run ${nth} of ${most}; ${asked} was not found yet`;
    return resultOf(test, made, { outcome: 'unknown', exitCode, reason });
  }
  if (made.error !== undefined) return couldNotRun(test, made);
  if (nth < most) return undefined;
  return notFound(test, made, asked, expects);
}

function kindsOf({ anomaly, anomalies = [] }: Expectation): readonly string[] {
  return anomaly === undefined ? anomalies : [anomaly];
}

/**
 * Thresholds of a config or a project are asked of every test; that faults cost more than they allow
 * is not the bug that is looked for, unless that was said.
 */
function isSlow({ anomalies }: SuiteRun, asked: readonly string[]): boolean {
  const others = anomalies.filter((kind) => kind !== 'threshold');
  return !asked.includes('threshold') && anomalies.length > 0 && others.length === 0;
}

/** Runs that ended as `error` were no tries: with fewer than were asked for nothing is said of the bug. */
function notFound(
  test: Test,
  made: MadeRuns,
  asked: string,
  { known, runs: most }: Expectation,
): SuiteTest {
  const tries = made.runs.filter(({ verdict }) => verdict !== 'error').length;
  const runs = tries === 1 ? 'one run' : `${tries} runs`;
  const broken = made.runs.findLast(({ verdict }) => verdict === 'error');
  if (broken !== undefined && tries < most) {
    const which = broken === made.runs.at(-1) ? 'the last' : 'another';
    const reason = `expected ${asked}, not found in ${runs}; ${which} ended in an error: ${broken.reasons[0] ?? ''}`;
    return resultOf(test, made, { outcome: 'error', exitCode: broken.exitCode, reason });
  }
  const seen = new Set(made.runs.flatMap(({ anomalies }) => anomalies));
  const rest = seen.size === 0 ? '' : `, which showed only ${[...seen].join(', ')}`;
  const reason =
    known === undefined
      ? `expected ${asked}, and it was not found in ${runs}${rest}`
      : `a known bug is no longer found: expected ${asked} of ${known}; played ${runs}${rest}`;
  return resultOf(test, made, { outcome: 'fail', exitCode: EXIT.violation, reason });
}

function couldNotRun(test: Test, made: MadeRuns): SuiteTest {
  const { message, exitCode } = made.error ?? { message: 'nothing ran', exitCode: EXIT.bug };
  return resultOf(test, made, { outcome: 'error', exitCode, reason: message });
}

function resultOf(
  { ref, expects }: Test,
  { runs }: Pick<MadeRuns, 'runs'>,
  judged: Pick<SuiteTest, 'outcome' | 'exitCode' | 'reason'>,
): SuiteTest {
  // A list of its own: the caller's grows.
  const own = [...runs];
  return { test: ref, ...(expects !== undefined && { expects }), runs: own, ...judged };
}
