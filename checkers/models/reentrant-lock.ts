import type { JsonValue } from '../../harness/core/json.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped, sameValue } from './model.ts';
import { heldText, holdersIn, notOwner } from './mutex.ts';

/**
 * A lock that its owner, the value of `acquire` and `release`, may acquire again; it is free when
 * it was released as often.
 */
export const reentrantLock: Model = {
  name: 'reentrant-lock',
  functions: ['acquire', 'release'],
  init: null,
  step,
  readOnly,
  removable: onlyReadsRemovable(readOnly),
  starts,
};

function readOnly({ outcome }: Call): boolean {
  return outcome === 'refused';
}

/** Null while it is free. */
type Held = readonly [owner: JsonValue, times: number] | null;

function step(state: JsonValue, call: Call): Stepped {
  const held = state as Held;
  if (call.outcome === 'refused') return { state };
  const times = held?.[1] ?? 0;
  if (call.f === 'acquire') {
    const isOwn = held === null || sameValue(held[0], call.input);
    return isOwn ? { state: [call.input, times + 1] } : { inconsistent: heldText(held) };
  }
  return notOwner(held, call.input) ?? { state: times === 1 ? null : [call.input, times - 1] };
}

/** Held once more often than it is released is as good as held more often than that. */
function starts(calls: readonly Call[]): readonly JsonValue[] {
  return holdersIn(calls).flatMap((held): JsonValue[] => {
    if (held === null) return [null];
    const isRelease = ({ f, input }: Call): boolean => f === 'release' && sameValue(input, held[0]);
    const most = calls.filter(isRelease).length + 1;
    return Array.from({ length: most }, (_, times) => [held[0], times + 1]);
  });
}
