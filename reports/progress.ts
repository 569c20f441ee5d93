import type { Clock } from '../harness/core/clock.ts';
import type { Nanos } from '../harness/core/units.ts';
import type { Op, Phase } from '../harness/history/op.ts';
import type { RunManifest, RunResult } from '../harness/protocols/run.ts';
import type { Style } from './style.ts';

/** Where a run is: a phase of the history, or what lies before and after it. */
export type Step = Phase | 'setup' | 'check';

/** Says what goes on while it goes on. Disposing of it stops its timers. */
export interface Progress extends Disposable {
  /** For every entry that is recorded; costs a few counters. */
  onOp(op: Op): void;
  onPhase(step: Step): void;
  /** The last word; nothing is written afterwards. */
  end(result: RunResult): void;
  /** What whoever sits there may ask meanwhile; absent where nobody does. */
  readonly answers?: Answers;
}

/** Of a run as it is now; texts of lines, each ended by a line break. */
export interface Answers {
  /** Time, operations, roles, links, and faults. */
  state(): string;
  /** The faults so far, and whether each took effect. */
  faults(): string;
  moment(): Moment;
}

export interface Moment {
  /** Since the start of the run. */
  readonly nanos: Nanos;
  readonly step: Step;
  /** Which run it is. */
  readonly title: string;
}

export interface ProgressOptions {
  /** The clock of the run: its zero is the zero of the history. */
  readonly clock: Clock;
  write(text: string): void;
  readonly manifest: RunManifest;
  /** Columns of the terminal, asked at each drawing. */
  columns(): number;
  readonly style?: Style;
  /** `#3`: which test of a suite it is. */
  readonly label?: string;
}
