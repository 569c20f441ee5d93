/** Sees the first moment at which a store goes back, while it happens. */
import type { Op } from '../../harness/history/op.ts';

/**
 * A read that asks for the present must not be answered with a smaller revision than one that was
 * acknowledged before it began. Of revisions alone, never of values: a write of which nobody knows may
 * surface late. It decides nothing: it only says that more of this run is not worth its time.
 */
export class Tripwire {
  /** The highest revision that was acknowledged. */
  #acknowledged = 0;
  /** The same when the operation under way began, by process. */
  readonly #floors: Map<number, number> = new Map();
  /** Index of the entry that went back. */
  tripped: number | undefined;
  /** By how many revisions the latest serializable answer was behind, at most. */
  behindMost = 0;

  take(op: Op): void {
    const { process, type } = op;
    if (typeof process !== 'number') return;
    if (type === 'invoke') {
      this.#floors.set(process, this.#acknowledged);
      return;
    }
    const floor = this.#floors.get(process) ?? 0;
    this.#floors.delete(process);
    const revision = op.server?.revision;
    if (type !== 'ok' || revision === undefined) return;
    if (op.mode === 'serializable') {
      this.behindMost = Math.max(this.behindMost, floor - revision);
      return;
    }
    if (op.f === 'read' && revision < floor) this.tripped ??= op.index;
    if (isOfStore(op)) this.#acknowledged = Math.max(this.#acknowledged, revision);
  }
}

/** What else is asked, such as a hash at some revision, may be answered of the past. */
function isOfStore({ f, key }: Op): boolean {
  return key !== undefined && (f === 'read' || f === 'write' || f === 'cas');
}
