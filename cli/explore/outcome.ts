/** What came of one explored run: small, since it crosses from thread to thread. */
import type { History } from '../../harness/history/history.ts';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { RunProblem } from '../../harness/protocols/run.ts';
import type { Coverage, Covered } from './coverage.ts';

export interface Violation {
  readonly checker: string;
  /** Of anomaly; '' where a check has none. */
  readonly kind: string;
  /** Plain words for the first of them. */
  readonly sentence: string;
}

export interface Outcome extends Covered {
  /** By check, in their order; empty: nothing was found. */
  readonly violations: readonly Violation[];
  /** What kept it from its end. */
  readonly broken?: string;
  /** Names of checks that gave up, but for those that say what took effect. */
  readonly undecided: readonly string[];
  /** Operations of clients that were acknowledged. */
  readonly operations: number;
  /** Index of the entry at which it was broken off: the store had gone back. */
  readonly stoppedAt?: number;
  readonly virtualMs?: number;
  /** Of a simulated run, by which another can be seen to be the same. */
  readonly beginning?: { readonly entries: number; readonly hash: string };
}

/** That a drawn fault had no effect, or that little was reached, says nothing of the store. */
const OF_THE_RUN: readonly string[] = ['evidence', 'stats', 'sometimes'];

export function outcomeOf({
  checks,
  problems,
  history,
  coverage,
}: {
  readonly checks: readonly CheckResult[];
  readonly problems: readonly RunProblem[];
  readonly history: History;
  readonly coverage: Coverage;
}): Outcome {
  const fatal = problems.find(({ severity }) => severity === 'fatal');
  let operations = 0;
  for (let index = 0; index < history.length; index++)
    if (history.isClient(index) && history.type(index) === 'ok') operations++;
  return {
    ...coverage.covered(),
    violations: violationsOf(checks),
    ...(fatal !== undefined && { broken: `${fatal.step}: ${fatal.message}` }),
    undecided: checks
      .filter(({ checker, verdict }) => verdict === 'unknown' && !OF_THE_RUN.includes(checker))
      .map(({ checker }) => checker),
    operations,
  };
}

export function violationsOf(checks: readonly CheckResult[]): readonly Violation[] {
  return checks
    .filter(({ verdict }) => verdict === 'invalid')
    .map(({ checker, anomalies, covered }) => ({
      checker,
      kind: anomalies[0]?.kind ?? '',
      sentence: anomalies[0]?.explanation ?? covered,
    }));
}

/** What makes two findings one, whatever brought them about: the check, and what it found. */
export function keyOf({ checker, kind }: Violation): string {
  return kind === '' ? checker : `${checker}: ${kind}`;
}
