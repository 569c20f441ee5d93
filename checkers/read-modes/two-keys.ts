import type { History } from '../../harness/history/history.ts';
import { OF_STORE } from '../../harness/history/of-store.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { producedBy, requiredBy } from '../models/register.ts';

/** One revision of the store that changed two keys, though every change is of one. */
export interface TwoKeys {
  readonly revision: number;
  readonly one: KeyOp;
  readonly other: KeyOp;
}

/** Functions that change one key at most, whatever else may come to be asked. */
const OF_ONE_KEY: ReadonlySet<string> = new Set(['read', 'write', 'cas', ...OF_STORE]);

/**
 * The first contradiction of each revision. Nothing where anything else was asked: a transaction
 * changes many keys in one revision, and a read does not say which operation wrote what it shows.
 */
export function twoKeysAtOneRevision(history: History, keys: readonly KeyHistory[]): TwoKeys[] {
  for (const { invoke } of history.operations()) if (!OF_ONE_KEY.has(invoke.f)) return [];
  const known = new Map<number, KeyOp>();
  const found = new Map<number, TwoKeys>();
  const ops = keys.flatMap((key) => key.ops).toSorted((a, b) => a.end - b.end);
  for (const op of ops) {
    const revision = changedAt(op);
    if (revision === undefined) continue;
    const before = known.get(revision);
    if (before === undefined) known.set(revision, op);
    else if (before.invoke.key !== op.invoke.key && !found.has(revision))
      found.set(revision, { revision, one: before, other: op });
  }
  return [...found.values()];
}

/**
 * The revision at which the key came to hold what this operation saw or left. An absent key has
 * none, and to delete what is absent changes nothing.
 */
function changedAt({ call, completion }: KeyOp): number | undefined {
  if (call.outcome === 'indefinite') return undefined;
  const made = producedBy(call);
  const value = made === undefined ? requiredBy(call) : made;
  const { revision, modRevision } = completion?.server ?? {};
  const at = made === undefined ? modRevision : revision;
  return value === undefined || value === null || at === 0 ? undefined : at;
}
