/** Suites of several nights, brought into one form: which finding was seen how often, of how many runs. */
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';

/** What an exploration found has tests of its own; together they are one. */
export const EXPLORING = 'exploring';

export interface Sighting {
  readonly kinds: readonly string[];
  readonly titles: readonly string[];
  /** Of the tests that showed it, as `Night.trials` names them. */
  readonly tests: readonly string[];
  readonly found: number;
  /** The first. */
  readonly run: string;
}

export interface Night {
  readonly suite: string;
  readonly startedAt: string;
  /** Runs that were judged, by test. An exploration is one trial, however many runs it made. */
  readonly trials: ReadonlyMap<string, number>;
  /** By fingerprint. */
  readonly findings: ReadonlyMap<string, Sighting>;
}

/** The same for all repeats of a test, and for all that exploring found. */
export function trialOf({ id }: SuiteTest['test']): string {
  const isFinding = id === EXPLORING || id.startsWith(`${EXPLORING}/`);
  return isFinding ? EXPLORING : id.replace(/\.repeat-\d+$/, '');
}

/** Oldest first, each suite once, at most so many of the newest. */
export function inOrder(suites: readonly SuiteResult[], max = 400): readonly SuiteResult[] {
  const byId = new Map(
    suites.map((one) => [`${one.manifest.startedAt} ${one.manifest.suite}`, one] as const),
  );
  const sorted = [...byId].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.slice(-max).map(([, suite]) => suite);
}

export function nightOf({ manifest, tests, explored }: SuiteResult): Night {
  const trials = new Map<string, number>();
  const findings = new Map<string, Sighting>();
  if ((explored?.runs ?? 0) > 0) trials.set(EXPLORING, 1);
  for (const test of tests) {
    const trial = trialOf(test.test);
    const judged = test.runs.filter(({ verdict }) => verdict === 'pass' || verdict === 'fail');
    const isExploring = trial === EXPLORING;
    if (!isExploring) trials.set(trial, (trials.get(trial) ?? 0) + judged.length);
    // A known bug that was found again is what was asked for, and no news.
    if (test.expects !== undefined && test.outcome === 'pass') continue;
    for (const run of judged) {
      if (run.fingerprint === undefined) continue;
      const before = findings.get(run.fingerprint);
      const found = isExploring ? 1 : (before?.found ?? 0) + 1;
      findings.set(run.fingerprint, {
        kinds: union(before?.kinds, run.anomalies),
        titles: union(before?.titles, [test.test.title]),
        tests: union(before?.tests, [trial]),
        found,
        run: before?.run ?? run.run,
      });
    }
  }
  return { suite: manifest.suite, startedAt: manifest.startedAt, trials, findings };
}

export function union(a: readonly string[] = [], b: readonly string[] = []): readonly string[] {
  return [...new Set([...a, ...b])];
}

/** Runs of these tests in one night. */
export function trialsIn({ trials }: Night, tests: readonly string[]): number {
  return tests.reduce((sum, test) => sum + (trials.get(test) ?? 0), 0);
}
