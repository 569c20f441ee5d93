/**
 * Watches that are pulled. A watch that has seen everything is idle and costs nothing until one of
 * its keys changes; then it has a place in the past again, from which it reads on.
 */
import { isTombstone, type Version, valueAt } from './key-history.ts';
import type { KeySpace } from './key-space.ts';
import { type Span, spanHas, spanOf } from './keys.ts';
import type { Event, Watch, WatchBatch, WatchHub, WatchRequest } from './types.ts';

/** All watches of one store. */
export class Watchers implements WatchHub {
  readonly #space: KeySpace;
  /** Most watch one key; those are found by it. */
  readonly #ofKey = new Map<string, Set<Watcher>>();
  readonly #ofRange = new Set<Watcher>();
  #size = 0;

  constructor(space: KeySpace) {
    this.#space = space;
  }

  get size(): number {
    return this.#size;
  }

  /** Pull it once after opening: `wake` tells of later changes only. */
  open(request: WatchRequest, wake: () => void): Watch {
    const watcher: Watcher = new Watcher(this.#space, request, wake, () => this.#remove(watcher));
    const key = watcher.span.only;
    const peers = key === undefined ? this.#ofRange : (this.#ofKey.get(key) ?? new Set());
    if (key !== undefined) this.#ofKey.set(key, peers);
    peers.add(watcher);
    this.#size++;
    return watcher;
  }

  /** Wakes, after all is done, those whom one of the changes of the newest revision concerns. */
  notice(changes: readonly Version[]): void {
    const due = new Set<Watcher>();
    for (const version of changes) {
      const text = version.history.text;
      for (const watcher of this.#ofKey.get(text) ?? [])
        if (watcher.notices(version)) due.add(watcher);
      for (const watcher of this.#ofRange)
        if (spanHas(watcher.span, text) && watcher.notices(version)) due.add(watcher);
    }
    for (const watcher of due) watcher.wake();
  }

  #remove(watcher: Watcher): void {
    this.#size--;
    const key = watcher.span.only;
    if (key === undefined) {
      this.#ofRange.delete(watcher);
      return;
    }
    const peers = this.#ofKey.get(key);
    peers?.delete(watcher);
    if (peers?.size === 0) this.#ofKey.delete(key);
  }
}

class Watcher implements Watch {
  readonly span: Span;
  readonly #space: KeySpace;
  readonly #request: WatchRequest;
  readonly #wake: () => void;
  readonly #remove: () => void;
  /** The next revision to look at; undefined: nothing of what has happened concerns it. */
  #next: number | undefined;
  /** A wake is under way, and the pull that answers it has not come yet. */
  #isAwake = false;
  #isOver = false;
  #isDisposed = false;

  constructor(space: KeySpace, request: WatchRequest, wake: () => void, remove: () => void) {
    this.#space = space;
    this.#request = request;
    this.span = spanOf(request);
    this.#wake = wake;
    this.#remove = remove;
    const start = request.startRevision;
    if (start > 0 && start <= space.revision) this.#next = start;
  }

  get position(): number {
    // Not a number that is kept up to date: then every change would cost every watch something,
    // and a compaction would seem to overtake those that just have nothing to say.
    return this.#next ?? Math.max(this.#request.startRevision, this.#space.revision + 1);
  }

  pull(maxEvents: number): WatchBatch | undefined {
    this.#isAwake = false;
    if (this.#next === undefined || this.#isOver || this.#isDisposed) return undefined;
    const { revision, compactRevision } = this.#space;
    if (this.#next < compactRevision) {
      // Breaks: a watch that cannot be told of every event is over, and is told so.
      if (!this.#space.bugs.has('watch-gap')) {
        this.#isOver = true;
        return { type: 'compacted', compactRevision };
      }
      this.#next = compactRevision;
    }
    const events: Event[] = [];
    let at = this.#next;
    for (; at <= revision && events.length < Math.max(1, maxEvents); at++)
      for (const version of this.#space.changesOf(at))
        if (this.#wants(version)) events.push(this.#eventOf(version));
    this.#next = at <= revision ? at : undefined;
    return events.length === 0 ? undefined : { type: 'events', revision, events };
  }

  /** Takes note of a change in its span, just made; whether it must be woken for it. */
  notices(version: Version): boolean {
    const { modRevision } = version.kv;
    if (this.#isOver || modRevision < this.#request.startRevision) return false;
    if (!this.#passes(version)) return false;
    this.#next ??= modRevision;
    if (this.#isAwake) return false;
    this.#isAwake = true;
    return true;
  }

  wake(): void {
    if (!this.#isDisposed) this.#wake();
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#remove();
  }

  #wants(version: Version): boolean {
    return spanHas(this.span, version.history.text) && this.#passes(version);
  }

  #passes({ kv }: Version): boolean {
    return isTombstone(kv) ? !this.#request.noDelete : !this.#request.noPut;
  }

  #eventOf({ kv, history }: Version): Event {
    const type = isTombstone(kv) ? 'DELETE' : 'PUT';
    const isFirst = kv.createRevision === kv.modRevision;
    if (!this.#request.prevKv || isFirst) return { type, kv };
    const prevKv = valueAt(history, kv.modRevision - 1);
    return prevKv === undefined ? { type, kv } : { type, kv, prevKv };
  }
}
