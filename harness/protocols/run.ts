import type { JsonValue } from '../core/json.ts';
import type { NodeName } from '../core/units.ts';
import type { Phase, ReadMode } from '../history/op.ts';
import type { CheckLimits, CheckResult, RunVerdict } from './checker.ts';
import type { TestRef } from './suite.ts';
import type { BackendName, ReadPromise, Timing } from './system.ts';
import type { WorkloadOptions } from './workload.ts';

/** Everything a run depends on, resolved; with the seed it is what `run.json` repeats. */
export interface RunConfig {
  readonly system: string;
  readonly systemOptions: Readonly<Record<string, string>>;
  readonly backend: BackendName;
  readonly nodes: readonly NodeName[];
  /** Every message between two nodes takes so much longer, one way, in the whole run. Absent: 0. */
  readonly latencyMs?: number;
  readonly workload: string;
  readonly workloadOptions: WorkloadOptions;
  /** Kinds of fault, in the order asked; empty: none. */
  readonly faults: readonly string[];
  readonly requireFaults: boolean;
  readonly seed: number;
  /** The main phase. */
  readonly durationMs: number;
  /** Clients only, before the main phase. */
  readonly quietMs: number;
  /** Mean pause between two faults of a lane, and mean length of one. */
  readonly faultIntervalMs: number;
  readonly faultDurationMs: number;
  /** Replaces the random schedules of the nemeses. */
  readonly schedule?: readonly ScheduledFault[];
  readonly promises: Readonly<Record<ReadMode, ReadPromise>>;
  readonly checkLimits: CheckLimits;
  /** What an unknown verdict does to the exit code. */
  readonly unknown: 'fail' | 'warn' | 'pass';
  /** A metric mapped to the expressions that must hold of it; see `checkers/thresholds/`. */
  readonly thresholds?: Readonly<Record<string, readonly string[]>>;
  /** Properties that it must reach; see `checkers/sometimes/`. */
  readonly sometimes?: readonly string[];
  /** The test it was made for, in a suite. */
  readonly test?: TestRef;
  /** Names of the checks that its test adds, from code that is not stored. */
  readonly ownChecks?: readonly string[];
}

/** One line of a fault schedule: `{ "at": "5s", "fault": "partition", "for": "6s", ... }`. */
export interface ScheduledFault {
  /** Since the start of the main phase. With a trigger: not before. */
  readonly atMs: number;
  /** With a trigger it counts from the moment at which the fault was there. */
  readonly forMs: number;
  readonly fault: string;
  /** The nemesis's own words: shape, direction, target; it checks them. */
  readonly options: Readonly<Record<string, JsonValue>>;
  /** Absent: the lane that bears the name of the fault. Lanes of one kind may overlap. */
  readonly lane?: string;
  readonly trigger?: FaultTrigger;
}

/** What a fault waits for, once its time has come; after `withinMs` in vain it is skipped. */
export type FaultTrigger = EventTrigger | WriteTrigger;

/** The first such event after the fault's time, and then `delayMs`. */
export interface EventTrigger {
  /** `leader-change`: a node leads in a higher term than any before it. */
  readonly after: 'leader-change' | 'fault-begun' | 'fault-ended';
  /** For events of faults: the kind of fault, or the lane, whose event it is. */
  readonly of?: string;
  readonly delayMs: number;
  readonly withinMs: number;
}

/** A moment at which a client's write is under way. */
export interface WriteTrigger {
  readonly while: 'write-in-flight';
  /** At which node: `leader`, `any`, or one by its name. */
  readonly on: string;
  readonly withinMs: number;
}

/** `run.json`: written before anything starts, completed when the cluster is known. */
export interface RunManifest {
  readonly schism: 1;
  readonly run: string;
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly argv: readonly string[];
  /** Listed variables of the environment, cleared of secrets; see `harness/store/secrets.ts`. */
  readonly env?: Readonly<Record<string, string>>;
  /** ISO 8601, UTC. The only wall-clock time of a run. */
  readonly startedAt: string;
  readonly config: RunConfig;
  readonly timing?: Timing;
  readonly cluster?: Readonly<Record<string, JsonValue>>;
}

/** Something the harness or the machine did wrong; never the store. */
export interface RunProblem {
  /** `setup`, `main`, `heal`, `collect`, `check`, `report`, `teardown`. */
  readonly step: string;
  readonly message: string;
  readonly details?: string;
  /** `fatal` problems make the run `error`; others are warnings. */
  readonly severity: 'fatal' | 'warning';
  /** True for one of our own bugs (exit 255). */
  readonly bug?: boolean;
}

export interface PhaseSpan {
  readonly phase: Phase;
  readonly startNanos: number;
  readonly endNanos: number;
}

/** The whole outcome of a run, as reports receive it; `verdict.json` is its summary. */
export interface RunResult {
  readonly manifest: RunManifest;
  readonly verdict: RunVerdict;
  readonly exitCode: number;
  /** Why it is not a pass, most important first; empty for a pass. Plain sentences. */
  readonly reasons: readonly string[];
  readonly checks: readonly CheckResult[];
  readonly problems: readonly RunProblem[];
  readonly phases: readonly PhaseSpan[];
  /** SIGINT or SIGTERM ended the main phase early. */
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  /** Client operations by outcome, over all phases. `open`: invoked, never completed. */
  readonly counts: {
    readonly ok: number;
    readonly fail: number;
    readonly info: number;
    readonly open: number;
  };
  readonly wallMs: number;
  /** How long the checkers took. */
  readonly checkMs?: number;
  /** Its cluster still runs, healed, for somebody to look at; see `--leave-running`. */
  readonly leftRunning?: true;
  /** The disk did not take all of the history, which was judged from memory. */
  readonly incomplete?: true;
  /** A simulated run: how much time passed in it, and how much outside meanwhile. */
  readonly simulated?: { readonly virtualMs: number; readonly realMs: number };
}
