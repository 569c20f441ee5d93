/**
 * A second state machine that has all that is in the log, committed or not. Only for the planted
 * bugs that show too early what it holds: `dirty-read` and `ack-before-commit`.
 */
import type { Bytes } from '../bytes.ts';
import type { Store } from '../mvcc/types.ts';
import type { Entry } from '../raft/types.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import type { Applied, Machine } from './machine.ts';

type Create = (buckets: Buckets, writer: BucketWriter, applied: number) => Machine;

const NOWHERE: BucketWriter = { put: () => undefined, delete: () => undefined };

export class EarlyMachine {
  readonly #create: Create;
  /** What the real machine has: to begin anew from, when entries are taken back. */
  readonly #committed: Map<string, Map<string, Bytes>>;
  #machine: Machine;
  /** In the log, and not applied by the real machine when it was last looked at. */
  #open: { readonly entry: Entry; applied: Applied | undefined }[] = [];

  constructor(buckets: Buckets, applied: number, create: Create) {
    this.#create = create;
    this.#committed = new Map([...buckets].map(([name, items]) => [name, new Map(items)]));
    this.#machine = create(this.#committed, NOWHERE, applied);
  }

  /** To be read only. */
  get store(): Store {
    return this.#machine.store;
  }

  /** Of the log: to be appended to the machine that takes the place of this one. */
  get entries(): readonly Entry[] {
    return this.#open.map(({ entry }) => entry);
  }

  /** A writer that hears what the real machine writes, and passes it on. */
  tee(writer: BucketWriter): BucketWriter {
    return {
      put: (name, key, value) => {
        writer.put(name, key, value);
        const bucket = this.#committed.get(name) ?? new Map<string, Bytes>();
        this.#committed.set(name, bucket.set(key, value));
      },
      delete: (name, key) => {
        writer.delete(name, key);
        this.#committed.get(name)?.delete(key);
      },
    };
  }

  /** The log has these, in place of what it had there; the real machine is at `applied`. */
  appended(entries: readonly Entry[], applied: number): void {
    const [first] = entries;
    if (first === undefined) return;
    const kept = this.#open.filter(({ entry }) => entry.index > applied);
    const before = kept.filter(({ entry }) => entry.index < first.index);
    if (before.length < kept.length || first.index <= this.#machine.applied) {
      this.#machine = this.#create(this.#committed, NOWHERE, applied);
      for (const open of before) open.applied = undefined;
    }
    this.#open = [...before, ...entries.map((entry) => ({ entry, applied: undefined }))];
    // There is a gap while a leader's snapshot is not installed yet.
    for (const open of this.#open)
      if (open.entry.index === this.#machine.applied + 1)
        open.applied = this.#machine.apply(open.entry);
  }

  /** Undefined: it is not known, or no longer. */
  resultOf(index: number): Applied | undefined {
    return this.#open.find(({ entry }) => entry.index === index)?.applied;
  }
}
