/** What happens to a member: messages (with the rules on terms, §5.1), time, proposals. */
import { unreachable } from '../../../harness/core/invariant.ts';
import type { Bytes } from '../bytes.ts';
import { isMember } from './configuration.ts';
import {
  campaign,
  handlePreVote,
  handlePreVoteReply,
  handleVote,
  handleVoteReply,
  isLoyal,
} from './election.ts';
import { handleAppend, handleHeartbeat, handleSnapshot, hearLeader, refuse } from './follower.ts';
import { handleReadReply, handleReadRequest } from './reads.ts';
import {
  appendAsLeader,
  handleAppendReply,
  handleHeartbeatReply,
  reviewFollowers,
} from './replication.ts';
import {
  becomeFollower,
  type Core,
  configOf,
  electorsOf,
  type Leadership,
  mayCampaign,
  quorum,
  reply,
  resetElectionTimer,
  send,
  setLeader,
} from './state.ts';
import { reviewTransfer } from './transfer.ts';
import type { Message } from './types.ts';

/** A message arrived; one that is not for this member is ignored, as is one from itself. */
export function step(core: Core, message: Message): void {
  const { from, to, term } = message;
  if (to !== core.id || from === core.id || !(term >= 1)) return;
  // Pre-votes speak of terms that have not started: they say for themselves what they mean.
  if (message.type === 'pre-vote') return handlePreVote(core, message);
  if (message.type === 'pre-vote-reply') return handlePreVoteReply(core, message);
  // Thesis §4.2.3: not even its term is taken note of.
  if (message.type === 'vote' && term > core.term && isLoyal(core) && !message.transfer) return;
  if (term > core.term) becomeFollower(core, term, undefined);
  if (term < core.term) answerStale(core, message);
  else handleCurrent(core, message);
}

/** Of this member's term. */
function handleCurrent(core: Core, message: Message): void {
  switch (message.type) {
    case 'vote':
      return handleVote(core, message);
    case 'vote-reply':
      return handleVoteReply(core, message);
    case 'append':
      return hearLeader(core, message.from) ? handleAppend(core, message) : undefined;
    case 'heartbeat':
      return hearLeader(core, message.from) ? handleHeartbeat(core, message) : undefined;
    case 'snapshot':
      return hearLeader(core, message.from) ? handleSnapshot(core, message) : undefined;
    case 'append-reply':
      return handleAppendReply(core, message);
    case 'heartbeat-reply':
      return handleHeartbeatReply(core, message);
    case 'propose':
      return acceptProposals(core, message.commands);
    case 'read-request':
      return handleReadRequest(core, message);
    case 'read-reply':
      return handleReadReply(core, message);
    case 'timeout-now':
      return campaign(core, true);
    case 'pre-vote':
    case 'pre-vote-reply':
      return undefined;
    default:
      return unreachable(message);
  }
}

/**
 * §5.1: a request of a past term is refused, and the answer brings its sender up to date. This is
 * also how a member whose term is ahead gets back into a cluster that would not vote for it: the
 * leader learns of its term and makes place for a new election.
 */
function answerStale(core: Core, message: Message): void {
  switch (message.type) {
    case 'vote':
      return reply(core, message.from, { type: 'vote-reply', granted: false });
    case 'append':
      return refuse(core, message);
    case 'heartbeat':
    case 'snapshot':
      return reply(core, message.from, { type: 'heartbeat-reply' });
    case 'propose':
      // A command means the same in every term.
      return acceptProposals(core, message.commands);
    case 'pre-vote':
    case 'pre-vote-reply':
    case 'vote-reply':
    case 'append-reply':
    case 'heartbeat-reply':
    case 'read-request':
    case 'read-reply':
    case 'timeout-now':
      return undefined;
    default:
      return unreachable(message);
  }
}

/** Proposals of another member; they are lost if this one does not lead. */
function acceptProposals(core: Core, commands: readonly Bytes[]): void {
  if (core.leadership !== undefined) propose(core, commands);
}

/** As leader appends, else forwards; false when there is nobody to take it. */
export function propose(core: Core, commands: readonly Bytes[]): boolean {
  const config = configOf(core);
  // A member that joins knows of no configuration yet, and is none that was removed.
  if (config.voters.length > 0 && !isMember(config, core.id)) return false;
  const { leadership, leader } = core;
  if (leadership !== undefined) {
    if (leadership.transferee !== undefined) return false;
    appendAsLeader(
      core,
      commands.map((data) => ({ kind: 'command', data })),
    );
    return true;
  }
  if (leader === undefined) return false;
  if (core.openProposal === undefined) {
    core.openProposal = [];
    send(core, leader, { type: 'propose', commands: core.openProposal });
  }
  for (const data of commands) core.openProposal.push(data);
  return true;
}

/**
 * Time: heartbeats and supervision for a leader, the election timeout for the others. False: it
 * changed nothing but the count, so that there is nothing new to take.
 */
export function tick(core: Core): boolean {
  core.age++;
  if (core.leadership === undefined) return tickOther(core);
  tickLeader(core, core.leadership);
  return true;
}

function tickOther(core: Core): boolean {
  core.elapsed++;
  if (core.elapsed < core.timeout) return false;
  if (mayCampaign(core)) {
    campaign(core, false);
  } else {
    // It cannot do anything about it, but it must not send proposals into the void for good.
    setLeader(core, undefined);
    resetElectionTimer(core);
  }
  return true;
}

function tickLeader(core: Core, leadership: Leadership): void {
  leadership.now++;
  leadership.sinceHeartbeat++;
  if (leadership.sinceHeartbeat >= core.options.heartbeatTicks) {
    leadership.sinceHeartbeat = 0;
    leadership.isHeartbeatDue = true;
  }
  reviewTransfer(core);
  reviewFollowers(core, leadership);
  if (core.options.checkQuorum && !hearsQuorum(core, leadership))
    becomeFollower(core, core.term, undefined);
}

/** Thesis §6.2: a leader that no majority hears must not keep clients waiting. */
function hearsQuorum(core: Core, leadership: Leadership): boolean {
  // Breaks: a leader asks whether it still leads (thesis §6.2).
  if (core.bugs.has('stale-leader-read')) return true;
  const { electionTicks } = core.options;
  const heard = electorsOf(core).filter((voter) => {
    if (voter === core.id) return true;
    const at = leadership.progress.get(voter)?.heardAt ?? Number.NEGATIVE_INFINITY;
    return leadership.now - at < electionTicks;
  });
  return heard.length >= quorum(core);
}
