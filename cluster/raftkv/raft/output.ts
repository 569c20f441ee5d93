/** What a member hands to its driver: to send, to apply, to persist. */
import { invariant } from '../../../harness/core/invariant.ts';
import { countOwnVote } from './election.ts';
import { grantConfirmed, isAwaitingRound, startRound } from './reads.ts';
import { advanceCommit, sendAppends } from './replication.ts';
import {
  becomeFollower,
  type Core,
  electorsOf,
  isInstalling,
  type Leadership,
  send,
} from './state.ts';
import type { Entry, HardState, Message, Persist, ReadGrant } from './types.ts';

/** Leaders' heartbeats and appends, requests for pre-votes and the like: safe before any write. */
export function takeMessages(core: Core): readonly Message[] {
  if (core.leadership !== undefined) sayAsLeader(core, core.leadership);
  const messages = core.outbox;
  core.outbox = [];
  core.openProposal = undefined;
  return messages;
}

/** What happened since messages were taken last goes out together: appends are decided here. */
function sayAsLeader(core: Core, leadership: Leadership): void {
  const { isResigning } = leadership;
  if (isResigning) leadership.isHeartbeatDue = true;
  const isRound = startRound(core, leadership);
  sendAppends(core, leadership);
  if (isRound || leadership.isHeartbeatDue) sendHeartbeats(core, leadership);
  leadership.isHeartbeatDue = false;
  grantConfirmed(core);
  // Thesis §4.2.2: the others have been told that it is removed; its work is done.
  if (isResigning) becomeFollower(core, core.term, undefined);
}

/** A round is for the voters only; what is due is for all, and repeats what may have been lost. */
function sendHeartbeats(core: Core, leadership: Leadership): void {
  const electors = electorsOf(core);
  const round = isAwaitingRound(core, leadership) ? { round: core.round } : {};
  for (const [member, { match }] of leadership.progress) {
    if (!leadership.isHeartbeatDue && !electors.includes(member)) continue;
    const commit = Math.min(match, core.commit);
    send(core, member, { type: 'heartbeat', commit, ...round });
  }
}

/** §5.3: for the state machine; not before this member could replay it after a crash. */
export function takeCommitted(core: Core): readonly Entry[] {
  if (isInstalling(core)) return [];
  const to = Math.min(core.commit, core.log.stable);
  if (to <= core.applied) return [];
  const entries = core.log.slice(core.applied + 1, to);
  core.applied = to;
  return entries;
}

/** Each grant once. */
export function takeReads(core: Core): readonly ReadGrant[] {
  const grants = core.grants;
  core.grants = [];
  return grants;
}

/** Everything since the last, in one write. */
export function takePersist(core: Core): Persist | undefined {
  if (core.writing !== undefined) return undefined;
  const { log, incoming, saved, term, vote, commit } = core;
  const isVoteNew = term !== saved.term || vote !== saved.vote;
  const isWorthIt =
    isVoteNew || incoming !== undefined || log.written < log.last || core.replies.length > 0;
  if (!isWorthIt) return undefined;

  const entries = log.takeUnwritten();
  const { replies } = core;
  const mustSync = isVoteNew || incoming !== undefined || entries.length > 0;
  // A commit index is only a hint and no reason to write, but it comes along.
  const hardState: HardState = mustSync ? { term, vote, commit } : saved;
  core.replies = [];
  core.incoming = undefined;
  core.saved = hardState;
  core.writing = { snapshot: incoming?.meta, term, vote };
  return {
    ...(incoming === undefined ? {} : { snapshot: incoming }),
    entries,
    ...(isVoteNew || hardState.commit !== saved.commit ? { hardState: kept(core, hardState) } : {}),
    mustSync,
    replies,
  };
}

function kept({ bugs, options }: Core, hardState: HardState): HardState {
  // Breaks: term and vote are on disk before anybody is told of them (figure 2, persistent state).
  if (bugs.has('vote-not-persisted'))
    return { ...options.restored.hardState, commit: hardState.commit };
  return hardState;
}

/** What rests on the write that is done: an installed snapshot, its own vote, its own copies. */
export function persisted(core: Core): void {
  const { writing } = core;
  invariant(writing !== undefined, 'persisted() without a persist that was taken');
  core.writing = undefined;
  core.log.markStable();
  if (writing.snapshot !== undefined) core.applied = Math.max(core.applied, writing.snapshot.index);
  countOwnVote(core, writing.term, writing.vote);
  advanceCommit(core);
}
