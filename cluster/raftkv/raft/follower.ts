/** What a member does with what its leader sends (§5.3, §7). */
import { becomeFollower, type Core, commitTo, reply, resetElectionTimer } from './state.ts';
import type { Entry, Message } from './types.ts';

type OfType<T extends Message['type']> = Extract<Message, { type: T }>;
type FromLeader = OfType<'append' | 'heartbeat' | 'snapshot'>;

/**
 * A message of this member's term that only a leader sends: there is one, and it is `from`. False:
 * this member leads that term itself, and there cannot be two.
 */
export function hearLeader(core: Core, from: FromLeader['from']): boolean {
  if (core.role === 'leader') return false;
  if (core.role !== 'follower' || core.leader !== from) becomeFollower(core, core.term, from);
  else resetElectionTimer(core);
  return true;
}

/** An answer says that this member knows of no later leader (thesis §6.4). */
export function handleHeartbeat(core: Core, message: OfType<'heartbeat'>): void {
  commitTo(core, message.commit);
  const { round } = message;
  reply(core, message.from, {
    type: 'heartbeat-reply',
    ...(round === undefined ? {} : { round }),
  });
}

/** The consistency check and what follows from it (figure 2, AppendEntries). */
export function handleAppend(core: Core, message: OfType<'append'>): void {
  const { from, prevIndex, entries } = message;
  const end = prevIndex + entries.length;
  if (end <= core.commit) {
    // A late one. What is committed is in every later leader's log (§5.4.3), so it does match.
    accept(core, from, core.commit);
    return;
  }
  // The same holds for the part that is committed, which may be compacted here.
  const known = Math.max(0, core.commit - prevIndex);
  if (known === 0 && !fits(core, message)) {
    refuse(core, message);
    return;
  }
  merge(core, known === 0 ? entries : entries.slice(known));
  commitTo(core, Math.min(message.commit, end));
  accept(core, from, end);
}

/** Whether the entries follow on what this log has (§5.3, the consistency check). */
function fits({ log, bugs, commit }: Core, { prevIndex, prevTerm }: OfType<'append'>): boolean {
  // What is committed fits, unless a bug has struck; then it must be seen, and nobody be stuck.
  if (bugs.size > 0 && prevIndex <= commit) return true;
  // Breaks: what a follower has at an index is the leader's only if its term is (§5.3).
  if (bugs.has('no-truncate')) return log.termAt(prevIndex) !== undefined;
  return log.termAt(prevIndex) === prevTerm;
}

/**
 * Only an entry that conflicts is replaced, with all after it: a late message must not take away
 * what a newer one brought (figure 2, AppendEntries 3 and 4).
 */
function merge({ log, bugs }: Core, entries: readonly Entry[]): void {
  // Breaks: an entry that conflicts is deleted, with all that follow it (figure 2, AppendEntries 3).
  const keepsOwn = bugs.has('no-truncate');
  const at = entries.findIndex(({ index, term }) =>
    keepsOwn ? index > log.last : log.termAt(index) !== term,
  );
  const first = entries[at];
  if (first === undefined) return;
  if (first.index <= log.last) log.truncateFrom(first.index);
  log.append(at === 0 ? entries : entries.slice(at));
}

/** One answer stands for all before it, if nothing else was said in between. */
function accept(core: Core, to: string, match: number): void {
  const last = core.replies.at(-1);
  if (
    last?.type === 'append-reply' &&
    last.ok &&
    last.to === to &&
    last.term === core.term &&
    last.match <= match
  )
    core.replies.pop();
  reply(core, to, { type: 'append-reply', ok: true, match });
}

/** §5.3: says where the logs may agree, so that the leader need not go back entry by entry. */
export function refuse(core: Core, message: OfType<'append'>): void {
  const { from, prevIndex, prevTerm } = message;
  const hint = core.log.lastAtMost(prevIndex, prevTerm);
  reply(core, from, {
    type: 'append-reply',
    ok: false,
    prevIndex,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

/** §7, InstallSnapshot: the log restarts where the snapshot ends, unless it is longer already. */
export function handleSnapshot(core: Core, message: OfType<'snapshot'>): void {
  const { from, meta, data } = message;
  const { log } = core;
  if (data === undefined) return;
  if (meta.index > core.commit && log.termAt(meta.index) === meta.term) {
    // Nothing is missing: only news of what is committed.
    commitTo(core, meta.index);
  } else if (meta.index > core.commit) {
    log.restart(meta);
    core.commit = meta.index;
    core.incoming = { meta, data };
  }
  accept(core, from, core.commit);
}
