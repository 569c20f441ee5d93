/** The replicated log (§5.3) of one member, from where its last snapshot ends (§7). */
import { invariant } from '../../../harness/core/invariant.ts';
import { ConfigurationHistory, type PlacedConfiguration } from './configuration.ts';
import type { Configuration, Entry, MemberId, Restored, SnapshotMeta } from './types.ts';

/** Bytes of what an entry carries: what bounds a message. */
export function payloadBytes(entry: Entry): number {
  return entry.payload.kind === 'none' ? 0 : entry.payload.data.length;
}

/**
 * Entries in memory, and how many of them are on disk. `0 <= start <= stable <= written <= last`,
 * where `written` has been handed out to be persisted, and `stable` is known to be.
 */
export class RaftLog {
  #entries: Entry[];
  #start: number;
  #startTerm: number;
  #configs: ConfigurationHistory;
  #stable: number;
  #written: number;

  /** What was restored is on disk. */
  constructor({ snapshot, entries }: Pick<Restored, 'snapshot' | 'entries'>) {
    this.#start = snapshot.index;
    this.#startTerm = snapshot.term;
    this.#configs = new ConfigurationHistory(snapshot.index, snapshot.config);
    this.#entries = [];
    this.append(entries);
    this.#stable = this.last;
    this.#written = this.last;
  }

  /** The index that the log starts after; its term is still known. */
  get start(): number {
    return this.#start;
  }

  get last(): number {
    return this.#start + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#startTerm;
  }

  get stable(): number {
    return this.#stable;
  }

  get written(): number {
    return this.#written;
  }

  get config(): PlacedConfiguration {
    return this.#configs.latest;
  }

  /** Voters that were removed since the log starts; also those that came back. */
  get removed(): ReadonlySet<MemberId> {
    return this.#configs.removed;
  }

  /** What holds at `index`, which must not be before the start. */
  configAt(index: number): Configuration {
    return this.#configs.at(index);
  }

  /** Undefined: before the start or after the end. */
  termAt(index: number): number | undefined {
    if (index === this.#start) return this.#startTerm;
    return this.#entries[index - this.#start - 1]?.term;
  }

  /** Undefined: not in the log. */
  entryAt(index: number): Entry | undefined {
    return this.#entries[index - this.#start - 1];
  }

  /** From `from` to `to`, both included and both in the log. */
  slice(from: number, to: number): readonly Entry[] {
    invariant(from > this.#start && to <= this.last, `log has no entries ${from} to ${to}`);
    return this.#entries.slice(from - this.#start - 1, to - this.#start);
  }

  /**
   * From `from` on, as many as `maxCount` and `maxBytes` allow, but one at least: an entry that is
   * larger than any bound must get through as well.
   */
  batch(from: number, maxCount: number, maxBytes: number): readonly Entry[] {
    const limit = Math.min(this.last, from + maxCount - 1);
    let to = from - 1;
    for (let bytes = 0; to < limit; to++) {
      const entry = this.#entries[to - this.#start];
      invariant(entry !== undefined, `log has no entry ${to + 1}`);
      bytes += payloadBytes(entry);
      if (bytes > maxBytes && to >= from) break;
    }
    return this.slice(from, to);
  }

  /** At the end; they must follow it without gap. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      invariant(entry.index === this.last + 1, `entry ${entry.index} after ${this.last}`);
      this.#entries.push(entry);
      if (entry.payload.kind === 'config') this.#configs.append(entry.index, entry.payload.config);
    }
  }

  /** Takes the entry at `index` and all after it away; what was persisted of them is no more. */
  truncateFrom(index: number): void {
    invariant(index > this.#start, `cannot truncate at ${index}, the log starts at ${this.#start}`);
    this.#entries.length = Math.min(this.#entries.length, index - this.#start - 1);
    this.#configs.truncateFrom(index);
    // Also of what is just being written: it must not count when that write returns.
    this.#stable = Math.min(this.#stable, this.last);
    this.#written = Math.min(this.#written, this.last);
  }

  /** Forgets the entries up to and with `index`, which must be in the log. */
  compact(index: number): void {
    if (index <= this.#start) return;
    const term = this.termAt(index);
    invariant(term !== undefined, `cannot compact to ${index}, the log ends at ${this.last}`);
    this.#entries = this.#entries.slice(index - this.#start);
    this.#start = index;
    this.#startTerm = term;
    this.#configs.compact(index);
  }

  /** The state of the machine at `meta` takes the place of everything. */
  restart(meta: SnapshotMeta): void {
    this.#entries = [];
    this.#start = meta.index;
    this.#startTerm = meta.term;
    this.#configs = new ConfigurationHistory(meta.index, meta.config);
    this.#stable = meta.index;
    this.#written = meta.index;
  }

  metaAt(index: number): SnapshotMeta {
    const term = this.termAt(index);
    invariant(term !== undefined, `the log does not hold ${index}`);
    return { index, term, config: this.#configs.at(index) };
  }

  /** The entries that nobody has been handed to persist yet; they count as handed out now. */
  takeUnwritten(): readonly Entry[] {
    const entries = this.#written < this.last ? this.slice(this.#written + 1, this.last) : [];
    this.#written = this.last;
    return entries;
  }

  /** What was handed out is on disk, but for what was truncated meanwhile. */
  markStable(): void {
    this.#stable = this.#written;
  }

  /** §5.4.1: whether a log that ends so is at least as up-to-date as this one. */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last);
  }

  /**
   * The largest index not above `index` whose term is at most `term`: two logs that disagree at
   * `index` may agree there (§5.3, the optimisation at its end). Terms only grow along a log, so
   * it is found by halving. What is before the start may agree as well as not.
   */
  lastAtMost(index: number, term: number): { readonly index: number; readonly term: number } {
    if (index < this.#start) return { index, term: 0 };
    let low = this.#start;
    let high = Math.min(index, this.last);
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.termAt(middle) ?? 0) <= term) low = middle;
      else high = middle - 1;
    }
    return { index: low, term: this.termAt(low) ?? 0 };
  }
}
