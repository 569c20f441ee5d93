/** Watches that outlive the store they look at: a leader's snapshot puts another in its place. */
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Store, Watch, WatchBatch, WatchRequest } from '../mvcc/types.ts';

export class Watches {
  readonly #open = new Set<MovableWatch>();
  readonly #bugs: Bugs;

  constructor(bugs: Bugs = NO_BUGS) {
    this.#bugs = bugs;
  }

  open(store: Store, request: WatchRequest, wake: () => void): Watch {
    const watch = new MovableWatch(store, request, wake, (closed) => this.#open.delete(closed));
    this.#open.add(watch);
    return watch;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Each goes on in the new store where it was in the old one. */
  moveTo(store: Store): void {
    // Breaks: a watch that goes on elsewhere says nothing twice.
    const begins = this.#bugs.has('watch-back-in-time');
    for (const watch of this.#open) watch.moveTo(store, begins ? watch.start : watch.position);
  }
}

class MovableWatch implements Watch {
  readonly #request: WatchRequest;
  readonly #wake: () => void;
  readonly #closed: (watch: MovableWatch) => void;
  /** The first revision it looked at. */
  readonly start: number;
  #watch: Watch;

  constructor(
    store: Store,
    request: WatchRequest,
    wake: () => void,
    closed: (watch: MovableWatch) => void,
  ) {
    this.#request = request;
    this.#wake = wake;
    this.#closed = closed;
    this.#watch = store.watches.open(request, wake);
    this.start = this.#watch.position;
  }

  get position(): number {
    return this.#watch.position;
  }

  pull(maxEvents: number): WatchBatch | undefined {
    return this.#watch.pull(maxEvents);
  }

  moveTo(store: Store, startRevision: number): void {
    this.#watch[Symbol.dispose]();
    this.#watch = store.watches.open({ ...this.#request, startRevision }, this.#wake);
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#closed(this);
  }
}
