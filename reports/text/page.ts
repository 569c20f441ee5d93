import type { History } from '../../harness/history/history.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import type { Reading } from '../reading.ts';
import type { Style } from '../style.ts';

/** What every section of the text is made from. */
export interface Page {
  readonly result: RunResult;
  readonly history: History;
  readonly reading: Reading;
  readonly style: Style;
  readonly columns: number;
  /** Everything is listed, however long. */
  readonly verbose?: boolean;
}

/** Lines of a section; empty when there is nothing to say. */
export type Lines = readonly string[];
