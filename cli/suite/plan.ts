/** What a suite will do, decided before anything starts. */
import type { Checker } from '../../harness/protocols/checker.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { Expectation, TestRef } from '../../harness/protocols/suite.ts';
import type { AttachConfig } from '../config/config.ts';

/** One test that was selected, with everything its runs depend on. */
export interface PlannedTest {
  readonly ref: TestRef;
  /** Carries `test: ref`; its seed is the test's own, drawn from the suite's. */
  readonly config: RunConfig;
  readonly checks: readonly Checker[];
  readonly expects?: Expectation;
  readonly attach?: AttachConfig;
}

/** One that will not run: somebody marked it, or it cannot run here. */
export interface SkippedTest {
  readonly ref: TestRef;
  readonly why: string;
}

export interface SuitePlan {
  readonly tests: readonly PlannedTest[];
  /** Among what the filters let through. */
  readonly skipped?: readonly SkippedTest[];
  /** Before `--shard`. */
  readonly selected: number;
  /** Found in files, before any filter. */
  readonly found: number;
  readonly shard?: { readonly index: number; readonly total: number };
  readonly seed: number;
  /** The config's path, relative to the working folder. */
  readonly configFile?: string;
  readonly workers: number;
  /** 0: the suite goes on however many fail. */
  readonly maxFailures: number;
  /** `--repeat-for`: all tests again, each as `repeatOf` says, until so much time is over. */
  readonly repeatForMs?: number;
  readonly infraRetries: number;
  /** Once this is over, no other run is made; `why` is said of what had no turn, or too few. */
  readonly deadline?: { readonly afterMs: number; readonly why: string };
  readonly passWithNoTests: boolean;
  /** Files that define what runs are made of or judged by, absolute: the judge's worker loads them, too. */
  readonly modules: readonly string[];
  /** Where runs are kept. */
  readonly output: string;
}
