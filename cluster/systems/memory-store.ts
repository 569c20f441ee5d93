import type { JsonValue } from '../../harness/core/json.ts';

/** A value and the revision that wrote it; revision 0 and null: the key does not exist. */
export interface Cell {
  readonly value: JsonValue;
  readonly revision: number;
  readonly version: number;
}

const ABSENT: Cell = { value: null, revision: 0, version: 0 };

interface Entry extends Cell {
  readonly key: string;
}

/**
 * A log of writes and what it amounts to. Every prefix can be read, as a follower that lags would
 * answer from it.
 */
export class MemoryStore {
  readonly #log: Entry[];
  /** Per key the places in the log that wrote it, ascending. */
  readonly #places: Map<string, number[]>;

  constructor(log: Entry[] = [], places: Map<string, number[]> = new Map()) {
    this.#log = log;
    this.#places = places;
  }

  /** How many writes were applied; also the store's revision. */
  get revision(): number {
    return this.#log.length;
  }

  /** The key as of the first `applied` writes; by default all of them. */
  get(key: string, applied: number = this.#log.length): Cell {
    const places = this.#places.get(key);
    const place = places?.findLast((at) => at < applied);
    return place === undefined ? ABSENT : (this.#log[place] ?? ABSENT);
  }

  put(key: string, value: JsonValue): Cell {
    const version = this.get(key).version + 1;
    const entry: Entry = { key, value, revision: this.#log.length + 1, version };
    const places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, [this.#log.length]);
    else places.push(this.#log.length);
    this.#log.push(entry);
    return entry;
  }

  /** An independent copy: what two sides of a split brain start from. */
  fork(): MemoryStore {
    return new MemoryStore(
      [...this.#log],
      new Map([...this.#places].map(([key, places]) => [key, [...places]])),
    );
  }
}
