/** Watches that outlive the store they look at: a leader's snapshot puts another in its place. */
import type { Store, Watch, WatchBatch, WatchRequest } from '../mvcc/types.ts';

export class Watches {
  readonly #open = new Set<MovableWatch>();

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
    for (const watch of this.#open) watch.moveTo(store);
  }
}

class MovableWatch implements Watch {
  readonly #request: WatchRequest;
  readonly #wake: () => void;
  readonly #closed: (watch: MovableWatch) => void;
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
  }

  get position(): number {
    return this.#watch.position;
  }

  pull(maxEvents: number): WatchBatch | undefined {
    return this.#watch.pull(maxEvents);
  }

  moveTo(store: Store): void {
    const startRevision = this.#watch.position;
    this.#watch[Symbol.dispose]();
    this.#watch = store.watches.open({ ...this.#request, startRevision }, this.#wake);
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#closed(this);
  }
}
