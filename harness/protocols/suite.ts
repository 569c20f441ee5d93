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
  /** A kind of anomaly, as checkers name it; without `anomalies` either, any violation but `threshold`. */
  readonly anomaly?: string;
  /** In its place: kinds, of which one is enough. */
  readonly anomalies?: readonly string[];
  /** One run must show all of `anomalies`. */
  readonly every?: boolean;
  /** Of a regression: what is played to find a bug that is known. */
  readonly known?: string;
  /** It must be seen within so many runs. */
  readonly runs: number;
}

/** `stale-read`, `stale-read or lost-write`, `stale-read and lost-write`; undefined: any violation. */
export function expectedText({
  anomaly,
  anomalies,
  every,
}: Omit<Expectation, 'runs'>): string | undefined {
  return anomaly ?? anomalies?.join(every === true ? ' and ' : ' or ');
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
  /** Operations that succeeded in the main phase, a second. */
  readonly throughput?: number;
  /** The longest time without a success in the main phase. */
  readonly longestGapMs?: number;
  /** How long the checkers took. */
  readonly checkMs?: number;
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
  readonly explored?: Explored;
  readonly changes?: Changes;
}

/** What the time was spent on that the tests of a nightly suite had left. */
export interface Explored {
  readonly runs: number;
  readonly ms: number;
  /** Acknowledged. */
  readonly operations: number;
  /** Situations that no exploration had seen before, and all that were ever seen. */
  readonly fresh: number;
  readonly situations: number;
  /** Runs that no checker could decide. */
  readonly undecided: number;
  readonly findings: number;
}

/** Findings beside those of earlier nights. */
export interface Changes {
  /** Earlier suites that were looked at. */
  readonly nights: number;
  readonly findings: readonly FindingChange[];
}

/**
 * `new`: not seen before. `ongoing`: seen tonight and before. `rare`: not seen tonight, but too few clean
 * runs to say that it is gone. `resolved`: so many clean runs that its earlier rate is ruled out.
 */
export type FindingState = 'new' | 'ongoing' | 'rare' | 'resolved';

export interface FindingChange {
  readonly fingerprint: string;
  readonly state: FindingState;
  /** Kinds of anomaly. */
  readonly kinds: readonly string[];
  /** Titles of the tests that showed it. */
  readonly tests: readonly string[];
  /** Of so many runs of those tests, over all nights; of exploring each night counts as one. */
  readonly found: number;
  readonly of: number;
  /** Wilson's interval of 95 % for its rate until it was last seen. */
  readonly low: number;
  readonly high: number;
  /** Runs since it was last seen, and how many are asked for before it counts as resolved. */
  readonly clean: number;
  readonly needed: number;
  /** ISO 8601: the starts of the suites that showed it first and last. */
  readonly first: string;
  readonly last: string;
  /** The first run that showed it tonight. */
  readonly run?: string;
}
