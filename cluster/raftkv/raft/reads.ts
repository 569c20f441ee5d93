/** Linearizable reads: ReadIndex (thesis §6.4) and leases (thesis §6.4.1). */
import { isVoter } from './configuration.ts';
import type { Progress } from './progress.ts';
import { releasedById, startRoundById } from './reads-by-id.ts';
import {
  agreedBy,
  type Core,
  configOf,
  hasCommittedInTerm,
  type Leadership,
  type PendingRead,
  send,
} from './state.ts';
import type { MemberId, Message } from './types.ts';

/** From this member's own server. */
export function askReadIndex(core: Core, id: number): boolean {
  if (core.leadership !== undefined) {
    register(core, core.leadership, { id, from: core.id });
    return true;
  }
  if (core.leader === undefined) return false;
  core.forwardedReads.add(id);
  send(core, core.leader, { type: 'read-request', id });
  return true;
}

/** From another member's server; one that does not lead leaves it unanswered. */
export function handleReadRequest(
  core: Core,
  { from, id }: Extract<Message, { type: 'read-request' }>,
): void {
  if (core.leadership !== undefined) register(core, core.leadership, { id, from });
}

/** Only what was asked of the leader of now: an id may have been used before a restart. */
export function handleReadReply(
  core: Core,
  { from, id, index }: Extract<Message, { type: 'read-reply' }>,
): void {
  if (from === core.leader && core.forwardedReads.delete(id)) core.grants.push({ id, index });
}

/**
 * The read index is the commit index at the time of the request. It is not known before the leader
 * has committed an entry of its term: until then the request waits (thesis §6.4, step 1).
 */
function register(
  core: Core,
  leadership: Leadership,
  read: { readonly id: number; readonly from: MemberId },
): void {
  if (!hasCommittedInTerm(core)) leadership.earlyReads.push(read);
  else admit(core, leadership, { ...read, index: core.commit });
}

function admit(core: Core, leadership: Leadership, read: PendingRead): void {
  const { voters } = configOf(core);
  const isAlone = voters.length === 1 && voters[0] === core.id;
  // Breaks: a leader exchanges heartbeats with a majority before it reads (§8; thesis §6.4, step 3).
  const isTrusting = core.bugs.has('stale-leader-read');
  if (isAlone || isTrusting || holdsLease(core, leadership)) grant(core, read);
  else leadership.newReads.push(read);
}

/** The first entry of the leader's term is committed. */
export function releaseEarlyReads(core: Core): void {
  const { leadership } = core;
  if (leadership === undefined) return;
  const early = leadership.earlyReads;
  leadership.earlyReads = [];
  for (const read of early) admit(core, leadership, { ...read, index: core.commit });
}

/**
 * It may be said at once: it tells of a commit index, which is on the disks of a quorum, in a term
 * that is on this disk since this member voted for itself in it.
 */
function grant(core: Core, { id, from, index }: PendingRead): void {
  if (from === core.id) core.grants.push({ id, index });
  else send(core, from, { type: 'read-reply', id, index });
}

/**
 * Starts a round for the reads that wait for one, whether or not others are under way: a round
 * confirms only what was asked before it was sent. True when there is one to send.
 */
export function startRound(core: Core, leadership: Leadership): boolean {
  if (core.bugs.has('read-index-retry')) return startRoundById(core, leadership);
  const isNeeded = leadership.newReads.length > 0;
  const isLease = leadership.isHeartbeatDue && usesLeases(core);
  if (!isNeeded && !isLease) return false;
  core.round++;
  if (isNeeded) {
    leadership.readRounds.push({ round: core.round, reads: leadership.newReads });
    leadership.newReads = [];
  }
  if (usesLeases(core)) {
    const expired = leadership.now - core.options.electionTicks;
    leadership.roundsSent = leadership.roundsSent.filter(({ at }) => at > expired);
    leadership.roundsSent.push({ round: core.round, at: leadership.now });
  }
  return isNeeded;
}

/** Whether an answer to the newest round is of use. */
export function isAwaitingRound(core: Core, leadership: Leadership): boolean {
  return leadership.readRounds.length > 0 || usesLeases(core);
}

/**
 * A member answered `round`: when it did, it knew of no later leader. So this one still was the
 * leader when it sent that round, after all requests of that round and of those before it; an
 * answer says nothing about later ones.
 */
export function confirmReads(core: Core, from: MemberId, progress: Progress, round: number): void {
  // Breaks: an answer confirms only what was asked before it was asked for (thesis §6.4, step 3).
  if (core.bugs.has('read-index-retry')) {
    for (const read of releasedById(core, from, round)) grant(core, read);
    return;
  }
  const { leadership } = core;
  if (leadership === undefined || round > core.round || round <= progress.round) return;
  progress.round = round;
  const sent = leadership.roundsSent.findLast((one) => one.round <= round);
  if (sent !== undefined) progress.leaseFrom = Math.max(progress.leaseFrom, sent.at);
  grantConfirmed(core);
}

/** Grants the reads of the rounds that a quorum has answered; the leader agrees with itself. */
export function grantConfirmed(core: Core): void {
  const { leadership } = core;
  if (leadership === undefined || leadership.readRounds.length === 0) return;
  const confirmed = agreedBy(core, (voter) =>
    voter === core.id ? core.round : (leadership.progress.get(voter)?.round ?? 0),
  );
  const open = leadership.readRounds.findIndex(({ round }) => round > confirmed);
  const done = leadership.readRounds.splice(0, open === -1 ? leadership.readRounds.length : open);
  for (const { reads } of done) for (const read of reads) grant(core, read);
}

function usesLeases({ options }: Core): boolean {
  return options.leaseReads && options.checkQuorum;
}

/**
 * Thesis §6.4.1: a quorum has answered heartbeats that were sent less than an election timeout ago,
 * and elects nobody else until that has passed on its own clocks. One tick less, since the sending
 * and the asking may be anywhere within theirs.
 */
function holdsLease(core: Core, leadership: Leadership): boolean {
  if (!usesLeases(core) || leadership.hasHandedOver) return false;
  const config = configOf(core);
  const since = agreedBy(core, (voter) =>
    voter === core.id
      ? leadership.now
      : (leadership.progress.get(voter)?.leaseFrom ?? Number.NEGATIVE_INFINITY),
  );
  return isVoter(config, core.id) && leadership.now - since + 1 < core.options.electionTicks;
}
