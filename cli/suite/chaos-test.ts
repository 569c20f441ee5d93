/** What a `*.chaos.ts` file says: `test('name', { ... })`. */
import type { Checker } from '../../harness/protocols/checker.ts';
import type { Expectation } from '../../harness/protocols/suite.ts';
import type { RunOptions } from '../config/config.ts';

/** Options of one test: those of a run, over the project's and the config's. */
export interface ChaosTestOptions extends RunOptions {
  /** Beside those of the workload. */
  readonly checks?: readonly Checker[];
  /** For `--grep`: each begins with `@`. */
  readonly tags?: readonly string[];
}

export interface ViolationTestOptions extends ChaosTestOptions {
  /** The kind of anomaly that must be found; absent: any. */
  readonly anomaly?: string;
  /** `'10 runs'`. Default: `'1 run'`. */
  readonly within?: string;
}

/** What a test must show; see `Expectation`. */
export interface DeclaredExpectation extends Omit<Expectation, 'runs'> {
  /** `10 runs` */
  readonly within: string;
}

/** A test as its file declared it. */
export interface DeclaredTest {
  readonly title: string;
  readonly options: ChaosTestOptions;
  readonly expects?: DeclaredExpectation;
  readonly mark?: 'only' | 'skip';
  /** Why it is skipped; absent: somebody marked it. */
  readonly why?: string;
  /** What it says is all: no config and no project is below it. */
  readonly isWhole?: true;
  /** Of the call, from 1; undefined where the stack does not tell. */
  readonly line?: number;
}

export interface DeclareTest {
  /** Starts a cluster, breaks it, and passes when no check finds a violation. */
  (title: string, options: ChaosTestOptions): void;
  /** A known bug: passes when the violation is found, and fails when it is not. */
  expectViolation(title: string, options: ViolationTestOptions): void;
  /** While it stands, only such tests of all files run. */
  only(title: string, options: ChaosTestOptions): void;
  /** Is listed, and does not run. */
  skip(title: string, options: ChaosTestOptions): void;
}
