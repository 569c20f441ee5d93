/**
 * Watches a cluster of bare cores, and throws as soon as one of the five properties of the paper's
 * figure 3 is broken, a promise is given that a crash could take back, or a read is stale.
 */
import { invariant } from '../../../harness/core/invariant.ts';
import { RaftInvariants, type RaftView } from './invariants.ts';
import type { Member, Observer } from './testing.ts';
import type { DiskState } from './testing-disk.ts';
import type { Entry, Message, Persist, RaftStatus, ReadGrant } from './types.ts';

/** What was seen, so that a test can tell that its schedules were not idle. */
export interface Seen {
  readonly steps: number;
  readonly elections: number;
  readonly commits: number;
  readonly overwrites: number;
  readonly grants: number;
  readonly installs: number;
  readonly configs: number;
}

/** What one member did last, in one life. */
interface Track {
  term: number;
  commit: number;
  applied: number;
}

export function lastIndexOf({ snapshot, entries }: DiskState): number {
  return snapshot.index + entries.length;
}

function termAt(disk: DiskState, index: number): number | undefined {
  if (index === disk.snapshot.index) return disk.snapshot.term;
  return disk.entries[index - disk.snapshot.index - 1]?.term;
}

export class Safety implements Observer {
  readonly #raft = new RaftInvariants();
  readonly #tracks = new Map<string, Track>();
  readonly #isAboutRaft: boolean;
  /** The highest commit that any member ever knew. */
  #commit = 1;
  /** Per read: the commit that was known to anybody when it was asked. */
  readonly #reads = new Map<number, { readonly asker: string; readonly floor: number }>();
  #grants = 0;
  #installs = 0;
  #configs = 0;

  /** `isAboutRaft`: promises are not looked at, only what figure 3 says. */
  constructor(isAboutRaft = false) {
    this.#isAboutRaft = isAboutRaft;
  }

  get seen(): Seen {
    const { steps, elections, applied } = this.#raft.counts();
    return {
      steps,
      elections,
      commits: applied,
      overwrites: this.#raft.overwrites,
      grants: this.#grants,
      installs: this.#installs,
      configs: this.#configs,
    };
  }

  watch({ id }: Member, view: RaftView): () => void {
    const look = this.#raft.watch(id, view);
    return () => {
      look();
      for (const { property, ...shown } of this.#raft.take())
        invariant(false, `${property}: ${JSON.stringify(shown)}`);
    };
  }

  asked(read: number, asker: string): void {
    this.#reads.set(read, { asker, floor: this.#commit });
  }

  restarted(member: Member, applied: number): void {
    const { term, vote, lastIndex, commit } = statusOf(member);
    const { hardState } = member.disk;
    const { id } = member;
    invariant(term >= hardState.term, `${id} forgot its term ${hardState.term}: ${term}`);
    if (term === hardState.term) invariant(vote === hardState.vote, `${id} forgot its vote`);
    invariant(lastIndex === lastIndexOf(member.disk), `${id} forgot entries`);
    invariant(commit >= applied, `${id} applied ${applied}, and committed ${commit}`);
    this.#tracks.set(id, { term, commit, applied });
  }

  /** What is said must outlive a crash of the one who says it. */
  sending({ synced }: Member, message: Message): void {
    if (this.#isAboutRaft) return;
    const { hardState } = synced;
    const { from, to, term, type } = message;
    if (type === 'vote-reply' && message.granted)
      invariant(
        hardState.term > term || (hardState.term === term && hardState.vote === to),
        `${from} tells ${to} of a vote in term ${term} that is not on disk`,
      );
    if (type === 'append-reply' && message.ok) {
      const last = lastIndexOf(synced);
      // What a later leader truncated was there; that later term is on disk with the truncation.
      invariant(
        hardState.term > term || (hardState.term === term && message.match <= last),
        `${from} acknowledges ${message.match} in term ${term}, but has ${last} on disk`,
      );
    }
  }

  persisting({ id, disk, machine }: Member, { snapshot, entries, hardState }: Persist): void {
    for (const { payload } of entries) if (payload.kind === 'config') this.#configs++;
    if (snapshot !== undefined) this.#installs++;
    if (this.#isAboutRaft) return;
    if (snapshot !== undefined) {
      const { index, term } = snapshot.meta;
      invariant(index > machine.index, `${id} goes back to a snapshot of ${index}`);
      const known = this.#raft.appliedTerm(index);
      invariant(known === term, `${id} installs what is not committed: ${index}`);
    }
    if (hardState === undefined) return;
    const { term, vote, commit } = disk.hardState;
    invariant(hardState.term >= term, `${id} goes back to term ${hardState.term}`);
    invariant(hardState.commit >= commit, `${id} goes back to commit ${hardState.commit}`);
    if (hardState.term === term && vote !== null)
      invariant(hardState.vote === vote, `${id} votes twice in term ${term}`);
  }

  /** Each once, in order, and when it is on one's own disk. */
  applying({ id, machine, synced }: Member, { index, term }: Entry): void {
    if (this.#isAboutRaft) return;
    invariant(index === machine.index + 1, `${id} applies ${index} too early or again`);
    invariant(termAt(synced, index) === term, `${id} applies ${index}: not on its disk`);
  }

  granting(member: Member, { id, index }: ReadGrant): void {
    const read = this.#reads.get(id);
    this.#grants++;
    if (this.#isAboutRaft) return;
    invariant(read !== undefined && read.asker === member.id, `${member.id} never asked ${id}`);
    invariant(
      index >= read.floor,
      `Stale read: ${member.id} may read at ${index}, but ${read.floor} was committed before`,
    );
  }

  settled(member: Member): void {
    const { role, term, commit, applied, lastIndex } = statusOf(member);
    this.#commit = Math.max(this.#commit, commit);
    if (this.#isAboutRaft) return;
    const { id, synced } = member;
    const track = this.#tracks.get(id);
    invariant(track !== undefined, `${id} was never started`);
    invariant(term >= track.term, `${id} goes back from term ${track.term} to ${term}`);
    invariant(commit >= track.commit, `${id} goes back from commit ${track.commit} to ${commit}`);
    invariant(applied >= track.applied, `${id} goes back from ${track.applied} to ${applied}`);
    invariant(
      applied <= commit && commit <= lastIndex,
      `${id}: ${applied}, ${commit}, ${lastIndex}`,
    );
    track.term = term;
    track.commit = commit;
    track.applied = applied;
    // A leader who forgets its own vote might be elected in the same term again, with another log.
    const { hardState } = synced;
    invariant(
      role !== 'leader' || (hardState.term === term && hardState.vote === id),
      `${id} leads term ${term}, but its own vote is not on disk`,
    );
  }
}

function statusOf({ raft, id }: Member): RaftStatus {
  invariant(raft !== undefined, `${id} is crashed`);
  return raft.status();
}
