import type { KeyHistory, KeyOp } from '../key-history.ts';

/** What was judged, so that a pass says what it covers. */
export interface Asked {
  /** Operations with a known outcome, by function. */
  readonly counts: ReadonlyMap<string, number>;
  readonly indefinite: number;
  /** Somebody was told something that could be wrong. */
  readonly observed: boolean;
}

export function askedOf(keys: readonly KeyHistory[]): Asked {
  const counts = new Map<string, number>();
  let indefinite = 0;
  for (const { ops } of keys)
    for (const { call } of ops) {
      if (call.outcome === 'indefinite') indefinite++;
      else counts.set(call.f, (counts.get(call.f) ?? 0) + 1);
    }
  return { counts, indefinite, observed: keys.some(({ ops }) => ops.some(isObservation)) };
}

/** Anything but a blind write: it says what was there. */
function isObservation({ call }: KeyOp): boolean {
  return call.outcome === 'refused' || (call.outcome === 'ok' && call.f !== 'write');
}
