/** What every backend that runs real programs gives: the same for processes and for containers. */
import type { NodeName } from '../../harness/core/units.ts';
import type { NodeLog, ProcessControl } from '../../harness/protocols/system.ts';

/** How one finds out that a node serves; a value, so that an error can say what was awaited. */
export interface Readiness {
  /** Completes `waited for ... to ...`: `answer Status with a leader`. */
  readonly description: string;
  /** True, or in words what was seen instead. May throw: that is what was seen, then. */
  probe(): Promise<true | string>;
}

export interface Crash {
  readonly node: NodeName;
  /** `exit code 2`, `signal SIGSEGV`. */
  readonly how: string;
}

/** Nodes that run, each by a `Spec`: its program with everything it needs. */
export interface RunningNodes<Spec> extends AsyncDisposable {
  readonly control: ProcessControl;
  /**
   * In one go, so that nobody starts it in between: ends what runs, lets `prepare` do its work, and
   * starts the node without anything it kept, with what `prepare` says, now and each later time.
   */
  renew(node: NodeName, prepare: () => Promise<Spec>): Promise<void>;
  /** Waits for every node at once; throws `process-failed` or `deadline` with the log's last lines. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends that no fault asked for, since the first start. */
  crashed(): readonly Crash[];
  logs(): readonly NodeLog[];
}
