/** One node that somebody else started, in whatever way its process can be had. */
import type { ProcessState } from '../../../harness/protocols/system.ts';
import type { UndoEntry } from '../../../harness/protocols/undo.ts';

/** What can be done to a node's process, and its way back. */
export interface NodeHandle {
  /** Absent, and the node cannot be killed. */
  readonly ending?: Fault;
  /** Absent, and the node cannot be paused. */
  readonly freezing?: Fault;
  state(): Promise<ProcessState>;
}

/** Doing what is done already, and undoing what is not there, do nothing. */
export interface Fault {
  begin(): Promise<void>;
  end(): Promise<void>;
  /** What a dead harness leaves to its watchdog. */
  readonly undo: UndoEntry;
}
