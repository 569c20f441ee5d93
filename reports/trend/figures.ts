/** What each night measured, for the page of the trend. */
import type { SuiteResult, SuiteRun } from '../../harness/protocols/suite.ts';
import { suiteVerdict } from '../suite/suite-text.ts';
import { totalsOf } from '../suite/suite-words.ts';
import { changesOf } from './changes.ts';

export interface NightFigures {
  readonly suite: string;
  readonly startedAt: string;
  readonly verdict: ReturnType<typeof suiteVerdict>;
  readonly tests: number;
  readonly failed: number;
  readonly runs: number;
  /** Absent measures: no run of that night has them. */
  readonly throughput?: number;
  /** Share of operations of unknown outcome. */
  readonly unknown?: number;
  readonly longestGapMs?: number;
  /** Of the slowest run. */
  readonly checkMs?: number;
  /** Situations that no exploration had seen before. */
  readonly fresh?: number;
  /** Findings that no earlier night had. */
  readonly news: number;
}

/** In order of time. A suite may come from anywhere: what is no number is left out. */
export function figuresOf(nights: readonly SuiteResult[]): readonly NightFigures[] {
  return nights.map((night, at) => {
    const runs = night.tests.flatMap((test) => test.runs);
    const { all, unknown } = totalsOf(runs);
    const { findings } = changesOf(night, nights.slice(0, at));
    const [fresh] = numbers(night.explored?.fresh);
    return {
      suite: night.manifest.suite,
      startedAt: night.manifest.startedAt,
      verdict: suiteVerdict(night),
      tests: night.tests.length,
      failed: night.tests.filter(({ outcome }) => outcome === 'fail').length,
      runs: runs.length,
      ...measured(runs),
      ...(all > 0 && { unknown: unknown / all }),
      ...(fresh !== undefined && { fresh }),
      news: findings.filter(({ state }) => state === 'new').length,
    };
  });
}

type Measured = Pick<NightFigures, 'throughput' | 'longestGapMs' | 'checkMs'>;

/** On the average the one, at worst the others; absent where no run has them. */
export function measured(runs: readonly SuiteRun[]): Measured {
  const of = (name: keyof Measured): readonly number[] => runs.flatMap((run) => numbers(run[name]));
  const [throughput, gaps, checks] = [of('throughput'), of('longestGapMs'), of('checkMs')];
  return {
    ...(throughput.length > 0 && {
      throughput: throughput.reduce((sum, one) => sum + one, 0) / throughput.length,
    }),
    ...(gaps.length > 0 && { longestGapMs: Math.max(...gaps) }),
    ...(checks.length > 0 && { checkMs: Math.max(...checks) }),
  };
}

function numbers(value: unknown): readonly number[] {
  return typeof value === 'number' && Number.isFinite(value) ? [value] : [];
}
