/** Which operations a history may lack without looking worse than it is; see `Removals`. */
import type { History } from '../harness/history/history.ts';
import { OF_STORE } from '../harness/history/of-store.ts';
import type { ReadMode } from '../harness/history/op.ts';
import type { Removals } from '../harness/protocols/checker.ts';
import { keyHistories } from './key-history.ts';
import type { Model } from './models/model.ts';

export const READ_MODES: readonly ReadMode[] = ['linearizable', 'serializable'];

export interface Judged {
  readonly model: Model;
  /** The reads that are judged. */
  readonly modes: readonly ReadMode[];
  /** Whether the judge asks of every beginning of a history what it asks of the whole. */
  readonly ends: boolean;
  /**
   * False: that something else was asked, such as a transaction, tells the judge what it must not
   * conclude, so it stays. Default: true.
   */
  readonly others?: boolean;
}

/**
 * Of a judge that asks for an order of operations that the model accepts. Operations that are not
 * judged may go: what failed, what is not of the model, reads without an answer or of other modes. Of
 * those that are, what the model allows: then the order of all, without them, is one of the others.
 */
export function removalsOf(
  history: History,
  { model, modes, ends, others = true }: Judged,
): Removals {
  const staying = new Set<number>();
  for (const { ops } of keyHistories(history, model, modes)) {
    const removable = model.removable(ops.map(({ call }) => call));
    for (const [at, { start }] of ops.entries()) if (removable[at] !== true) staying.add(start);
  }
  const operations = new Set<number>();
  let isAlone = true;
  for (const { invoke } of history.operations()) {
    const { f, index } = invoke;
    const counts = !others && !OF_STORE.has(f) && !model.functions.includes(f);
    if (counts) isAlone = false;
    if (!counts && !staying.has(index)) operations.add(index);
  }
  // What is of no key, or of several, would go with the keys.
  return { operations, keys: isAlone && model.per !== 'store', ends };
}
