import type { NodeName } from '../core/units.ts';

/**
 * The five properties that Raft keeps at all times ("In Search of an Understandable Consensus
 * Algorithm", figure 3), each with what shows that it was broken. Indices and terms are the log's.
 */
export type BrokenInvariant =
  /** Two were elected in one term; with one node twice: it forgot its vote in between. */
  | {
      readonly property: 'election-safety';
      readonly term: number;
      readonly first: Candidate;
      readonly second: Candidate;
    }
  /** A leader replaced or dropped what its own log had at `index`. */
  | {
      readonly property: 'leader-append-only';
      readonly node: NodeName;
      readonly term: number;
      readonly index: number;
      readonly had: Content;
      /** Null: the log ends before it now. */
      readonly has: Content | null;
    }
  /** Two logs have an entry of one index and term, but not the same one, or not after the same. */
  | {
      readonly property: 'log-matching';
      readonly index: number;
      readonly term: number;
      readonly first: Copy;
      readonly second: Copy;
    }
  /** What was committed by the end of one term is not in the log of a later term's leader. */
  | {
      readonly property: 'leader-completeness';
      readonly node: NodeName;
      readonly term: number;
      readonly index: number;
      readonly committed: {
        readonly node: NodeName;
        readonly term: number;
        /** It was committed in this term or before. */
        readonly by: number;
      };
      /** The term of what the leader has there; null: its log ends before. */
      readonly has: number | null;
    }
  /** Two state machines were handed different entries for one index. */
  | {
      readonly property: 'state-machine-safety';
      readonly index: number;
      readonly first: Copy;
      readonly second: Copy;
    };

export type InvariantName = BrokenInvariant['property'];

export interface Candidate {
  readonly node: NodeName;
  /** How often the node was started. */
  readonly life: number;
}

export interface Content {
  readonly term: number;
  /** A short digest of what the entry says. */
  readonly content: string;
}

export interface Copy extends Content {
  readonly node: NodeName;
  /** The term of the entry before it; null where that is gone. */
  readonly previousTerm: number | null;
}

/** How much was looked at. */
export interface InvariantCounts {
  /** Inputs and outputs of all nodes' consensus, after each of which the properties were checked. */
  readonly steps: number;
  /** Terms that had a leader. */
  readonly elections: number;
  /** Indices of the log that some state machine was handed. */
  readonly applied: number;
}

/** Looks into the nodes of a simulated cluster, all the time; a property is told of once only. */
export interface InvariantWatch {
  /** What was found broken since it was asked last. */
  take(): readonly BrokenInvariant[];
  counts(): InvariantCounts;
}
