/** What a client knows who has asked all there was to ask: what each of its watches is due. */
import { bytes, type Message, type Request } from './calls.ts';
import type { StreamName } from './lockstep-commands.ts';

/** A change of one key, as a watch of all keys was told of it. */
interface Change {
  readonly revision: number;
  readonly key: Buffer;
  readonly isDeletion: boolean;
}

export interface OpenWatch {
  readonly id: string;
  readonly on: StreamName;
  readonly key: Buffer;
  /** Undefined: one key. */
  readonly end: Buffer | undefined;
  /** Nothing of before is told. */
  readonly start: number;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  /** Everything up to here was received. */
  told: number;
}

/** One for both systems, as they must not differ. */
export class Model {
  /** The newest that was spoken of. */
  revision: number;
  compactRevision: number;
  /** Everything up to here was received. */
  seen: number;
  /** All that was received since the sequence began. */
  readonly #changes: Change[] = [];
  readonly watches: OpenWatch[] = [];
  /** A watch had nothing to tell of the past; etcd may not know it yet. */
  mayBeBehind = false;
  /** Was raised, so that perhaps nothing can be written. */
  alarm: string | undefined;
  /** Streams. */
  readonly open: Set<string> = new Set();
  readonly #first: number;

  constructor(revision: number) {
    this.revision = revision;
    this.compactRevision = revision;
    this.seen = revision;
    this.#first = revision;
  }

  /** Of a watch of all keys. */
  note(message: Message): void {
    for (const event of (message['events'] ?? []) as readonly WireEvent[])
      this.#changes.push({
        revision: Number(event.kv.modRevision),
        key: event.kv.key,
        isDeletion: event.type === 'DELETE',
      });
  }

  /** How many events are still to come. */
  due(watch: OpenWatch): number {
    const { told, start } = watch;
    return this.#changes.filter(
      (change) => change.revision > told && change.revision >= start && concerns(watch, change),
    ).length;
  }

  /** Whether etcd 3.4 would withhold a deletion from who begins here (etcd #19179). */
  isLostAt(revision: number): boolean {
    if (revision !== this.compactRevision) return false;
    const isDeleted = this.#changes.some((each) => each.revision === revision && each.isDeletion);
    return isDeleted || revision === this.#first;
  }

  /** After all that was due was received. */
  allTold(): void {
    for (const watch of this.watches) watch.told = this.revision;
  }

  forget(watch: OpenWatch): void {
    this.watches.splice(this.watches.indexOf(watch), 1);
  }
}

interface WireEvent {
  readonly type: string;
  readonly kv: { readonly key: Buffer; readonly modRevision: string };
}

/** How the service understands what it is asked. */
export function watchOf(
  id: string,
  on: StreamName,
  { key, rangeEnd, startRevision, filters }: Request,
  revision: number,
): OpenWatch {
  const list = (filters ?? []) as readonly string[];
  const first = key as Buffer | undefined;
  const end = rangeEnd as Buffer | undefined;
  const start = (startRevision as number | undefined) ?? 0;
  return {
    id,
    on,
    key: first === undefined || first.length === 0 ? bytes('\0') : first,
    end: end?.length === 0 ? undefined : end,
    start: start === 0 ? revision + 1 : start,
    noPut: list.includes('NOPUT'),
    noDelete: list.includes('NODELETE'),
    told: 0,
  };
}

function concerns({ key, end, noPut, noDelete }: OpenWatch, change: Change): boolean {
  if (change.isDeletion ? noDelete : noPut) return false;
  if (end === undefined) return change.key.equals(key);
  const isOpenEnded = end.length === 1 && end[0] === 0;
  return (
    Buffer.compare(change.key, key) >= 0 && (isOpenEnded || Buffer.compare(change.key, end) < 0)
  );
}
