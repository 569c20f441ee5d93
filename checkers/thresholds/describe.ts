/** Thresholds in words: what was measured, and what was asked of it. */
import { unreachable } from '../../harness/core/invariant.ts';
import type { Range } from './aggregate.ts';
import { aggregateText, holds, type Threshold } from './parse.ts';

const DIGITS_MAX = 15;

/**
 * The figure with as few digits as show on which side of the limit it lies: `0.99987`, `3104`.
 * What is not known exactly is `more than 412`, or `not seen`.
 */
export function figureText({ low, high }: Range, threshold: Threshold): string {
  if (low !== high) return low > 0 ? `more than ${numberText(low, threshold)}` : 'not seen';
  return numberText(low, threshold);
}

function numberText(value: number, threshold: Threshold): string {
  if (Number.isInteger(value)) return String(value);
  for (let digits = 5; digits < DIGITS_MAX; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    const isSame = holds(Number(text), threshold) === holds(value, threshold);
    // Only all of them are 1, and only none is 0.
    if (isSame && Number(text) !== Math.round(value)) return text;
  }
  return String(value);
}

/** `Availability outside faults was 0.9712; rate>0.999 was asked.` */
export function brokenText(threshold: Threshold, shown: string): string {
  const { name, expression } = threshold;
  const unit = name.endsWith('_ms') ? ' ms' : name === 'throughput' ? ' a second' : '';
  const text = `${subject(threshold)} was ${shown}${unit}; ${expression} was asked.`;
  return text.startsWith('p(') ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** `p(95) of the latency of reads outside faults`. */
function subject({ name, aggregate, tags }: Threshold): string {
  const { kind, mode, fault, window } = tags;
  const operations = `${mode === undefined ? '' : `${mode} `}${kind ?? ''}`.trim();
  const of = operations === '' ? '' : ` of ${operations} operations`;
  const some = operations === '' ? 'operations' : `${operations} operations`;
  const when = windowText(window);
  const share = aggregate === 'count' ? 'the number' : 'the share';
  const figure = aggregateText(aggregate);
  switch (name) {
    case 'availability':
      return `availability${of}${when}`;
    case 'ops_failed':
      return `${share} of failed ${some}${when}`;
    case 'ops_unknown':
      return `${share} of ${some} of unknown outcome${when}`;
    case 'throughput':
      return `throughput${of}${when}`;
    case 'latency_ms':
      return `${figure} of the latency${of}${when}`;
    case 'longest_gap_ms':
      return `the longest time without a success${of}${when}`;
    case 'recovery_ms':
      return `${figure} of the recovery${fault === undefined ? '' : ` from ${fault}`}`;
    case 'staleness_ms':
      return `${figure} of the staleness of ${mode === undefined ? '' : `${mode} `}reads${when}`;
    case 'faults_effective':
      return `${share} of ${fault === undefined ? '' : `${fault} `}faults that took effect`;
    default:
      return unreachable(name);
  }
}

function windowText(window: string | undefined): string {
  switch (window) {
    case undefined:
      return '';
    case 'none':
      return ' outside faults';
    case 'fault':
      return ' during faults';
    case 'recover':
      return ' after all faults were healed';
    default:
      return ` during ${window}`;
  }
}
