/** Figures made of samples, some of which are only known to be at least so much. */
import { quantile } from '../answers.ts';
import { type Aggregate, holds, type Threshold } from './parse.ts';

/** Equal for what was measured; `high` is Infinity where the history ended first. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

export type Measured =
  /** `of`: how many samples it was made of. */
  (Range & { readonly of: number }) | { readonly nothing: string };

export function exactly(value: number, of: number): Measured {
  return { low: value, high: value, of };
}

/** Of at least one sample. */
export function aggregated(aggregate: Aggregate, samples: readonly (number | Range)[]): Measured {
  const sorted = (end: keyof Range): readonly number[] =>
    samples.map((one) => (typeof one === 'number' ? one : one[end])).toSorted((a, b) => a - b);
  return {
    low: figureOf(aggregate, sorted('low')),
    high: figureOf(aggregate, sorted('high')),
    of: samples.length,
  };
}

function figureOf(aggregate: Aggregate, sorted: readonly number[]): number {
  if (typeof aggregate === 'object') return quantile(sorted, aggregate.p / 100) ?? Number.NaN;
  switch (aggregate) {
    case 'min':
      return sorted[0] ?? Number.NaN;
    case 'med':
      return quantile(sorted, 0.5) ?? Number.NaN;
    case 'avg':
      return sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
    case 'max':
    case 'value':
    case 'rate':
      return sorted.at(-1) ?? Number.NaN;
    case 'count':
      return sorted.length;
  }
}

/** Undefined: it depends on what the history no longer shows. */
export function verdictOn({ low, high }: Range, threshold: Threshold): boolean | undefined {
  const { comparison, limit } = threshold;
  const [atLeast, atMost] = [holds(low, threshold), holds(high, threshold)];
  const asksForOne = comparison === '==' || comparison === '!=';
  if (asksForOne && low !== high && limit >= low && limit <= high) return undefined;
  return atLeast === atMost ? atLeast : undefined;
}
