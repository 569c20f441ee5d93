import type { JsonValue } from '../core/json.ts';
import type { NodeName } from '../core/units.ts';
import type { History } from '../history/history.ts';
import type { ReadMode } from '../history/op.ts';
import type { ReadPromise, Timing } from './system.ts';

/** Of one check. `unknown`: it gave up, and says where and why; never evidence either way. */
export type Verdict = 'valid' | 'invalid' | 'unknown';

/** Of a run. `error`: the harness or the machine failed. */
export type RunVerdict = 'pass' | 'fail' | 'unknown' | 'error';

/**
 * One proven violation. The certificate holds just what a second piece of code needs to check the
 * claim against the history; every number in `explanation` follows from it.
 */
export interface Anomaly {
  /** `stale-read`, `lost-write`, `phantom-read`, `split-brain-cas`, `non-monotonic-read`, ... */
  readonly kind: string;
  readonly key?: string;
  /** Indices into the history, in order: the smallest sub-history that shows it. */
  readonly ops: readonly number[];
  readonly certificate: { readonly [name: string]: JsonValue };
  /** Plain sentences; only what the history proves. */
  readonly explanation: string;
}

export interface CheckResult {
  readonly checker: string;
  readonly verdict: Verdict;
  readonly anomalies: readonly Anomaly[];
  /** One line: what was looked at, so that a pass says what it covers. */
  readonly covered: string;
  /** For `unknown`: why, how far it got, what would help. */
  readonly reason?: string;
  /** Machine-readable results; reports know the checkers' own shapes. */
  readonly details: { readonly [name: string]: JsonValue };
}

/** Everything beside the history that a judgement may depend on; stored in `run.json`. */
export interface CheckContext {
  readonly nodes: readonly NodeName[];
  readonly timing: Timing;
  readonly promises: Readonly<Record<ReadMode, ReadPromise>>;
  /** Kinds of fault that were asked for; each must have taken effect. */
  readonly faults: readonly string[];
  readonly requireFaults: boolean;
  /** Text files of the nodes, for `log-pattern`; absent when a bare history is judged. */
  readonly logs: readonly { readonly node: NodeName; readonly path: string }[];
  readonly limits: CheckLimits;
}

export interface CheckLimits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
}

/**
 * What a history may lack and not be judged more harshly: had it been right, it would still be.
 * Only along these is it honest to make a counterexample smaller.
 */
export interface Removals {
  /** Invocations of operations of which any set may be missing together. */
  readonly operations: ReadonlySet<number>;
  /** All operations on a key may be missing together. */
  readonly keys: boolean;
  /** All entries from some moment on may be missing: what was under way then never ends. */
  readonly ends: boolean;
}

/** Judges a history; a pure function of it and its context, bounded in time and memory. */
export interface Checker {
  readonly name: string;
  check(history: History, ctx: CheckContext): Promise<CheckResult>;
  /** For `schism shrink`. Absent: nothing may be missing. */
  removals?(history: History): Removals;
}
