/** What a leader does with its log: appends to it, replicates it, commits it (§5.3, §5.4.2). */
import { invariant } from '../../../harness/core/invariant.ts';
import { isVoter, membersOf } from './configuration.ts';
import { Progress } from './progress.ts';
import { confirmReads, releaseEarlyReads } from './reads.ts';
import {
  agreedBy,
  type Core,
  configOf,
  hasCommittedInTerm,
  type Leadership,
  send,
  setLeader,
} from './state.ts';
import { continueTransfer } from './transfer.ts';
import type { MemberId, Message, Payload } from './types.ts';

/** Of one `append`, in bytes of what its entries carry. */
const MAX_APPEND_BYTES = 1 << 20;

type OfType<T extends Message['type']> = Extract<Message, { type: T }>;

/** The candidate has won. */
export function startLeadership(core: Core): void {
  core.role = 'leader';
  core.candidacy = undefined;
  setLeader(core, core.id);
  core.leadership = {
    now: 0,
    sinceHeartbeat: 0,
    isHeartbeatDue: false,
    progress: new Map(),
    earlyReads: [],
    newReads: [],
    readRounds: [],
    roundsSent: [],
    transferee: undefined,
    transferSince: 0,
    hasHandedOver: false,
    isResigning: false,
  };
  followMembers(core);
  // §8: only an entry of its own term tells a leader what is committed.
  appendAsLeader(core, [{ kind: 'none' }]);
}

/** At the end of the log, in this term; what goes out is decided when messages are taken. */
export function appendAsLeader(core: Core, payloads: readonly Payload[]): void {
  const { log, term } = core;
  for (const payload of payloads) log.append([{ index: log.last + 1, term, payload }]);
}

/** Brings the members that are replicated to in line with the newest configuration. */
export function followMembers(core: Core): void {
  const { leadership, log } = core;
  invariant(leadership !== undefined, 'only a leader follows members');
  const { index, config } = log.config;
  const kept = core.bugs.has('removed-member-votes') ? [...log.removed].toSorted() : [];
  const members = [...membersOf(config), ...kept].filter((member) => member !== core.id);
  for (const [member, progress] of leadership.progress) {
    if (members.includes(member) || progress.leavingAt > 0) continue;
    progress.leavingAt = index;
  }
  for (const member of members) {
    const known = leadership.progress.get(member);
    if (known === undefined || known.leavingAt > 0)
      leadership.progress.set(member, new Progress(log.last + 1, leadership.now));
  }
  leadership.progress = new Map([...leadership.progress].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * §5.3, §5.4.2 and figure 8: an entry is committed when a quorum has it on disk, but only entries
 * of the leader's own term are by counting; those before them come along.
 */
export function advanceCommit(core: Core): void {
  const { leadership, log, id, term } = core;
  if (leadership === undefined) return;
  const index = agreedBy(core, (voter) =>
    voter === id ? log.stable : (leadership.progress.get(voter)?.match ?? 0),
  );
  if (index <= core.commit) return;
  // Breaks: only entries of the leader's own term are committed by counting (§5.4.2, figure 8).
  if (log.termAt(index) !== term && !core.bugs.has('figure-8')) return;
  const isFirst = !hasCommittedInTerm(core);
  core.commit = index;
  if (isFirst && hasCommittedInTerm(core)) releaseEarlyReads(core);
  // Thesis §4.2.2: it leads until its removal is committed; the driver's next messages say so.
  if (log.config.index <= index && !isVoter(configOf(core), id)) leadership.isResigning = true;
}

/** §5.3: what matched counts towards committing; what did not is tried again further back. */
export function handleAppendReply(core: Core, message: OfType<'append-reply'>): void {
  const { leadership, log } = core;
  const progress = leadership?.progress.get(message.from);
  if (leadership === undefined || progress === undefined) return;
  progress.heardAt = leadership.now;
  if (!message.ok) {
    const agreed = log.lastAtMost(message.hintIndex, message.hintTerm);
    // A follower that has lost what it acknowledged fits nowhere: it must not be stuck for good.
    if (core.bugs.size > 0) progress.match = Math.min(progress.match, agreed.index);
    progress.refused(message.prevIndex, agreed.index);
    return;
  }
  // Nobody can know more to be committed than the leader has, unless a bug has struck; then it
  // must be seen, and not only that nothing goes on.
  const match = core.bugs.size > 0 ? Math.min(message.match, log.last) : message.match;
  if (match > log.last) return;
  const isNews = progress.matched(match);
  if (isNews) advanceCommit(core);
  continueTransfer(core, message.from);
}

/** The follower is there: sending to it goes on, and what was lost is sent again. */
export function handleHeartbeatReply(core: Core, message: OfType<'heartbeat-reply'>): void {
  const { leadership } = core;
  const progress = leadership?.progress.get(message.from);
  if (leadership === undefined || progress === undefined) return;
  progress.heardAt = leadership.now;
  if (progress.heartbeatAnswered(leadership.now, core.options.heartbeatTicks))
    progress.probe(progress.match + 1);
  if (message.round !== undefined) confirmReads(core, message.from, progress, message.round);
  continueTransfer(core, message.from);
}

/** All that the followers lack and may be sent now. */
export function sendAppends(core: Core, leadership: Leadership): void {
  for (const [member, progress] of leadership.progress) {
    if (progress.state === 'probe') sendProbe(core, leadership, member, progress);
    if (progress.state === 'replicate') sendPipelined(core, leadership, member, progress);
  }
}

function sendProbe(core: Core, leadership: Leadership, to: MemberId, progress: Progress): void {
  if (progress.isPaused) return;
  const isUpToDate = progress.match === core.log.last;
  if (isUpToDate && progress.toldCommit >= core.commit) return;
  progress.isPaused = true;
  sendAppend(core, leadership, to, progress);
}

function sendPipelined(core: Core, leadership: Leadership, to: MemberId, progress: Progress): void {
  const { log, options } = core;
  while (progress.inFlight < options.maxInFlight) {
    const isNew = progress.next <= log.last;
    // Without new entries an append still tells what is committed, so that followers apply it soon.
    if (!isNew && progress.toldCommit >= Math.min(core.commit, progress.next - 1)) return;
    sendAppend(core, leadership, to, progress);
    if (!isNew || progress.state !== 'replicate') return;
  }
}

function sendAppend(core: Core, leadership: Leadership, to: MemberId, progress: Progress): void {
  const { log, options, commit } = core;
  const prevIndex = progress.next - 1;
  const prevTerm = log.termAt(prevIndex);
  if (prevTerm === undefined) {
    sendSnapshot(core, leadership, to, progress);
    return;
  }
  const entries = log.batch(progress.next, options.maxAppendEntries, MAX_APPEND_BYTES);
  send(core, to, { type: 'append', prevIndex, prevTerm, entries, commit });
  const last = prevIndex + entries.length;
  progress.toldCommit = Math.min(commit, last);
  if (entries.length > 0) progress.sent(last);
}

/** The transport lost something: what was assumed to arrive may not have. */
export function reportUnreachable(core: Core, member: MemberId): void {
  const progress = core.leadership?.progress.get(member);
  if (progress?.state === 'replicate') progress.probe(progress.match + 1);
}

/** Goes on once the follower is heard from, so that a broken connection is not tried in a loop. */
export function reportSnapshot(core: Core, member: MemberId, sent: boolean): void {
  const progress = core.leadership?.progress.get(member);
  if (progress?.state !== 'snapshot') return;
  progress.probe(Math.max(progress.match, sent ? progress.snapshotIndex : 0) + 1);
  progress.isPaused = true;
}

/**
 * Gives up on snapshots that were never heard of again. A member that was removed is told so for a
 * while after that is committed, so that it need not find out by itself (thesis §4.2.3).
 */
export function reviewFollowers(core: Core, leadership: Leadership): void {
  const { electionTicks } = core.options;
  for (const [member, progress] of leadership.progress) {
    const { state, snapshotSince, leavingAt } = progress;
    if (state === 'snapshot' && leadership.now - snapshotSince >= 10 * electionTicks)
      progress.probe(progress.match + 1);
    if (leavingAt > core.commit) progress.leavingSince = leadership.now;
    if (leavingAt > 0 && leadership.now - progress.leavingSince >= 2 * electionTicks)
      leadership.progress.delete(member);
  }
}

/**
 * §7: what the follower lacks is not in the log any more. Only a member that is there, and will
 * stay, is worth a snapshot: the others wait until they are heard from.
 */
function sendSnapshot(core: Core, leadership: Leadership, to: MemberId, progress: Progress): void {
  if (!isActive(core, leadership, progress) || progress.leavingAt > 0) {
    progress.probe(progress.match + 1);
    progress.isPaused = true;
    return;
  }
  const meta = core.log.metaAt(core.applied);
  progress.awaitSnapshot(meta.index, leadership.now);
  send(core, to, { type: 'snapshot', meta });
}

/** Heard from within an election timeout. */
export function isActive(core: Core, leadership: Leadership, progress: Progress): boolean {
  return leadership.now - progress.heardAt < core.options.electionTicks;
}
