/**
 * Asserts Raft's five properties (figure 3 of the paper) over all members of a cluster, after every
 * step of each. It only compares what changed: a step in which nothing did costs a few comparisons.
 */
import type {
  BrokenInvariant,
  Candidate,
  Content,
  Copy,
  InvariantCounts,
  InvariantName,
  InvariantWatch,
} from '../../../harness/protocols/invariants.ts';
import type { Entry, MemberId, Payload, RaftRole } from './types.ts';

/** A member's core, as it is now; never changed from here. */
export interface RaftView {
  readonly id: MemberId;
  readonly role: RaftRole;
  readonly term: number;
  readonly commit: number;
  /** Handed out to the state machine. */
  readonly applied: number;
  readonly log: {
    /** The log starts after this index, whose term is still known. */
    readonly start: number;
    readonly last: number;
    termAt(index: number): number | undefined;
    entryAt(index: number): Entry | undefined;
  };
}

/** Told of a member's core when it is made; what it returns is called after each of its steps. */
export type WatchRaft = (view: RaftView) => () => void;

/** An entry that somebody has or had; several at one index form a chain. */
interface Known {
  readonly node: string;
  readonly entry: Entry;
  readonly previousTerm: number | undefined;
  /** The lowest term in which it was known to be committed; Infinity: in none yet. */
  committedBy: number;
  committedAt: string;
  /** Whose state machine was handed it first. */
  appliedAt: string | undefined;
  readonly other: Known | undefined;
}

/** One life of a node, as it was after its last step. */
interface Track {
  readonly node: string;
  readonly life: number;
  readonly view: RaftView;
  isLeader: boolean;
  term: number;
  commit: number;
  applied: number;
  start: number;
  /** What its log held after `start`: the very objects. */
  readonly entries: Entry[];
}

/** Behind the slowest node, for one that starts again from somewhat older data. */
const KEPT = 4_096;

export class RaftInvariants implements InvariantWatch {
  readonly #broken = new Map<InvariantName, BrokenInvariant>();
  #taken = 0;
  /** By node: its latest life, which may be over. */
  readonly #tracks = new Map<string, Track>();
  readonly #leading = new Set<Track>();
  readonly #leaders = new Map<number, Candidate>();
  /** By index; forgotten up to `#floor`. */
  readonly #known = new Map<number, Known>();
  #floor = 0;
  /** The highest index known to be committed. */
  #committed = 0;
  #steps = 0;
  #applied = 0;
  /** How often an entry took another's place, which is a follower's right. */
  overwrites = 0;

  take(): readonly BrokenInvariant[] {
    if (this.#taken === this.#broken.size) return [];
    const news = [...this.#broken.values()].slice(this.#taken);
    this.#taken = this.#broken.size;
    return news;
  }

  counts(): InvariantCounts {
    return { steps: this.#steps, elections: this.#leaders.size, applied: this.#applied };
  }

  /** How many indices are remembered; those that everybody applied long ago are not. */
  get known(): number {
    return this.#known.size;
  }

  /** The term of what was applied at this index; undefined: nothing, or it is forgotten. */
  appliedTerm(index: number): number | undefined {
    for (let known = this.#known.get(index); known !== undefined; known = known.other)
      if (known.appliedAt !== undefined) return known.entry.term;
    return undefined;
  }

  /**
   * A node starts: what it had in memory before is gone, and what its log lacks now was not on its
   * disk. Call what is returned after each of its steps.
   */
  watch(node: string, view: RaftView): () => void {
    const before = this.#tracks.get(node);
    if (before !== undefined) this.#leading.delete(before);
    const track: Track = {
      node,
      life: (before?.life ?? 0) + 1,
      view,
      isLeader: false,
      term: view.term,
      commit: view.commit,
      applied: view.applied,
      start: view.log.start,
      entries: [],
    };
    this.#tracks.set(node, track);
    this.#step(track);
    return () => this.#step(track);
  }

  #step(track: Track): void {
    this.#steps++;
    const { view, entries } = track;
    const { log, term } = view;
    const isLeader = view.role === 'leader';
    const wasLeader = track.isLeader && term === track.term;
    const { last } = log;
    // What is before the last entry cannot be replaced without it.
    const isSame =
      last === track.start + entries.length && log.entryAt(last) === entries[entries.length - 1];
    if (!isSame) this.#compareLog(track, isLeader && wasLeader);
    if (isLeader && !wasLeader) this.#elected(track);
    if (!isLeader && track.isLeader) this.#leading.delete(track);
    track.isLeader = isLeader;
    track.term = term;
    if (view.commit > track.commit) this.#commit(track);
    if (view.applied > track.applied) this.#apply(track);
  }

  /** Reads what is new in a log. By identity: whatever is replaced is another object. */
  #compareLog(track: Track, wasAndIsLeader: boolean): void {
    const { node, entries, view } = track;
    const { log } = view;
    if (log.start > track.start) {
      entries.splice(0, log.start - track.start);
      track.start = log.start;
    }
    let same = Math.min(entries.length, log.last - log.start);
    while (same > 0 && entries[same - 1] !== log.entryAt(log.start + same)) same--;
    const replaced = entries[same];
    if (replaced !== undefined) {
      this.overwrites++;
      const { index } = replaced;
      if (wasAndIsLeader)
        this.#accuse({
          property: 'leader-append-only',
          node,
          term: view.term,
          index,
          had: contentOf(replaced),
          has: contentOf(log.entryAt(index)),
        });
      entries.length = same;
    }
    let previousTerm = log.termAt(log.start + same);
    for (let index = log.start + same + 1; index <= log.last; index++) {
      const entry = log.entryAt(index);
      if (entry === undefined) return;
      entries.push(entry);
      this.#match(node, entry, previousTerm);
      previousTerm = entry.term;
    }
  }

  /** Log Matching, by induction: the same entry at an index and a term, after the same term. */
  #match(node: string, entry: Entry, previousTerm: number | undefined): void {
    const { index, term } = entry;
    if (index <= this.#floor) return;
    const known = this.#find(index, term);
    if (known === undefined) this.#remember(node, entry, previousTerm);
    else if (known.previousTerm !== previousTerm || !isSameEntry(known.entry, entry))
      this.#accuse({
        property: 'log-matching',
        index,
        term,
        first: copyOf(known.node, known.entry, known.previousTerm),
        second: copyOf(node, entry, previousTerm),
      });
  }

  /** Election Safety, and Leader Completeness for what is known to be committed by now. */
  #elected(track: Track): void {
    const { node, life, view } = track;
    const { term, log } = view;
    this.#leading.add(track);
    const first = this.#leaders.get(term);
    const second = { node, life };
    if (first === undefined) this.#leaders.set(term, second);
    else this.#accuse({ property: 'election-safety', term, first, second });
    for (let index = Math.max(log.start, this.#floor) + 1; index <= this.#committed; index++)
      for (let known = this.#known.get(index); known !== undefined; known = known.other)
        this.#complete(track, known);
  }

  /** Leader Completeness: one entry, one leader. */
  #complete({ node, view }: Track, { entry, committedBy, committedAt }: Known): void {
    const { log, term } = view;
    const { index } = entry;
    if (committedBy >= term || index <= log.start || log.termAt(index) === entry.term) return;
    this.#accuse({
      property: 'leader-completeness',
      node,
      term,
      index,
      committed: { node: committedAt, term: entry.term, by: committedBy },
      has: log.termAt(index) ?? null,
    });
  }

  /** What a member of some term believes to be committed was committed in that term or before. */
  #commit(track: Track): void {
    const { node, view } = track;
    const { log, commit, term } = view;
    const first = Math.max(track.commit, log.start, this.#floor) + 1;
    track.commit = commit;
    for (let index = first; index <= commit; index++) {
      const entry = log.entryAt(index);
      const known = entry && this.#find(index, entry.term);
      if (known === undefined || known.committedBy <= term) continue;
      known.committedBy = term;
      known.committedAt = node;
      if (index > this.#committed) this.#committed = index;
      // An old leader may have counted, and only now be seen to know, what a new one must have.
      for (const leader of this.#leading) this.#complete(leader, known);
    }
  }

  /** State Machine Safety; a snapshot stands for everything up to its last entry. */
  #apply(track: Track): void {
    const { node, view } = track;
    const { log, applied } = view;
    const first = Math.max(track.applied + 1, log.start, this.#floor + 1);
    track.applied = applied;
    for (let index = first; index <= applied; index++) {
      const term = log.termAt(index);
      if (term === undefined) continue;
      const entry = log.entryAt(index);
      for (let known = this.#known.get(index); known !== undefined; known = known.other) {
        if (known.appliedAt === undefined) continue;
        if (known.entry.term === term && (!entry || isSameEntry(known.entry, entry))) continue;
        this.#accuse({
          property: 'state-machine-safety',
          index,
          first: copyOf(known.appliedAt, known.entry, known.previousTerm),
          second: copyOf(node, entry, log.termAt(index - 1), term),
        });
      }
      const own = this.#find(index, term);
      if (own === undefined || own.appliedAt !== undefined) continue;
      own.appliedAt = node;
      this.#applied++;
    }
    if (this.#known.size > 4 * KEPT) this.#forget();
  }

  #find(index: number, term: number): Known | undefined {
    let known = this.#known.get(index);
    while (known !== undefined && known.entry.term !== term) known = known.other;
    return known;
  }

  #remember(node: string, entry: Entry, previousTerm: number | undefined): void {
    const { index } = entry;
    this.#known.set(index, {
      node,
      entry,
      previousTerm,
      committedBy: Number.POSITIVE_INFINITY,
      committedAt: '',
      appliedAt: undefined,
      other: this.#known.get(index),
    });
  }

  /** Nobody can apply again, or lack as a leader, what everybody has applied long ago. */
  #forget(): void {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { applied } of this.#tracks.values()) lowest = Math.min(lowest, applied);
    for (const floor = lowest - KEPT; this.#floor < floor; ) this.#known.delete(++this.#floor);
  }

  #accuse(broken: BrokenInvariant): void {
    if (!this.#broken.has(broken.property)) this.#broken.set(broken.property, broken);
  }
}

function copyOf(
  node: string,
  entry: Entry | undefined,
  previousTerm: number | undefined,
  term: number = entry?.term ?? 0,
): Copy {
  const content = entry === undefined ? 'a snapshot' : digest(entry.payload);
  return { node, term, previousTerm: previousTerm ?? null, content };
}

function contentOf(entry: Entry): Content;
function contentOf(entry: Entry | undefined): Content | null;
function contentOf(entry: Entry | undefined): Content | null {
  return entry === undefined ? null : { term: entry.term, content: digest(entry.payload) };
}

function isSameEntry(a: Entry, b: Entry): boolean {
  return a === b || (a.term === b.term && textOf(a.payload) === textOf(b.payload));
}

function textOf(payload: Payload): string {
  const { kind } = payload;
  if (kind === 'none') return kind;
  const data = Buffer.from(payload.data).toString('latin1');
  return kind === 'config' ? `${JSON.stringify(payload.config)} ${data}` : data;
}

/** FNV-1a: enough to tell two entries apart in a report. */
function digest(payload: Payload): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(textOf(payload), 'latin1'))
    hash = Math.imul(hash ^ byte, 0x01000193);
  return `${payload.kind} ${(hash >>> 0).toString(16).padStart(8, '0')}`;
}
