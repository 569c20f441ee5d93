import type { JsonValue } from '../../harness/core/json.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped } from './model.ts';

/**
 * So many permits, of which `acquire` takes one for its value, the owner, and `release` returns
 * one.
 */
export function semaphore(permits: number): Model {
  return {
    name: `semaphore-${permits}`,
    functions: ['acquire', 'release'],
    init: {},
    step: (state, call) => step(state, call, permits),
    readOnly,
    removable: onlyReadsRemovable(readOnly),
  };
}

function readOnly({ outcome }: Call): boolean {
  return outcome === 'refused';
}

/** How many permits each owner has, by its JSON text. */
type Taken = Readonly<Record<string, number>>;

function step(state: JsonValue, { f, input, outcome }: Call, permits: number): Stepped {
  if (outcome === 'refused') return { state };
  const taken = new Map(Object.entries(state as Taken));
  const owner = JSON.stringify(input);
  const own = taken.get(owner) ?? 0;
  if (f === 'acquire') {
    const total = [...taken.values()].reduce((sum, count) => sum + count, 0);
    if (total >= permits) return { inconsistent: takenText(permits) };
    taken.set(owner, own + 1);
  } else {
    if (own === 0) return { inconsistent: `${owner} had no permit` };
    taken.set(owner, own - 1);
  }
  const left = [...taken].filter(([, count]) => count > 0);
  return { state: Object.fromEntries(left.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

function takenText(permits: number): string {
  return permits === 1 ? 'the only permit was taken' : `all ${permits} permits were taken`;
}
