/** A suite: tests, each made of one run or several, with one outcome together. */
import type { RunVerdict } from './checker.ts';
import type { RunResult } from './run.ts';

/** Which test of which file, in which project, for which time. */
export interface TestRef {
  /** Unique in its suite, of letters, digits, `.`, `_`, `-` and `/`. */
  readonly id: string;
  readonly title: string;
  /** Relative to the working folder; absent: the config itself is the test. */
  readonly file?: string;
  /** Of the call of `test(...)`. From 1. */
  readonly line?: number;
  readonly project?: string;
  /** From 1, where tests are repeated. */
  readonly repeat?: number;
}

/** What a test that must fail is expected to show. */
export interface Expectation {
  /** A kind of anomaly, as checkers name it; absent: any violation but `threshold`. */
  readonly anomaly?: string;
  /** It must be seen within so many runs. */
  readonly runs: number;
}

/** A kind of fault in one run: how often it took effect, of how often it began. */
export interface FaultCount {
  readonly fault: string;
  readonly tookEffect: number;
  readonly begun: number;
}

/** What a suite keeps of one of its runs; everything else is in the run's own folder. */
export interface SuiteRun {
  readonly run: string;
  /** The run's folder, relative to the folder of the suite. */
  readonly dir: string;
  readonly verdict: RunVerdict;
  readonly exitCode: number;
  /** Plain sentences, most important first; empty for a pass. */
  readonly reasons: readonly string[];
  readonly counts: RunResult['counts'];
  readonly wallMs: number;
  readonly faults: readonly FaultCount[];
  /** Share of the operations that came back ok, 0 to 1. */
  readonly availability?: number;
  /** Kinds of anomaly that were found. */
  readonly anomalies: readonly string[];
  /** See `fingerprintOf`; only for `fail`. */
  readonly fingerprint?: string;
  /** One for each check: its name, verdict and first line. */
  readonly checks: readonly {
    readonly checker: string;
    readonly verdict: 'valid' | 'invalid' | 'unknown';
    readonly line: string;
    /** For a check that is not valid: its first kind of anomaly. */
    readonly kind?: string;
  }[];
  /** The whole text that ends the run, without colours, 100 columns wide; only when it did not pass. */
  readonly text?: string;
}

/** `not-run`: the suite ended before its turn. */
export type TestOutcome = RunVerdict | 'not-run';

export interface SuiteTest {
  readonly test: TestRef;
  readonly expects?: Expectation;
  /** In the order they were made; the last one decides, but for a test that expects a violation. */
  readonly runs: readonly SuiteRun[];
  /** `pass` for an expected violation that was found, `fail` for one that was not. */
  readonly outcome: TestOutcome;
  readonly exitCode: number;
  /** Why it is not a pass, or what was expected and found; a plain sentence, may be empty. */
  readonly reason: string;
}

export interface SuiteManifest {
  readonly schism: 1;
  readonly suite: string;
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly argv: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** As printed: `0x…`. */
  readonly seed: string;
  readonly config?: string;
  readonly shard?: { readonly index: number; readonly total: number };
  /** Before the shard was cut out. */
  readonly selected: number;
  /** Shards that were joined, if this came of `schism merge`. */
  readonly mergedFrom?: readonly string[];
}

/** `suite.json`. */
export interface SuiteResult {
  readonly manifest: SuiteManifest;
  readonly tests: readonly SuiteTest[];
  readonly exitCode: number;
  readonly wallMs: number;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}
