/**
 * Watches a cluster of bare cores, and throws as soon as one of the five properties of the paper's
 * figure 3 is broken, a promise is given that a crash could take back, or a read is stale.
 */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Member, Observer } from './testing.ts';
import { type DiskState, textOf, written } from './testing-disk.ts';
import type { Entry, Message, Persist, RaftStatus, ReadGrant } from './types.ts';

/** What was seen, so that a test can tell that its schedules were not idle. */
export interface Seen {
  elections: number;
  commits: number;
  grants: number;
  installs: number;
  overwrites: number;
  configs: number;
}

interface KnownEntry {
  readonly text: string;
  readonly previousTerm: number;
}

interface CommittedEntry {
  readonly term: number;
  readonly text: string;
  /** The term in which it was applied first: not less than the one in which it was committed. */
  readonly knownIn: number;
}

/** What one member did last, in one life. */
interface Track {
  life: number;
  term: number;
  commit: number;
  applied: number;
  /** The term that it led when it handed out its last persist. */
  ledAtPersist: number | undefined;
  /** Of the leader's log: compared with what is committed, up to here. */
  completeUpTo: number;
  completeIn: number;
}

export function lastIndexOf({ snapshot, entries }: DiskState): number {
  return snapshot.index + entries.length;
}

function termAt(disk: DiskState, index: number): number | undefined {
  if (index === disk.snapshot.index) return disk.snapshot.term;
  return disk.entries[index - disk.snapshot.index - 1]?.term;
}

/** The log as its core has it, as far as it was handed out. */
function logOf(member: Member): DiskState {
  return member.writing === undefined ? member.disk : written(member.disk, member.writing);
}

export class Safety implements Observer {
  readonly seen: Seen = {
    elections: 0,
    commits: 0,
    grants: 0,
    installs: 0,
    overwrites: 0,
    configs: 0,
  };
  /** Per term: who leads it, and in which of its lives. */
  readonly #leaders = new Map<number, string>();
  readonly #entries = new Map<string, KnownEntry>();
  readonly #committed: (CommittedEntry | undefined)[] = [];
  readonly #tracks = new Map<string, Track>();
  /** The highest commit that any member ever knew. */
  #commit = 1;
  /** Per read: the commit that was known to anybody when it was asked. */
  readonly #reads = new Map<number, { readonly asker: string; readonly floor: number }>();

  asked(read: number, asker: string): void {
    this.#reads.set(read, { asker, floor: this.#commit });
  }

  restarted(member: Member, applied: number): void {
    const { term, vote, lastIndex, commit } = this.#status(member);
    const { hardState } = member.disk;
    const { id } = member;
    invariant(term >= hardState.term, `${id} forgot its term ${hardState.term}: ${term}`);
    if (term === hardState.term) invariant(vote === hardState.vote, `${id} forgot its vote`);
    invariant(lastIndex === lastIndexOf(member.disk), `${id} forgot entries`);
    invariant(commit >= applied, `${id} applied ${applied}, and committed ${commit}`);
    const track: Track = {
      life: member.lives,
      term,
      commit,
      applied,
      ledAtPersist: undefined,
      completeUpTo: 0,
      completeIn: 0,
    };
    this.#tracks.set(id, track);
  }

  /** What is said must outlive a crash of the one who says it. */
  sending(member: Member, message: Message): void {
    const { hardState } = member.synced;
    const { from, to, term, type } = message;
    if (type === 'vote-reply' && message.granted)
      invariant(
        hardState.term > term || (hardState.term === term && hardState.vote === to),
        `${from} tells ${to} of a vote in term ${term} that is not on disk`,
      );
    if (type === 'append-reply' && message.ok) {
      const last = lastIndexOf(member.synced);
      // What a later leader truncated was there; that later term is on disk with the truncation.
      invariant(
        hardState.term > term || (hardState.term === term && message.match <= last),
        `${from} acknowledges ${message.match} in term ${term}, but has ${last} on disk`,
      );
    }
    if (type === 'append') {
      let previousTerm = message.prevTerm;
      for (const entry of message.entries) {
        this.#matches(entry, previousTerm, from);
        previousTerm = entry.term;
      }
    }
  }

  persisting(member: Member, persist: Persist): void {
    const { id } = member;
    const before = member.disk;
    const { snapshot, entries, hardState } = persist;
    if (snapshot !== undefined) {
      this.seen.installs++;
      const { index, term } = snapshot.meta;
      invariant(index > member.machine.index, `${id} goes back to a snapshot of ${index}`);
      const known = this.#committed[index];
      invariant(known?.term === term, `${id} installs what is not committed: ${index}`);
    }
    const [first] = entries;
    const base = snapshot === undefined ? before : { ...before, ...emptyLogAfter(snapshot.meta) };
    if (first !== undefined) {
      let previousTerm = termAt(base, first.index - 1);
      invariant(previousTerm !== undefined, `${id} has a gap before ${first.index}`);
      for (const entry of entries) {
        this.#matches(entry, previousTerm, id);
        previousTerm = entry.term;
        if (entry.payload.kind === 'config') this.seen.configs++;
      }
    }
    if (hardState !== undefined) {
      const { term, vote, commit } = before.hardState;
      invariant(hardState.term >= term, `${id} goes back to term ${hardState.term}`);
      invariant(hardState.commit >= commit, `${id} goes back to commit ${hardState.commit}`);
      if (hardState.term === term && vote !== null)
        invariant(hardState.vote === vote, `${id} votes twice in term ${term}`);
    }
    this.#checkAppendOnly(member, base, first);
  }

  /** Leader Append-Only: a leader never overwrites or deletes entries in its log (§5.3). */
  #checkAppendOnly(member: Member, base: DiskState, first: Entry | undefined): void {
    const { role, term } = this.#status(member);
    const track = this.#track(member);
    const isLeader = role === 'leader';
    if (first !== undefined && first.index <= lastIndexOf(base)) {
      this.seen.overwrites++;
      invariant(
        !isLeader || track.ledAtPersist !== term,
        `Leader Append-Only: ${member.id} overwrites ${first.index} in term ${term}`,
      );
    }
    track.ledAtPersist = isLeader ? term : undefined;
  }

  /** Log Matching: by induction, if what precedes an index and a term is the same everywhere. */
  #matches(entry: Entry, previousTerm: number, id: string): void {
    invariant(entry.term >= previousTerm, `${id}: terms fall at ${entry.index}`);
    const key = `${entry.index}@${entry.term}`;
    const text = textOf(entry);
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { text, previousTerm });
      return;
    }
    invariant(
      known.text === text && known.previousTerm === previousTerm,
      `Log Matching: ${id} has ${text} at ${key} after term ${previousTerm}, ` +
        `others have ${known.text} after term ${known.previousTerm}`,
    );
  }

  /** State Machine Safety: one command at an index, each once, in order, and on one's own disk. */
  applying(member: Member, entry: Entry): void {
    const { id } = member;
    const { index, term } = entry;
    invariant(index === member.machine.index + 1, `${id} applies ${index} too early or again`);
    invariant(termAt(member.synced, index) === term, `${id} applies ${index}: not on its disk`);
    this.#isCommitted(member, entry);
  }

  #isCommitted(member: Member, entry: Entry): void {
    const { index, term } = entry;
    const text = textOf(entry);
    const known = this.#committed[index];
    if (known === undefined) {
      this.seen.commits++;
      this.#committed[index] = { term, text, knownIn: this.#status(member).term };
      return;
    }
    invariant(
      known.term === term && known.text === text,
      `State Machine Safety: ${member.id} commits ${text} at ${index}, others ${known.text}`,
    );
  }

  /** A leader found these to be committed: maybe long before anybody applies them. */
  #counted(member: Member, from: number, to: number): void {
    const { snapshot, entries } = logOf(member);
    const first = from - snapshot.index;
    for (const entry of entries.slice(Math.max(0, first), Math.max(0, to - snapshot.index)))
      this.#isCommitted(member, entry);
  }

  granting(member: Member, { id, index }: ReadGrant): void {
    const read = this.#reads.get(id);
    this.seen.grants++;
    invariant(read !== undefined && read.asker === member.id, `${member.id} never asked ${id}`);
    invariant(
      index >= read.floor,
      `Stale read: ${member.id} may read at ${index}, but ${read.floor} was committed before`,
    );
  }

  settled(member: Member): void {
    const status = this.#status(member);
    const { role, term, commit, applied, lastIndex } = status;
    const { id } = member;
    const track = this.#track(member);
    if (role === 'leader' && commit > track.commit) this.#counted(member, track.commit, commit);
    invariant(term >= track.term, `${id} goes back from term ${track.term} to ${term}`);
    invariant(commit >= track.commit, `${id} goes back from commit ${track.commit} to ${commit}`);
    invariant(applied >= track.applied, `${id} goes back from ${track.applied} to ${applied}`);
    invariant(
      applied <= commit && commit <= lastIndex,
      `${id}: ${applied}, ${commit}, ${lastIndex}`,
    );
    Object.assign(track, { term, commit, applied });
    if (role === 'leader') this.#checkLeader(member, status, track);
    this.#commit = Math.max(this.#commit, commit);
  }

  /** Election Safety: at most one leader can be elected in a given term (§5.2). */
  #checkLeader(member: Member, { term, lastIndex }: RaftStatus, track: Track): void {
    const { id } = member;
    // A leader who forgets its own vote might be elected in the same term again, with another log.
    const { hardState } = member.synced;
    invariant(
      hardState.term === term && hardState.vote === id,
      `${id} leads term ${term}, but its own vote is not on disk`,
    );
    const leader = `${id}, life ${member.lives}`;
    const known = this.#leaders.get(term);
    if (known === undefined) {
      this.seen.elections++;
      this.#leaders.set(term, leader);
    } else invariant(known === leader, `Election Safety: ${known} and ${leader} lead term ${term}`);
    const log = logOf(member);
    // What is not handed out yet cannot be seen; it will be, when the disk has time.
    if (lastIndexOf(log) === lastIndex) this.#checkCompleteness(id, term, log, track);
  }

  /** Leader Completeness: what is committed is in the logs of the leaders of all later terms (§5.4). */
  #checkCompleteness(id: string, term: number, log: DiskState, track: Track): void {
    if (track.completeIn !== term) {
      track.completeIn = term;
      track.completeUpTo = log.snapshot.index;
    }
    while (track.completeUpTo + 1 < this.#committed.length) {
      const index = ++track.completeUpTo;
      const known = this.#committed[index];
      if (known === undefined || known.knownIn >= term || index <= log.snapshot.index) continue;
      invariant(
        termAt(log, index) === known.term,
        `Leader Completeness: ${id} leads term ${term} without ${known.text} at ${index}`,
      );
    }
  }

  #status({ raft, id }: Member): RaftStatus {
    invariant(raft !== undefined, `${id} is crashed`);
    return raft.status();
  }

  #track({ id }: Member): Track {
    const track = this.#tracks.get(id);
    invariant(track !== undefined, `${id} was never started`);
    return track;
  }
}

function emptyLogAfter(meta: DiskState['snapshot']): Pick<DiskState, 'snapshot' | 'entries'> {
  return { snapshot: meta, entries: [] };
}
