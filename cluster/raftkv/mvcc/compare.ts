/** Compares: the conditions of a transaction. */
import { unreachable } from '../../../harness/core/invariant.ts';
import { compareLeaseIds } from './bucket-codec.ts';
import { NO_VALUE, tombstone } from './key-history.ts';
import type { KeySpace } from './key-space.ts';
import { spanOf } from './keys.ts';
import { keysAt } from './range.ts';
import type { Compare, CompareResult, KeyValue } from './types.ts';

/** A key that does not exist: all its numbers are 0. */
const NOTHING: KeyValue = tombstone(NO_VALUE, 0);

/** Whether all hold. */
export function holdAll(space: KeySpace, compares: readonly Compare[]): boolean {
  return compares.every((compare) => holds(space, compare));
}

/**
 * For every key in its range. An empty range compares as one key that does not exist does, which
 * has no value at all: not even an empty one, so that no compare of values holds.
 */
function holds(space: KeySpace, compare: Compare): boolean {
  const found = keysAt(space, spanOf(compare), space.visible);
  if (found.length > 0)
    return found.every((kv) => isResult(compare.result, difference(compare, kv)));
  return compare.target !== 'VALUE' && isResult(compare.result, difference(compare, NOTHING));
}

/** Below, above or 0, as what is there is to what was given. */
function difference(compare: Compare, kv: KeyValue): number {
  switch (compare.target) {
    case 'VERSION':
      return kv.version - compare.number;
    case 'CREATE':
      return kv.createRevision - compare.number;
    case 'MOD':
      return kv.modRevision - compare.number;
    case 'VALUE':
      return Buffer.compare(kv.value, compare.value);
    case 'LEASE':
      return compareLeaseIds(kv.lease, compare.lease);
    default:
      return unreachable(compare);
  }
}

function isResult(result: CompareResult, order: number): boolean {
  switch (result) {
    case 'EQUAL':
      return order === 0;
    case 'NOT_EQUAL':
      return order !== 0;
    case 'GREATER':
      return order > 0;
    case 'LESS':
      return order < 0;
    default:
      return unreachable(result);
  }
}
