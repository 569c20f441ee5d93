/** The shapes of `CheckResult.details`, by checker, for whoever prints or plots them. */
import type { NodeName } from '../core/units.ts';
import type { ReadMode } from '../history/op.ts';
import type { ReadPromise } from './system.ts';

/** Checker `stats`. */
export interface StatsDetails {
  readonly [name: string]: unknown;
  /** Client operations by function, over all phases. */
  readonly total: { readonly [f: string]: OutcomeCounts };
  /** The same for operations invoked in the main phase: this is what the verdict looks at. */
  readonly main: { readonly [f: string]: OutcomeCounts };
  /** Failed and unknown operations by error code. */
  readonly errors: { readonly [code: string]: number };
}
export interface OutcomeCounts {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
}

/** Checker `linearizable`. */
export interface LinearizableDetails {
  readonly [name: string]: unknown;
  readonly keys: number;
  readonly valid: number;
  readonly invalid: readonly string[];
  readonly unknown: readonly {
    readonly key: string;
    /** `steps`: it was left when another key had shown a violation. */
    readonly reason: 'time' | 'memory' | 'width' | 'states' | 'steps';
    /** How far the deepest order got: decided up to this entry. */
    readonly decidedUpTo: number;
    readonly operations: number;
    readonly indefinite: number;
    /** What the search remembered, states of the model, and operations in flight at once. */
    readonly configurations: number;
    readonly states: number;
    readonly width: number;
  }[];
  readonly operations: number;
  readonly states: number;
}

/** Checker `read-modes`. */
export interface ReadModesDetails {
  readonly [name: string]: unknown;
  readonly modes: readonly ReadModeRow[];
}
export interface ReadModeRow {
  readonly mode: ReadMode;
  readonly promise: ReadPromise;
  readonly reads: number;
  readonly result: 'kept' | 'broken' | 'unknown';
  /** Reads that returned a value already overwritten when they began, and how bad it got. */
  readonly stale: number;
  readonly staleMsMax: number;
  readonly staleMsP50: number;
  readonly staleVersionsMax: number;
  /** Went backwards for one process at one node: breaks `serializable` too. */
  readonly backwardsPerNode: number;
  /** Went backwards for one process across nodes, or missed its own write: only measured. */
  readonly backwardsAcrossNodes: number;
  readonly missedOwnWrite: number;
  /** The strongest model that this mode's reads kept in this run. */
  readonly strongest: 'linearizable' | 'serializable' | 'none' | 'unknown';
  /** Index of the invocation of the stalest read, if any was stale. */
  readonly stalestRead?: number;
  /** The stalest thousand, by index of their invocation: how old, and how many versions behind. */
  readonly staleReads?: readonly (readonly [read: number, staleMs: number, versions: number])[];
}

/** Checker `availability`. Rates: ok ÷ (ok + failed + unknown) of operations invoked within. */
export interface AvailabilityDetails {
  readonly [name: string]: unknown;
  readonly windows: readonly AvailabilityWindow[];
  /** The longest time without one success in the main phase. */
  readonly longestGapMs: number;
  readonly recovery: readonly RecoveryRow[];
  /** First success on each node after heal, from the end of the heal phase. */
  readonly nodes: readonly { readonly node: NodeName; readonly firstOkMs: number | null }[];
}
export interface AvailabilityWindow {
  /** `no fault`, or the faults that overlap: `partition: isolate n2, both ways`. */
  readonly label: string;
  /** Kinds of fault active; empty for none. */
  readonly faults: readonly string[];
  readonly startNanos: number;
  readonly endNanos: number;
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** Null when nothing was invoked. */
  readonly rate: number | null;
  readonly longestGapMs: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}
export interface RecoveryRow {
  readonly fault: string;
  readonly text: string;
  readonly endNanos: number;
  /** From the end of the fault to the first success on each target, the worst of them. */
  readonly firstOkMs: number | null;
}

/** Checker `evidence`. */
export interface EvidenceDetails {
  readonly [name: string]: unknown;
  readonly kinds: readonly {
    readonly fault: string;
    readonly installed: number;
    readonly skipped: number;
    readonly failed: number;
    readonly healed: number;
  }[];
  readonly events: readonly FaultBand[];
}
export interface FaultBand {
  readonly id: string;
  readonly lane: string;
  readonly fault: string;
  readonly text: string;
  readonly targets: readonly NodeName[];
  readonly beginNanos: number;
  /** Absent when the history ends first. */
  readonly endNanos?: number;
  readonly result: 'installed' | 'skipped' | 'failed';
  /** One line: the probe, or why not. */
  readonly evidence: string;
  /** Links that the probe found cut, `n1>n2`. */
  readonly cut?: readonly string[];
}

/** Checker `hash`. */
export interface HashDetails {
  readonly [name: string]: unknown;
  /** Each moment at which somebody was asked for its hash and said it, the earliest first. */
  readonly moments: readonly {
    readonly revision: number;
    readonly compactRevision: number;
    readonly nodes: { readonly [node: NodeName]: number };
  }[];
  /** Nodes that were asked, and whose hash could be compared with nobody's. */
  readonly alone: readonly NodeName[];
}

/** Checker `log-pattern`. */
export interface LogPatternDetails {
  readonly [name: string]: unknown;
  readonly matches: readonly {
    readonly node: NodeName;
    readonly line: number;
    readonly text: string;
  }[];
}

/** Checker `thresholds`. */
export interface ThresholdsDetails {
  readonly [name: string]: unknown;
  readonly rows: readonly ThresholdRow[];
}
export interface ThresholdRow {
  /** `availability{window:none}` */
  readonly metric: string;
  /** `rate>0.999` */
  readonly expression: string;
  /** Null where there was nothing to measure, or the history ended before it was known. */
  readonly value: number | null;
  /** The value for people: `0.99987`, `more than 412`, `no data`. */
  readonly shown: string;
  /** Null: not known. */
  readonly passed: boolean | null;
  /** Why it is not known. */
  readonly reason?: string;
}

/** Checker `sometimes`. */
export interface SometimesDetails {
  readonly [name: string]: unknown;
  readonly rows: readonly SometimesRow[];
}
export interface SometimesRow {
  /** `leader-changed-under-load` */
  readonly property: string;
  /** The run was to reach it. */
  readonly asked: boolean;
  readonly count: number;
  /** `index`: an entry of the history, where one shows it. */
  readonly first?: {
    readonly text: string;
    readonly index?: number;
    readonly timeNanos?: number;
  };
  /** Why this run cannot tell. */
  readonly why?: string;
}
