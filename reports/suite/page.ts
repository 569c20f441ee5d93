import type { SuiteResult, TestOutcome } from '../../harness/protocols/suite.ts';
import type { Style } from '../style.ts';

/** What the parts of the text are made from. */
export interface SuitePage {
  readonly result: SuiteResult;
  readonly style: Style;
  readonly columns: number;
  readonly verbose: boolean;
}

export function painted(outcome: TestOutcome, text: string, style: Style): string {
  const paints = {
    pass: style.good,
    fail: style.bad,
    error: style.bad,
    unknown: style.warn,
    'not-run': style.dim,
  };
  return paints[outcome](text);
}
