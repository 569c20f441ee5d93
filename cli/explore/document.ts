/** What `schism explore --json` says. */
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { ScheduleLine } from '../config/config.ts';
import type { Finding, Tally } from './explore.ts';
import { lineOf } from './plan.ts';
import type { Space } from './space.ts';
import type { StoredFinding } from './store-finding.ts';

export interface Told {
  readonly settings: {
    readonly space: Space;
    readonly seed: number;
    readonly workers: number;
  };
  readonly tally: Tally;
  readonly stored: readonly (readonly [Finding, StoredFinding | undefined])[];
  /** Of all explorations from which this one went on. */
  readonly situations: number;
}

export interface ExploreDocument {
  readonly schism: 1;
  readonly explore: 1;
  readonly system: string;
  readonly backend: string;
  readonly seed: number;
  readonly workers: number;
  readonly runs: number;
  readonly ms: number;
  readonly operations: number;
  readonly situations: number;
  readonly failed: number;
  readonly undecided: number;
  /** Why runs did not come to their end, and how often. */
  readonly broken: Readonly<Record<string, number>>;
  /** Faults that took effect, by kind and whom they hit. */
  readonly hits: Readonly<Record<string, number>>;
  readonly interrupted?: string;
  readonly findings: readonly {
    readonly key: string;
    readonly checker: string;
    readonly kind: string;
    readonly sentence: string;
    /** Runs and milliseconds until it was found. */
    readonly runs: number;
    readonly ms: number;
    readonly config: RunConfig;
    readonly schedule: readonly ScheduleLine[];
    readonly stored?: StoredFinding;
  }[];
}

export function documentOf(
  { settings, tally, stored, situations }: Told,
  interrupted: string | undefined,
): ExploreDocument {
  const { space, seed, workers } = settings;
  const { runs, ms, operations, failed, undecided, broken, hits, findings } = tally;
  return {
    schism: 1,
    explore: 1,
    system: space.system.name,
    backend: space.backend,
    seed,
    workers,
    runs,
    ms,
    operations,
    situations,
    failed,
    undecided,
    broken: Object.fromEntries(broken),
    hits: Object.fromEntries(hits),
    ...(interrupted !== undefined && { interrupted }),
    findings: findings.map((finding) => {
      const { key, violation, config, plan } = finding;
      const kept = stored.find(([one]) => one === finding)?.[1];
      return {
        key,
        ...violation,
        runs: finding.runs,
        ms: finding.ms,
        config,
        schedule: plan.steps.map(lineOf),
        ...(kept !== undefined && { stored: kept }),
      };
    }),
  };
}
