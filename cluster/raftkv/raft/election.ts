/** Elections (§5.2, §5.4.1), with the pre-vote phase of thesis §9.6. */
import { unreachable } from '../../../harness/core/invariant.ts';
import { startLeadership } from './replication.ts';
import {
  becomeFollower,
  type Core,
  electorsOf,
  enterTerm,
  mayCampaign,
  otherVoters,
  quorum,
  reply,
  resetElectionTimer,
  send,
} from './state.ts';
import type { MemberId, Message } from './types.ts';

type RequestMessage = Extract<Message, { type: 'vote' | 'pre-vote' }>;
type ReplyMessage = Extract<Message, { type: 'vote-reply' | 'pre-vote-reply' }>;

/** Starts an election; a member that leadership was handed to asks for no pre-votes. */
export function campaign(core: Core, isTransfer: boolean): void {
  if (!mayCampaign(core)) return;
  if (core.options.preVote && !isTransfer) becomePreCandidate(core);
  else becomeCandidate(core, isTransfer);
}

/** Thesis §9.6: asks whether it could win before it disturbs anybody with a new term. */
function becomePreCandidate(core: Core): void {
  const { id, term } = core;
  becomeFollower(core, term, undefined);
  core.role = 'pre-candidate';
  // Its own counts at once: a pre-vote promises nothing.
  core.candidacy = { votes: new Map([[id, true]]), isTransfer: false };
  for (const voter of otherVoters(core))
    send(core, voter, { type: 'pre-vote', ...lastEntry(core), transfer: false }, term + 1);
  tally(core);
}

/**
 * Its own vote counts only once it is on disk (`countOwnVote`), as it would for anybody else: a
 * leader that forgot its term in a crash could fill one term with two logs.
 */
function becomeCandidate(core: Core, isTransfer: boolean): void {
  enterTerm(core, core.term + 1, core.id);
  core.role = 'candidate';
  core.candidacy = { votes: new Map(), isTransfer };
  resetElectionTimer(core);
  for (const voter of otherVoters(core))
    reply(core, voter, { type: 'vote', ...lastEntry(core), transfer: isTransfer });
}

function lastEntry({ log }: Core): { lastIndex: number; lastTerm: number } {
  return { lastIndex: log.last, lastTerm: log.lastTerm };
}

/** The vote for itself, of the term that was persisted, is on disk. */
export function countOwnVote(core: Core, term: number, vote: MemberId | null): void {
  if (core.role !== 'candidate' || core.term !== term || vote !== core.id) return;
  core.candidacy?.votes.set(core.id, true);
  tally(core);
}

/**
 * Thesis §4.2.3 and §9.6: whoever hears from a leader keeps those out that do not, such as members
 * that were removed or cut off. A leader hears from a quorum, or would have stepped down.
 */
export function isLoyal(core: Core): boolean {
  const { checkQuorum, electionTicks } = core.options;
  if (!checkQuorum) return false;
  // A restarted member forgot whom it heard from; that leader may still rely on it for its lease.
  if (core.age < core.loyalUntil) return true;
  if (core.leader === undefined) return false;
  return core.role === 'leader' || core.elapsed < electionTicks;
}

/** A pre-vote changes nothing here: neither term, nor vote, nor timer. */
export function handlePreVote(core: Core, message: RequestMessage): void {
  const { from, term, lastIndex, lastTerm } = message;
  const isGranted = term > core.term && !isLoyal(core) && isUpToDate(core, lastIndex, lastTerm);
  // Granted for the term that would start; refused in its own, from which a late sender learns.
  send(core, from, { type: 'pre-vote-reply', granted: isGranted }, isGranted ? term : core.term);
}

/** §5.4.1: only a log that holds all that is committed may win. */
function isUpToDate({ log, bugs }: Core, lastIndex: number, lastTerm: number): boolean {
  // Breaks: the voter denies its vote if its own log is more up-to-date (§5.4.1).
  return bugs.has('stale-log-vote') || log.isUpToDate(lastIndex, lastTerm);
}

/** Of this member's term: one vote in each, to a log that holds all that is committed (§5.4.1). */
export function handleVote(core: Core, message: RequestMessage): void {
  const { from, lastIndex, lastTerm } = message;
  const isFree = core.vote === from || (core.vote === null && core.leader === undefined);
  const isGranted = isFree && isUpToDate(core, lastIndex, lastTerm);
  if (isGranted) {
    core.vote = from;
    resetElectionTimer(core);
  }
  reply(core, from, { type: 'vote-reply', granted: isGranted });
}

/**
 * Granted ones are of the term that would start. Refused ones are of the sender's own: a higher one
 * is news, and a lower one a refusal like any other, of a member that lacks nothing but the term.
 */
export function handlePreVoteReply(core: Core, message: ReplyMessage): void {
  const { term, granted } = message;
  if (!granted && term > core.term) becomeFollower(core, term, undefined);
  else if (core.role === 'pre-candidate' && (!granted || term === core.term + 1))
    countVote(core, message);
}

/** Of this member's term. */
export function handleVoteReply(core: Core, message: ReplyMessage): void {
  if (core.role === 'candidate') countVote(core, message);
}

function countVote(core: Core, { from, granted }: ReplyMessage): void {
  core.candidacy?.votes.set(from, granted);
  tally(core);
}

function tally(core: Core): void {
  const electors = electorsOf(core);
  const votes = [...(core.candidacy?.votes ?? [])].filter(([from]) => electors.includes(from));
  const granted = votes.filter(([, isGranted]) => isGranted).length;
  const refused = votes.length - granted;
  if (granted >= quorum(core)) win(core);
  else if (refused > electors.length - quorum(core)) becomeFollower(core, core.term, undefined);
}

function win(core: Core): void {
  switch (core.role) {
    case 'pre-candidate':
      becomeCandidate(core, false);
      return;
    case 'candidate':
      startLeadership(core);
      return;
    case 'follower':
    case 'leader':
      return;
    default:
      unreachable(core.role);
  }
}
