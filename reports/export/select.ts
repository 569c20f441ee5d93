/** What of a history other tools can judge, who know of neither read modes nor hashes. */
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { clean, counted } from '../words.ts';

/**
 * Leaves out the reads that may be stale by their promise: without their mode they would look like
 * violations. And where others have keys the operations without one, such as hashes of nodes.
 */
export function judgeable(history: History): {
  readonly history: History;
  /** What was left out; sentences without an end. */
  readonly notes: readonly string[];
} {
  const keyed = hasKeys(history);
  const left = new Map<string, number>();
  const builder = new HistoryBuilder();
  for (const { index, time, ...draft } of history.ops()) {
    const why = typeof draft.process === 'number' ? reasonFor(history, index, keyed) : undefined;
    if (why === undefined) builder.append(draft, time);
    else if (draft.type === 'invoke') left.set(why, (left.get(why) ?? 0) + 1);
  }
  const notes = [...left].map(
    ([why, times]) => `left out: ${counted(times, 'operation')} ${why}; --all keeps them`,
  );
  return { history: left.size === 0 ? history : builder.build(), notes };
}

/** Both entries of an operation go the way of its invocation. */
function reasonFor(history: History, index: number, keyed: boolean): string | undefined {
  const pair = history.pairOf(index);
  const invoke: Op = history.op(pair === -1 ? index : Math.min(index, pair));
  if (invoke.mode === 'serializable') return `(${clean(invoke.f)}) that may be stale: serializable`;
  return keyed && invoke.key === undefined ? `(${clean(invoke.f)}) of no key` : undefined;
}

function hasKeys(history: History): boolean {
  for (const { invoke } of history.operations()) if (invoke.key !== undefined) return true;
  return false;
}
