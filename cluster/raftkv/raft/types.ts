/**
 * The words of the consensus core, after "In Search of an Understandable Consensus Algorithm"
 * (Ongaro and Ousterhout, 2014; "the paper") and Ongaro's dissertation (2014; "the thesis").
 */
import type { Bugs } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import type { WatchRaft } from './invariants.ts';

/** A member's identity: lower-case hexadecimal digits, up to 16, without leading zeros. */
export type MemberId = string;

/** Who counts (voters) and who only listens (learners); both sorted. */
export interface Configuration {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

export type Payload =
  /** What a new leader appends first, so that it can commit entries of its own term (§5.4.2, §8). */
  | { readonly kind: 'none' }
  /** For the state machine; means nothing to raft. */
  | { readonly kind: 'command'; readonly data: Bytes }
  /**
   * The whole configuration that holds from this entry on, as soon as it is appended (thesis §4.1).
   * `data` is for the state machine: addresses of members.
   */
  | { readonly kind: 'config'; readonly config: Configuration; readonly data: Bytes };

export interface Entry {
  /** From 1. */
  readonly index: number;
  readonly term: number;
  readonly payload: Payload;
}

/** What must survive a crash beside the log (paper, figure 2). */
export interface HardState {
  readonly term: number;
  /** Whom this member voted for in `term`. */
  readonly vote: MemberId | null;
  /** Only a hint, so that a restarted member applies at once what it knew to be committed. */
  readonly commit: number;
}

/** A point of the log that a state machine stands for; the log before it may be gone (§7). */
export interface SnapshotMeta {
  readonly index: number;
  readonly term: number;
  readonly config: Configuration;
}

/** What a restarted member finds on its disk. A new one: term 0, an empty log. */
export interface Restored {
  readonly hardState: HardState;
  /** What the log starts after; index 0, term 0 and no members when nothing was dropped yet. */
  readonly snapshot: SnapshotMeta;
  /** From `snapshot.index + 1` on, without gap. May be longer than what is committed. */
  readonly entries: readonly Entry[];
  /** The state machine has these already: at least `snapshot.index`, at most the last index. */
  readonly applied: number;
}

interface Addressed {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term; of pre-votes: the term it would start. */
  readonly term: number;
}

/** What members tell each other. Any may be lost, late, or arrive twice. */
export type Message = Addressed &
  (
    | VoteRequest
    | { readonly type: 'pre-vote-reply' | 'vote-reply'; readonly granted: boolean }
    | AppendRequest
    | AppendReply
    | {
        readonly type: 'heartbeat';
        /** Never beyond what the follower is known to hold. */
        readonly commit: number;
        /** The newest round of reads that an answer confirms; see `readIndex`. */
        readonly round?: number;
      }
    | { readonly type: 'heartbeat-reply'; readonly round?: number }
    /** `data` is filled in by whoever sends it; the state machine at `meta`. */
    | { readonly type: 'snapshot'; readonly meta: SnapshotMeta; readonly data?: Bytes }
    /** Proposals of a follower, for the leader to append. */
    | { readonly type: 'propose'; readonly commands: readonly Bytes[] }
    /** A follower asks for a read index; `id` is the follower's own, new for each try. */
    | { readonly type: 'read-request'; readonly id: number }
    | { readonly type: 'read-reply'; readonly id: number; readonly index: number }
    /** Start an election at once: leadership is handed over (thesis §3.10). */
    | { readonly type: 'timeout-now' }
  );

export interface VoteRequest {
  readonly type: 'pre-vote' | 'vote';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Asked by a `timeout-now`: granted even by those who hear from a leader. */
  readonly transfer: boolean;
}

export interface AppendRequest {
  readonly type: 'append';
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
}

export type AppendReply =
  /** Also the answer to a snapshot. Everything up to `match` equals the leader's log. */
  | { readonly type: 'append-reply'; readonly ok: true; readonly match: number }
  /**
   * `prevIndex` did not match. `hintIndex` is where it may: the largest index not above prevIndex
   * whose term, `hintTerm`, is at most the leader's prevTerm; it saves a round for each entry.
   */
  | {
      readonly type: 'append-reply';
      readonly ok: false;
      readonly prevIndex: number;
      readonly hintIndex: number;
      readonly hintTerm: number;
    };

/**
 * What must be on disk, and what may be said only then. Order on disk: snapshot, entries, hard
 * state. While one is being written, no other is handed out.
 */
export interface Persist {
  /** Replaces the state machine and the whole log. */
  readonly snapshot?: { readonly meta: SnapshotMeta; readonly data: Bytes };
  /** The first replaces whatever the log holds at its index and after. Maybe empty. */
  readonly entries: readonly Entry[];
  readonly hardState?: HardState;
  /** False: nothing is lost that was promised if this is not on disk. */
  readonly mustSync: boolean;
  /** To be sent once it is on disk: votes, and answers to leaders and candidates. */
  readonly replies: readonly Message[];
}

/** A linearizable read may be served from the state machine once it has applied `index`. */
export interface ReadGrant {
  readonly id: number;
  readonly index: number;
}

export type RaftRole = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export interface RaftStatus {
  readonly id: MemberId;
  readonly role: RaftRole;
  readonly term: number;
  readonly vote: MemberId | null;
  /** Undefined: none known. */
  readonly leader: MemberId | undefined;
  readonly commit: number;
  /** Handed out by `takeCommitted`. */
  readonly applied: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
  /** The newest in the log, committed or not. */
  readonly config: Configuration;
  readonly isLearner: boolean;
  /** Of a leader only: how far each other member's log is known to match. */
  readonly progress: ReadonlyMap<MemberId, MemberProgress>;
  /** Whom leadership is being handed to. */
  readonly transferee: MemberId | undefined;
}

export interface MemberProgress {
  readonly match: number;
  readonly next: number;
  /** `probe`: one message at a time; `replicate`: pipelined; `snapshot`: waits for one to arrive. */
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** Heard from within the last election timeout. */
  readonly isActive: boolean;
}

export interface ConfigChange {
  readonly type: 'add-voter' | 'add-learner' | 'promote' | 'remove';
  readonly member: MemberId;
}

/** Why a change of the configuration is refused; the core never queues one. */
export type ChangeRefusal =
  | 'not-leader'
  /** Another change is not committed yet (thesis §4.1). */
  | 'change-pending'
  /** No entry of the leader's own term is committed yet (the single-server bug of 2015). */
  | 'no-commit-in-term'
  /** Leadership is being handed over. */
  | 'transferring'
  /** It is a member already, is none, or is no learner. */
  | 'no-effect'
  /** It would leave no voter. */
  | 'no-voter-left';

export interface RaftOptions {
  readonly id: MemberId;
  readonly restored: Restored;
  /** Randomised for each election in [n, 2n). */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  /** Bounds one `append`, in entries. */
  readonly maxAppendEntries: number;
  /** `append`s with entries that one follower has not answered yet. */
  readonly maxInFlight: number;
  /** Serve reads within a lease of an election timeout, not by ReadIndex; unsafe with bad clocks. */
  readonly leaseReads: boolean;
  /** From 0 (included) to 1 (excluded): for election timeouts only. */
  readonly random: () => number;
  /** Planted; absent: none. */
  readonly bugs?: Bugs;
  /** Looks on, and has no say; absent: nobody does, and it costs nothing. */
  readonly watch?: WatchRaft;
}

/**
 * One member's consensus, pure: it does no I/O, knows no clock and no chance but what it is handed.
 * Every input may leave something to take; whoever drives it takes in this order: messages,
 * committed, reads, persist.
 */
export interface Raft {
  /**
   * Time passes, by one unit of `electionTicks` and `heartbeatTicks`. False: there is nothing to take
   * for it.
   */
  tick(): boolean;
  /** A message from another member. Those that make no sense are ignored. */
  step(message: Message): void;
  /**
   * Appends as leader, else forwards to the leader. False when it is dropped, at once and for good:
   * no leader is known, leadership is being handed over, or this member is no longer of the cluster.
   */
  propose(commands: readonly Bytes[]): boolean;
  /** Leader only. */
  proposeChange(change: ConfigChange, data: Bytes): 'accepted' | ChangeRefusal;
  /**
   * Asks for a read index (thesis §6.4). `id` must be new each time, also when it is asked again.
   * The grant comes with `takeReads`, or never. False: no leader is known.
   */
  readIndex(id: number): boolean;
  /** Leader only: hands leadership to a voter. False: not leader, or no such voter. */
  transfer(to: MemberId): boolean;
  /** Starts an election now, as if the election timeout had passed. */
  campaign(): void;
  /** The transport lost what it was given for this member. */
  reportUnreachable(member: MemberId): void;
  /** A snapshot was handed to the transport whole, or could not be. */
  reportSnapshot(member: MemberId, sent: boolean): void;

  /** What may be said at once. A `snapshot` comes without data. */
  takeMessages(): readonly Message[];
  /** Committed entries that are on this member's disk, each once, in order. */
  takeCommitted(): readonly Entry[];
  takeReads(): readonly ReadGrant[];
  /** Undefined: nothing to persist, or the last one is not `persisted` yet. */
  takePersist(): Persist | undefined;
  /** The persist handed out last is on disk; if it held a snapshot, it is installed. */
  persisted(): void;

  /**
   * The meta of a snapshot at `index`, which must be applied and still in the log (or be where the
   * log starts).
   */
  snapshotMeta(index: number): SnapshotMeta;
  /** Forgets the log up to and with `index`, which must be applied. */
  compact(index: number): void;
  status(): RaftStatus;
}
