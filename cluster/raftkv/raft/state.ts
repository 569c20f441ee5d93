/** The state of one member (figure 2) and the moves that every topic shares. */
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import { isVoter, quorumOf, quorumValue } from './configuration.ts';
import { RaftLog } from './log.ts';
import type { Progress } from './progress.ts';
import type {
  Configuration,
  HardState,
  MemberId,
  Message,
  RaftOptions,
  RaftRole,
  ReadGrant,
  Restored,
  SnapshotMeta,
} from './types.ts';

/** Who said what in an election of this member. */
export interface Candidacy {
  readonly votes: Map<MemberId, boolean>;
  /** Leadership was handed to this member (thesis §3.10). */
  readonly isTransfer: boolean;
}

/** A read that waits for its leader to be confirmed. */
export interface PendingRead {
  readonly id: number;
  /** Who asked: this member's own server, or another member. */
  readonly from: MemberId;
  /** The commit index when it was asked. */
  readonly index: number;
}

/** Reads that share one round of heartbeats. */
export interface ReadRound {
  readonly round: number;
  readonly reads: readonly PendingRead[];
  /** Only where rounds are counted wrongly: who answered; see `reads-by-id.ts`. */
  readonly answered?: Set<MemberId>;
}

/** What only a leader knows; gone with its leadership. */
export interface Leadership {
  /** Ticks since the election. */
  now: number;
  sinceHeartbeat: number;
  isHeartbeatDue: boolean;
  /** Of every other member, sorted; of those that are leaving, too. */
  progress: Map<MemberId, Progress>;
  /** Asked before an entry of this term was committed. */
  earlyReads: Omit<PendingRead, 'index'>[];
  /** Asked since the last round was sent. */
  newReads: PendingRead[];
  /** Ascending. */
  readRounds: ReadRound[];
  /** When rounds were sent, for leases; ascending. */
  roundsSent: { readonly round: number; readonly at: number }[];
  transferee: MemberId | undefined;
  transferSince: number;
  /** A `timeout-now` may be under way: it ends every lease. */
  hasHandedOver: boolean;
  /** It removed itself, and that is committed (thesis §4.2.2). */
  isResigning: boolean;
}

/** A leader's snapshot on its way to this member's disk. */
export interface IncomingSnapshot {
  readonly meta: SnapshotMeta;
  readonly data: Bytes;
}

/** What is being persisted. */
export interface Writing {
  readonly snapshot: SnapshotMeta | undefined;
  readonly term: number;
  readonly vote: MemberId | null;
}

/** All of one member's state; changed in place by the topics. */
export interface Core {
  readonly id: MemberId;
  readonly options: RaftOptions;
  readonly bugs: Bugs;
  readonly log: RaftLog;
  role: RaftRole;
  term: number;
  vote: MemberId | null;
  leader: MemberId | undefined;
  commit: number;
  /** Handed out to the state machine. */
  applied: number;
  /** Ticks since the start. */
  age: number;
  /** Until that age it keeps out candidates for a leader that it forgot in a restart. */
  readonly loyalUntil: number;
  /** Ticks since the election timer was reset. */
  elapsed: number;
  /** At how many ticks an election starts. */
  timeout: number;
  candidacy: Candidacy | undefined;
  leadership: Leadership | undefined;
  /** The newest round of reads; grows for good, so that no answer is ever taken for another. */
  round: number;
  /** Reads that the leader was asked for. */
  readonly forwardedReads: Set<number>;
  /** The commands forwarded since messages were taken last: more may join them. */
  openProposal: Bytes[] | undefined;
  /** Said at once. */
  outbox: Message[];
  /** Said once what they promise is on disk. */
  replies: Message[];
  grants: ReadGrant[];
  /** Received, but not handed out to be installed yet. */
  incoming: IncomingSnapshot | undefined;
  writing: Writing | undefined;
  /** The last that was handed out to be persisted. */
  saved: HardState;
}

/** After a start: a follower (§5.2), with what was on its disk. */
export function newCore(options: RaftOptions): Core {
  const { hardState, snapshot, applied } = options.restored;
  const log = new RaftLog(options.restored);
  const known = Math.max(hardState.commit, snapshot.index, applied);
  const core: Core = {
    id: options.id,
    options,
    bugs: options.bugs ?? NO_BUGS,
    log,
    role: 'follower',
    term: hardState.term,
    vote: hardState.vote,
    leader: undefined,
    commit: Math.min(known, log.last),
    applied: Math.max(applied, snapshot.index),
    age: 0,
    loyalUntil: options.leaseReads && wasLed(options.restored) ? options.electionTicks : 0,
    elapsed: 0,
    timeout: 0,
    candidacy: undefined,
    leadership: undefined,
    round: 0,
    forwardedReads: new Set(),
    openProposal: undefined,
    outbox: [],
    replies: [],
    grants: [],
    incoming: undefined,
    writing: undefined,
    saved: hardState,
  };
  resetElectionTimer(core);
  return core;
}

/**
 * Whether there was a leader in this member's life. Each lets its term be known, and begins its log
 * with an entry that changes nothing; a new member has at most the configuration it was given.
 */
function wasLed({ hardState, snapshot, entries }: Restored): boolean {
  const lastTerm = entries.at(-1)?.term ?? snapshot.term;
  const isNew =
    snapshot.index === 0 &&
    hardState.vote === null &&
    hardState.term === lastTerm &&
    entries.every(({ payload }) => payload.kind === 'config');
  return !isNew;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A message without the envelope, which is the same for all. */
export type MessageBody = DistributiveOmit<Message, 'from' | 'to' | 'term'>;

/** A message of this member's term, or of `term`. */
function address(core: Core, to: MemberId, body: MessageBody, term: number): Message {
  return { ...body, from: core.id, to, term };
}

/** Says what promises nothing that is not on disk already. */
export function send(core: Core, to: MemberId, body: MessageBody, term: number = core.term): void {
  core.outbox.push(address(core, to, body, term));
}

/** Says something once all that this member has seen so far is on disk. */
export function reply(core: Core, to: MemberId, body: MessageBody): void {
  core.replies.push(address(core, to, body, core.term));
}

/** The newest configuration in the log counts, committed or not (thesis §4.1). */
export function configOf(core: Core): Configuration {
  return core.log.config.config;
}

/** Those whose votes and answers count towards a quorum: the voters. */
export function electorsOf(core: Core): readonly MemberId[] {
  const { voters, learners } = configOf(core);
  // Breaks: a learner counts for nothing (thesis §4.2.1).
  if (core.bugs.has('learner-votes')) return [...voters, ...learners];
  // Breaks: who is not of the newest configuration counts for nothing (thesis §4.1).
  if (core.bugs.has('removed-member-votes'))
    return [...new Set([...voters, ...core.log.removed])].toSorted();
  return voters;
}

/** How many of them it takes. */
export function quorum(core: Core): number {
  return quorumOf(configOf(core), core.bugs);
}

/** The value that a quorum has reached. */
export function agreedBy(core: Core, value: (elector: MemberId) => number): number {
  return quorumValue(configOf(core), value, electorsOf(core), quorum(core));
}

/** Whom a candidate asks. */
export function otherVoters(core: Core): readonly MemberId[] {
  return electorsOf(core).filter((voter) => voter !== core.id);
}

/** §5.2: a timeout drawn anew each time keeps split votes from repeating. */
export function resetElectionTimer(core: Core): void {
  const { electionTicks, random } = core.options;
  core.elapsed = 0;
  core.timeout = electionTicks + Math.floor(random() * electionTicks);
}

/** Whom this member follows from now on; undefined: it does not know. */
export function setLeader(core: Core, leader: MemberId | undefined): void {
  if (core.leader === leader) return;
  core.leader = leader;
  // Who was asked for read indices does not lead any more; whoever waits must ask again.
  core.forwardedReads.clear();
  core.openProposal = undefined;
}

/** §5.1: also how a candidate gives up and a leader steps down. A new term has no vote yet. */
export function becomeFollower(core: Core, term: number, leader: MemberId | undefined): void {
  if (term !== core.term) enterTerm(core, term, null);
  core.role = 'follower';
  core.candidacy = undefined;
  core.leadership = undefined;
  setLeader(core, leader);
  resetElectionTimer(core);
}

/** A new term, of which no leader is known yet. */
export function enterTerm(core: Core, term: number, vote: MemberId | null): void {
  core.term = term;
  core.vote = vote;
  setLeader(core, undefined);
}

/** Commits what a leader says is committed, as far as this log goes. */
export function commitTo(core: Core, index: number): void {
  core.commit = Math.max(core.commit, Math.min(index, core.log.last));
}

/** A received snapshot is not installed yet: the state machine is not what the log says. */
export function isInstalling(core: Core): boolean {
  return core.incoming !== undefined || core.writing?.snapshot !== undefined;
}

/**
 * Learners never start an election, and a member that was removed does not once it knows that to be
 * committed. Until then it may be the only one that can be elected: it holds the entry that removes
 * it, and those who lack that entry still need its vote and do not get it (thesis §4.2.2).
 */
export function mayCampaign(core: Core): boolean {
  if (core.role === 'leader' || isInstalling(core)) return false;
  return isVoter(configOf(core), core.id) || isVoter(core.log.configAt(core.commit), core.id);
}

/** Only then does a leader know that nothing else is committed (§8). */
export function hasCommittedInTerm(core: Core): boolean {
  return core.log.termAt(core.commit) === core.term;
}
