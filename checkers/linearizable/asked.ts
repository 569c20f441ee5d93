import type { History } from '../../harness/history/history.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { NEVER, NONE, type RegisterColumns } from './columns.ts';

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

/** The columns must be those of the history, whose moments are entries. */
export function askedOfColumns({ codes }: History, columns: RegisterColumns): Asked {
  const { length, needs, call, ret } = columns;
  const functions: string[] = [];
  const counts: number[] = [];
  let indefinite = 0;
  let observed = false;
  for (let row = 0; row < length; row++) {
    if (ret[row] === NEVER) {
      indefinite++;
      continue;
    }
    const f = codes.f(call[row] as number);
    let place = functions.indexOf(f);
    if (place < 0) place = functions.push(f) - 1;
    counts[place] = (counts[place] ?? 0) + 1;
    observed ||= needs[row] !== NONE;
  }
  const byName = new Map(functions.map((f, place) => [f, counts[place] as number]));
  return { counts: byName, indefinite, observed };
}
